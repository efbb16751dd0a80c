/// One thing that is not as the format says, and exactly where.
public struct JournalFault: Sendable, Hashable, CustomStringConvertible {
    /// The kinds of fault.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The hash of a line is not that of the line before it and its own bytes: changed, forged or moved.
        case chain
        /// A record's number does not follow that of the record before it: removed, doubled or moved.
        case sequence
        /// A line that is no record at all.
        case notRecord = "not_record"
        /// The last line has no end.
        case tornTail = "torn_tail"
        /// A segment's first line is no header, or of another segment or stream.
        case header
        /// A segment's header does not follow the last record of the segment before it.
        case headerMismatch = "header_mismatch"
        /// A stream ends before, or with another chain than, what `state/head` says.
        case headMismatch = "head_mismatch"
        /// `state/head` is missing or damaged although there are records.
        case headMissing = "head_missing"
        /// The line that seals a segment does not agree with it.
        case seal
        /// The oldest segments are gone and no record says that they were retired.
        case missingStart = "missing_start"
        /// A compressed segment cannot be read.
        case compressed
        /// An index does not agree with its segment.
        case index
    }

    /// What kind.
    public let kind: Kind
    /// In which stream.
    public let stream: JournalStream
    /// In which file, by name; empty where it is none of the stream's.
    public let segment: String
    /// In which line of it, from 1; 0 where the line is not known.
    public let line: Int
    /// Where that line begins, in bytes of the uncompressed segment.
    public let offset: Int64
    /// What was expected and what was found; bounded.
    public let detail: String
    /// Whether a record of the journal's own, later in the stream, admits to it.
    public internal(set) var isDeclared: Bool

    init(
        _ kind: Kind, _ stream: JournalStream, segment: String = "", line: Int = 0, offset: Int64 = 0,
        detail: String, isDeclared: Bool = false
    ) {
        self.kind = kind
        self.stream = stream
        self.segment = segment
        self.line = line
        self.offset = offset
        self.detail = detail
        self.isDeclared = isDeclared
    }

    /// `violations/000000000001.jsonl:7 (byte 1234): chain: …`.
    public var description: String {
        let place = segment.isEmpty ? stream.rawValue : "\(stream.rawValue)/\(segment)"
        let row = line > 0 ? ":\(line)" : ""
        return "\(place)\(row) (byte \(offset)): \(kind.rawValue): \(detail)"
    }
}
