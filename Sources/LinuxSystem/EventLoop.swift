internal import CLinuxShims
internal import Dispatch
internal import Glibc
internal import Synchronization

/// What a loop drives: the state of one thread, reached by nobody else.
///
/// The handler is a value on the loop's own stack. It and all that it holds need no lock, and calling it
/// needs neither an allocation nor a reference count.
package protocol EventHandler: ~Copyable, SendableMetatype {
    /// A descriptor is ready. `token` is the one that it was added under.
    ///
    /// Within one round, an answer may come for a descriptor that an earlier answer of the round removed:
    /// give each use of a slot a token of its own (a generation in the upper half) and ignore those of the
    /// past.
    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext)

    /// A timer came due, at most once for each ``EventContext/addTimer(_:at:)``.
    mutating func expired(_ token: UInt64, in context: inout EventContext)

    /// The loop has been stopped; nothing is called afterwards. The handler's descriptors close with it.
    mutating func stopped(in context: inout EventContext)
}

extension EventHandler where Self: ~Copyable {
    package mutating func expired(_ token: UInt64, in context: inout EventContext) {}
    package mutating func stopped(in context: inout EventContext) {}
}

/// What a handler may ask of its loop.
package struct EventContext: ~Copyable {
    /// The set that the loop waits on. The token `UInt64.max` is the loop's own.
    package var poller: Poller
    /// The time of this round, read once after each wait: cheap, and at most one round old.
    package fileprivate(set) var now: MonotonicInstant
    /// Set to leave after this round, without a word from outside.
    package var wantsStop = false
    fileprivate var timers = TimerHeap()

    fileprivate init() throws(SystemError) {
        poller = try Poller()
        now = .now()
    }

    /// Calls ``EventHandler/expired(_:in:)`` once with `token`, not before `deadline`.
    ///
    /// There is no cancelling: see ``TimerHeap``.
    package mutating func addTimer(_ token: UInt64, at deadline: MonotonicInstant) {
        timers.add(token, at: deadline)
    }

    fileprivate mutating func takeDue() -> UInt64? {
        timers.takeDue(at: now)
    }

    fileprivate var timerCount: Int { timers.count }

    /// For the poller: −1 without timers.
    fileprivate var millisecondsToWait: Int32 {
        guard let first = timers.first else { return -1 }
        return first.millisecondsLeft(from: .now())
    }
}

/// The outside handle of one epoll loop on a thread that a Dispatch queue owns.
///
/// Level-triggered, so a handler that leaves bytes behind is called again. Other threads reach the handler
/// with ``post(_:)``; the loop itself never waits for anybody.
package final class EventLoop<Handler: EventHandler & ~Copyable>: Sendable {
    /// Work for the loop's thread.
    package typealias Work = @Sendable (inout Handler, inout EventContext) -> Void

    private struct State {
        var posted: [Work] = []
        var wantsStop = false
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var failure: SystemError?
    }

    private enum Admission { case first, later, refused }

    private let label: String
    private let postLimit: Int
    private let wakeup: Descriptor
    private let state = Mutex(State())
    private static var wakeupToken: UInt64 { .max }

    /// Starts a loop.
    /// - Parameters:
    ///   - label: Name of the queue whose thread the loop takes for its whole life.
    ///   - postLimit: The most closures that may wait to be run.
    ///   - makeHandler: Makes the handler on the loop's thread; adds its first descriptors. If it throws, the
    ///     loop ends and ``ended()`` tells the error.
    package init(
        label: String, postLimit: Int = 1024,
        makeHandler: @escaping @Sendable (inout EventContext) throws(SystemError) -> Handler
    ) throws(SystemError) {
        self.label = label
        self.postLimit = postLimit
        wakeup = Descriptor(owning: try SystemError.check(sw_eventfd(), "eventfd"))
        // The closure keeps the loop alive until it is stopped.
        DispatchQueue(label: label, qos: .userInitiated).async { self.main(makeHandler) }
    }

    /// Runs `work` on the loop's thread, in order of posting.
    /// - Returns: `false` when the queue is full, or the loop has ended or is about to: it will not run.
    package func post(_ work: @escaping Work) -> Bool {
        let admission = state.withLock { state -> Admission in
            guard !state.wantsStop, !state.hasEnded, state.posted.count < postLimit else { return .refused }
            state.posted.append(work)
            return state.posted.count == 1 ? .first : .later
        }
        if admission == .first { wake() }
        return admission != .refused
    }

    /// Asks the loop to end after its present round. Work posted before is still run.
    package func stop() {
        let isFirst = state.withLock { state in
            let isFirst = !state.wantsStop
            state.wantsStop = true
            return isFirst
        }
        if isFirst { wake() }
    }

    /// Waits until the loop's thread has let go of its handler.
    /// - Throws: why the loop ended without having been asked to.
    package func ended() async throws(SystemError) {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiters.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func wake() {
        let one = [UInt8](arrayLiteral: 1, 0, 0, 0, 0, 0, 0, 0)
        do throws(SystemError) {
            _ = try wakeup.write(one.span)
        } catch {
            // EAGAIN alone is possible: the counter is at its end, so the loop has been woken already.
            assert(error.errno == EAGAIN)
        }
    }

    private func main(_ makeHandler: @Sendable (inout EventContext) throws(SystemError) -> Handler) {
        var failure: SystemError?
        do throws(SystemError) {
            var context = try EventContext()
            try context.poller.add(wakeup, .readable, token: Self.wakeupToken)
            var handler = try makeHandler(&context)
            do throws(SystemError) {
                try run(&handler, &context)
            } catch {
                failure = error
            }
            handler.stopped(in: &context)
        } catch {
            failure = error
        }
        let waiters = state.withLock { state in
            state.hasEnded = true
            state.failure = failure
            state.posted = []
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func run(_ handler: inout Handler, _ context: inout EventContext) throws(SystemError) {
        var isAsked = false
        while !isAsked && !context.wantsStop {
            try context.poller.wait(milliseconds: context.millisecondsToWait)
            context.now = .now()
            var isWoken = false
            for index in 0..<context.poller.count {
                let event = context.poller[index]
                if event.token == Self.wakeupToken {
                    isWoken = true
                } else {
                    handler.ready(event.token, event.events, in: &context)
                }
            }
            // A handler that adds a deadline in the past is served in the next round, not without end in
            // this.
            var budget = context.timerCount
            while budget > 0, let token = context.takeDue() {
                handler.expired(token, in: &context)
                budget -= 1
            }
            if isWoken { isAsked = try runPosted(&handler, &context) }
        }
    }

    /// Runs what was posted. Returns whether the loop has been asked to stop.
    private func runPosted(
        _ handler: inout Handler, _ context: inout EventContext
    ) throws(SystemError) -> Bool {
        // Emptied before the list is taken: a post in between wakes the loop once more than needed, never
        // less.
        var counter = [UInt8](repeating: 0, count: 8)
        var place = counter.mutableSpan
        _ = try wakeup.read(into: &place)
        let (work, isAsked) = state.withLock { state in
            let work = state.posted
            state.posted = []
            return (work, state.wantsStop)
        }
        for item in work { item(&handler, &context) }
        return isAsked
    }
}
