/// A family that can write itself out.
protocol ExposedFamily: Sendable {
    /// Writes the family's header and all its samples; nothing when it has no series.
    func write(to writer: inout ExpositionWriter)
}

/// A series that can write its samples.
protocol WritableSeries: MetricSeries {
    /// Writes the samples under the family's name with these label values.
    func write(to writer: inout ExpositionWriter, _ family: MetricDescriptor, labels: [String])
}

extension MetricFamily: ExposedFamily where Series: WritableSeries {
    func write(to writer: inout ExpositionWriter) {
        let all = sorted
        guard !all.isEmpty else { return }
        writer.begin(descriptor)
        for (labels, series) in all {
            series.write(to: &writer, descriptor, labels: labels)
        }
    }
}

/// A family whose samples are read at scrape time.
struct CollectedFamily: ExposedFamily {
    let descriptor: MetricDescriptor
    let read: @Sendable () -> [CollectedSample]

    func write(to writer: inout ExpositionWriter) {
        let samples = read().sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
        guard !samples.isEmpty else { return }
        writer.begin(descriptor)
        for sample in samples { writer.sample(descriptor, labels: sample.labels, value: sample.value) }
    }
}

extension Counter: WritableSeries {
    func write(to writer: inout ExpositionWriter, _ family: MetricDescriptor, labels: [String]) {
        writer.sample(family, labels: labels, value: value)
    }
}

extension Gauge: WritableSeries {
    func write(to writer: inout ExpositionWriter, _ family: MetricDescriptor, labels: [String]) {
        writer.sample(family, labels: labels, value: value)
    }
}

extension Histogram: WritableSeries {
    func write(to writer: inout ExpositionWriter, _ family: MetricDescriptor, labels: [String]) {
        writer.histogram(family, labels: labels, snapshot, bounds: bounds)
    }
}
