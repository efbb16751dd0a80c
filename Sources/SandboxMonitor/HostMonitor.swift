internal import Glibc
internal import LinuxSystem
package import Logging
package import Metrics
package import SandboxModel
package import SandboxPolicy
internal import Synchronization

/// Watches every sandbox at its policy's interval from one thread, and hears at once when a holder ends.
package final class HostMonitor: Sendable {
    /// What is found, in order. One reader. Bounded: what does not fit is counted and told as a gap.
    package let events: AsyncStream<MonitorEvent>
    private let teller: MonitorTeller
    private let loop: EventLoop<MonitorLoop>?
    private let watches = Mutex<[SandboxID: SandboxWatch]>([:])
    private let reads = BlockingQueue(label: "sandwarden.monitor.reads", width: 4, waitingLimit: 256)

    /// Events that may wait for the reader.
    private static let bufferedEvents = 4096

    /// A monitor that watches nothing yet.
    package init(metrics: MetricsRegistry, logger: Logger) {
        let (stream, continuation) = AsyncStream.makeStream(
            of: MonitorEvent.self, bufferingPolicy: .bufferingOldest(HostMonitor.bufferedEvents))
        events = stream
        let teller = MonitorTeller(continuation: continuation, metrics: metrics, logger: logger)
        self.teller = teller
        do throws(SystemError) {
            loop = try EventLoop(label: "sandwarden.monitor", postLimit: 100_000) { _ in
                MonitorLoop(teller: teller)
            }
        } catch {
            // Without its thread nothing can be watched: every `watch` says so, and no sandbox begins.
            logger.critical("the monitor cannot run", metadata: ["error": "\(error)"])
            loop = nil
        }
    }

    /// Begins to watch a sandbox; one that is watched already is watched anew.
    /// - Throws: `gone` when its holder has ended.
    package func watch(_ target: MonitorTarget) throws(MonitorError) {
        let watch = try SandboxWatch(target)
        watches.withLock { $0[target.sandboxID] = watch }
        let isTaken = loop?.post { handler, context in handler.add(watch, in: &context) } ?? false
        guard isTaken else {
            watches.withLock { $0[target.sandboxID] = nil }
            throw MonitorError(.failed, operation: "watch", detail: "the monitor does not run")
        }
    }

    /// Stops watching a sandbox; fine when it is not watched.
    package func unwatch(_ id: SandboxID) {
        guard watches.withLock({ $0.removeValue(forKey: id) }) != nil else { return }
        _ = loop?.post { handler, context in handler.remove(id, in: &context) }
    }

    /// Judges by another policy; its interval counts from the next sample on.
    package func update(_ id: SandboxID, policy: Policy) {
        watches.withLock { $0[id] }?.adopt(policy)
    }

    /// Takes a sample outside of the interval, as after an exec; what it finds is told like any other.
    package func sampleNow(_ id: SandboxID) async {
        guard let watch = watches.withLock({ $0[id] }), let loop else { return }
        let teller = teller
        await withCheckedContinuation { continuation in
            let isTaken = loop.post { _, _ in
                teller.take(watch)
                continuation.resume()
            }
            if !isTaken { continuation.resume() }
        }
    }

    /// The processes of a watched sandbox now.
    /// - Throws: `notFound` when it is not watched.
    package func processes(_ id: SandboxID) async throws(MonitorError) -> [ProcessEntry] {
        guard let watch = watches.withLock({ $0[id] }) else {
            throw MonitorError(.notFound, operation: "processes", detail: "the sandbox is not watched")
        }
        return try await Blocking.run(
            on: reads, whenFull: { MonitorError(.failed, operation: "processes", detail: $0) },
            { () throws(MonitorError) in try watch.processes() })
    }

    /// Stops watching everything and ends the events.
    package func stop() async {
        watches.withLock { $0 = [:] }
        loop?.stop()
        teller.finish()
    }
}

/// The state of the monitor's thread.
struct MonitorLoop: EventHandler, ~Copyable {
    private struct Entry {
        var watch: SandboxWatch
        /// Tells this use of a sandbox's place from earlier ones.
        var token: UInt64
    }

    private let teller: MonitorTeller
    private var entries: [UInt64: Entry] = [:]
    private var tokens: [SandboxID: UInt64] = [:]
    private var lastToken: UInt64 = 0

    init(teller: MonitorTeller) { self.teller = teller }

    mutating func add(_ watch: SandboxWatch, in context: inout EventContext) {
        remove(watch.target.sandboxID, in: &context)
        lastToken += 1
        let token = lastToken
        do throws(SystemError) {
            try context.poller.add(watch.holderHandle.descriptor, .readable, token: token)
        } catch {
            // Its end is then only seen by the next sample that fails.
            teller.warn(watch.target.sandboxID, "the holder's end cannot be heard: \(error)")
        }
        entries[token] = Entry(watch: watch, token: token)
        tokens[watch.target.sandboxID] = token
        context.addTimer(token, at: context.now.advanced(by: watch.interval))
    }

    mutating func remove(_ id: SandboxID, in context: inout EventContext) {
        guard let token = tokens.removeValue(forKey: id), let entry = entries.removeValue(forKey: token)
        else { return }
        unhear(entry.watch, in: &context)
    }

    private func unhear(_ watch: SandboxWatch, in context: inout EventContext) {
        do throws(SystemError) {
            try context.poller.remove(watch.holderHandle.descriptor)
        } catch {
            // It was not in the set, which is what is wanted.
        }
    }

    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext) {
        guard let entry = entries.removeValue(forKey: token) else { return }
        let id = entry.watch.target.sandboxID
        tokens[id] = nil
        unhear(entry.watch, in: &context)
        teller.tell(.holderExited(id, at: MonitorTeller.now))
    }

    mutating func expired(_ token: UInt64, in context: inout EventContext) {
        guard let entry = entries[token] else { return }
        teller.take(entry.watch)
        context.addTimer(token, at: MonotonicInstant.now().advanced(by: entry.watch.interval))
    }
}

/// Takes samples and hands over what they show.
final class MonitorTeller: Sendable {
    private let continuation: AsyncStream<MonitorEvent>.Continuation
    private let logger: Logger
    private let samples: Counter
    private let failures: Counter
    private let lost: Counter
    private let duration: Histogram
    private let lostSinceTold = Mutex(0)

    init(continuation: AsyncStream<MonitorEvent>.Continuation, metrics: MetricsRegistry, logger: Logger) {
        self.continuation = continuation
        self.logger = logger
        samples = metrics.counter("sandwarden_monitor_samples_total", help: "Samples taken of sandboxes.")
        failures = metrics.counter(
            "sandwarden_monitor_sample_failures_total", help: "Samples that could not be taken.")
        lost = metrics.counter(
            "sandwarden_monitor_lost_events_total",
            help: "Findings dropped because their reader was too slow.")
        duration = metrics.histogram(
            "sandwarden_monitor_sample_duration_seconds", help: "How long one sample of one sandbox took.",
            bounds: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1])
    }

    static var now: Timestamp { Timestamp(milliseconds: WallClock.nowMilliseconds()) }

    func finish() { continuation.finish() }

    func warn(_ id: SandboxID, _ text: String) {
        logger.warning("\(text)", metadata: ["sandbox": "\(id)"])
    }

    func take(_ watch: SandboxWatch) {
        let id = watch.target.sandboxID
        let began = MonotonicInstant.now()
        do throws(MonitorError) {
            let (sample, changes) = try watch.look(at: MonitorTeller.now)
            samples.increment()
            duration.observe(began.duration(to: .now()))
            for change in changes {
                switch change {
                case .began(let finding): tell(.began(id, finding, at: sample.timestamp))
                case .ended(let cause): tell(.ended(id, cause: cause, at: sample.timestamp))
                }
            }
            tell(.sample(sample))
        } catch {
            // The end of a sandbox is told by its holder; what fails while it lives is told as a gap.
            guard error.code != .gone else { return }
            failures.increment()
            logger.warning(
                "a sandbox could not be sampled", metadata: ["sandbox": "\(id)", "error": "\(error)"])
            tell(.gap(id, reason: "a sample could not be taken", count: 1))
        }
    }

    func tell(_ event: MonitorEvent) {
        let waiting = lostSinceTold.withLock { count in
            defer { count = 0 }
            return count
        }
        if waiting > 0 {
            send(.gap(nil, reason: "findings were dropped: their reader was too slow", count: waiting))
        }
        send(event)
    }

    private func send(_ event: MonitorEvent) {
        if case .dropped = continuation.yield(event) {
            lost.increment()
            lostSinceTold.withLock { $0 += 1 }
        }
    }
}
