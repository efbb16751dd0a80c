internal import Glibc
internal import LinuxSystem
internal import SandboxModel
internal import Synchronization

/// Tells listeners what happens to containers, and notices when a holder ends.
///
/// A holder's end is learnt from a descriptor of the process, without polling. At most ``bound`` events wait
/// for a listener; what does not fit becomes one gap.
final class OCIEventHub: Sendable {
    /// Events that may wait for one listener.
    static let bound = 256

    private struct Listener {
        var continuation: AsyncStream<EngineEvent>.Continuation
        var missed = false
    }

    private struct State {
        var listeners: [UInt64: Listener] = [:]
        var next: UInt64 = 0
        /// Pids that are watched, by container; a later watch of the same container replaces the earlier.
        var watched: [EngineID: Int32] = [:]
        var loop: EventLoop<HolderWatch>?
    }

    private let state = Mutex(State())

    deinit {
        state.withLock { state in
            state.loop?.stop()
            for listener in state.listeners.values { listener.continuation.finish() }
        }
    }

    /// Events from now on; ends when the reading task is cancelled.
    func events() -> AsyncStream<EngineEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: EngineEvent.self, bufferingPolicy: .bufferingOldest(Self.bound))
        let number = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = Listener(continuation: continuation)
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            // Outside of the lock: dropping the continuation may run code of its own.
            let gone = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
            _ = gone
        }
        return stream
    }

    /// Tells all listeners.
    func emit(_ event: EngineEvent) {
        state.withLock { state in
            for key in state.listeners.keys {
                guard var listener = state.listeners[key] else { continue }
                if listener.missed,
                    case .enqueued = listener.continuation.yield(EngineEvent(engineID: nil, kind: .gap))
                {
                    listener.missed = false
                }
                if listener.missed {
                    state.listeners[key] = listener
                    continue
                }
                if case .dropped = listener.continuation.yield(event) { listener.missed = true }
                state.listeners[key] = listener
            }
        }
    }

    /// Emits `died` when the process ends; at once when it has ended already.
    func watch(_ engineID: EngineID, pid: Int32) {
        let isNew = state.withLock { state in
            guard state.watched[engineID] != pid else { return false }
            state.watched[engineID] = pid
            return true
        }
        guard isNew else { return }
        do throws(SystemError) {
            let loop = try loop()
            let process = SharedDescriptor(try ProcessHandle(pid: pid).descriptor.duplicate())
            let isTaken = loop.post { watcher, context in
                watcher.add(process, engineID: engineID, pid: pid, in: &context)
            }
            if !isTaken { emit(EngineEvent(engineID: nil, kind: .gap)) }
        } catch {
            // Ended already, or it cannot be watched: the listener has to look for itself.
            ended(engineID, pid: pid, isCertain: error.errno == ESRCH)
        }
    }

    /// Stops telling of a container's end; for a removal, which is told by itself.
    func unwatch(_ engineID: EngineID) {
        state.withLock { _ = $0.watched.removeValue(forKey: engineID) }
    }

    fileprivate func ended(_ engineID: EngineID, pid: Int32, isCertain: Bool) {
        let isCurrent = state.withLock { state in
            guard state.watched[engineID] == pid else { return false }
            state.watched[engineID] = nil
            return true
        }
        guard isCurrent else { return }
        emit(EngineEvent(engineID: isCertain ? engineID : nil, kind: isCertain ? .died(exitCode: nil) : .gap))
    }

    /// The loop that waits for processes; made with the first.
    private func loop() throws(SystemError) -> EventLoop<HolderWatch> {
        let present = state.withLock { $0.loop }
        if let present { return present }
        let tell: @Sendable (EngineID, Int32, Bool) -> Void = { [weak self] engineID, pid, isCertain in
            self?.ended(engineID, pid: pid, isCertain: isCertain)
        }
        let made = try EventLoop(label: "sandwarden.holders") { _ throws(SystemError) in
            HolderWatch(tell: tell)
        }
        let kept = state.withLock { state in
            if let other = state.loop { return other }
            state.loop = made
            return made
        }
        if kept !== made { made.stop() }
        return kept
    }
}

/// The loop's state: which descriptor stands for which container.
struct HolderWatch: ~Copyable, EventHandler {
    private struct Entry {
        var process: SharedDescriptor
        var engineID: EngineID
        var pid: Int32
    }

    private var entries: [UInt64: Entry] = [:]
    private var next: UInt64 = 0
    /// Container, pid, and whether it is certain that the process has ended.
    private let tell: @Sendable (EngineID, Int32, Bool) -> Void

    init(tell: @escaping @Sendable (EngineID, Int32, Bool) -> Void) { self.tell = tell }

    mutating func add(
        _ process: SharedDescriptor, engineID: EngineID, pid: Int32, in context: inout EventContext
    ) {
        next += 1
        do throws(SystemError) {
            try context.poller.add(process.descriptor, .readable, token: next)
            entries[next] = Entry(process: process, engineID: engineID, pid: pid)
        } catch {
            // Out of descriptors or memory: it cannot be watched, so the listener has to look for itself.
            tell(engineID, pid, false)
        }
    }

    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext) {
        guard let entry = entries.removeValue(forKey: token) else { return }
        do throws(SystemError) {
            try context.poller.remove(entry.process.descriptor)
        } catch {
            // It leaves the set with its last descriptor, which goes with the entry.
        }
        tell(entry.engineID, entry.pid, true)
    }
}
