internal import LinuxSystem
internal import Logging
public import SandboxModel
internal import SandboxMonitor
internal import SandboxNetwork
internal import SandboxPolicy
internal import SandboxRuntime

// Violations and their answers, up to the end of the sandbox.

extension SandboxSecurityManager {
    /// Records a finding as a violation, durably, then answers it as the policy says.
    /// - Parameter correlation: Links it to others of one incident.
    /// - Returns: The recorded violation; `nil` when the sandbox is not known any more.
    @discardableResult
    func handle(
        _ finding: ViolationFinding, in id: SandboxID, correlation: String? = nil, at time: Timestamp? = nil
    ) async -> Violation? {
        guard var record = records[id] else { return nil }
        let timestamp = time ?? now
        var window = windows[id] ?? ViolationWindow()
        let reachesThreshold = window.record(
            finding.severity, at: timestamp, threshold: record.policy.violationThreshold,
            windowSeconds: record.policy.violationWindowSeconds)
        windows[id] = window
        record.violations += 1
        records[id] = record
        let plan = ResponsePlan(
            for: finding.severity, policy: record.policy, reachesThreshold: reachesThreshold)
        let incident = correlation ?? (plan.intended > .log ? fresh("inc-") : nil)
        var violation = Violation(
            violationID: fresh("v-"), seq: 0, timestamp: timestamp, type: finding.type,
            severity: finding.severity,
            sandboxID: id, containerID: record.engineID?.rawValue, policy: record.policy.name,
            details: [JSONMember("cause", .string(finding.cause))] + finding.details,
            actionTaken: plan.action,
            correlationID: incident)
        do throws(SecurityError) {
            violation.seq = try await evidence.violation(violation)
        } catch {
            // The answer must not wait for a disk: what could not be written is counted and shown by health.
            logger.error(
                "a violation could not be recorded",
                metadata: ["sandbox": "\(id)", "cause": "\(finding.cause)", "error": "\(error)"])
        }
        metrics.violation(finding.type, finding.severity)
        await saveBestEffort(id)
        await answer(plan, to: violation)
        return violation
    }

    private func answer(_ plan: ResponsePlan, to violation: Violation) async {
        guard plan.intended > .log else { return }
        let id = violation.sandboxID
        guard plan.action > .log else {
            await auditResponse(
                id, action: plan.intended, by: .daemon, outcome: "not carried out: the policy only audits",
                reason: violation.violationID)
            return
        }
        guard records[id]?.state.isAlive == true, !ending.contains(id) else { return }
        do throws(SecurityError) {
            try await perform(
                plan.action, on: id, by: .daemon, reason: violation.violationID,
                incident: violation.correlationID)
        } catch {
            logger.error(
                "a response failed",
                metadata: ["sandbox": "\(id)", "action": "\(plan.action)", "error": "\(error)"])
            // A milder answer that cannot be given becomes the strongest one: failing open is no option.
            if plan.action < .terminate { await escalate(id, after: plan.action, violation) }
        }
    }

    private func escalate(_ id: SandboxID, after action: ResponseAction, _ violation: Violation) async {
        do throws(SecurityError) {
            try await perform(
                .terminate, on: id, by: .daemon, reason: "\(action.rawValue) failed",
                incident: violation.correlationID)
        } catch {
            logger.critical(
                "a sandbox could not be terminated", metadata: ["sandbox": "\(id)", "error": "\(error)"])
        }
    }

    /// Carries out one answer and tells the audit stream how it went.
    /// - Throws: What kept it from being carried out.
    func perform(
        _ action: ResponseAction, on id: SandboxID, by principal: Principal, reason: String, incident: String?
    ) async throws(SecurityError) {
        metrics.response(action)
        do throws(SecurityError) {
            switch action {
            case .log: break
            case .throttle: try await throttle(id)
            case .pause: try await freeze(id, by: principal)
            case .isolate: try await isolate(id)
            case .terminate:
                try await end(
                    id, state: .terminated, cause: principal == .daemon ? .policyViolation : .operator,
                    by: principal, incident: incident)
            }
        } catch {
            await auditResponse(
                id, action: action, by: principal, outcome: "failed: \(error)", reason: reason)
            throw error
        }
        await auditResponse(id, action: action, by: principal, outcome: "done", reason: reason)
    }

    private func auditResponse(
        _ id: SandboxID, action: ResponseAction, by principal: Principal, outcome: String, reason: String
    ) async {
        await evidence.auditBestEffort(
            AuditRecord(
                .response, at: now, by: principal.name, sandbox: id, policy: records[id]?.policy.name,
                details: [
                    JSONMember("action", .string(action.rawValue)), JSONMember("outcome", .string(outcome)),
                    JSONMember("cause", .string(reason)),
                ]))
    }

    /// An operator's answer by hand.
    /// - Returns: The sandbox as it is then.
    public func respond(
        _ action: ResponseAction, to id: SandboxID, by principal: Principal
    ) async throws(SecurityError) -> JSONValue {
        try principal.require(.operator, to: "answer for a sandbox")
        _ = try living(id, [.running, .paused])
        try await perform(action, on: id, by: principal, reason: "by hand", incident: nil)
        return try sandbox(id)
    }

    private func throttle(_ id: SandboxID) async throws(SecurityError) {
        let record = try living(id, [.running, .paused])
        guard let engineID = record.engineID else { return }
        var limits = record.policy.resourceLimits
        // A tenth, but enough to be answered by: one percent of a core.
        limits.cpuPercent = max(1, limits.cpuPercent / 10)
        let tightened = limits
        try await runtime("throttle") { [driver = try driver(record.runtime)] () throws(RuntimeError) in
            try await driver.update(engineID, limits: tightened)
        }
    }

    private func isolate(_ id: SandboxID) async throws(SecurityError) {
        let record = try living(id, [.running, .paused])
        guard let handle = record.network, let holder = record.holder else { return }
        do {
            try await network.isolate(handle, holderPID: holder.pid)
        } catch {
            throw SecurityError(.failed, "the network could not be cut: \(error)")
        }
        try await update(id) { $0.isIsolated = true }
    }

    func freeze(_ id: SandboxID, by principal: Principal) async throws(SecurityError) {
        let record = try living(id)
        guard let engineID = record.engineID else { return }
        try await runtime("pause") { [driver = try driver(record.runtime)] () throws(RuntimeError) in
            try await driver.pause(engineID)
        }
        await enter(.paused, id, by: principal)
    }

    /// Runs a driver's call and turns its error into one for clients.
    func runtime<Value: Sendable>(
        _ what: String, _ body: @Sendable () async throws(RuntimeError) -> Value
    ) async throws(SecurityError) -> Value {
        do throws(RuntimeError) {
            return try await body()
        } catch {
            throw SecurityError(error)
        }
    }

    nonisolated func fresh(_ prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        return prefix + randomAlphanumerics(16, using: &generator)
    }
}

// MARK: - The end

extension SandboxSecurityManager {
    /// Kills every process, confirms it, says why, and gives back what the sandbox held. The record stays.
    /// - Parameter state: `stopped`, `terminated`, `failed` or `lost`.
    /// - Throws: When processes may be left; the sandbox is then still `running` or `paused`, and watched.
    func end(
        _ id: SandboxID, state: SandboxState, cause: CauseOfDeath, by principal: Principal,
        incident: String? = nil
    ) async throws(SecurityError) {
        guard let record = records[id], record.state.isAlive, ending.insert(id).inserted else { return }
        defer { ending.remove(id) }
        if let engineID = record.engineID, state != .lost {
            try await runtime("kill") { [driver = try driver(record.runtime)] () throws(RuntimeError) in
                try await driver.kill(engineID)
            }
        }
        monitor.unwatch(id)
        await enter(state, id, cause: cause, by: principal)
        metrics.death(cause)
        if state == .terminated {
            await recordTermination(of: record, cause: cause, incident: incident)
        }
        await release(id)
    }

    // The termination itself is a violation of its own, critical, which is not answered again.
    private func recordTermination(of record: SandboxRecord, cause: CauseOfDeath, incident: String?) async {
        guard cause == .policyViolation || cause == .controlDrift else { return }
        records[record.id]?.violations += 1
        let violation = Violation(
            violationID: fresh("v-"), seq: 0, timestamp: now, type: .suspiciousActivity, severity: .critical,
            sandboxID: record.id, containerID: record.engineID?.rawValue, policy: record.policy.name,
            details: [
                JSONMember("cause", "terminated"), JSONMember("cause_of_death", .string(cause.rawValue)),
            ],
            actionTaken: .terminate, correlationID: incident)
        do throws(SecurityError) {
            _ = try await evidence.violation(violation)
        } catch {
            logger.error(
                "a termination could not be recorded",
                metadata: ["sandbox": "\(record.id)", "error": "\(error)"])
        }
        metrics.violation(.suspiciousActivity, .critical)
        await saveBestEffort(record.id)
    }

    /// Gives back everything that a dead sandbox held on the host; what fails is tried again by the caretaker.
    func release(_ id: SandboxID) async {
        guard let record = records[id] else { return }
        for task in followers.removeValue(forKey: id) ?? [] { task.cancel() }
        windows[id] = nil
        do throws(RuntimeError) {
            guard let driver = drivers[record.runtime] else {
                throw RuntimeError(
                    .unavailable, operation: "teardown", detail: "no driver \(record.runtime.rawValue)")
            }
            // An adopted container is its owner's: it was killed at most, never removed.
            if !record.isAdopted { try await workplace.launcher.teardown(record.remains, with: driver) }
        } catch {
            logger.warning(
                "a dead sandbox's remains could not be removed yet",
                metadata: ["sandbox": "\(id)", "error": "\(error)"])
            return
        }
        records[id]?.isReleased = true
        await saveBestEffort(id)
    }
}
