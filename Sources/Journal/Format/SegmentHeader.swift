internal import SandboxModel

/// Where records come from: written into every segment's header.
package struct JournalOrigin: Sendable, Hashable {
    /// The host's name; foreign text.
    package var host: String
    /// The kernel's identifier of the boot.
    package var bootID: String

    /// An origin of the given parts.
    package init(host: String, bootID: String) {
        self.host = host
        self.bootID = bootID
    }
}

/// The first line of a segment.
struct SegmentHeader: Sendable, Hashable {
    static let formatVersion: Int64 = 1

    var stream: JournalStream
    var origin: JournalOrigin
    var createdAt: Timestamp
    /// Number of the first record in the segment.
    var firstSeq: Int64
    /// The chain that the first record follows; `nil` in streams that are not chained.
    var chain: ChainValue?

    /// The line without a newline.
    var line: [UInt8] {
        var members = [
            JSONMember("journal", "header"), JSONMember("stream", .string(stream.rawValue)),
            JSONMember("format", .integer(SegmentHeader.formatVersion)),
            JSONMember("host", .string(origin.host)),
            JSONMember("boot_id", .string(origin.bootID)),
            JSONMember("created_at", .string(createdAt.description)),
            JSONMember("first_seq", .integer(firstSeq)),
        ]
        if let chain { members.append(JSONMember("chain", .string(chain.description))) }
        return DigestedObject.encode(members)
    }

    init(
        stream: JournalStream, origin: JournalOrigin, createdAt: Timestamp, firstSeq: Int64,
        chain: ChainValue?
    ) {
        self.stream = stream
        self.origin = origin
        self.createdAt = createdAt
        self.firstSeq = firstSeq
        self.chain = chain
    }

    /// Reads a header line of `stream`.
    /// - Throws: ``HeaderFault``, saying what is wrong.
    init(_ line: [UInt8], stream: JournalStream) throws(HeaderFault) {
        guard let object = DigestedObject.decode(line) else {
            throw HeaderFault(detail: "the line is no header or its digest is wrong")
        }
        guard object["journal"]?.string == "header" else {
            throw HeaderFault(detail: "the line is no header")
        }
        guard object["format"]?.integer == SegmentHeader.formatVersion else {
            throw HeaderFault(detail: "the format version is not \(SegmentHeader.formatVersion)")
        }
        guard object["stream"]?.string == stream.rawValue else {
            throw HeaderFault(detail: "the header is of another stream than \(stream.rawValue)")
        }
        guard let host = object["host"]?.string, let bootID = object["boot_id"]?.string,
            let createdAt = object["created_at"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let firstSeq = object["first_seq"]?.integer, firstSeq > 0
        else { throw HeaderFault(detail: "a member of the header is missing or of a wrong type") }
        let chain = object["chain"]?.string.flatMap(ChainValue.init(hex:))
        guard (chain != nil) == stream.isChained else { throw HeaderFault(detail: "the header has no chain") }
        self.init(
            stream: stream, origin: JournalOrigin(host: host, bootID: bootID), createdAt: createdAt,
            firstSeq: firstSeq, chain: chain)
    }
}

/// What is wrong with a segment's first line.
struct HeaderFault: Error, Sendable, Hashable {
    let detail: String
}
