internal import Logging
public import SandboxModel
internal import SandboxMonitor
internal import SandboxNetwork
internal import SandboxPolicy
internal import SandboxRuntime

// What operators do to living sandboxes: pause, resume, stop, delete, patch, watch, look.

/// What may be changed about a living sandbox.
public struct SandboxPatch: Sendable, Hashable {
    /// Its policy.
    public var policy: PolicyName?
    /// Seconds from now; `.some(nil)`: never.
    public var ttlSeconds: Int??
    /// Replace all labels; `nil` leaves them.
    public var labels: [String: String]?

    /// A patch that changes nothing.
    public init() {}
}

extension SandboxSecurityManager {
    /// Freezes every process.
    public func pause(_ id: SandboxID, by principal: Principal) async throws(SecurityError) -> JSONValue {
        try principal.require(.operator, to: "pause a sandbox")
        try await freeze(id, by: principal)
        return try sandbox(id)
    }

    /// Thaws every process.
    public func resume(_ id: SandboxID, by principal: Principal) async throws(SecurityError) -> JSONValue {
        try principal.require(.operator, to: "resume a sandbox")
        let record = try living(id, [.paused])
        guard let engineID = record.engineID else { return try sandbox(id) }
        try await runtime("resume") { [driver = try driver(record.runtime)] () throws(RuntimeError) in
            try await driver.resume(engineID)
        }
        records[id]?.isPausedByShutdown = false
        await enter(.running, id, by: principal)
        return try sandbox(id)
    }

    /// Ends every process; the sandbox stays listed.
    public func stop(_ id: SandboxID, by principal: Principal) async throws(SecurityError) -> JSONValue {
        try principal.require(.operator, to: "stop a sandbox")
        _ = try living(id, [.running, .paused])
        try await end(id, state: .stopped, cause: .operator, by: principal)
        return try sandbox(id)
    }

    /// Ends a sandbox and forgets it; its evidence stays. An adopted container is released, not removed.
    public func delete(_ id: SandboxID, by principal: Principal) async throws(SecurityError) {
        try principal.require(.operator, to: "delete a sandbox")
        let record = try record(id)
        guard record.state != .creating, !ending.contains(id) else {
            throw SecurityError(
                .conflict, "the sandbox is \(ending.contains(id) ? "ending" : "creating")",
                retryAfterSeconds: 1)
        }
        if record.state.isAlive {
            if record.isAdopted {
                await letGo(id, by: principal)
            } else {
                try await end(id, state: .stopped, cause: .operator, by: principal)
            }
        }
        if records[id]?.isReleased == false { await release(id) }
        guard records[id]?.isReleased != false else {
            throw SecurityError(
                .unavailable, "what the sandbox held on the host could not be removed yet",
                retryAfterSeconds: 5)
        }
        try await evidence.audit(
            AuditRecord(.sandboxDeleted, at: now, by: principal.name, sandbox: id, policy: record.policy.name)
        )
        published.publish { $0.sandboxes[id] = nil }
        await forget(id)
        metrics.count(records.values)
    }

    /// Changes the policy live, the time to live, or the labels.
    /// - Throws: `conflict` naming the fields that need a new sandbox; nothing is changed then.
    public func patch(
        _ id: SandboxID, _ patch: SandboxPatch, by principal: Principal
    ) async throws(SecurityError) -> JSONValue {
        try principal.require(.operator, to: "change a sandbox")
        let faults = SandboxRequest.faults(labels: patch.labels ?? [:])
        guard faults.isEmpty else { throw SecurityError(.invalid, "the labels are wrong", faults: faults) }
        if case .some(.some(let seconds)) = patch.ttlSeconds,
            !(1...SandboxRequest.maximumSeconds).contains(seconds)
        {
            throw .invalid("/ttl_seconds", "1 to \(SandboxRequest.maximumSeconds) was expected")
        }
        _ = try living(id, [.running, .paused])
        if let name = patch.policy {
            let compiled = try published.policy(name)
            try await apply(compiled, to: id)
        }
        let expiry = patch.ttlSeconds.map { $0.map { now.advanced(bySeconds: Int64($0)) } }
        try await update(id) { record in
            if let expiry { record.expiresAt = expiry }
            if let labels = patch.labels { record.labels = labels }
        }
        try await announce(id, .sandboxChanged, by: principal)
        return try sandbox(id)
    }

    /// Applies another policy to a living sandbox: limits, network, checks, monitoring.
    func apply(_ compiled: CompiledPolicy, to id: SandboxID) async throws(SecurityError) {
        let record = try living(id, [.running, .paused])
        let fixed = LivePolicyChange.fieldsThatNeedANewSandbox(from: record.policy, to: compiled.policy)
        guard fixed.isEmpty else {
            throw SecurityError(
                .conflict, "these fields need a new sandbox: \(fixed.joined(separator: ", "))",
                faults: fixed.map {
                    DocumentFault(
                        pointer: "/" + $0, location: .none, detail: "cannot be changed while it runs")
                })
        }
        guard let engineID = record.engineID, let holder = record.holder else { return }
        let limits = compiled.policy.resourceLimits
        try await runtime("update") { [driver = try driver(record.runtime)] () throws(RuntimeError) in
            try await driver.update(engineID, limits: limits)
        }
        var handle = record.network
        if let old = handle {
            do {
                handle = try await network.update(
                    old, record.attachment(under: compiled.policy, holderPID: holder.pid))
            } catch {
                throw SecurityError(.failed, "the network rules could not be changed: \(error)")
            }
        }
        let newHandle = handle
        try await update(id) { record in
            record.policy = compiled.policy
            record.policyVersion = compiled.version.version
            record.network = newHandle
        }
        if let changed = records[id] { publishSandbox(changed) }
        monitor.update(id, policy: compiled.policy)
        let controls = try await readControls(id)
        try await update(id) { $0.controls = controls }
        guard
            Attestation.requirementFaults(
                controls, requireKernel: compiled.policy.requireKernel, allowDegraded: record.allowsDegraded
            ).isEmpty
        else {
            await answerDrift(id, controls)
            throw SecurityError(
                .unenforceable, "the new policy does not hold; the sandbox was ended", controls: controls)
        }
    }

    /// Reads every control back from the host now.
    func readControls(_ id: SandboxID) async throws(SecurityError) -> [AppliedControl] {
        let record = try living(id, [.running, .paused])
        guard let engineID = record.engineID, let holder = record.holder else { return record.controls }
        let driver = try driver(record.runtime)
        do throws(RuntimeError) {
            return try await workplace.launcher.attest(
                record.launchOrder, engineID: engineID, holder: holder, network: record.network, with: driver)
        } catch {
            throw SecurityError(error)
        }
    }

    /// Compares what holds now with what held when the sandbox was accepted.
    public func attest(_ id: SandboxID) async throws(SecurityError) -> JSONValue {
        let before = try record(id).controls
        let controls = try await readControls(id)
        let weaker = controls.filter { control in
            guard control.status == .degraded || control.status == .unsupported else { return false }
            return before.first { $0.control == control.control }.map { $0.status != control.status } ?? true
        }
        try await update(id) { $0.controls = controls }
        if !weaker.isEmpty { await answerDrift(id, weaker) }
        return [
            "sandbox_id": .string(id.rawValue), "timestamp": .string(now.description),
            "holds": .bool(weaker.isEmpty),
            "controls": .array(controls.map(\.json)),
        ]
    }

    func answerDrift(_ id: SandboxID, _ controls: [AppliedControl]) async {
        await handle(
            ViolationFinding(
                .permissionViolation, .high, cause: "control_drift",
                details: [JSONMember("controls", .array(controls.map(\.json)))]),
            in: id)
        guard records[id]?.policy.enforcement == .enforce else { return }
        do throws(SecurityError) {
            try await end(id, state: .terminated, cause: .controlDrift, by: .daemon)
        } catch {
            logger.critical(
                "a sandbox could not be ended", metadata: ["sandbox": "\(id)", "error": "\(error)"])
        }
    }

    /// Starts or stops watching a sandbox. Stopping takes an admin.
    public func setMonitoring(
        _ isOn: Bool, of id: SandboxID, by principal: Principal
    ) async throws(SecurityError) -> JSONValue {
        try principal.require(
            isOn ? .operator : .admin, to: isOn ? "watch a sandbox" : "stop watching a sandbox")
        let record = try living(id, [.running, .paused])
        if record.isMonitored != isOn {
            try await update(id) { $0.isMonitored = isOn }
            if isOn {
                if let changed = records[id], let holder = changed.holder {
                    try startMonitor(changed, holder)
                }
            } else {
                monitor.unwatch(id)
            }
            try await evidence.audit(
                AuditRecord(
                    .monitoring, at: now, by: principal.name, sandbox: id, policy: record.policy.name,
                    details: [JSONMember("monitored", .bool(isOn))]))
        }
        return try sandbox(id)
    }

    /// The processes of a living sandbox, read from the host.
    public func processes(_ id: SandboxID) async throws(SecurityError) -> JSONValue {
        _ = try living(id, [.running, .paused])
        do throws(MonitorError) {
            let entries = try await monitor.processes(id)
            return ["processes": .array(entries.map(\.json))]
        } catch {
            throw SecurityError(
                error.code == .failed ? .failed : .conflict, "the processes cannot be read: \(error.detail)")
        }
    }
}
