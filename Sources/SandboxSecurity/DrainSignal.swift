internal import Synchronization

/// Tells everybody who follows something without end that the daemon stops.
package final class DrainSignal: Sendable {
    private struct State {
        var isSet = false
        var waiters: [AsyncStream<Never>.Continuation] = []
    }

    private let state = Mutex(State())

    /// A signal that is not given yet.
    package init() {}

    /// Gives the signal; more than once is fine.
    package func set() {
        let waiters = state.withLock { state in
            state.isSet = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.finish() }
    }

    /// Returns once the signal is given, or the task is cancelled.
    package func wait() async {
        let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
        let isSet = state.withLock { state in
            if !state.isSet { state.waiters.append(continuation) }
            return state.isSet
        }
        if isSet { continuation.finish() }
        for await _ in stream {}
    }
}
