internal import Logging
public import SandboxModel
internal import SandboxMonitor
internal import SandboxPolicy
package import SandboxRuntime

// Commands in sandboxes: checked, recorded, run beside the holder.

/// How an exec went, with the verdict that let it go ahead.
public struct ExecReply: Sendable, Hashable {
    package var result: ExecResult
    /// Why it was let go ahead.
    public var verdict: Verdict

    /// The reply as the API shows it; output that is not UTF-8 stands in `…_base64`.
    public var json: JSONValue {
        var members = [JSONMember("exit_code", .optional(result.exitCode.map(Int64.init)))]
        for (name, bytes) in [("stdout", result.stdout), ("stderr", result.stderr)] {
            if let text = String(validating: bytes, as: UTF8.self) {
                members.append(JSONMember(name, .string(text)))
            } else {
                members.append(JSONMember(name + "_base64", .string(Base64.encode(bytes))))
            }
        }
        let components = result.duration.components
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        members += [
            JSONMember("duration_ms", .integer(milliseconds)),
            JSONMember("timed_out", .bool(result.timedOut)),
            JSONMember("truncated", .bool(result.truncated)),
        ]
        if let cause = result.causeOfDeath {
            members.append(JSONMember("cause_of_death", .string(cause.rawValue)))
        }
        members.append(JSONMember("verdict", verdict.json))
        return .object(members)
    }
}

/// A piece of what a command printed.
public struct OutputPiece: Sendable, Hashable {
    /// Whether it was printed to standard error.
    public var isError: Bool
    /// What was printed, as it came.
    public var bytes: [UInt8]

    init(_ output: ExecOutput) {
        isError = output.stream == .stderr
        bytes = output.bytes
    }

    /// As the API shows it; bytes that are not UTF-8 stand in `data_base64`.
    public var json: JSONValue {
        let stream = JSONMember("stream", .string(isError ? "stderr" : "stdout"))
        if let text = String(validating: bytes, as: UTF8.self) {
            return .object([stream, JSONMember("data", .string(text))])
        }
        return .object([stream, JSONMember("data_base64", .string(Base64.encode(bytes)))])
    }
}

/// A command that was allowed, recorded, and has a place among the running ones.
package struct StartedExec: Sendable {
    let id: SandboxID
    let execID: String
    let request: ExecRequest
    let record: SandboxRecord
    let verdict: Verdict
    let principal: Principal
}

extension SandboxSecurityManager {
    /// Runs a command in a sandbox.
    /// - Returns: How it ended and all that it printed, up to the configured limit.
    /// - Throws: ``SecurityError`` `denied` with the verdict, after the violation is on disk; `conflict` when the
    ///   sandbox does not run; `invalid`, `exhausted`, `notFound` (the program), `unavailable`.
    public func exec(
        _ request: CommandRequest, in id: SandboxID, by principal: Principal
    ) async throws(SecurityError) -> ExecReply {
        try await carryOut(try await beginExec(request, in: id, by: principal), output: nil)
    }

    /// Runs a command whose output is handed over piece by piece; the reply's output is empty then.
    public func exec(
        _ request: CommandRequest, in id: SandboxID, by principal: Principal,
        output: @escaping @Sendable (OutputPiece) async -> Void
    ) async throws(SecurityError) -> ExecReply {
        try await carryOut(try await beginExec(request, in: id, by: principal), output: output)
    }

    /// Checks, records and admits a command; nothing runs yet. ``carryOut(_:output:)`` must follow.
    package func beginExec(
        _ request: CommandRequest, in id: SandboxID, by principal: Principal
    ) async throws(SecurityError) -> StartedExec {
        try principal.require(.operator, to: "run a command")
        try request.check()
        let record = try living(id)
        let limit = record.policy.resourceLimits.executionTimeoutSeconds
        let seconds = request.timeoutSeconds ?? limit
        guard seconds <= limit else {
            throw .invalid(
                "/timeout_seconds", "at most \(limit) was expected, the policy's execution_timeout")
        }
        let compiled = try published.policy(of: id)
        let verdict = compiled.evaluate(
            command: request.check(under: record.policy, added: record.environment))
        guard verdict.isAllowed else { throw try await refuse(request, verdict, in: id, by: principal) }
        if verdict.decision == .audit { await auditWouldDeny(request, verdict, in: id, by: principal) }
        // Another task may have ended the sandbox meanwhile.
        _ = try living(id)
        try admitExec(id)
        let execID = fresh("ex-")
        do throws(SecurityError) {
            try await evidence.audit(
                AuditRecord(
                    .execStarted, at: now, by: principal.name, sandbox: id, policy: record.policy.name,
                    details: [JSONMember("exec_id", .string(execID))] + request.evidence(verdict)))
        } catch {
            leaveExec(id)
            throw error
        }
        records[id]?.lastUsedAt = now
        return StartedExec(
            id: id, execID: execID,
            request: request.execRequest(
                record, timeout: .seconds(seconds), outputLimit: configuration.execOutputLimit),
            record: record, verdict: verdict, principal: principal)
    }

    /// Runs what ``beginExec(_:in:by:)`` admitted.
    package func carryOut(
        _ started: StartedExec, output: (@Sendable (OutputPiece) async -> Void)?
    ) async throws(SecurityError) -> ExecReply {
        defer { leaveExec(started.id) }
        let result = try await run(started.request, started.record, output: output)
        records[started.id]?.lastUsedAt = now
        await finish(started.execID, result, in: started.id, by: started.principal)
        return ExecReply(result: result, verdict: started.verdict)
    }

    private func leaveExec(_ id: SandboxID) {
        guard let count = runningExecs[id] else { return }
        runningExecs[id] = count > 1 ? count - 1 : nil
    }

    private func admitExec(_ id: SandboxID) throws(SecurityError) {
        let here = runningExecs[id, default: 0]
        let everywhere = runningExecs.values.reduce(0, +)
        guard here < configuration.maximumExecsPerSandbox, everywhere < configuration.maximumExecs else {
            throw SecurityError(
                .exhausted,
                "\(here) commands run in this sandbox and \(everywhere) in all, as many as may be "
                    + "(\(configuration.maximumExecsPerSandbox) and \(configuration.maximumExecs))",
                retryAfterSeconds: 1)
        }
        runningExecs[id] = here + 1
    }

    private func run(
        _ request: ExecRequest, _ record: SandboxRecord, output: (@Sendable (OutputPiece) async -> Void)?
    ) async throws(SecurityError) -> ExecResult {
        guard let engineID = record.engineID, let holder = record.holder else {
            throw SecurityError(.conflict, "the sandbox has no process to run beside")
        }
        let driver = try driver(record.runtime)
        let forward = output.map { output in
            { @Sendable (piece: ExecOutput) async -> Void in await output(OutputPiece(piece)) }
        }
        do throws(RuntimeError) {
            return try await workplace.launcher.exec(
                request, in: record.launchOrder, engineID: engineID, holder: holder, with: driver,
                onOutput: forward)
        } catch {
            guard error.operation == "end exec" || error.code == .unsupported else {
                throw SecurityError(error)
            }
            // What the exec started cannot be told from the rest, or not be ended: nothing of it may go on.
            try await end(record.id, state: .terminated, cause: .execTimeout, by: .daemon)
            throw SecurityError(
                .timedOut,
                "the command could not be ended apart from its sandbox, so the sandbox was ended: \(error)")
        }
    }

    private func finish(
        _ execID: String, _ result: ExecResult, in id: SandboxID, by principal: Principal
    ) async {
        metrics.exec(result)
        await evidence.auditBestEffort(
            AuditRecord(
                .execFinished, at: now, by: principal.name, sandbox: id, policy: records[id]?.policy.name,
                details: [
                    JSONMember("exec_id", .string(execID)),
                    JSONMember("exit_code", .optional(result.exitCode.map(Int64.init))),
                    JSONMember("timed_out", .bool(result.timedOut)),
                    JSONMember("cause_of_death", .optional(result.causeOfDeath?.rawValue)),
                ]))
        // What the command did to its limits is seen now, not at the next tick.
        await monitor.sampleNow(id)
    }

    // The violation is on disk before the refusal is sent.
    private func refuse(
        _ request: CommandRequest, _ verdict: Verdict, in id: SandboxID, by principal: Principal
    ) async throws(SecurityError) -> SecurityError {
        await evidence.auditBestEffort(
            AuditRecord(
                .execDenied, at: now, by: principal.name, sandbox: id, policy: verdict.policy,
                details: request.evidence(verdict) + [JSONMember("verdict", verdict.json)]))
        await handle(
            ViolationFinding(
                .processViolation, .medium, cause: "denied_exec",
                details: request.evidence(verdict) + [
                    JSONMember("rules", .strings(verdict.reasons.map(\.rule))),
                    JSONMember("matches", .strings(verdict.reasons.map { excerpt($0.match) })),
                ]),
            in: id)
        return SecurityError(.denied, SecurityError.sentence(verdict), verdict: verdict)
    }

    private func auditWouldDeny(
        _ request: CommandRequest, _ verdict: Verdict, in id: SandboxID, by principal: Principal
    ) async {
        await handle(
            ViolationFinding(
                .processViolation, .medium, cause: "denied_exec",
                details: request.evidence(verdict) + [
                    JSONMember("audited", true), JSONMember("rules", .strings(verdict.reasons.map(\.rule))),
                ]),
            in: id)
    }

    /// The command that a sandbox was created with: it may last as long as the sandbox.
    func runBackground(_ id: SandboxID, command: String, by principal: Principal) async {
        guard let record = records[id], record.state == .running else { return }
        let request = CommandRequest(.command(command))
        let lifetime = Duration.seconds(SandboxRequest.maximumSeconds)
        do throws(SecurityError) {
            try admitExec(id)
            defer { leaveExec(id) }
            let result = try await run(
                request.execRequest(record, timeout: lifetime, outputLimit: 4096), record, output: nil)
            await finish("command", result, in: id, by: principal)
        } catch {
            await evidence.auditBestEffort(
                AuditRecord(
                    .execFinished, at: now, by: principal.name, sandbox: id, policy: record.policy.name,
                    details: [
                        JSONMember("exec_id", "command"), JSONMember("error", .string(excerpt(error.detail))),
                    ]))
        }
    }
}

extension CommandRequest {
    /// What of a command goes into the journal: its text up to 4 KiB, its folder, never its environment or input.
    func evidence(_ verdict: Verdict) -> [JSONMember] {
        var members: [JSONMember] = []
        switch program {
        case .command(let text): members.append(JSONMember("command", .string(excerpt(text, limit: 4096))))
        case .arguments(let arguments):
            members.append(JSONMember("argv", .strings(arguments.prefix(64).map { excerpt($0, limit: 512) })))
        }
        members.append(JSONMember("cwd", .optional(workingDirectory)))
        members.append(JSONMember("programs", .strings(verdict.commands.prefix(32).map { excerpt($0) })))
        return members
    }

    func check(under policy: Policy, added: [String: String]) -> CommandCheck {
        let source: CommandCheck.Subject
        switch program {
        case .command(let text): source = .script(Array(text.utf8))
        case .arguments(let arguments): source = .arguments(arguments)
        }
        return CommandCheck(
            source, workingDirectory: workingDirectory ?? policy.workspace,
            // What is not given is empty, which is known; `nil` would stand for an input that nobody has seen.
            environment: added.merging(environment) { _, new in new }, stdin: stdin ?? [])
    }

    func execRequest(_ record: SandboxRecord, timeout: Duration, outputLimit: Int) -> ExecRequest {
        let arguments: [String]
        switch program {
        case .command(let text): arguments = [record.policy.shell == .bash ? "bash" : "sh", "-c", text]
        case .arguments(let given): arguments = given
        }
        return ExecRequest(
            arguments: arguments, environment: record.environment.merging(environment) { _, new in new },
            workingDirectory: workingDirectory ?? record.policy.workspace, stdin: stdin, timeout: timeout,
            outputLimit: outputLimit)
    }
}
