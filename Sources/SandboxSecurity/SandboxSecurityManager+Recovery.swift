internal import Logging
public import SandboxModel
internal import SandboxMonitor
internal import SandboxNetwork
internal import SandboxPolicy
internal import SandboxRuntime

// After a start: what the state folder says is compared with what the engines have, sandboxes are taken up again or
// ended, and what was not watched meanwhile is recorded as a gap.

/// What was found and done at a start.
public struct RecoveryOutcome: Sendable, Hashable {
    /// Sandboxes that go on under guard.
    public var readopted: [SandboxID] = []
    /// Sandboxes that the engine had no more, or that could not be guarded again.
    public var lost: [SandboxID] = []
    /// Sandboxes whose making was cut short; their remains are removed.
    public var discarded: [SandboxID] = []
    /// Interfaces, rules and the like of this installation that belonged to no sandbox any more.
    public var leftovers: [String] = []
    /// State files that could not be understood, with the reason.
    public var unreadableFiles: [String] = []

    /// One line for people.
    public var summary: String {
        "\(readopted.count) sandboxes taken up again, \(lost.count) lost, \(discarded.count) discarded, "
            + "\(leftovers.count) leftovers removed"
    }
}

extension SandboxSecurityManager {
    /// Takes up what an earlier run left. Called once, before requests are answered.
    /// - Parameter lastSeen: When the earlier run was last known to work, where that is known.
    package func recover(lastSeen: Timestamp?) async throws(SecurityError) -> RecoveryOutcome {
        var outcome = RecoveryOutcome()
        let loaded = try await folder.load(kind: "sandboxes", decode: SandboxRecord.init(stateJSON:))
        outcome.unreadableFiles = loaded.unreadable.map { "\($0.file): \($0.reason)" }
        for record in loaded.values {
            records[record.id] = record
            if !record.isReleased { workplace.users.reserve(record.user.uid) }
        }
        for record in loaded.values.sorted(by: { $0.id < $1.id }) {
            await takeUp(record, &outcome)
        }
        let handles = records.values.filter(\.state.isAlive).compactMap(\.network)
        outcome.leftovers = await network.reconcile(known: handles)
        outcome.leftovers += await workplace.launcher.removeStrays(
            known: Set(records.keys), drivers: Array(drivers.values))
        metrics.count(records.values)
        try await recordRecovery(outcome, lastSeen: lastSeen)
        return outcome
    }

    private func takeUp(_ record: SandboxRecord, _ outcome: inout RecoveryOutcome) async {
        let id = record.id
        guard record.state.isAlive else {
            if !record.isReleased { await release(id) }
            return
        }
        guard record.state != .creating else {
            outcome.discarded.append(id)
            records[id]?.state = .failed
            records[id]?.causeOfDeath = .startFailed
            await release(id)
            if records[id]?.isReleased == true { await forget(id) }
            return
        }
        do throws(SecurityError) {
            guard try await isStillOurs(record) else {
                outcome.lost.append(id)
                try await end(id, state: .lost, cause: .engineLost, by: .daemon)
                return
            }
            try watch(id)
            publishSandbox(record)
            if record.isPausedByShutdown { _ = try await resume(id, by: .daemon) }
            outcome.readopted.append(id)
        } catch {
            // It lives but cannot be guarded: it must not go on.
            logger.error(
                "a sandbox could not be taken up again", metadata: ["sandbox": "\(id)", "error": "\(error)"])
            outcome.lost.append(id)
            await endBestEffort(id, state: .terminated, cause: .controlDrift)
        }
    }

    /// Whether the engine still has the very container of the state file, with the very process.
    private func isStillOurs(_ record: SandboxRecord) async throws(SecurityError) -> Bool {
        guard let engineID = record.engineID, let holder = record.holder else { return false }
        let driver = try driver(record.runtime)
        let found = try await runtime("inspect") { () async throws(RuntimeError) in
            try await driver.inspect(engineID)
        }
        guard let found, found.pid == holder.pid else { return false }
        switch found.state {
        case .running, .paused: break
        case .created, .exited: return false
        }
        return workplace.isRunning(holder)
    }

    private func recordRecovery(
        _ outcome: RecoveryOutcome, lastSeen: Timestamp?
    ) async throws(SecurityError) {
        try await evidence.audit(
            AuditRecord(
                .recovery, at: now, by: Principal.daemon.name,
                details: [
                    JSONMember("readopted", .strings(outcome.readopted.map(\.rawValue))),
                    JSONMember("lost", .strings(outcome.lost.map(\.rawValue))),
                    JSONMember("discarded", .strings(outcome.discarded.map(\.rawValue))),
                    JSONMember("leftovers", .strings(outcome.leftovers)),
                    JSONMember("unreadable_files", .strings(outcome.unreadableFiles)),
                ]))
        guard let lastSeen, !outcome.readopted.isEmpty else { return }
        try await evidence.audit(
            AuditRecord(
                .gap, at: now, by: Principal.daemon.name,
                details: [
                    JSONMember("reason", "the daemon did not run"),
                    JSONMember("from", .string(lastSeen.description)),
                    JSONMember("until", .string(now.description)),
                    JSONMember("sandboxes", .strings(outcome.readopted.map(\.rawValue))),
                ]))
    }

    func endBestEffort(_ id: SandboxID, state: SandboxState, cause: CauseOfDeath) async {
        do throws(SecurityError) {
            try await end(id, state: state, cause: cause, by: .daemon)
        } catch {
            logger.critical(
                "a sandbox could not be ended", metadata: ["sandbox": "\(id)", "error": "\(error)"])
        }
    }
}

// MARK: - Adoption

extension SandboxSecurityManager {
    /// Takes a running container of the engine under guard: watched, checked, answered for; its making was not ours,
    /// so most controls are read, not set.
    func adopt(
        _ request: SandboxRequest, under compiled: CompiledPolicy, id wanted: SandboxID?,
        by principal: Principal
    ) async throws(SecurityError) -> SandboxView {
        try principal.require(.admin, to: "adopt a container")
        guard let name = request.adopt.flatMap(EngineID.init(rawValue:)) else {
            throw .invalid("/adopt", "a container's name or id was expected")
        }
        let driver = try driver(.docker)
        let found = try await runtime("inspect") { () async throws(RuntimeError) in
            try await driver.inspect(name)
        }
        guard let found, let pid = found.pid else {
            throw SecurityError(.notFound, "the engine has no running container \(name)")
        }
        guard found.adoptionObstacles.isEmpty else {
            throw SecurityError(
                .conflict,
                "the container may not be adopted: \(found.adoptionObstacles.joined(separator: ", "))")
        }
        guard !records.values.contains(where: { $0.engineID == found.engineID && $0.state.isAlive }) else {
            throw SecurityError(.conflict, "the container is a sandbox already")
        }
        guard let holder = workplace.process(pid) else {
            throw SecurityError(.conflict, "the container ended meanwhile")
        }
        var generator = SystemRandomNumberGenerator()
        let id = wanted ?? SandboxID(using: &generator)
        var record = SandboxRecord(
            id: id, policy: compiled.policy, policyVersion: compiled.version.version, runtime: .docker,
            image: found.image,
            user: workplace.user(of: holder), createdAt: now)
        record.engineID = found.engineID
        record.holder = holder
        record.labels = request.labels
        record.isAdopted = true
        record.allowsDegraded = true
        record.idleTimeoutSeconds = request.idleTimeoutSeconds
        record.expiresAt = request.ttlSeconds.map { record.createdAt.advanced(bySeconds: Int64($0)) }
        records[id] = record
        do throws(SecurityError) {
            let controls = try await readAdoptedControls(record)
            records[id]?.controls = controls
            records[id]?.state = .running
            try await save(id)
            try watch(id)
            if let ready = records[id] { publishSandbox(ready) }
            try await announce(id, .sandboxAdopted, by: principal)
        } catch {
            monitor.unwatch(id)
            records[id] = nil
            published.publish { $0.sandboxes[id] = nil }
            throw error
        }
        metrics.count(records.values)
        return try view(id)
    }

    private func readAdoptedControls(_ record: SandboxRecord) async throws(SecurityError) -> [AppliedControl] {
        guard let engineID = record.engineID, let holder = record.holder else { return [] }
        let driver = try driver(record.runtime)
        do throws(RuntimeError) {
            return try await workplace.launcher.attest(
                record.launchOrder, engineID: engineID, holder: holder, network: nil, with: driver)
        } catch {
            throw SecurityError(error)
        }
    }

    /// Stops guarding an adopted container; it goes on as it was.
    func letGo(_ id: SandboxID, by principal: Principal) async {
        guard ending.insert(id).inserted else { return }
        defer { ending.remove(id) }
        monitor.unwatch(id)
        for task in followers.removeValue(forKey: id) ?? [] { task.cancel() }
        records[id]?.isReleased = true
        await enter(.stopped, id, cause: .operator, by: principal, details: [JSONMember("released", true)])
    }
}
