public import SandboxModel

/// One record of a stream, as its line stands in the journal.
public struct JournalRecord: Sendable, Hashable {
    /// The stream.
    public let stream: JournalStream
    /// Its number in the stream, from 1.
    public let seq: Int64
    /// The whole line, a JSON object, without its newline.
    public let line: [UInt8]

    init(stream: JournalStream, seq: Int64, line: [UInt8]) {
        self.stream = stream
        self.seq = seq
        self.line = line
    }

    /// The line as a value, `seq` first and, in chained streams, `chain` last.
    /// - Throws: `damaged` when the line is no JSON.
    public func json() throws(JournalError) -> JSONValue {
        do {
            return try JSONParser.parse(line).json
        } catch {
            throw JournalError(.damaged, operation: "parse", detail: "\(stream.rawValue) \(seq): \(error)")
        }
    }

    /// What kind of record the journal itself wrote: `gap`, `seal`, `retired`; `nil` for a caller's record.
    public var ownKind: String? {
        LineFields(line)?.journal.map { String(decoding: line[$0], as: UTF8.self) }
    }

    /// The record's time.
    public var timestamp: Timestamp? {
        LineFields(line)?.timestamp.flatMap { Timestamp(rfc3339: String(decoding: line[$0], as: UTF8.self)) }
    }
}
