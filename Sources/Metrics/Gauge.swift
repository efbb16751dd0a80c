import Synchronization

/// A number that goes up and down.
package final class Gauge: MetricSeries {
    private let bits = Atomic<UInt64>(0)

    init() {}

    /// Replaces the value. Infinities and NaN are kept and exposed as such.
    package func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    /// Replaces the value by a whole number.
    package func set(_ value: Int) {
        set(Double(value))
    }

    /// Adds `amount`, which may be negative.
    package func add(_ amount: Double) {
        bits.update { $0 + amount }
    }

    /// Adds one.
    package func increment() {
        add(1)
    }

    /// Takes one away.
    package func decrement() {
        add(-1)
    }

    /// The value now.
    package var value: Double {
        Double(bitPattern: bits.load(ordering: .relaxed))
    }
}
