/// Records that wait to be written, stream by stream, in their order. Pure; one lock guards it.
struct Intake: Sendable {
    /// What is to be done after a record was offered.
    enum Admission: Sendable, Hashable {
        /// The record waits with others for a commit that will come.
        case queued
        /// The record waits, and a commit must be started.
        case startCommit
        /// The record waits, and a commit must be started after the delay for records that nobody waits for.
        case startTimer
        /// As many wait as may wait.
        case full
        /// The stream takes no records that are waited for.
        case held
        case closed
    }

    private struct Lane: Sendable {
        var records: [PendingRecord] = []
        var waited = 0
        var waitedBytes = 0
        var bufferedBytes = 0
        /// The disk does not take records: what nobody waits for stays here, what is waited for is refused.
        var isHeld = false

        var buffered: Int { records.count - waited }
        var bytes: Int { waitedBytes + bufferedBytes }

        mutating func count(_ record: PendingRecord, sign: Int) {
            if record.completion == nil {
                bufferedBytes += sign * record.body.bytes.count
            } else {
                waited += sign
                waitedBytes += sign * record.body.bytes.count
            }
        }

        func hasRoom(for record: PendingRecord, _ limits: JournalConfiguration) -> Bool {
            let size = record.body.bytes.count
            if record.completion == nil {
                return buffered < limits.bufferedRecords && bufferedBytes + size <= limits.bufferedBytes
            }
            return waited < limits.queueRecords && waitedBytes + size <= limits.queueBytes
        }

        func isUrgent(_ limits: JournalConfiguration) -> Bool {
            !isHeld && (waited > 0 || bytes >= limits.batchBytes)
        }
    }

    private var lanes = [Lane](repeating: Lane(), count: JournalStream.allCases.count)
    private var isCommitComing = false
    private var isTimerComing = false
    /// The next commit takes what is not urgent as well.
    private var wantsAll = false
    private(set) var isClosed = false
    private let limits: JournalConfiguration

    init(_ limits: JournalConfiguration) {
        self.limits = limits
    }

    /// Takes a record, or says why not.
    mutating func add(_ record: PendingRecord, to stream: JournalStream) -> Admission {
        guard !isClosed else { return .closed }
        // In place: a copy of the lane would make each append copy the whole queue.
        let index = stream.index
        if lanes[index].isHeld, record.completion != nil { return .held }
        guard lanes[index].hasRoom(for: record, limits) else { return .full }
        lanes[index].records.append(record)
        lanes[index].count(record, sign: 1)
        if lanes[index].isHeld { return .queued }
        if !isCommitComing, lanes[index].isUrgent(limits) {
            isCommitComing = true
            return .startCommit
        }
        guard record.completion == nil, !isTimerComing else { return .queued }
        isTimerComing = true
        return .startTimer
    }

    /// The timer for records that nobody waits for has come.
    /// - Returns: Whether a commit must be started.
    mutating func timerFired() -> Bool {
        isTimerComing = false
        guard lanes.contains(where: { !$0.isHeld && !$0.records.isEmpty }) else { return false }
        wantsAll = true
        guard !isCommitComing else { return false }
        isCommitComing = true
        return true
    }

    /// Begins a commit.
    /// - Returns: Whether it is to take what is not urgent as well.
    mutating func commitBegins() -> Bool {
        defer { wantsAll = false }
        return wantsAll
    }

    /// Takes the next batch of a stream, bounded in records and bytes.
    /// - Parameter all: Also when nothing in it is urgent.
    mutating func takeBatch(of stream: JournalStream, all: Bool) -> [PendingRecord] {
        let index = stream.index
        guard lanes[index].isUrgent(limits) || (all && !lanes[index].isHeld) else { return [] }
        var batch: [PendingRecord] = []
        var bytes = 0
        for record in lanes[index].records.prefix(limits.batchRecords) {
            bytes += record.body.bytes.count
            guard batch.isEmpty || bytes <= limits.batchBytes else { break }
            batch.append(record)
        }
        lanes[index].records.removeFirst(batch.count)
        for record in batch { lanes[index].count(record, sign: -1) }
        return batch
    }

    /// What holding a stream came to.
    struct Held: Sendable {
        /// Records that are waited for and must be refused.
        var refused: [PendingRecord]
        /// How many that nobody waits for were given up.
        var dropped: Int
    }

    /// Stops a stream whose batch failed: what nobody waits for goes back to the front, as much as may wait.
    mutating func hold(_ stream: JournalStream, failed batch: [PendingRecord]) -> Held {
        let all = batch + lanes[stream.index].records
        var lane = Lane()
        lane.isHeld = true
        var held = Held(refused: [], dropped: 0)
        for record in all {
            if record.completion != nil {
                held.refused.append(record)
            } else if lane.hasRoom(for: record, limits) {
                lane.records.append(record)
                lane.count(record, sign: 1)
            } else {
                held.dropped += 1
            }
        }
        lanes[stream.index] = lane
        return held
    }

    /// Lets a stream go on.
    /// - Returns: Whether a commit must be started for what waits in it.
    mutating func release(_ stream: JournalStream) -> Bool {
        lanes[stream.index].isHeld = false
        guard !lanes[stream.index].records.isEmpty else { return false }
        wantsAll = true
        guard !isCommitComing else { return false }
        isCommitComing = true
        return true
    }

    /// Ends a commit.
    /// - Parameter all: What the commit began with.
    /// - Returns: Whether another must follow at once.
    mutating func commitEnded(all: Bool) -> Bool {
        let takesAll = all || wantsAll
        let isMore = lanes.contains {
            $0.isUrgent(limits) || (takesAll && !$0.isHeld && !$0.records.isEmpty)
        }
        wantsAll = isMore && takesAll
        isCommitComing = isMore
        return isMore
    }

    /// Everything that waits, taken out: for the end of the journal, when the disk does not take it.
    mutating func takeAll(of stream: JournalStream) -> [PendingRecord] {
        let records = lanes[stream.index].records
        lanes[stream.index] = Lane()
        return records
    }

    /// Takes no more records.
    mutating func close() {
        isClosed = true
    }

    /// Records that wait in a stream.
    func count(of stream: JournalStream) -> Int { lanes[stream.index].records.count }

    /// Records that wait now.
    var count: Int { lanes.reduce(0) { $0 + $1.records.count } }
}
