internal import Dispatch
internal import Glibc
internal import Synchronization

/// A named place for blocking calls: at most `width` at a time, at most `waitingLimit` more waiting.
///
/// The cooperative pool has one thread a core; a system call that waits there stalls every task of the
/// process. A job handed to this queue waits on a thread that Dispatch owns instead.
package final class BlockingQueue: Sendable {
    /// Name for messages and for the queue's threads.
    package let label: String
    /// Jobs that run at the same time.
    package let width: Int
    /// Jobs that may wait beyond those that run.
    package let waitingLimit: Int

    private struct State {
        var running = 0
        var waiting: [Job?] = []
        /// Index of the first job in `waiting` that has not been taken; a shift per job would be quadratic.
        var first = 0
    }

    private typealias Job = @Sendable () -> Void

    private let queue: DispatchQueue
    private let state = Mutex(State())

    /// Makes a queue.
    /// - Parameters:
    ///   - width: At least 1; less counts as 1. Dispatch caps it near 64 threads for the whole process.
    ///   - waitingLimit: At least 0.
    package init(label: String, width: Int, waitingLimit: Int) {
        self.label = label
        self.width = max(1, width)
        self.waitingLimit = max(0, waitingLimit)
        self.queue = DispatchQueue(label: label, attributes: .concurrent)
    }

    /// Jobs that run or wait now.
    package var load: Int {
        state.withLock { $0.running + $0.waiting.count - $0.first }
    }

    /// Runs `job` on a thread of this queue, without telling when it ends.
    /// - Returns: Whether it was taken; `false` when as many jobs wait as may wait.
    package func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        enum Admission { case now, later, refused }
        let admission = state.withLock { state -> Admission in
            if state.running < width {
                state.running += 1
                return .now
            }
            guard state.waiting.count - state.first < waitingLimit else { return .refused }
            state.waiting.append(job)
            return .later
        }
        if admission == .now {
            queue.async { self.drain(from: job) }
        }
        return admission != .refused
    }

    /// Runs one job and then those that waited, so that a freed place is never left idle.
    private func drain(from first: @escaping Job) {
        var next: Job? = first
        while let job = next {
            job()
            next = state.withLock { state in
                guard state.first < state.waiting.count else {
                    state.waiting.removeAll(keepingCapacity: true)
                    state.first = 0
                    state.running -= 1
                    return nil
                }
                let job = state.waiting[state.first]
                // What the job captured must not outlive its run.
                state.waiting[state.first] = nil
                state.first += 1
                if state.first >= 64, state.first * 2 >= state.waiting.count {
                    state.waiting.removeFirst(state.first)
                    state.first = 0
                }
                return job
            }
        }
    }
}

/// Blocking work for asynchronous callers.
package enum Blocking {
    /// Runs a blocking closure on `queue` and waits for it without holding a thread of the cooperative pool.
    ///
    /// The closure is not interrupted when the task is cancelled: bound what it waits for.
    /// - Parameter whenFull: Makes the error for a full queue from a text that names the queue and its bound.
    package static func run<Value: Sendable, Failure: Error>(
        on queue: BlockingQueue,
        whenFull: @Sendable (String) -> Failure,
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure>? = await withCheckedContinuation { continuation in
            let finish: @Sendable (Result<Value, Failure>?) -> Void = { continuation.resume(returning: $0) }
            let isTaken = queue.submit {
                do throws(Failure) {
                    finish(.success(try body()))
                } catch {
                    finish(.failure(error))
                }
            }
            if !isTaken { finish(nil) }
        }
        guard let result else {
            throw whenFull("\(queue.label): \(queue.width) running and \(queue.waitingLimit) waiting")
        }
        return try result.get()
    }

    /// Runs a blocking closure that throws ``SystemError`` on `queue`.
    /// - Throws: `EAGAIN` from operation `queue` when the queue is full, else what the closure throws.
    package static func run<Value: Sendable>(
        on queue: BlockingQueue,
        _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(SystemError) -> Value {
        try await run(
            on: queue,
            whenFull: { SystemError(errno: EAGAIN, operation: "queue", detail: $0) },
            body)
    }
}
