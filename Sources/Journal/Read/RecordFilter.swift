internal import SandboxModel

/// A query's conditions in the form that is compared with lines. Pure.
struct RecordFilter: Sendable {
    private let sandbox: [UInt8]?
    private let sandboxText: String?
    private let type: [UInt8]?
    private let severity: [UInt8]?
    private let policy: [UInt8]?
    private let since: Int64?
    private let until: Int64?
    /// In lower case, as it stands in a line.
    private let needle: [UInt8]?
    private let stream: JournalStream
    private let includesOwn: Bool

    /// The longest text that is looked for.
    static let textLimit = 256

    init(_ query: JournalQuery) throws(JournalError) {
        stream = query.stream
        includesOwn = query.includesOwnRecords
        sandboxText = query.sandboxID?.rawValue
        sandbox = sandboxText.map { Array($0.utf8) }
        type = query.type.map(RecordFilter.written)
        severity = query.severity.map { Array($0.rawValue.utf8) }
        policy = query.policy.map { Array($0.rawValue.utf8) }
        since = query.since?.milliseconds
        until = query.until?.milliseconds
        needle = query.text.map { RecordFilter.written($0).map(RecordFilter.lowercase) }
        guard (needle?.count ?? 0) <= RecordFilter.textLimit else {
            throw JournalError(
                .tooLarge, operation: "query",
                detail: "the text is longer than \(RecordFilter.textLimit) bytes")
        }
    }

    /// A text as it stands between quotes in a line.
    private static func written(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        JSONValue.append(text, to: &bytes)
        return Array(bytes.dropFirst().dropLast())
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
    }

    /// Whether anything in a segment can match.
    func mayMatch(_ summary: SegmentSummary) -> Bool {
        if let sandboxText, let sandboxes = summary.sandboxes, !sandboxes.contains(sandboxText) {
            return false
        }
        return mayMatch(since: summary.since, until: summary.until)
    }

    /// Whether anything between two times can match; `nil` where the times are not known.
    func mayMatch(since first: Int64?, until last: Int64?) -> Bool {
        if let since, let last, last < since { return false }
        if let until, let first, first >= until { return false }
        return true
    }

    func matches(_ line: [UInt8], _ fields: LineFields) -> Bool {
        if fields.journal != nil, !includesOwn {
            guard stream == .audit, fields.event != nil else { return false }
        }
        func isEqual(_ range: Range<Int>?, _ wanted: [UInt8]?) -> Bool {
            guard let wanted else { return true }
            guard let range else { return false }
            return LineText.isEqual(line.span, range, wanted)
        }
        guard isEqual(fields.sandbox, sandbox), isEqual(fields.severity, severity),
            isEqual(fields.policy, policy), isEqual(stream == .audit ? fields.event : fields.type, type)
        else { return false }
        if since != nil || until != nil {
            guard let time = fields.timestamp.flatMap({ LineText.milliseconds(line[$0]) }) else {
                return false
            }
            if let since, time < since { return false }
            if let until, time >= until { return false }
        }
        return needle.map { contains($0, in: line) } ?? true
    }

    private func contains(_ needle: [UInt8], in line: [UInt8]) -> Bool {
        guard let first = needle.first else { return true }
        let end = line.count - (stream.isChained ? RecordLine.suffixCount : 0)
        guard needle.count <= end else { return false }
        let span = line.span
        search: for start in 0...(end - needle.count) {
            guard RecordFilter.lowercase(span[start]) == first else { continue }
            for offset in 1..<max(1, needle.count)
            where RecordFilter.lowercase(span[start + offset]) != needle[offset] {
                continue search
            }
            return true
        }
        return false
    }
}
