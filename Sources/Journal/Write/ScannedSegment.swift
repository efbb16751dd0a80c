internal import SandboxModel

/// What reading the last segment of a stream through came to.
struct ScannedSegment {
    let stream: JournalStream
    let name: String
    let firstSeq: Int64
    /// The record that `state/head` names.
    let known: StreamHead?

    private(set) var header: SegmentHeader?
    private(set) var headerDigest = ""
    private(set) var summary = SegmentSummary()
    /// Number and chain behind the last line; the chain is `nil` when that line is none.
    private(set) var last: StreamHead
    private(set) var isSealed = false
    /// The chain that the segment has at the number that `state/head` names; `nil` when it is not in it.
    private(set) var chainAtKnown: ChainValue?
    /// Where the lines without fault end.
    private(set) var goodBytes: Int64 = 0
    private(set) var faults: [JournalFault] = []
    /// The first fault is a line with NUL bytes: a file system that lost what was not flushed.
    private(set) var isZeroFilled = false
    /// A last line without a newline.
    private(set) var tail: RawLine?

    /// Reads a segment.
    /// - Parameter limit: Stop at the line that begins there.
    /// - Throws: `io`; what is damaged is among ``faults``.
    init(
        _ segment: SegmentFile, _ entry: SegmentCatalog.Entry, stream: JournalStream, known: StreamHead?,
        upTo limit: Int64 = .max
    ) throws(JournalError) {
        self.stream = stream
        self.known = known
        name = entry.name
        firstSeq = entry.firstSeq
        last = StreamHead(seq: entry.firstSeq - 1, chain: nil)
        var lines = ForwardLines(segment)
        var checker = LineChecker(stream, expectedSeq: entry.firstSeq, chain: nil, isThorough: false)
        do {
            while lines.nextOffset < limit, let line = try lines.next() {
                guard line.isTerminated else {
                    tail = line
                    break
                }
                take(line, &checker)
                if faults.isEmpty { goodBytes = lines.nextOffset }
            }
        } catch {
            guard error.code == .damaged else { throw error }
            faults.append(
                JournalFault(
                    .compressed, stream, segment: name, offset: lines.nextOffset, detail: error.detail))
        }
        let behind = (checker.expectedSeq ?? entry.firstSeq) - 1
        last = StreamHead(seq: max(entry.firstSeq - 1, behind), chain: checker.chain)
    }

    private mutating func take(_ line: RawLine, _ checker: inout LineChecker) {
        guard line.number == 1 else {
            check(line, &checker)
            return
        }
        do throws(HeaderFault) {
            let header = try SegmentHeader(line.bytes, stream: stream)
            guard header.firstSeq == firstSeq else {
                throw HeaderFault(detail: "the header is of the segment that begins with \(header.firstSeq)")
            }
            self.header = header
            headerDigest = DigestedObject.digestText(of: line.bytes)
            checker.chain = header.chain
            compare(StreamHead(seq: firstSeq - 1, chain: header.chain))
        } catch {
            faults.append(JournalFault(.header, stream, segment: name, line: 1, detail: error.detail))
            // It may be a record in a header's place.
            if RecordLine.claim(of: line.bytes, isChained: stream.isChained) != nil { check(line, &checker) }
        }
    }

    private mutating func check(_ line: RawLine, _ checker: inout LineChecker) {
        let (claim, complaints) = checker.check(line)
        if faults.isEmpty, !complaints.isEmpty, line.bytes.contains(0) { isZeroFilled = true }
        for complaint in complaints where faults.count < RecoveryReport.limit {
            faults.append(
                JournalFault(
                    complaint.kind, stream, segment: name, line: line.number, offset: line.offset,
                    detail: complaint.detail))
        }
        if let claim { count(line, claim) }
    }

    private mutating func count(_ line: RawLine, _ claim: LineClaim) {
        let fields = LineFields(line.bytes)
        isSealed = fields?.journal.map { line.bytes[$0].elementsEqual(JournalRecords.sealKind) } ?? false
        summary.add(line.bytes, of: stream)
        compare(StreamHead(seq: claim.seq, chain: claim.chain))
    }

    private mutating func compare(_ head: StreamHead) {
        if let known, known.seq == head.seq { chainAtKnown = head.chain }
    }

    /// Counts the last line as a record after it was given its newline.
    mutating func complete(_ tail: RawLine, _ claim: LineClaim) {
        count(tail, claim)
        last = StreamHead(seq: claim.seq, chain: claim.chain)
        goodBytes = tail.offset + Int64(tail.bytes.count) + 1
        self.tail = nil
    }

    /// Counts the last line as damage.
    mutating func blame(_ tail: RawLine) {
        faults.append(
            JournalFault(
                .tornTail, stream, segment: name, line: tail.number, offset: tail.offset,
                detail: "record \(last.seq + 1) was on disk and has no end"))
    }
}
