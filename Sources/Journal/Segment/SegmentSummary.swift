/// What a segment holds, counted as its lines are written or read.
struct SegmentSummary: Sendable, Hashable {
    /// How many sandboxes are remembered by name; a segment of more counts as holding any.
    static let sandboxLimit = 512

    var records: Int64 = 0
    var firstSeq: Int64 = 0
    var lastSeq: Int64 = 0
    /// The earliest and the latest time of a record, milliseconds since 1970; `nil` while there is none.
    var since: Int64?
    var until: Int64?
    /// The sandboxes named by records; `nil` when there are more than ``sandboxLimit``.
    var sandboxes: Set<String>? = []

    /// Counts one record.
    mutating func add(seq: Int64, milliseconds: Int64?, sandbox: String?) {
        if records == 0 { firstSeq = seq }
        records += 1
        lastSeq = seq
        if let milliseconds {
            since = min(since ?? milliseconds, milliseconds)
            until = max(until ?? milliseconds, milliseconds)
        }
        guard let sandbox, sandboxes != nil else { return }
        sandboxes?.insert(sandbox)
        if let count = sandboxes?.count, count > SegmentSummary.sandboxLimit { sandboxes = nil }
    }

    /// Counts a line, when it is a record.
    mutating func add(_ line: [UInt8], of stream: JournalStream) {
        guard let claim = RecordLine.claim(of: line, isChained: stream.isChained) else { return }
        let fields = LineFields(line)
        add(
            seq: claim.seq, milliseconds: fields?.timestamp.flatMap { LineText.milliseconds(line[$0]) },
            sandbox: fields?.sandbox.map { String(decoding: line[$0], as: UTF8.self) })
    }
}
