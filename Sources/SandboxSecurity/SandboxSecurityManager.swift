internal import LinuxSystem
package import Logging
internal import Metrics
public import SandboxModel
package import SandboxMonitor
package import SandboxNetwork
internal import SandboxPolicy
package import SandboxRuntime

/// Owns every sandbox's life: creates, watches, answers violations, ends, recovers.
///
/// Checks do not pass through it: ``validate(command:policy:)`` and its like read a published snapshot on the caller's
/// thread. Within the actor a new phase is written before the first `await` and read again after each.
public actor SandboxSecurityManager {
    nonisolated package let configuration: SecurityConfiguration
    nonisolated package let folder: StateFolder
    nonisolated package let evidence: EvidenceLog
    nonisolated package let published: PublishedSnapshot
    nonisolated package let idempotency: IdempotencyStore
    nonisolated package let metrics: SecurityMetrics
    /// Ends streams that would never end by themselves, so that a stop need not wait for them.
    nonisolated package let drain = DrainSignal()
    nonisolated let drivers: [RuntimeKind: any RuntimeDriver]
    nonisolated let network: NetworkController
    nonisolated let monitor: HostMonitor
    nonisolated let workplace: SandboxWorkplace
    nonisolated let logger: Logger

    var shelf: PolicyShelf
    var records: [SandboxID: SandboxRecord] = [:]
    var windows: [SandboxID: ViolationWindow] = [:]
    /// Sandboxes whose end has begun: whoever comes second does nothing.
    var ending: Set<SandboxID> = []
    var runningExecs: [SandboxID: Int] = [:]
    /// Tasks that follow one sandbox (network events, its background command), ended with it.
    var followers: [SandboxID: [Task<Void, Never>]] = [:]
    /// Tasks that last as long as the manager.
    var keepers: [Task<Void, Never>] = []
    var isDraining = false

    /// The parts that a manager is made of.
    package struct Parts: Sendable {
        package var folder: StateFolder
        package var evidence: EvidenceLog
        package var idempotency: IdempotencyStore
        package var metrics: SecurityMetrics
        package var drivers: [RuntimeKind: any RuntimeDriver]
        package var network: NetworkController
        package var monitor: HostMonitor
        package var workplace: SandboxWorkplace
        package var shelf: PolicyShelf
        package var logger: Logger
    }

    package init(configuration: SecurityConfiguration, parts: Parts) {
        self.configuration = configuration
        folder = parts.folder
        evidence = parts.evidence
        idempotency = parts.idempotency
        metrics = parts.metrics
        drivers = parts.drivers
        network = parts.network
        monitor = parts.monitor
        workplace = parts.workplace
        shelf = parts.shelf
        logger = parts.logger
        published = PublishedSnapshot()
    }

    /// The wall clock, in one place.
    nonisolated var now: Timestamp { Timestamp(milliseconds: WallClock.nowMilliseconds()) }
}

// MARK: - Reading

extension SandboxSecurityManager {
    /// A sandbox, living or dead.
    /// - Throws: ``SecurityError`` `notFound`.
    package func record(_ id: SandboxID) throws(SecurityError) -> SandboxRecord {
        guard let record = records[id] else { throw SecurityError(.notFound, "there is no sandbox \(id)") }
        return record
    }

    /// All sandboxes, newest first.
    package var allRecords: [SandboxRecord] {
        records.values.sorted { ($1.createdAt, $1.id) < ($0.createdAt, $0.id) }
    }

    /// A sandbox as the API shows it.
    public func sandbox(_ id: SandboxID) throws(SecurityError) -> JSONValue { try record(id).json }

    /// A sandbox as it is now.
    func view(_ id: SandboxID) throws(SecurityError) -> SandboxView {
        let record = try record(id)
        return SandboxView(id: id, state: record.state, controls: record.controls, json: record.json)
    }

    /// A sandbox whose processes may be touched.
    /// - Throws: `notFound`, or `conflict` that says in which state it is.
    func living(
        _ id: SandboxID, _ wanted: Set<SandboxState> = [.running]
    ) throws(SecurityError) -> SandboxRecord {
        let record = try record(id)
        guard wanted.contains(record.state), !ending.contains(id) else {
            let state = ending.contains(id) ? "ending" : record.state.rawValue
            let expected = wanted.map(\.rawValue).sorted().joined(separator: " or ")
            throw SecurityError(.conflict, "the sandbox is \(state); it has to be \(expected) for this")
        }
        return record
    }

    func driver(_ kind: RuntimeKind) throws(SecurityError) -> any RuntimeDriver {
        guard let driver = drivers[kind] else {
            throw SecurityError(.unavailable, "the runtime \(kind.rawValue) is not configured")
        }
        return driver
    }
}

// MARK: - Keeping records

extension SandboxSecurityManager {
    /// Writes a record's file; the caller has changed `records` already.
    func save(_ id: SandboxID) async throws(SecurityError) {
        guard let record = records[id] else { return }
        try await folder.save(record.stateJSON, kind: "sandboxes", name: id.rawValue)
    }

    /// Changes a record and writes it.
    func update(
        _ id: SandboxID, _ change: @Sendable (inout SandboxRecord) -> Void
    ) async throws(SecurityError) {
        guard var record = records[id] else { return }
        change(&record)
        records[id] = record
        try await save(id)
    }

    /// Writes a record's file where a failure must not stop what is under way; it is logged, and health shows it.
    func saveBestEffort(_ id: SandboxID) async {
        do throws(SecurityError) {
            try await save(id)
        } catch {
            logger.error(
                "could not write the state of a sandbox", metadata: ["sandbox": "\(id)", "error": "\(error)"])
        }
    }

    /// Sets a new state, tells the audit stream, and publishes what checks may see.
    func enter(
        _ state: SandboxState, _ id: SandboxID, cause: CauseOfDeath? = nil, by principal: Principal,
        details: [JSONMember] = []
    ) async {
        guard var record = records[id], record.state != state else { return }
        record.state = state
        if let cause { record.causeOfDeath = cause }
        if !state.isAlive { record.endedAt = now }
        records[id] = record
        publishSandbox(record)
        metrics.count(records.values)
        await saveBestEffort(id)
        await evidence.auditBestEffort(
            AuditRecord(
                .sandboxState, at: now, by: principal.name, sandbox: id, policy: record.policy.name,
                details: [
                    JSONMember("state", .string(state.rawValue)),
                    JSONMember("cause_of_death", .optional(record.causeOfDeath?.rawValue)),
                ] + details))
    }

    func publishSandbox(_ record: SandboxRecord) {
        let compiled =
            record.state.isAlive ? shelf.compiled(record.policy, version: record.policyVersion) : nil
        published.publish { $0.sandboxes[record.id] = compiled }
    }
}
