/// A strict reader of OpenMetrics 1.0 text, written from the specification and judged by the published cases,
/// so that what the registry writes is checked by something that did not write it.
struct OpenMetricsChecker {
    private struct Family {
        var name: String
        var type = "unknown"
        var unit = ""
        var metadata: Set<String> = []
        var samples: [OpenMetricsSample] = []
    }

    private static let suffixes: [String: [String]] = [
        "counter": ["_total", "_created"],
        "histogram": ["_bucket", "_count", "_sum", "_created"],
        "gaugehistogram": ["_bucket", "_gcount", "_gsum"],
        "summary": ["", "_count", "_sum", "_created"],
        "info": ["_info"],
        "gauge": [""], "stateset": [""], "unknown": [""],
    ]

    private var claimed: Set<String> = []
    private var current: Family?
    private var line = 0
    /// How many samples were read.
    private(set) var samples = 0

    /// Reads the whole text.
    /// - Returns: The number of samples.
    static func check(_ text: [UInt8]) throws(OpenMetricsFault) -> Int {
        var checker = OpenMetricsChecker()
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 0x0A) ?? rest.endIndex
            let line = rest[..<end]
            rest = rest[min(end + 1, rest.endIndex)...]
            checker.line += 1
            if line.elementsEqual("# EOF".utf8) {
                guard rest.isEmpty else { throw checker.fault("text after EOF") }
                try checker.finishFamily()
                return checker.samples
            }
            guard end < text.endIndex else { throw checker.fault("no line feed") }
            try checker.read(line)
        }
        throw checker.fault("no EOF")
    }

    private func fault(_ description: String) -> OpenMetricsFault {
        OpenMetricsFault(line: line, description: description)
    }

    private mutating func read(_ bytes: ArraySlice<UInt8>) throws(OpenMetricsFault) {
        var scanner = OpenMetricsScanner(bytes, line: line)
        guard scanner.take("#") else {
            try add(try scanner.sample())
            return
        }
        for keyword in ["HELP", "TYPE", "UNIT"] where scanner.take(" \(keyword) ") {
            let name = try scanner.name()
            guard scanner.take(" ") else { throw fault("\(keyword) without text") }
            try describe(name, keyword, scanner.rest())
            return
        }
        throw fault("unknown comment")
    }

    private mutating func describe(
        _ name: String, _ keyword: String, _ text: String
    ) throws(OpenMetricsFault) {
        if current?.name != name {
            try finishFamily()
            current = Family(name: name)
        }
        guard var family = current else { return }
        guard family.samples.isEmpty else { throw fault("\(keyword) after samples") }
        guard family.metadata.insert(keyword).inserted else { throw fault("\(keyword) repeated") }
        if keyword == "TYPE" {
            guard Self.suffixes[text] != nil else { throw fault("\(text) is no type") }
            family.type = text
        }
        if keyword == "UNIT" {
            guard text.isEmpty || name.hasSuffix("_" + text) else { throw fault("\(name) lacks its unit") }
            family.unit = text
        }
        current = family
    }

    private mutating func add(_ sample: OpenMetricsSample) throws(OpenMetricsFault) {
        if let family = current, !Self.names(of: family).contains(sample.name) {
            try finishFamily()
        }
        if current == nil { current = Family(name: sample.name) }
        current?.samples.append(sample)
        samples += 1
    }

    private static func names(of family: Family) -> [String] {
        (suffixes[family.type] ?? [""]).map { family.name + $0 }
    }

    private mutating func finishFamily() throws(OpenMetricsFault) {
        guard let family = current else { return }
        current = nil
        for name in Set(Self.names(of: family) + [family.name]) {
            guard claimed.insert(name).inserted else { throw fault("\(name) clashes") }
        }
        if !family.unit.isEmpty, ["info", "stateset"].contains(family.type) {
            throw fault("\(family.type) with a unit")
        }
        for sample in family.samples { try check(sample, in: family) }
        try checkOrder(of: family)
        if family.type.hasSuffix("histogram") { try checkHistograms(of: family) }
    }

    private func check(_ sample: OpenMetricsSample, in family: Family) throws(OpenMetricsFault) {
        let suffix = String(sample.name.dropFirst(family.name.count))
        let value = sample.value
        if sample.hasExemplar, !["_bucket", "_total"].contains(suffix) || family.type == "gauge" {
            throw fault("exemplar not allowed on \(sample.name)")
        }
        if ["_total", "_count", "_bucket", "_gcount"].contains(suffix), !(value >= 0) {
            throw fault("\(sample.name) is \(value)")
        }
        if ["_sum", "_gsum"].contains(suffix), value.isNaN { throw fault("\(sample.name) is NaN") }
        switch (family.type, suffix) {
        case ("summary", "_sum") where value < 0: throw fault("negative sum")
        case ("summary", ""):
            guard let quantile = sample.labels["quantile"].flatMap(Double.init), (0...1).contains(quantile)
            else { throw fault("bad quantile") }
            if value < 0 { throw fault("negative quantile") }
        case ("info", _) where value != 1: throw fault("info is \(value)")
        case ("stateset", _):
            guard sample.labels[family.name] != nil, value == 0 || value == 1 else {
                throw fault("bad state")
            }
        case (_, "_bucket"):
            guard let bound = sample.labels["le"], Double(bound) != nil else { throw fault("bad le") }
        default: break
        }
    }

    /// Samples of one metric stand together, without repetition, in the order of their timestamps.
    private func checkOrder(of family: Family) throws(OpenMetricsFault) {
        var finished: Set<[String: String]> = []
        var previous: OpenMetricsSample?
        var seen: Set<String> = []
        for sample in family.samples {
            let group = Self.group(sample, in: family)
            if let last = previous, Self.group(last, in: family) != group {
                finished.insert(Self.group(last, in: family))
            }
            if finished.contains(group) { throw fault("\(sample.name) is scattered") }
            let identity = "\(sample.name) \(sample.labels.sorted { $0.key < $1.key })"
            if !seen.insert(identity).inserted, let last = previous {
                guard let before = last.timestamp, let now = sample.timestamp, before <= now else {
                    throw fault("\(sample.name) is repeated or goes back in time")
                }
            }
            previous = sample
        }
    }

    private static func group(_ sample: OpenMetricsSample, in family: Family) -> [String: String] {
        let own = ["histogram": "le", "gaugehistogram": "le", "summary": "quantile", "stateset": family.name]
        return sample.labels.filter { $0.key != own[family.type] }
    }

    private func checkHistograms(of family: Family) throws(OpenMetricsFault) {
        for (_, samples) in Dictionary(grouping: family.samples, by: { Self.group($0, in: family) }) {
            let named = { (suffix: String) in samples.filter { $0.name == family.name + suffix } }
            let isGauge = family.type == "gaugehistogram"
            let buckets = named("_bucket")
            let bounds = buckets.compactMap { $0.labels["le"].flatMap(Double.init) }
            guard buckets.last?.labels["le"] == "+Inf" else { throw fault("no +Inf bucket") }
            guard zip(bounds, bounds.dropFirst()).allSatisfy(<) else { throw fault("bounds out of order") }
            guard zip(buckets, buckets.dropFirst()).allSatisfy({ $0.value <= $1.value }) else {
                throw fault("counts fall")
            }
            let count = named(isGauge ? "_gcount" : "_count").first?.value
            let sum = named(isGauge ? "_gsum" : "_sum").first?.value
            if let count, count != buckets.last?.value { throw fault("count is not the last bucket") }
            let isNegative = (bounds.first ?? 0) < 0
            if isNegative, !isGauge, sum != nil { throw fault("sum with negative buckets") }
            if !isNegative, let sum, sum < 0 { throw fault("negative sum") }
            let isPaired = (count == nil) == (sum == nil)
            guard isPaired else { throw fault("sum and count go together") }
        }
    }
}
