/// Why a text is not OpenMetrics.
struct OpenMetricsFault: Error, CustomStringConvertible {
    let line: Int
    let description: String
}

/// One sample line, taken apart.
struct OpenMetricsSample {
    var name: String
    var labels: [String: String]
    var value: Double
    var timestamp: Double?
    var hasExemplar: Bool
}

/// Takes one line of OpenMetrics text apart by the grammar, without knowing about families.
struct OpenMetricsScanner {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private let line: Int

    init(_ bytes: ArraySlice<UInt8>, line: Int) {
        self.bytes = bytes
        position = bytes.startIndex
        self.line = line
    }

    func fault(_ description: String) -> OpenMetricsFault {
        OpenMetricsFault(line: line, description: description)
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func take(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    mutating func name(allowColon: Bool = true) throws(OpenMetricsFault) -> String {
        let start = position
        while position < bytes.endIndex {
            switch bytes[position] {
            case 0x41...0x5A, 0x61...0x7A, 0x5F: break
            case 0x3A where allowColon: break
            case 0x30...0x39 where position > start: break
            default:
                guard position > start else { throw fault("no name") }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            }
            position += 1
        }
        guard position > start else { throw fault("no name") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// Everything up to the end of the line.
    mutating func rest() -> String {
        defer { position = bytes.endIndex }
        return String(decoding: bytes[position...], as: UTF8.self)
    }

    mutating func number() throws(OpenMetricsFault) -> Double {
        let start = position
        while position < bytes.endIndex, bytes[position] != 0x20 { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text.lowercased() {
        case "nan": return .nan
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: break
        }
        let allowed = text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        guard allowed, let value = Double(text) else { throw fault("\(text) is not a number") }
        return value
    }

    mutating func labels() throws(OpenMetricsFault) -> [String: String] {
        var labels: [String: String] = [:]
        guard !take("}") else { return labels }
        repeat {
            let name = try name(allowColon: false)
            guard take("=\"") else { throw fault("no value for \(name)") }
            guard labels.updateValue(try quoted(), forKey: name) == nil else {
                throw fault("\(name) repeated")
            }
        } while take(",")
        guard take("}") else { throw fault("labels not closed") }
        return labels
    }

    private mutating func quoted() throws(OpenMetricsFault) -> String {
        var value: [UInt8] = []
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            if byte == 0x22 { return String(decoding: value, as: UTF8.self) }
            guard byte == 0x5C, position < bytes.endIndex else {
                value.append(byte)
                continue
            }
            switch bytes[position] {
            case 0x6E: value.append(0x0A)
            case 0x22, 0x5C: value.append(bytes[position])
            default: value += [0x5C, bytes[position]]
            }
            position += 1
        }
        throw fault("quote not closed")
    }

    mutating func sample() throws(OpenMetricsFault) -> OpenMetricsSample {
        let name = try name()
        let labels = take("{") ? try labels() : [:]
        guard take(" ") else { throw fault("no value") }
        var sample = OpenMetricsSample(
            name: name, labels: labels, value: try number(), timestamp: nil, hasExemplar: false)
        guard take(" ") else { return try ended(sample) }
        if !take("# ") {
            sample.timestamp = try timestamp()
            guard take(" ") else { return try ended(sample) }
            guard take("# ") else { throw fault("unexpected text") }
        }
        sample.hasExemplar = true
        try exemplar()
        return try ended(sample)
    }

    private func ended(_ sample: OpenMetricsSample) throws(OpenMetricsFault) -> OpenMetricsSample {
        guard isAtEnd else { throw fault("unexpected text") }
        return sample
    }

    private mutating func timestamp() throws(OpenMetricsFault) -> Double {
        let value = try number()
        guard value.isFinite else { throw fault("timestamp not finite") }
        return value
    }

    private mutating func exemplar() throws(OpenMetricsFault) {
        guard take("{") else { throw fault("exemplar without labels") }
        let length = try labels().reduce(0) {
            $0 + $1.key.unicodeScalars.count + $1.value.unicodeScalars.count
        }
        guard length <= 128 else { throw fault("exemplar too long") }
        guard take(" ") else { throw fault("exemplar without value") }
        _ = try number()
        if take(" ") { _ = try timestamp() }
    }
}
