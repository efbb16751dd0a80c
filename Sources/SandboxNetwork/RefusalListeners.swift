internal import LinuxSystem
internal import SandboxModel
internal import Synchronization

/// An nflog group that several owners share.
final class RefusalLog: Sendable {
    /// Room in the kernel for messages that have not been received.
    static let bufferBytes: Int32 = 1 << 20

    let packets: Mutex<PacketLog>

    init(_ packets: consuming PacketLog) { self.packets = Mutex(packets) }
}

/// One sandbox's refused packets on their way to whoever asked for them.
final class RefusalListener: Sendable {
    /// Events that may wait for their reader; more are counted as lost.
    static let eventLimit = 256

    let sandboxID: SandboxID
    private let continuation: AsyncStream<NetworkEvent>.Continuation
    private let measures: NetworkMeasures
    private let state = Mutex(State())

    private struct State {
        var window = RefusalWindow()
        /// Packets told by nflog so far, by cause.
        var told: [Refusal: UInt64] = [:]
        var isWatched = false
    }

    init(
        _ sandboxID: SandboxID, _ continuation: AsyncStream<NetworkEvent>.Continuation,
        _ measures: NetworkMeasures
    ) {
        self.sandboxID = sandboxID
        self.continuation = continuation
        self.measures = measures
    }

    /// Packets that nflog has told, by cause.
    var told: [Refusal: UInt64] { state.withLock { $0.told } }

    /// Whether its nflog group is waited on.
    var isWatched: Bool { state.withLock { $0.isWatched } }

    /// Notes whether its nflog group is waited on.
    func setWatched(_ isWatched: Bool) { state.withLock { $0.isWatched = isWatched } }

    /// Takes packets that were just received.
    /// - Returns: Whether a window has to be ended in a while.
    func add(_ packets: [LoggedPacket]) -> Bool {
        let (events, needsEnd) = state.withLock { state in
            let wasEmpty = state.window.isEmpty
            var events: [NetworkEvent] = []
            for packet in packets {
                guard let event = NetworkEvent(packet) else { continue }
                state.told[event.cause, default: 0] += 1
                if let atOnce = state.window.add(event) { events.append(atOnce) }
            }
            return (events, wasEmpty && !state.window.isEmpty)
        }
        events.forEach(tell)
        return needsEnd
    }

    /// Ends the window and tells what came again within it.
    func endWindow() { state.withLock { $0.window.end() }.forEach(tell) }

    /// Hands an event on.
    func tell(_ event: NetworkEvent) {
        measures.refused(event.cause, event.count)
        if event.isLoss { measures.lost(event.count) }
        if case .dropped(let dropped) = continuation.yield(event), !dropped.isLoss {
            measures.lost(dropped.count)
        }
    }

    /// Ends the stream.
    func finish() { continuation.finish() }
}

/// The loop that waits for the nflog groups of all sandboxes, on one thread.
struct RefusalLoop: EventHandler {
    /// How long packets to one destination are gathered.
    static let window = Duration.seconds(1)

    private struct Entry {
        let log: RefusalLog
        let listener: RefusalListener
    }

    private var entries: [UInt64: Entry] = [:]

    mutating func add(
        _ log: RefusalLog, _ listener: RefusalListener, token: UInt64, in context: inout EventContext
    ) {
        do throws(SystemError) {
            try RefusalLoop.watch(log, context.poller, token)
            entries[token] = Entry(log: log, listener: listener)
            listener.setWatched(true)
        } catch {
            // Not watched: the counters, which are read anyway, tell the packets without their destinations.
            listener.setWatched(false)
        }
    }

    private static func watch(
        _ log: RefusalLog, _ poller: borrowing Poller, _ token: UInt64
    ) throws(SystemError) {
        let result: Result<Void, SystemError> = log.packets.withLock { packets in
            do throws(SystemError) {
                return .success(try packets.add(to: poller, token: token))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    mutating func remove(_ token: UInt64) {
        entries[token]?.listener.endWindow()
        entries[token]?.listener.setWatched(false)
        // The socket is closed with its last owner, and leaves the set by that.
        entries[token] = nil
    }

    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext) {
        receive(token, in: &context)
    }

    /// Takes what nflog has told of one sandbox.
    mutating func receive(_ token: UInt64, in context: inout EventContext) {
        guard let entry = entries[token] else { return }
        let received: [LoggedPacket]? = entry.log.packets.withLock { packets in
            do throws(SystemError) {
                return try packets.receive(limit: 1024)
            } catch {
                return nil
            }
        }
        guard let received else {
            // A socket that fails would be ready for ever.
            remove(token)
            return
        }
        if entry.listener.add(received) {
            context.addTimer(token, at: context.now.advanced(by: RefusalLoop.window))
        }
    }

    mutating func expired(_ token: UInt64, in context: inout EventContext) {
        entries[token]?.listener.endWindow()
    }
}

/// Who listens to which sandbox.
final class RefusalListeners: Sendable {
    private struct Active {
        let token: UInt64
        let listener: RefusalListener
        /// Reads the counters; cancelled with the listener.
        var counters: Task<Void, Never>?
    }

    private struct State {
        var loop: EventLoop<RefusalLoop>?
        var nextToken: UInt64 = 1
        var active: [SandboxID: Active] = [:]
    }

    private let state = Mutex(State())

    /// Makes a listener the one of its sandbox; another one before it ends.
    func start(_ listener: RefusalListener) -> UInt64 {
        let (token, previous, loop) = state.withLock { state in
            let token = state.nextToken
            state.nextToken += 1
            let previous = state.active.updateValue(
                Active(token: token, listener: listener), forKey: listener.sandboxID)
            return (token, previous, state.loop)
        }
        if let previous { RefusalListeners.end(previous, loop) }
        return token
    }

    /// Has a listener's group waited on.
    func watch(_ log: RefusalLog, _ listener: RefusalListener, token: UInt64) throws(SystemError) {
        let loop = try sharedLoop()
        let isTaken = loop.post { handler, context in
            handler.add(log, listener, token: token, in: &context)
        }
        guard isTaken else { throw SystemError(errno: 11, operation: "nflog", detail: "the loop is full") }
    }

    /// Waits until all that nflog has told so far has been taken.
    func drain(token: UInt64) async {
        let loop = state.withLock { $0.loop }
        await withCheckedContinuation { continuation in
            let waiter = Waiter(continuation)
            _ = loop?.post { handler, context in
                handler.receive(token, in: &context)
                waiter.resume()
            }
        }
    }

    /// Resumes once: when told to, or when everybody who could tell has let go of it, as a loop that ends
    /// does with the work that it has not run.
    private final class Waiter: Sendable {
        private let continuation: Mutex<CheckedContinuation<Void, Never>?>

        init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = Mutex(continuation) }

        func resume() { continuation.withLock { $0.take() }?.resume() }

        deinit { resume() }
    }

    /// Gives a listener the task that reads the counters; it is cancelled with the listener.
    /// - Returns: `false` when the listener has ended in between.
    func attach(counters: Task<Void, Never>, token: UInt64, _ id: SandboxID) -> Bool {
        state.withLock { state in
            guard state.active[id]?.token == token else { return false }
            state.active[id]?.counters = counters
            return true
        }
    }

    /// Whether a sandbox's refused packets are told one by one.
    func isWatched(_ id: SandboxID) -> Bool { state.withLock { $0.active[id]?.listener.isWatched ?? false } }

    /// Ends a sandbox's listener, if there is one; its stream ends.
    /// - Parameter token: Only this one; `nil` is any.
    func stop(_ id: SandboxID, token: UInt64? = nil) {
        let (ended, loop) = state.withLock { state -> (Active?, EventLoop<RefusalLoop>?) in
            if let token, state.active[id]?.token != token { return (nil, state.loop) }
            return (state.active.removeValue(forKey: id), state.loop)
        }
        if let ended { RefusalListeners.end(ended, loop) }
    }

    private static func end(_ entry: Active, _ loop: EventLoop<RefusalLoop>?) {
        entry.counters?.cancel()
        let isTaken = loop?.post { handler, _ in
            handler.remove(entry.token)
            entry.listener.finish()
        }
        if isTaken != true { entry.listener.finish() }
    }

    private func sharedLoop() throws(SystemError) -> EventLoop<RefusalLoop> {
        let result: Result<EventLoop<RefusalLoop>, SystemError> = state.withLock { state in
            if let loop = state.loop { return .success(loop) }
            do throws(SystemError) {
                let loop = try EventLoop(label: "sandwarden.nflog", postLimit: 4096) {
                    _ throws(SystemError) in
                    RefusalLoop()
                }
                state.loop = loop
                return .success(loop)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    deinit { state.withLock { $0.loop }?.stop() }
}
