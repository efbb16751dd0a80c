internal import LinuxSystem
internal import Logging
public import SandboxModel
internal import SandboxMonitor
internal import SandboxNetwork
internal import SandboxPolicy
internal import SandboxRuntime

/// A sandbox as it was at one moment.
public struct SandboxView: Sendable, Hashable {
    /// Its identifier.
    public let id: SandboxID
    /// The state that it is in.
    public let state: SandboxState
    /// Every control of the policy as it was read back from the host.
    public let controls: [AppliedControl]
    /// The whole sandbox as the API shows it.
    public let json: JSONValue
}

// Creation: everything is checked, armed and read back before anything of the client's runs.

extension SandboxSecurityManager {
    /// Makes a sandbox under a policy.
    /// - Parameter id: Chosen beforehand where the request is idempotent; else a fresh one.
    /// - Returns: The sandbox, running and guarded.
    /// - Throws: ``SecurityError``: `invalid`, `notFound` (policy, image), `denied` with the verdict, `unenforceable`
    ///   with the controls, `exhausted`, `unavailable`; nothing is left behind then.
    public func create(
        _ request: SandboxRequest, id: SandboxID? = nil, by principal: Principal
    ) async throws(SecurityError) -> SandboxView {
        try principal.require(.operator, to: "create a sandbox")
        if request.allowsDegraded {
            try principal.require(.admin, to: "accept controls that are not enforced")
        }
        try request.check()
        try admitNewSandbox()
        let compiled = try published.policy(request.policy)
        if request.adopt != nil { return try await adopt(request, under: compiled, id: id, by: principal) }
        try await checkStart(request, compiled, by: principal)
        let kind = try await chooseRuntime(request)
        try admitNewSandbox()
        let id = try reserve(id, request, compiled, kind)
        do throws(SecurityError) {
            try await save(id)
            try await evidence.audit(
                AuditRecord(
                    .sandboxCreating, at: now, by: principal.name, sandbox: id, policy: request.policy,
                    details: [
                        JSONMember("runtime", .string(kind.rawValue)),
                        JSONMember("image", .optional(request.image)),
                    ]))
            try await launch(id, degradedIsFine: request.allowsDegraded)
            try await announce(id, .sandboxCreated, by: principal)
        } catch {
            await discard(id, error, by: principal)
            throw error
        }
        if let command = request.command { follow(id, command: command, by: principal) }
        return try view(id)
    }

    private func admitNewSandbox() throws(SecurityError) {
        guard !isDraining else {
            throw SecurityError(.unavailable, "the daemon is stopping", retryAfterSeconds: 5)
        }
        if let reason = evidence.failure {
            throw SecurityError(
                .journalFailing, "the journal cannot take records (\(reason)), so no sandbox is begun",
                retryAfterSeconds: 10)
        }
        let alive = records.values.count { $0.state.isAlive }
        guard alive < configuration.maximumSandboxes else {
            throw SecurityError(
                .exhausted,
                "\(alive) sandboxes are alive, as many as may be; delete one or raise limits.max_sandboxes",
                retryAfterSeconds: 30)
        }
    }

    // The command and the environment that a sandbox begins with are one check, as in an exec.
    private func checkStart(
        _ request: SandboxRequest, _ compiled: CompiledPolicy, by principal: Principal
    ) async throws(SecurityError) {
        let verdict: Verdict
        if let command = request.command {
            verdict = compiled.evaluate(
                command: CommandCheck(
                    .script(Array(command.utf8)), environment: request.environment))
        } else {
            // With nothing to run, the environment alone is judged.
            verdict = compiled.evaluate(command: CommandCheck(.script([]), environment: request.environment))
        }
        guard !verdict.isAllowed else { return }
        await evidence.auditBestEffort(
            AuditRecord(
                .sandboxRefused, at: now, by: principal.name, policy: request.policy,
                details: [JSONMember("verdict", verdict.json)]))
        throw SecurityError(.denied, SecurityError.sentence(verdict), verdict: verdict)
    }

    private func chooseRuntime(_ request: SandboxRequest) async throws(SecurityError) -> RuntimeKind {
        let choice = request.runtime == .auto ? configuration.runtime : request.runtime
        let candidates: [RuntimeKind]
        switch choice {
        case .auto: candidates = [.docker, .oci]
        case .docker: candidates = [.docker]
        case .oci: candidates = [.oci]
        }
        var reasons: [String] = []
        var isMissingImage = false
        for kind in candidates {
            guard let driver = drivers[kind] else {
                reasons.append("\(kind.rawValue): no engine was found")
                continue
            }
            let probe = await driver.probe()
            guard probe.isAvailable else {
                reasons.append("\(kind.rawValue): \(probe.detail)")
                continue
            }
            do throws(RuntimeError) {
                if try await driver.hasImage(request.image) { return kind }
                isMissingImage = true
                reasons.append(
                    "\(kind.rawValue): "
                        + (request.image.map { "no image named \(excerpt($0))" }
                            ?? "no default image is configured"))
            } catch {
                reasons.append("\(kind.rawValue): \(error)")
            }
        }
        let detail = reasons.isEmpty ? "no runtime is configured" : reasons.joined(separator: "; ")
        guard isMissingImage else {
            throw SecurityError(
                .unavailable, detail + "; `sandwarden doctor` says what is missing", retryAfterSeconds: 10)
        }
        throw SecurityError(
            .invalid, detail, faults: [DocumentFault(pointer: "/image", location: .none, detail: detail)])
    }

    // The place is taken before anything is awaited, so that two requests for one identifier cannot both pass.
    private func reserve(
        _ wanted: SandboxID?, _ request: SandboxRequest, _ compiled: CompiledPolicy, _ kind: RuntimeKind
    ) throws(SecurityError) -> SandboxID {
        var generator = SystemRandomNumberGenerator()
        let id = wanted ?? SandboxID(using: &generator)
        guard records[id] == nil else { throw SecurityError(.conflict, "there is a sandbox \(id) already") }
        let user: SandboxUser
        switch compiled.policy.privileges.user {
        case .uid(let uid): user = SandboxUser(uid: uid, gid: uid)
        case .auto:
            do throws(RuntimeError) {
                user = try workplace.users.allocate()
            } catch {
                throw SecurityError(error)
            }
        }
        var record = SandboxRecord(
            id: id, policy: compiled.policy, policyVersion: compiled.version.version, runtime: kind,
            image: request.image,
            user: user, createdAt: now)
        record.labels = request.labels
        record.environment = request.environment
        record.idleTimeoutSeconds = request.idleTimeoutSeconds
        record.expiresAt = request.ttlSeconds.map { record.createdAt.advanced(bySeconds: Int64($0)) }
        record.allowsDegraded = request.allowsDegraded
        records[id] = record
        return id
    }

    private func launch(_ id: SandboxID, degradedIsFine: Bool) async throws(SecurityError) {
        let record = try record(id)
        let driver = try driver(record.runtime)
        let launched: LaunchedSandbox
        do throws(RuntimeError) {
            launched = try await workplace.launch(record.launchOrder, with: driver)
        } catch {
            throw SecurityError(error)
        }
        guard var changed = records[id] else {
            throw SecurityError(.failed, "the sandbox vanished while it was made")
        }
        changed.engineID = launched.engineID
        changed.holder = launched.holder
        changed.network = launched.network
        changed.controls = launched.controls
        records[id] = changed
        let faults = Attestation.requirementFaults(
            launched.controls, requireKernel: changed.policy.requireKernel, allowDegraded: degradedIsFine)
        guard faults.isEmpty else {
            throw SecurityError(
                .unenforceable,
                "policy \(changed.policy.name) does not hold here: "
                    + faults.map(\.description).joined(separator: "; "),
                controls: launched.controls.filter { control in
                    faults.contains { $0.control == control.control }
                })
        }
        try await save(id)
        try watch(id)
        records[id]?.state = .running
        try await save(id)
        if let ready = records[id] { publishSandbox(ready) }
        metrics.count(records.values)
    }

    /// Begins to watch a sandbox and to listen to its network's refusals.
    func watch(_ id: SandboxID) throws(SecurityError) {
        guard let record = records[id], let holder = record.holder else { return }
        if record.isMonitored { try startMonitor(record, holder) }
        guard let handle = record.network, record.policy.networkPolicy != .none else { return }
        let events = network.events(handle, holderPID: holder.pid)
        let task = Task { [weak self] in
            var told = RecentRefusals()
            for await event in events {
                guard let self else { return }
                guard told.isNew(event, at: self.now) else { continue }
                await self.handle(NetworkFindings.finding(for: event), in: id)
            }
        }
        followers[id, default: []].append(task)
    }

    func startMonitor(_ record: SandboxRecord, _ holder: HolderProcess) throws(SecurityError) {
        do throws(MonitorError) {
            try monitor.watch(
                MonitorTarget(
                    sandboxID: record.id, policy: record.policy, holderPID: holder.pid,
                    holderStartTicks: holder.startTicks,
                    workspacePath: record.isAdopted ? nil : workplace.workspacePath(record.id)))
        } catch {
            throw SecurityError(.failed, "the sandbox cannot be watched: \(error)")
        }
    }

    /// Tells the audit stream that a sandbox is there, with all that a report needs later.
    func announce(
        _ id: SandboxID, _ event: AuditRecord.Event, by principal: Principal
    ) async throws(SecurityError) {
        let record = try record(id)
        try await evidence.audit(
            AuditRecord(
                event, at: now, by: principal.name, sandbox: id, policy: record.policy.name,
                details: [
                    JSONMember("state", .string(record.state.rawValue)),
                    JSONMember("runtime", .string(record.runtime.rawValue)),
                    JSONMember("engine_id", .optional(record.engineID?.rawValue)),
                    JSONMember("image", .optional(record.image)),
                    JSONMember("policy_version", .integer(Int64(record.policyVersion))),
                    JSONMember("policy_summary", record.policySummary),
                    JSONMember("labels", SandboxRecord.json(of: record.labels)),
                    JSONMember("applied", .array(record.controls.map(\.json))),
                ]))
    }

    // A sandbox that did not come to be: nothing stays but the line that says so.
    private func discard(_ id: SandboxID, _ error: SecurityError, by principal: Principal) async {
        guard let record = records[id] else { return }
        records[id]?.state = .failed
        records[id]?.causeOfDeath = .startFailed
        monitor.unwatch(id)
        await release(id)
        published.publish { $0.sandboxes[id] = nil }
        await evidence.auditBestEffort(
            AuditRecord(
                .sandboxRefused, at: now, by: principal.name, sandbox: id, policy: record.policy.name,
                details: [
                    JSONMember("code", .string(error.code.rawValue)),
                    JSONMember("detail", .string(excerpt(error.detail, limit: 1024))),
                    JSONMember("controls", .array(error.controls.map(\.json))),
                ]))
        if records[id]?.isReleased == true { await forget(id) }
        metrics.count(records.values)
    }

    /// Removes a dead sandbox's record and its file.
    func forget(_ id: SandboxID) async {
        guard let record = records[id], !record.state.isAlive else { return }
        records[id] = nil
        if !record.isAdopted { workplace.users.release(record.user.uid) }
        do throws(SecurityError) {
            try await folder.remove(kind: "sandboxes", name: id.rawValue)
        } catch {
            logger.warning(
                "a state file could not be removed", metadata: ["sandbox": "\(id)", "error": "\(error)"])
        }
    }

    /// Runs the sandbox's own command in the background, until it ends or the sandbox does.
    private func follow(_ id: SandboxID, command: String, by principal: Principal) {
        let task = Task { [weak self] in
            guard let self else { return }
            await self.runBackground(id, command: command, by: principal)
        }
        followers[id, default: []].append(task)
    }
}
