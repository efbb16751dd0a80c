public import SandboxModel

/// The last record of a stream: its number and, in chained streams, its chain.
public struct StreamHead: Sendable, Hashable {
    /// Number of the last record; 0 before the first.
    public let seq: Int64
    /// Its chain; `nil` in streams that are not chained.
    public let chain: ChainValue?

    init(seq: Int64, chain: ChainValue?) {
        self.seq = seq
        self.chain = chain
    }

    /// The head of an empty stream.
    static func empty(_ stream: JournalStream) -> StreamHead {
        StreamHead(seq: 0, chain: stream.isChained ? .start : nil)
    }
}

/// What `state/head` holds: how far each stream was at least known to be on disk.
///
/// Written after the records it speaks of, so it may be behind them and is never ahead of them: a stream that
/// ends before its head was cut.
public struct JournalHeads: Sendable, Hashable {
    /// When it was written.
    public var updatedAt: Timestamp
    /// By stream.
    public var streams: [JournalStream: StreamHead]

    init(updatedAt: Timestamp, streams: [JournalStream: StreamHead]) {
        self.updatedAt = updatedAt
        self.streams = streams
    }

    static let folder = "state"
    static let path = "state/head"
    static let temporaryPath = "state/head.tmp"
    static let maximumBytes = 4096

    /// The file's content, newline included.
    var bytes: [UInt8] {
        let entries = JournalStream.allCases.compactMap { stream in
            streams[stream].map { JSONMember(stream.rawValue, $0.json) }
        }
        let line = DigestedObject.encode([
            JSONMember("journal", "head"), JSONMember("format", .integer(SegmentHeader.formatVersion)),
            JSONMember("updated_at", .string(updatedAt.description)), JSONMember("streams", .object(entries)),
        ])
        return line + [UInt8(ascii: "\n")]
    }

    /// Reads the file's content; `nil` when it is damaged or of another version.
    init?(_ content: [UInt8]) {
        guard content.last == UInt8(ascii: "\n"),
            let object = DigestedObject.decode(content.dropLast(1) + []),
            object["journal"]?.string == "head",
            object["format"]?.integer == SegmentHeader.formatVersion,
            let updatedAt = object["updated_at"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let members = object["streams"]?.members
        else { return nil }
        var streams: [JournalStream: StreamHead] = [:]
        for member in members {
            guard let stream = JournalStream(rawValue: member.key), let seq = member.value["seq"]?.integer,
                seq >= 0
            else { return nil }
            let chain = member.value["chain"]?.string.flatMap(ChainValue.init(hex:))
            guard (chain != nil) == stream.isChained else { return nil }
            streams[stream] = StreamHead(seq: seq, chain: chain)
        }
        self.init(updatedAt: updatedAt, streams: streams)
    }
}

extension StreamHead {
    /// `{"seq":12,"chain":"…"}`, as `state/head` and reports show it.
    public var json: JSONValue {
        var members = [JSONMember("seq", .integer(seq))]
        if let chain { members.append(JSONMember("chain", .string(chain.description))) }
        return .object(members)
    }
}
