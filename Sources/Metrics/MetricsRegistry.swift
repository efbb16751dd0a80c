import Synchronization

/// All metrics of one program, by name.
///
/// Asking twice for the same name gives the same family, if kind, labels and bounds agree; a name that is
/// asked for in two different shapes is a mistake in the program and traps, as does a name that
/// is not well formed.
package final class MetricsRegistry: Sendable {
    private struct State {
        var families: [String: any ExposedFamily] = [:]
    }

    private let state = Mutex(State())
    private let seriesLimit: Int
    private let dropped: Counter

    /// - Parameter seriesLimit: How many series one family may expose.
    package init(seriesLimit: Int = 2000) {
        self.seriesLimit = seriesLimit
        dropped = Counter()
        let own = MetricDescriptor(
            name: "sandwarden_metrics_dropped_series_total", kind: .counter,
            help: "Series that were not exposed because their family was full.", labels: [])
        let counter = dropped
        add(CollectedFamily(descriptor: own) { [CollectedSample(counter.value)] })
    }

    /// Counters named `name`, which ends in `_total`.
    package func counter(_ name: String, help: String, labels: [String]) -> CounterFamily {
        family(checked(name, .counter, help, labels)) { Counter() }
    }

    /// The counter named `name`, which ends in `_total` and has no labels.
    package func counter(_ name: String, help: String) -> Counter {
        counter(name, help: help, labels: []).with()
    }

    /// Gauges named `name`.
    package func gauge(_ name: String, help: String, labels: [String]) -> GaugeFamily {
        family(checked(name, .gauge, help, labels)) { Gauge() }
    }

    /// The gauge named `name`, without labels.
    package func gauge(_ name: String, help: String) -> Gauge {
        gauge(name, help: help, labels: []).with()
    }

    /// Histograms named `name`.
    /// - Parameter bounds: Upper bounds of the ranges: finite, strictly ascending, at least one. The range
    ///   above the last one is added.
    package func histogram(
        _ name: String, help: String, labels: [String], bounds: [Double] = Histogram.requestSeconds
    ) -> HistogramFamily {
        precondition(
            !bounds.isEmpty && bounds.allSatisfy(\.isFinite) && zip(bounds, bounds.dropFirst()).allSatisfy(<),
            "bounds of \(name) must be finite and ascending")
        var descriptor = checked(name, .histogram, help, labels)
        descriptor.bounds = bounds
        return family(descriptor) { Histogram(bounds: bounds) }
    }

    /// The histogram named `name`, without labels.
    package func histogram(
        _ name: String, help: String, bounds: [Double] = Histogram.requestSeconds
    ) -> Histogram {
        histogram(name, help: help, labels: [], bounds: bounds).with()
    }

    /// A family whose values are read when a scraper asks.
    ///
    /// - Parameters:
    ///   - kind: `.gauge`, or `.counter` for a number that something else counts; not `.histogram`.
    ///   - read: Called for every scrape, on its thread: it must be quick and must not call back into
    ///     the registry. A sample with a wrong number of label values, a repeated combination or one beyond
    ///     the registry's limit is left out and counted as dropped.
    package func collect(
        _ name: String, _ kind: MetricKind = .gauge, help: String, labels: [String] = [],
        read: @escaping @Sendable () -> [CollectedSample]
    ) {
        precondition(kind != .histogram, "\(name): histograms cannot be collected")
        let descriptor = checked(name, kind, help, labels)
        let limit = seriesLimit
        let dropped = self.dropped
        add(
            CollectedFamily(descriptor: descriptor) {
                let all = read()
                var seen: Set<[String]> = []
                let kept = all.filter {
                    $0.labels.count == labels.count && seen.count < limit && seen.insert($0.labels).inserted
                }
                if kept.count < all.count { dropped.increment(by: UInt64(all.count - kept.count)) }
                return kept
            })
    }

    /// Everything the registry holds, as text for a scraper; families in the order of their names.
    /// - Complexity: Linear in the number of series; does not block writers for longer than one copy.
    package func render(_ format: ExpositionFormat) -> [UInt8] {
        let families = state.withLock { $0.families.sorted { $0.key < $1.key }.map(\.value) }
        var writer = ExpositionWriter(format: format)
        for family in families { family.write(to: &writer) }
        return writer.finish()
    }

    private func family<Series: WritableSeries>(
        _ descriptor: MetricDescriptor, make: @escaping @Sendable () -> Series
    ) -> MetricFamily<Series> {
        state.withLock { state in
            if let known = state.families[descriptor.name] {
                // Help texts may differ: the first one stays.
                guard let same = known as? MetricFamily<Series>, same.descriptor.labels == descriptor.labels,
                    same.descriptor.bounds == descriptor.bounds
                else {
                    preconditionFailure("\(descriptor.name) is already registered in another shape")
                }
                return same
            }
            let fresh = MetricFamily(descriptor, limit: seriesLimit, dropped: dropped, make: make)
            state.families[descriptor.name] = fresh
            return fresh
        }
    }

    private func add(_ family: CollectedFamily) {
        let name = family.descriptor.name
        state.withLock { state in
            precondition(state.families[name] == nil, "\(name) is already registered")
            state.families[name] = family
        }
    }

    private func checked(
        _ name: String, _ kind: MetricKind, _ help: String, _ labels: [String]
    ) -> MetricDescriptor {
        precondition(MetricName.isValid(name, for: kind), "\(name) is not a good name for a \(kind)")
        precondition(!help.isEmpty, "\(name) has no help text")
        precondition(
            Set(labels).count == labels.count
                && labels.allSatisfy { MetricName.isValidLabel($0, for: kind) },
            "\(name) has bad label names")
        return MetricDescriptor(name: name, kind: kind, help: help, labels: labels)
    }
}

/// One value that a collector read.
package struct CollectedSample: Sendable, Equatable {
    /// Label values, in the order of the family's label names.
    package var labels: [String]
    /// The value now.
    package var value: Double

    /// A value with its label values.
    package init(_ value: Double, labels: [String] = []) {
        self.value = value
        self.labels = labels
    }
}
