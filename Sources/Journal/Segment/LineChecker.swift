internal import SandboxModel

/// Follows the records of a stream line by line and says where one does not follow the one before. Pure.
///
/// After a fault it goes on from what the line claims, so that one fault is told once and those after it are
/// still found.
struct LineChecker: Sendable {
    /// What is wrong with one line.
    struct Complaint: Sendable, Hashable {
        let kind: JournalFault.Kind
        let detail: String
    }

    let stream: JournalStream
    /// Number that the next record must have; `nil` where it is not known.
    var expectedSeq: Int64?
    /// Chain of the record before; `nil` where it is not known or the stream is not chained.
    var chain: ChainValue?
    /// Whether the JSON of lines that no chain protects is read in full.
    let isThorough: Bool

    init(_ stream: JournalStream, expectedSeq: Int64?, chain: ChainValue?, isThorough: Bool) {
        self.stream = stream
        self.expectedSeq = expectedSeq
        self.chain = stream.isChained ? chain : nil
        self.isThorough = isThorough
    }

    /// Checks the next line and moves on.
    /// - Returns: What the line claims to be (`nil` for no record), and what is wrong with it.
    mutating func check(_ line: RawLine) -> (claim: LineClaim?, complaints: [Complaint]) {
        guard !line.isTooLong, let claim = RecordLine.claim(of: line.bytes, isChained: stream.isChained),
            isWellFormed(line.bytes)
        else {
            // It stands in the place of one record; what its chain was cannot be known.
            expectedSeq = expectedSeq.map { $0 + 1 }
            chain = nil
            return (nil, [Complaint(kind: .notRecord, detail: LineChecker.excerpt(line))])
        }
        var complaints: [Complaint] = []
        if let expectedSeq, claim.seq != expectedSeq {
            complaints.append(
                Complaint(kind: .sequence, detail: "record \(expectedSeq) was expected, this is \(claim.seq)")
            )
        }
        if let chain, claim.chain != RecordLine.chain(of: line.bytes, after: chain) {
            complaints.append(
                Complaint(kind: .chain, detail: "record \(claim.seq) does not follow the line before it"))
        }
        expectedSeq = claim.seq + 1
        chain = claim.chain
        return (claim, complaints)
    }

    private func isWellFormed(_ line: [UInt8]) -> Bool {
        // What the chain covers was JSON when it was written.
        if stream.isChained { return true }
        return isThorough ? JSONForm.isObject(line.span) : LineFields(line) != nil
    }

    private static func excerpt(_ line: RawLine) -> String {
        if line.isTooLong { return "the line is longer than \(RecordLine.maximumBytes) bytes" }
        let text = String(decoding: line.bytes.prefix(64), as: UTF8.self)
        return "the line is no record: \(SandboxModel.excerpt(text, limit: 64))"
    }
}
