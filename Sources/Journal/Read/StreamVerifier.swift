internal import Dispatch
internal import SandboxModel

/// Checks one stream, segment after segment.
struct StreamVerifier {
    private let stream: JournalStream
    private let known: StreamHead?
    private let storage: any JournalStorage
    private let settlingAttempts: Int
    private var result: JournalVerification.Stream
    private var checker: LineChecker
    private var isFirst = true
    private var previousName = ""
    /// The highest number that a record says was retired.
    private var retiredThrough: Int64 = 0
    /// The fault of a missing beginning, told only when no record admits to it.
    private var missingStart: JournalFault?

    /// What is known of the segment at hand.
    private struct Segment {
        let name: String
        let entry: SegmentCatalog.Entry
        var headerDigest = ""
        var summary = SegmentSummary()
        var isSealed = false
    }

    init(_ stream: JournalStream, known: StreamHead?, storage: any JournalStorage, settlingAttempts: Int) {
        self.stream = stream
        self.known = known
        self.storage = storage
        self.settlingAttempts = settlingAttempts
        result = JournalVerification.Stream(stream)
        checker = LineChecker(stream, expectedSeq: nil, chain: nil, isThorough: true)
    }

    /// Reads one segment.
    mutating func read(_ entry: SegmentCatalog.Entry, isLast: Bool) throws(JournalError) {
        guard let file = try SegmentFile.open(entry.firstSeq, of: stream, in: storage) else {
            // Retired since the listing; what follows it begins anew.
            checker = LineChecker(stream, expectedSeq: nil, chain: nil, isThorough: true)
            return
        }
        let name =
            file.isCompressed ? SegmentName.compressed(entry.firstSeq) : SegmentName.plain(entry.firstSeq)
        var segment = Segment(name: name, entry: entry)
        var lines = ForwardLines(file)
        do {
            while var line = try lines.next() {
                if !line.isTerminated {
                    guard let whole = try settle(&lines, isLast: isLast) else {
                        result.add(
                            JournalFault(
                                .tornTail, stream, segment: name, line: line.number, offset: line.offset,
                                detail: "the last line has no end"))
                        break
                    }
                    line = whole
                }
                if line.number == 1 { readHeader(line, &segment) } else { check(line, &segment) }
            }
            if lines.nextOffset == 0 { fault(.header, segment, detail: "the segment has no header") }
        } catch {
            guard error.code == .damaged else { throw error }
            fault(.compressed, segment, offset: lines.nextOffset, detail: error.detail)
            checker = LineChecker(stream, expectedSeq: nil, chain: nil, isThorough: true)
        }
        result.segments += 1
        result.bytes += lines.nextOffset
        try compareIndex(segment)
        isFirst = false
        previousName = name
    }

    /// A line without an end may be one that a running journal is just writing: looks again a few times.
    private func settle(_ lines: inout ForwardLines, isLast: Bool) throws(JournalError) -> RawLine? {
        guard isLast else { return nil }
        for _ in 0..<settlingAttempts {
            if let line = try lines.next(), line.isTerminated { return line }
            _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(20))
        }
        return nil
    }

    private mutating func fault(
        _ kind: JournalFault.Kind, _ segment: Segment, line: Int = 0, offset: Int64 = 0, detail: String
    ) {
        result.add(
            JournalFault(kind, stream, segment: segment.name, line: line, offset: offset, detail: detail))
    }

    private mutating func readHeader(_ line: RawLine, _ segment: inout Segment) {
        do throws(HeaderFault) {
            let header = try SegmentHeader(line.bytes, stream: stream)
            guard header.firstSeq == segment.entry.firstSeq else {
                throw HeaderFault(detail: "the header is of the segment that begins with \(header.firstSeq)")
            }
            segment.headerDigest = DigestedObject.digestText(of: line.bytes)
            compare(header, segment)
            checker.expectedSeq = header.firstSeq
            checker.chain = header.chain
            if let known, known.seq == header.firstSeq - 1, known.chain != header.chain {
                fault(.headMismatch, segment, line: 1, detail: "the chain is another than state/head says")
            }
        } catch {
            fault(.header, segment, line: 1, detail: error.detail)
            // It may be a record in a header's place.
            if RecordLine.claim(of: line.bytes, isChained: stream.isChained) != nil { check(line, &segment) }
        }
    }

    /// Compares a header with the end of the segment before.
    private mutating func compare(_ header: SegmentHeader, _ segment: Segment) {
        if isFirst {
            if header.firstSeq > 1 {
                missingStart = JournalFault(
                    .missingStart, stream, segment: segment.name, line: 1,
                    detail:
                        "records 1 to \(header.firstSeq - 1) are gone, no record says retired"
                )
            } else if let chain = header.chain, chain != .start {
                fault(.headerMismatch, segment, line: 1, detail: "the first segment's chain is not zeros")
            }
        } else if let expected = checker.expectedSeq, expected != header.firstSeq {
            let detail = "record \(expected) was expected, the segment begins with \(header.firstSeq)"
            fault(.headerMismatch, segment, line: 1, detail: detail)
        } else if let chain = checker.chain, chain != header.chain {
            let detail = "its chain is not that of the last line of \(previousName)"
            fault(.headerMismatch, segment, line: 1, detail: detail)
        }
    }

    private mutating func check(_ line: RawLine, _ segment: inout Segment) {
        let (claim, complaints) = checker.check(line)
        for complaint in complaints {
            fault(complaint.kind, segment, line: line.number, offset: line.offset, detail: complaint.detail)
        }
        guard let claim else { return }
        if segment.isSealed {
            fault(.seal, segment, line: line.number, offset: line.offset, detail: "a record follows the seal")
        }
        if let fields = LineFields(line.bytes), let kind = fields.journal.map({ line.bytes[$0] }) {
            checkOwn(Array(kind), line, claim, &segment)
        }
        if result.records == 0 { result.firstSeq = claim.seq }
        result.records += 1
        result.head = StreamHead(seq: claim.seq, chain: claim.chain)
        segment.summary.add(line.bytes, of: stream)
        if let known, known.seq == claim.seq, known.chain != claim.chain {
            fault(
                .headMismatch, segment, line: line.number, offset: line.offset,
                detail: "record \(claim.seq) has another chain than state/head says")
        }
    }

    private mutating func checkOwn(
        _ kind: [UInt8], _ line: RawLine, _ claim: LineClaim, _ segment: inout Segment
    ) {
        let record: JSONValue
        do {
            record = try JSONParser.parse(line.bytes).json
        } catch {
            fault(.notRecord, segment, line: line.number, offset: line.offset, detail: error.description)
            return
        }
        switch kind {
        case JournalRecords.sealKind:
            segment.isSealed = true
            let expected = JournalRecords.seal(
                segment.summary, headerDigest: segment.headerDigest,
                at: Timestamp(rfc3339: record["timestamp"]?.string ?? "") ?? Timestamp(milliseconds: 0))
            for member in expected where record[member.key] != member.value {
                let detail = "\(member.key) is not what the segment has"
                fault(.seal, segment, line: line.number, offset: line.offset, detail: detail)
                return
            }
        case JournalRecords.retiredKind:
            retiredThrough = max(retiredThrough, record["through_seq"]?.integer ?? 0)
        case JournalRecords.gapKind where segment.summary.records == 0:
            // The first record of its segment admits to what is wrong at the end of the segment before.
            for index in result.faults.indices {
                let fault = result.faults[index]
                let isHere = fault.segment == segment.name && fault.kind == .headerMismatch
                if isHere || fault.segment == previousName { result.faults[index].isDeclared = true }
            }
        default: return
        }
    }

    private mutating func compareIndex(_ segment: Segment) throws(JournalError) {
        guard segment.entry.indexBytes != nil else { return }
        guard let index = try SegmentIndex.load(segment.entry.firstSeq, of: stream, in: storage) else {
            // Unless it was retired just now.
            if try SegmentFile.open(segment.entry.firstSeq, of: stream, in: storage) != nil {
                fault(.index, segment, detail: "the index is damaged")
            }
            return
        }
        if index.summary != segment.summary {
            fault(.index, segment, detail: "the index does not agree with the segment")
        }
    }

    /// Compares the end of the stream with what is known to have been on disk.
    consuming func finish() -> JournalVerification.Stream {
        if let missingStart, retiredThrough < result.firstSeq - 1 { result.add(missingStart) }
        guard let known else {
            if result.records > 0 {
                result.add(
                    JournalFault(.headMissing, stream, detail: "\(JournalHeads.path) says nothing of it"))
            }
            return result
        }
        // A line that is no record stands in the place of one.
        let last = max(result.head.seq, (checker.expectedSeq ?? 1) - 1)
        if known.seq > last {
            let detail = "the stream ends with record \(last), record \(known.seq) was on disk"
            result.add(JournalFault(.headMismatch, stream, segment: previousName, detail: detail))
        }
        return result
    }
}
