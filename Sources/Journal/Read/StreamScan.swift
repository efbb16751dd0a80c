internal import SandboxModel

/// Walks over the records of one stream that a query asks for, segment by segment, in bounded memory.
struct StreamScan {
    /// What is done with a record.
    enum Step {
        case goOn
        case stop
    }

    /// The most faults that are kept.
    static let damageLimit = 100

    private let storage: any JournalStorage
    private let stream: JournalStream
    private let filter: RecordFilter
    private let isNewestFirst: Bool
    /// Records above this number and up to the other are wanted.
    private let after: Int64
    private let upTo: Int64
    private(set) var damage: [JournalFault] = []

    init(_ query: JournalQuery, in storage: any JournalStorage) throws(JournalError) {
        self.storage = storage
        stream = query.stream
        filter = try RecordFilter(query)
        isNewestFirst = query.order == .newestFirst
        if let cursor = query.cursor, cursor.order != query.order {
            throw JournalError(.badCursor, operation: "query", detail: "the cursor is of the other order")
        }
        after = isNewestFirst ? 0 : query.cursor?.seq ?? 0
        let bound = query.notAfter ?? .max
        upTo = isNewestFirst ? min(bound, query.cursor.map { $0.seq - 1 } ?? .max) : bound
    }

    /// Walks over the records.
    mutating func run(
        _ body: (JournalRecord) -> Step
    ) throws(JournalError) {
        let catalog = try SegmentCatalog.load(stream, in: storage)
        let places =
            isNewestFirst ? Array(catalog.entries.indices.reversed()) : Array(catalog.entries.indices)
        for place in places {
            let entry = catalog.entries[place]
            let last = catalog.lastSeq(at: place)
            guard entry.firstSeq <= upTo, last.map({ $0 > after }) ?? true else { continue }
            let index =
                last != nil && entry.indexBytes != nil
                ? try SegmentIndex.load(entry.firstSeq, of: stream, in: storage) : nil
            if let index, !filter.mayMatch(index.summary) { continue }
            // Retired since the listing: its records are gone, as that of any page after it.
            guard var segment = try SegmentFile.open(entry.firstSeq, of: stream, in: storage) else {
                continue
            }
            segment.index = index
            if case .stop = try walk(segment, entry, isLast: last == nil, body) { return }
        }
    }

    private mutating func walk(
        _ segment: SegmentFile, _ entry: SegmentCatalog.Entry, isLast: Bool,
        _ body: (JournalRecord) -> Step
    ) throws(JournalError) -> Step {
        var place = Place(name: entry.name, isLast: isLast)
        do {
            if segment.isCompressed {
                place.name = SegmentName.compressed(entry.firstSeq)
                return try walkBlocks(segment, place, body)
            }
            return isNewestFirst
                ? try walkBack(segment, place, body) : try walkOn(segment, entry, place, body)
        } catch {
            guard error.code == .damaged else { throw error }
            note(
                .compressed, RawLine(bytes: [], offset: 0, number: 0, isTerminated: true), place, error.detail
            )
            return .goOn
        }
    }

    /// Which segment is being read.
    private struct Place {
        var name: String
        var isLast: Bool
    }

    private mutating func walkOn(
        _ segment: SegmentFile, _ entry: SegmentCatalog.Entry, _ place: Place,
        _ body: (JournalRecord) -> Step
    ) throws(JournalError) -> Step {
        let start =
            after >= entry.firstSeq ? try PlainSeek.lineBefore(recordAfter: after, in: segment.file) : 0
        var lines = ForwardLines(segment, position: start, offset: start, number: start == 0 ? 1 : 0)
        while let line = try lines.next() {
            if case .stop = take(line, place, body) { return .stop }
        }
        return .goOn
    }

    private mutating func walkBack(
        _ segment: SegmentFile, _ place: Place, _ body: (JournalRecord) -> Step
    ) throws(JournalError) -> Step {
        let end = upTo < .max ? try PlainSeek.record(after: upTo, in: segment) : nil
        var lines = try BackwardLines(segment.file, end: end)
        while let line = try lines.next() {
            if case .stop = take(line, place, body) { return .stop }
        }
        return .goOn
    }

    private mutating func walkBlocks(
        _ segment: SegmentFile, _ place: Place, _ body: (JournalRecord) -> Step
    ) throws(JournalError) -> Step {
        var index = segment.index
        if index == nil || index?.blocks.isEmpty == true {
            index = try SegmentIndex.build(segment, stream: stream)
        }
        let blocks = (index?.blocks ?? []).filter {
            $0.lastSeq > after && $0.firstSeq <= upTo && filter.mayMatch(since: $0.since, until: $0.until)
        }
        for block in isNewestFirst ? blocks.reversed() : blocks {
            guard let content = try GzipBlock.inflate(segment.file, at: block.position),
                Int64(content.bytes.count) == block.length
            else { throw JournalError(.damaged, operation: "inflate", detail: "the index does not fit") }
            var lines: [RawLine] = []
            var begin = 0
            while let newline = LineReading.newline(in: content.bytes, from: begin) {
                lines.append(
                    RawLine(
                        bytes: Array(content.bytes[begin..<newline]), offset: block.start + Int64(begin),
                        number: 0, isTerminated: true))
                begin = newline + 1
            }
            for line in isNewestFirst ? lines.reversed() : lines {
                if case .stop = take(line, place, body) { return .stop }
            }
        }
        return .goOn
    }

    private mutating func take(
        _ line: RawLine, _ place: Place, _ body: (JournalRecord) -> Step
    ) -> Step {
        // The segment's header.
        if line.offset == 0 { return .goOn }
        guard line.isTerminated else {
            // The end of the last segment may be in the middle of being written.
            if !place.isLast { note(.tornTail, line, place, "the last line has no end") }
            return .goOn
        }
        let form = RecordLine.form(of: line.bytes.span, isChained: stream.isChained)
        guard !line.isTooLong, let seq = form, let fields = LineFields(line.bytes) else {
            note(.notRecord, line, place, "the line is no record")
            return .goOn
        }
        if seq > upTo { return isNewestFirst ? .goOn : .stop }
        if seq <= after { return isNewestFirst ? .stop : .goOn }
        guard filter.matches(line.bytes, fields) else { return .goOn }
        return body(JournalRecord(stream: stream, seq: seq, line: line.bytes))
    }

    private mutating func note(_ kind: JournalFault.Kind, _ line: RawLine, _ place: Place, _ detail: String) {
        guard damage.count < StreamScan.damageLimit else { return }
        damage.append(
            JournalFault(
                kind, stream, segment: place.name, line: line.number, offset: line.offset, detail: detail))
    }
}
