internal import Dispatch
internal import LinuxSystem
package import Metrics
internal import SandboxModel
internal import Synchronization

/// The one writer of a data folder.
///
/// Records are put into a bounded queue by any thread and written by the journal's own, many at a time, so
/// that many callers share one flush. A caller that waits is told only after the flush. One process writes: a
/// lock on the folder is held as long as the writer is open.
package final class JournalWriter: Sendable {
    let configuration: JournalConfiguration
    let storage: any JournalStorage
    let metrics: JournalMetrics
    /// The thread that writes. Completions are called on it.
    let queue = DispatchQueue(label: "sandwarden.journal")
    /// Compression and retention.
    let maintenanceQueue = DispatchQueue(label: "sandwarden.journal.maintenance", qos: .utility)
    let intake: Mutex<Intake>
    let core: Mutex<WriterCore>
    let status: Mutex<WriterStatus>
    let live: LiveHub
    private let lock: Mutex<(any JournalLock)?>

    /// Reads what this writes; blocks on the disk.
    package let reader: JournalReader

    private init(
        _ configuration: JournalConfiguration, storage: any JournalStorage, lock: any JournalLock,
        registry: MetricsRegistry, core: WriterCore, heads: [StreamHead]
    ) {
        self.configuration = configuration
        self.storage = storage
        self.lock = Mutex(lock)
        metrics = JournalMetrics(registry)
        intake = Mutex(Intake(configuration))
        self.core = Mutex(core)
        status = Mutex(WriterStatus(heads: heads))
        live = LiveHub(heads: heads, maximumSubscribers: configuration.maximumSubscribers)
        reader = JournalReader(storage: storage)
    }

    /// Opens the journal below a data folder, which is made when it is missing; repairs what a crash left.
    /// Blocks.
    ///
    /// A disk that reads but takes no records is no reason not to open: ``health`` says so then.
    /// - Returns: The writer, and what was found, which the caller puts on record.
    /// - Throws: `locked` when another process has the folder, `io` when the disk does not answer.
    package static func open(
        dataDirectory: String, _ configuration: JournalConfiguration, metrics: MetricsRegistry
    ) throws(JournalError) -> (writer: JournalWriter, report: RecoveryReport) {
        let storage: DiskStorage
        do throws(SystemError) {
            storage = try DiskStorage(dataDirectory: dataDirectory, creating: true)
        } catch {
            throw JournalError(error, .io, excerpt(dataDirectory))
        }
        return try open(storage, configuration, metrics: metrics)
    }

    /// Opens the journal in any storage.
    package static func open(
        _ storage: any JournalStorage, _ configuration: JournalConfiguration, metrics: MetricsRegistry
    ) throws(JournalError) -> (writer: JournalWriter, report: RecoveryReport) {
        let lock = try takeLock(storage)
        var report = RecoveryReport()
        let now = configuration.clock()
        let known = try readHeads(storage)
        let limits = SegmentLimits(
            bytes: max(4096, configuration.segmentBytes),
            ageMilliseconds: max(1, configuration.segmentAgeSeconds).multipliedReportingOverflow(by: 1000)
                .partialValue)
        var appenders: [StreamAppender] = []
        for stream in JournalStream.allCases {
            let head = known?.streams[stream]
            let recovery = StreamRecovery(stream: stream, storage: storage, known: head, now: now)
            let found = try recovery.run(into: &report)
            if head == nil, found.head.seq > 0 {
                report.add(.init(.headMissing, stream, detail: "\(JournalHeads.path) says nothing of it"))
            }
            appenders.append(
                StreamAppender(
                    stream, storage: storage, origin: configuration.origin, limits: limits, start: found))
        }
        let core = WriterCore(appenders: appenders)
        let writer = JournalWriter(
            configuration, storage: storage, lock: lock, registry: metrics, core: core,
            heads: appenders.map(\.head))
        writer.start(now)
        return (writer, report)
    }

    private static func takeLock(_ storage: any JournalStorage) throws(JournalError) -> any JournalLock {
        do throws(SystemError) {
            if let lock = try storage.lock("lock") { return lock }
        } catch {
            throw JournalError(error, .io, "lock")
        }
        throw JournalError(
            .locked, operation: "flock", detail: "another process writes to this data folder; stop it first")
    }

    /// The heads of a folder that may be new; damaged heads count as missing.
    private static func readHeads(_ storage: any JournalStorage) throws(JournalError) -> JournalHeads? {
        do throws(SystemError) {
            try storage.makeFolder(JournalHeads.folder)
            try storage.removeIfThere(JournalHeads.temporaryPath)
            try storage.syncFolder("")
        } catch {
            throw JournalError(error, .io, JournalHeads.folder)
        }
        return try JournalReader(storage: storage).heads()
    }

    /// Begins what recovery left to begin, and the timers.
    private func start(_ now: Timestamp) {
        core.withLock { core in
            for index in core.appenders.indices { core.appenders[index].prepare(now: now) }
        }
        // The folders of the streams may be new.
        do throws(SystemError) { try storage.syncFolder("") } catch { noteHeadFailure(error, now) }
        for stream in JournalStream.allCases {
            refresh(stream)
            stopIfFailed(stream)
        }
        writeHead()
        scheduleMaintenance()
    }

    /// Gives the folder back. What waits is written first; what the disk does not take is refused.
    package func close() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.finish()
                continuation.resume()
            }
        }
    }

    private func finish() {
        guard
            intake.withLock({ intake in
                defer { intake.close() }
                return !intake.isClosed
            })
        else { return }
        drain()
        for stream in JournalStream.allCases {
            let rest = intake.withLock { $0.takeAll(of: stream) }
            metrics.dropped[stream.index].increment(by: UInt64(rest.count { $0.completion == nil }))
            for record in rest { record.completion?(.failure(JournalError(.closed, operation: "append"))) }
        }
        writeHead()
        core.withLock { $0.isClosed = true }
        live.close()
        lock.withLock { $0 = nil }
    }
}

/// What only the writing thread touches.
struct WriterCore: Sendable {
    var appenders: [StreamAppender]
    var isHeadComing = false
    var isRetryComing = false
    var retryDelay: Duration?
    var isClosed = false

    init(appenders: [StreamAppender]) {
        self.appenders = appenders
    }
}

/// What anybody may ask for without waiting for the disk.
struct WriterStatus: Sendable {
    /// What is lost while a stream fails.
    struct Failure: Sendable, Hashable {
        var since: Timestamp
        var reason: String
        var refused: Int64 = 0
        var dropped: Int64 = 0
    }

    /// The last record of each stream that is on disk.
    var heads: [StreamHead]
    var failures = [Failure?](repeating: nil, count: JournalStream.allCases.count)
    var headFailure: Failure?

    init(heads: [StreamHead]) {
        self.heads = heads
    }

    var health: JournalHealth {
        let all = (failures + [headFailure]).compactMap { $0 }
        guard let first = all.min(by: { $0.since < $1.since }) else { return .ok }
        let lost = all.reduce(Int64(0)) { $0 + $1.refused + $1.dropped }
        return .failing(since: first.since, reason: first.reason, lost: lost)
    }
}
