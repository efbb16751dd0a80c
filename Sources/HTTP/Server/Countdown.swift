internal import Synchronization

/// A number of things that run, and a way to wait until none does.
final class Countdown: Sendable {
    private struct State {
        var count = 0
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// How many run.
    var count: Int { state.withLock { $0.count } }

    /// One more, if there are fewer than `limit`.
    func enter(limit: Int = .max) -> Bool {
        state.withLock { state in
            guard state.count < limit else { return false }
            state.count += 1
            return true
        }
    }

    /// One less.
    func leave() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.count -= 1
            guard state.count <= 0 else { return [] }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until nothing runs.
    /// - Returns: `false` when something still ran at the deadline.
    func waitForZero(deadline: Duration) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitForZero() }
            group.addTask {
                do {
                    try await Task.sleep(for: deadline)
                } catch {
                    // Woken early by the cancellation below, because nothing runs any more.
                }
            }
            await group.next()
            group.cancelAll()
        }
        return count <= 0
    }

    private func waitForZero() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.count <= 0 || Task.isCancelled { return true }
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
