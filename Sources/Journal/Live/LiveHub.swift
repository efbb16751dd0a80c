internal import Synchronization

/// The newest records of the streams that can be followed, for all subscribers together.
///
/// Kept only while somebody subscribes, bounded in records and bytes. A subscriber that is slower than the
/// bound reads from the disk what has left, so nothing is kept for it alone.
final class LiveHub: Sendable {
    /// Bounds of what is kept.
    static let recordLimit = 4096
    static let byteLimit = 8 << 20

    /// What a subscriber is given.
    enum Answer: Sendable {
        /// Records, and the place behind them.
        case records([JournalRecord], next: Int64)
        /// Nothing new.
        case none
        /// The place has left: read the disk up to these records, then go on from that place.
        case behind(JournalPosition, next: Int64)
        case closed
    }

    fileprivate struct State {
        var durable: JournalPosition
        var records: [JournalRecord] = []
        var bytes = 0
        /// Index of the first record in `records` that counts; removing one by one would be quadratic.
        var first = 0
        /// Place of that record among all that ever were published.
        var start: Int64 = 0
        var subscribers = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        var isClosed = false

        var end: Int64 { start + Int64(records.count - first) }
    }

    private let state: Mutex<State>
    private let maximumSubscribers: Int

    init(heads: [StreamHead], maximumSubscribers: Int) {
        self.maximumSubscribers = maximumSubscribers
        state = Mutex(
            State(
                durable: JournalPosition(
                    violations: heads[JournalStream.violations.index].seq,
                    audit: heads[JournalStream.audit.index].seq)))
    }

    /// Counts a subscriber in.
    /// - Returns: The last records on disk and the place behind them; `nil` when there are too many.
    func enter() -> (durable: JournalPosition, next: Int64)? {
        state.withLock { state in
            guard state.subscribers < maximumSubscribers else { return nil }
            state.subscribers += 1
            return (state.durable, state.end)
        }
    }

    /// Counts a subscriber out.
    func leave() {
        state.withLock { state in
            state.subscribers -= 1
            if state.subscribers == 0 { state.clear() }
        }
    }

    /// Takes records that have just reached the disk.
    func publish(_ batch: CommittedBatch) {
        guard JournalPosition.streams.contains(batch.stream) else { return }
        let waiters = state.withLock { state in
            // The journal's own records between two batches are on disk only.
            let isWhole = batch.firstSeq == state.durable[batch.stream] + 1
            state.durable[batch.stream] = batch.firstSeq + Int64(batch.ends.count) - 1
            if state.subscribers > 0 {
                if !isWhole { state.clear() }
                state.append(batch)
            }
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Takes note of records that reached the disk without having been published: the journal's own.
    func advance(_ stream: JournalStream, to seq: Int64) {
        guard JournalPosition.streams.contains(stream) else { return }
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard seq > state.durable[stream] else { return [] }
            state.durable[stream] = seq
            if state.subscribers > 0 { state.clear() }
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Ends all waiting.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Records from a place on, at most `limit`.
    func take(from place: Int64, limit: Int) -> Answer {
        state.withLock { state in
            if place < state.start { return .behind(state.durable, next: state.end) }
            if place >= state.end { return state.isClosed ? .closed : .none }
            let from = state.first + Int(place - state.start)
            let records = state.records[from...].prefix(limit)
            return .records(Array(records), next: place + Int64(records.count))
        }
    }

    /// Waits until there may be something behind a place, or the task is cancelled, or the journal closed.
    func wait(behind place: Int64) async {
        let ticket = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isNow = state.withLock { state in
                    guard place >= state.start, place == state.end, !state.isClosed, !Task.isCancelled else {
                        return true
                    }
                    state.waiters[ticket] = continuation
                    return false
                }
                if isNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }
}

extension LiveHub.State {
    /// Those who wait, who are to be woken.
    fileprivate mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
        defer { waiters.removeAll() }
        return Array(waiters.values)
    }

    /// Forgets what is kept; every place so far counts as left.
    fileprivate mutating func clear() {
        start = end + 1
        records.removeAll()
        first = 0
        bytes = 0
    }

    fileprivate mutating func append(_ batch: CommittedBatch) {
        var begin = 0
        for (index, end) in batch.ends.enumerated() {
            let line = Array(batch.bytes[begin..<end - 1])
            begin = end
            records.append(
                JournalRecord(stream: batch.stream, seq: batch.firstSeq + Int64(index), line: line))
            bytes += line.count
        }
        while records.count - first > LiveHub.recordLimit
            || (bytes > LiveHub.byteLimit && first < records.count)
        {
            bytes -= records[first].line.count
            first += 1
            start += 1
        }
        if first > 1024, first * 2 > records.count {
            records.removeFirst(first)
            first = 0
        }
    }
}
