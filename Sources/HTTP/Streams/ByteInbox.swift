internal import Synchronization

/// Bytes on their way from a loop to a task: a bounded mailbox with back-pressure.
///
/// The loop adds bytes as they arrive and stops reading when told that there are enough; the task takes all
/// of them at once, which lets the loop read on.
final class ByteInbox<Failure: Error>: Sendable {
    private enum Ending: Sendable {
        case open
        case complete
        case failed(Failure)
    }

    private struct State {
        var bytes: [UInt8] = []
        var ending = Ending.open
        var isPaused = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let limit: Int
    private let resume: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: How many bytes may wait before the loop stops reading.
    ///   - resume: Tells the loop to read on.
    init(limit: Int, resume: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.resume = resume
    }

    /// Adds bytes. The loop's side.
    /// - Returns: `false` when the loop should not read before `resume` is called.
    func deliver(_ bytes: Span<UInt8>) -> Bool {
        var copy: [UInt8] = []
        copy.append(copying: bytes)
        return update { state in
            state.bytes += copy
            state.isPaused = state.bytes.count >= limit
            return !state.isPaused
        }
    }

    /// Says that all bytes have been delivered. The loop's side.
    func finish() {
        update { state in if case .open = state.ending { state.ending = .complete } }
    }

    /// Says that no more bytes come, and why. The loop's side.
    func fail(_ failure: Failure) {
        update { state in if case .open = state.ending { state.ending = .failed(failure) } }
    }

    /// Waits for bytes and takes all that are there.
    /// - Parameter cancelled: The error for a task that is cancelled while it waits.
    /// - Returns: At least one byte, or `nil` when the stream is complete. Bytes come before a failure.
    func next(cancelled: Failure) async throws(Failure) -> [UInt8]? {
        while true {
            let (bytes, ending, mustResume) = state.withLock { state in
                let mustResume = state.isPaused
                state.isPaused = false
                defer { state.bytes = [] }
                return (state.bytes, state.ending, mustResume)
            }
            if mustResume { resume() }
            if !bytes.isEmpty { return bytes }
            switch ending {
            case .complete: return nil
            case .failed(let failure): throw failure
            case .open: break
            }
            await waitForChange()
            guard !Task.isCancelled else { throw cancelled }
        }
    }

    @discardableResult
    private func update<Answer: Sendable>(_ change: (inout sending State) -> sending Answer) -> Answer {
        let (answer, waiters) = state.withLock { state in
            let answer = change(&state)
            defer { state.waiters = [:] }
            return (answer, state.waiters)
        }
        for waiter in waiters.values { waiter.resume() }
        return answer
    }

    private func waitForChange() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A cancellation is seen here, or its handler finds the waiter: the lock orders the two.
                let isDone = state.withLock { state in
                    var isOpen = false
                    if case .open = state.ending { isOpen = true }
                    if !isOpen || !state.bytes.isEmpty || Task.isCancelled { return true }
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
