import Synchronization

/// A number that only grows, from zero at the start of the process.
package final class Counter: MetricSeries {
    /// Whole steps; wraps after 2^64, which a process does not live to see.
    private let whole = Atomic<UInt64>(0)
    /// Bit pattern of the sum of fractional amounts.
    private let fraction = Atomic<UInt64>(0)

    init() {}

    /// Adds a whole number of steps: one atomic addition.
    package func increment(by steps: UInt64 = 1) {
        whole.wrappingAdd(steps, ordering: .relaxed)
    }

    /// Adds `amount`, which may have a fraction. An amount that is negative or not finite is ignored, since a
    /// counter cannot go back.
    package func add(_ amount: Double) {
        guard amount.isFinite, amount >= 0 else { return }
        fraction.update { $0 + amount }
    }

    /// Adds a length of time in seconds.
    package func add(_ duration: Duration) {
        add(duration.inSeconds)
    }

    /// What has been counted so far.
    package var value: Double {
        Double(whole.load(ordering: .relaxed)) + Double(bitPattern: fraction.load(ordering: .relaxed))
    }
}

extension Atomic where Value == UInt64 {
    /// Replaces the floating-point number whose bit pattern is stored by a function of it.
    func update(_ change: (Double) -> Double) {
        var seen = load(ordering: .relaxed)
        while true {
            let wanted = change(Double(bitPattern: seen)).bitPattern
            let (done, original) = compareExchange(expected: seen, desired: wanted, ordering: .relaxed)
            if done { return }
            seen = original
        }
    }
}

extension Duration {
    /// The duration as a floating-point number of seconds.
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
