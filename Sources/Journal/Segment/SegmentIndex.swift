internal import LinuxSystem
internal import SandboxModel

/// What is in a sealed segment and where: a help for queries, made again when it is missing or damaged.
struct SegmentIndex: Sendable, Hashable {
    /// One piece of a compressed segment.
    struct Block: Sendable, Hashable {
        /// Where its member begins in the file.
        var position: Int64
        /// Where its content begins in the uncompressed segment, and how long it is.
        var start: Int64
        var length: Int64
        /// Its records; equal and 0 when it holds none.
        var firstSeq: Int64
        var lastSeq: Int64
        var since: Int64?
        var until: Int64?
    }

    static let limitBytes = 8 << 20

    var summary: SegmentSummary
    /// Empty for a segment that is not compressed.
    var blocks: [Block]

    /// The file's content, newline included.
    func bytes(of stream: JournalStream) -> [UInt8] {
        let rows = blocks.map { block in
            JSONValue.array([
                .integer(block.position), .integer(block.start), .integer(block.length),
                .integer(block.firstSeq), .integer(block.lastSeq), .optional(block.since),
                .optional(block.until),
            ])
        }
        return DigestedObject.encode([
            JSONMember("journal", "index"), JSONMember("stream", .string(stream.rawValue)),
            JSONMember("format", .integer(SegmentHeader.formatVersion)),
            JSONMember("records", .integer(summary.records)),
            JSONMember("first_seq", .integer(summary.firstSeq)),
            JSONMember("last_seq", .integer(summary.lastSeq)),
            JSONMember("since_ms", .optional(summary.since)),
            JSONMember("until_ms", .optional(summary.until)),
            JSONMember("sandboxes", summary.sandboxes.map { .strings($0.sorted()) } ?? .null),
            JSONMember("blocks", .array(rows)),
        ]) + [UInt8(ascii: "\n")]
    }

    init(summary: SegmentSummary, blocks: [Block]) {
        self.summary = summary
        self.blocks = blocks
    }

    /// Reads a file's content; `nil` when it is damaged, of another version or of another segment.
    init?(_ content: [UInt8], stream: JournalStream, firstSeq: Int64) {
        guard content.last == UInt8(ascii: "\n"),
            let object = DigestedObject.decode(content.dropLast(1) + []),
            object["journal"]?.string == "index", object["stream"]?.string == stream.rawValue,
            object["format"]?.integer == SegmentHeader.formatVersion,
            let records = object["records"]?.integer, let first = object["first_seq"]?.integer,
            let last = object["last_seq"]?.integer, let rows = object["blocks"]?.array,
            records == 0 || first == firstSeq
        else { return nil }
        var summary = SegmentSummary()
        summary.records = records
        summary.firstSeq = first
        summary.lastSeq = last
        summary.since = object["since_ms"]?.integer
        summary.until = object["until_ms"]?.integer
        summary.sandboxes = object["sandboxes"]?.array.map { Set($0.compactMap(\.string)) }
        var blocks: [Block] = []
        for row in rows {
            guard let cells = row.array, cells.count == 7, let position = cells[0].integer,
                let start = cells[1].integer, let length = cells[2].integer, let first = cells[3].integer,
                let last = cells[4].integer, position >= 0, start >= 0, length > 0
            else { return nil }
            blocks.append(
                Block(
                    position: position, start: start, length: length, firstSeq: first, lastSeq: last,
                    since: cells[5].integer, until: cells[6].integer))
        }
        self.init(summary: summary, blocks: blocks)
    }

    /// Loads the index beside a segment; `nil` when there is none that can be used.
    static func load(
        _ firstSeq: Int64, of stream: JournalStream, in storage: any JournalStorage
    ) throws(JournalError) -> SegmentIndex? {
        let path = "\(stream.rawValue)/\(SegmentName.index(firstSeq))"
        do throws(SystemError) {
            guard let content = try storage.readFile(path, limit: limitBytes) else { return nil }
            return SegmentIndex(content, stream: stream, firstSeq: firstSeq)
        } catch {
            guard error.errno == ErrorNumber.tooLong else { throw JournalError(error, .io, path) }
            return nil
        }
    }

    /// Makes the index of a compressed segment by reading it through.
    static func build(_ segment: SegmentFile, stream: JournalStream) throws(JournalError) -> SegmentIndex {
        var index = SegmentIndex(summary: SegmentSummary(), blocks: [])
        var position: Int64 = 0
        var start: Int64 = 0
        while true {
            let begin = position
            guard let bytes = try segment.nextBlock(&position) else { return index }
            index.add(bytes, at: begin, start: start, stream: stream)
            start += Int64(bytes.count)
        }
    }

    /// Counts the whole lines of a block and notes where it is.
    mutating func add(_ bytes: [UInt8], at position: Int64, start: Int64, stream: JournalStream) {
        var block = SegmentSummary()
        var index = 0
        while let newline = LineReading.newline(in: bytes, from: index) {
            let line = Array(bytes[index..<newline])
            index = newline + 1
            block.add(line, of: stream)
            summary.add(line, of: stream)
        }
        blocks.append(
            Block(
                position: position, start: start, length: Int64(bytes.count), firstSeq: block.firstSeq,
                lastSeq: block.lastSeq, since: block.since, until: block.until))
    }
}
