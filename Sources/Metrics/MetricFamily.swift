import Synchronization

/// One line of values in a family: a ``Counter``, a ``Gauge`` or a ``Histogram``.
package protocol MetricSeries: AnyObject, Sendable {}

/// Counters that share a name and label names.
package typealias CounterFamily = MetricFamily<Counter>
/// Gauges that share a name and label names.
package typealias GaugeFamily = MetricFamily<Gauge>
/// Histograms that share a name, label names and bounds.
package typealias HistogramFamily = MetricFamily<Histogram>

/// Series that share a name, a help text and label names; one for each combination of label values.
package final class MetricFamily<Series: MetricSeries>: Sendable {
    /// What the scraper is told about the family.
    let descriptor: MetricDescriptor
    private let make: @Sendable () -> Series
    private let limit: Int
    private let dropped: Counter
    private let series = Mutex<[[String]: Series]>([:])

    init(
        _ descriptor: MetricDescriptor, limit: Int, dropped: Counter, make: @escaping @Sendable () -> Series
    ) {
        self.descriptor = descriptor
        self.make = make
        self.limit = limit
        self.dropped = dropped
    }

    /// The series with these label values, made if it does not exist. Look it up once and keep it.
    ///
    /// - Parameter values: One value for each label name, in the order of the names.
    /// - Returns: The series. Once the family holds as many series as the registry allows, a new combination
    ///   gets a series that works but is not exposed, and `sandwarden_metrics_dropped_series_total` grows.
    package func with(_ values: String...) -> Series {
        with(values)
    }

    /// The series with these label values; see ``with(_:)-(String...)``.
    package func with(_ values: [String]) -> Series {
        precondition(
            values.count == descriptor.labels.count,
            "\(descriptor.name) has \(descriptor.labels.count) labels, got \(values.count) values")
        return series.withLock { known in
            if let found = known[values] { return found }
            let fresh = make()
            guard known.count < limit else {
                dropped.increment()
                return fresh
            }
            known[values] = fresh
            return fresh
        }
    }

    /// Forgets the series with these label values, so that it is no longer exposed.
    package func remove(_ values: String...) {
        series.withLock { _ = $0.removeValue(forKey: values) }
    }

    /// All series, in the order of their label values.
    var sorted: [(labels: [String], series: Series)] {
        series.withLock { known in known.map { (labels: $0.key, series: $0.value) } }
            .sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
    }
}

/// Everything about a family but its values.
struct MetricDescriptor: Sendable, Equatable {
    /// The name as the program gave it; counters end in `_total`.
    let name: String
    let kind: MetricKind
    let help: String
    let labels: [String]
    /// Upper bounds of a histogram's ranges; empty for other kinds.
    var bounds: [Double] = []
}
