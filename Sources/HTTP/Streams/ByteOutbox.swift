internal import Synchronization

/// Bytes on their way from a task to a loop: a bounded mailbox with back-pressure.
///
/// The task adds bytes and waits while too many are there; the loop takes all of them whenever it can send.
/// The loop is notified once for each time that the mailbox becomes worth looking at.
final class ByteOutbox: Sendable {
    /// What the loop finds.
    struct Delivery {
        var bytes: [UInt8]
        /// How the stream goes on after these bytes.
        var ending: Ending
        /// What follows the end.
        var trailers: HTTPHeaders
    }

    /// How a stream ends.
    enum Ending: Sendable, Equatable {
        /// More may follow.
        case open
        /// The stream is complete.
        case finished
        /// The producer failed: what was sent is not the whole.
        case failed
    }

    private struct State {
        var bytes: [UInt8] = []
        var ending = Ending.open
        var trailers = HTTPHeaders()
        var isClosed = false
        var isNotified = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let limit: Int
    private let notify: @Sendable () -> Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: How many bytes may wait before a writer waits too; one write may go beyond it.
    ///   - notify: Tells the loop to look; `false` when it never will.
    init(limit: Int, notify: @escaping @Sendable () -> Bool) {
        self.limit = limit
        self.notify = notify
    }

    /// Adds bytes and waits until few enough are waiting.
    func write(_ bytes: [UInt8]) async throws(HTTPStreamError) {
        guard !Task.isCancelled else { throw .cancelled }
        guard add(bytes) else { throw .closed }
        while true {
            let (isClosed, isFull) = state.withLock { ($0.isClosed, $0.bytes.count > limit) }
            guard !isClosed else { throw .closed }
            guard isFull else { return }
            await waitForRoom()
            guard !Task.isCancelled else { throw .cancelled }
        }
    }

    /// Sets what follows the end of the stream.
    func setTrailers(_ trailers: HTTPHeaders) {
        state.withLock { $0.trailers = trailers }
    }

    /// Ends the stream; the loop takes what is left first. Later calls change nothing.
    func finish(_ ending: Ending = .finished) {
        let mustNotify = state.withLock { state in
            guard state.ending == .open, !state.isClosed else { return false }
            state.ending = ending
            return Self.claimNotification(&state)
        }
        if mustNotify, !notify() { close() }
    }

    /// Takes everything. The loop's side.
    func take() -> Delivery {
        let (delivery, waiters) = state.withLock { state in
            let delivery = Delivery(bytes: state.bytes, ending: state.ending, trailers: state.trailers)
            state.bytes = []
            state.isNotified = false
            defer { state.waiters = [:] }
            return (delivery, state.waiters)
        }
        for waiter in waiters.values { waiter.resume() }
        return delivery
    }

    /// Refuses everything from now on. The loop's side, when the connection is gone.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            state.bytes = []
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume() }
    }

    private func add(_ bytes: [UInt8]) -> Bool {
        let (isTaken, mustNotify) = state.withLock { state in
            guard state.ending == .open, !state.isClosed else { return (false, false) }
            guard !bytes.isEmpty else { return (true, false) }
            if state.bytes.isEmpty { state.bytes = bytes } else { state.bytes += bytes }
            return (true, Self.claimNotification(&state))
        }
        guard mustNotify, !notify() else { return isTaken }
        close()
        return false
    }

    private static func claimNotification(_ state: inout State) -> Bool {
        guard !state.isNotified else { return false }
        state.isNotified = true
        return true
    }

    /// Waits until the loop has taken the bytes, the stream is closed or the task is cancelled.
    private func waitForRoom() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A cancellation is seen here, or its handler finds the waiter: the lock orders the two.
                let isDone = state.withLock { state in
                    if state.isClosed || state.bytes.count <= limit || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
