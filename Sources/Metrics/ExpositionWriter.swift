/// Writes families and samples in one of the text formats.
///
/// - SeeAlso: Prometheus "Exposition formats"; OpenMetrics 1.0 "Text format".
struct ExpositionWriter {
    let format: ExpositionFormat
    private var output: [UInt8] = []

    init(format: ExpositionFormat) {
        self.format = format
        output.reserveCapacity(16_384)
    }

    /// The lines that introduce a family.
    mutating func begin(_ family: MetricDescriptor) {
        let name = exposedName(of: family)
        put("# HELP \(name) ")
        putEscaped(family.help, quotes: format == .openMetrics)
        put("\n# TYPE \(name) \(family.kind.rawValue)\n")
        if format == .openMetrics, let unit = MetricName.unit(of: name) { put("# UNIT \(name) \(unit)\n") }
    }

    /// One sample of a counter or a gauge.
    mutating func sample(_ family: MetricDescriptor, labels: [String], value: Double) {
        put(family.name)
        putLabels(family.labels, labels, bound: nil)
        putValue(value)
    }

    /// The samples of one histogram: accumulated ranges, sum, count.
    mutating func histogram(
        _ family: MetricDescriptor, labels: [String], _ snapshot: Histogram.Snapshot, bounds: [Double]
    ) {
        var below: UInt64 = 0
        for (index, count) in snapshot.counts.enumerated() {
            below &+= count
            put(family.name)
            put("_bucket")
            putLabels(family.labels, labels, bound: index < bounds.count ? bounds[index] : .infinity)
            putValue(Double(below))
        }
        put(family.name)
        put("_sum")
        putLabels(family.labels, labels, bound: nil)
        putValue(snapshot.sum)
        put(family.name)
        put("_count")
        putLabels(family.labels, labels, bound: nil)
        putValue(Double(below))
    }

    /// The whole text.
    consuming func finish() -> [UInt8] {
        if format == .openMetrics { put("# EOF\n") }
        return output
    }

    /// OpenMetrics names a counter's family without `_total`, the older format with it.
    private func exposedName(of family: MetricDescriptor) -> String {
        format == .openMetrics && family.kind == .counter ? MetricName.base(of: family.name) : family.name
    }

    private mutating func put(_ text: String) {
        output.append(contentsOf: text.utf8)
    }

    private mutating func putLabels(_ names: [String], _ values: [String], bound: Double?) {
        guard !names.isEmpty || bound != nil else { return }
        var separator = "{"
        for (name, value) in zip(names, values) {
            put("\(separator)\(name)=\"")
            putEscaped(value, quotes: true)
            put("\"")
            separator = ","
        }
        if let bound { put("\(separator)le=\"\(Self.bound(bound))\"") }
        put("}")
    }

    private mutating func putValue(_ value: Double) {
        put(" ")
        put(Self.number(value))
        put("\n")
    }

    private mutating func putEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): put("\\\\")
            case UInt8(ascii: "\n"): put("\\n")
            case UInt8(ascii: "\"") where quotes: put("\\\"")
            default: output.append(byte)
            }
        }
    }

    /// A sample's value: whole numbers that are exact are written without a fraction.
    static func number(_ value: Double) -> String {
        if value.isFinite, value == value.rounded(), abs(value) < 9_007_199_254_740_992 {
            return String(Int64(value))
        }
        return special(value) ?? value.description
    }

    /// A range's bound in the canonical form of both formats, which always has a fraction or an exponent, so
    /// that a series keeps its identity whichever format was asked for.
    static func bound(_ value: Double) -> String {
        special(value) ?? value.description
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "NaN" }
        if value == .infinity { return "+Inf" }
        return value == -.infinity ? "-Inf" : nil
    }
}
