public import SandboxModel
public import SandboxPolicy

// Questions about commands and paths: no actor, no wait, never a violation.

/// Whose policy a check is about.
package enum ValidationSubject: Sendable, Hashable {
    case policy(PolicyName)
    /// The version that this sandbox runs under.
    case sandbox(SandboxID)
}

/// One question.
package struct ValidationCheck: Sendable, Hashable {
    package enum What: Sendable, Hashable {
        case command(CommandCheck)
        case path(PathCheck)
    }

    package var subject: ValidationSubject
    package var what: What

    /// A question.
    package init(subject: ValidationSubject, what: What) {
        self.subject = subject
        self.what = what
    }
}

extension SandboxSecurityManager {
    /// Decides one question from the published snapshot. A denial goes to the audit stream, which is not waited for.
    /// - Throws: `notFound` for an unknown policy or sandbox.
    nonisolated package func validate(
        _ check: ValidationCheck, by principal: Principal
    ) throws(SecurityError) -> Verdict {
        let compiled: CompiledPolicy
        var sandbox: SandboxID?
        switch check.subject {
        case .policy(let name): compiled = try published.policy(name)
        case .sandbox(let id):
            compiled = try published.policy(of: id)
            sandbox = id
        }
        let verdict: Verdict
        switch check.what {
        case .command(let command): verdict = compiled.evaluate(command: command)
        case .path(let path): verdict = compiled.evaluate(path: path)
        }
        metrics.check(verdict.decision)
        if verdict.decision != .allow {
            evidence.auditSoon(
                AuditRecord(
                    .checkDenied, at: now, by: principal.name, sandbox: sandbox, policy: verdict.policy,
                    details: [
                        JSONMember("rules", .strings(verdict.reasons.map(\.rule))),
                        JSONMember("matches", .strings(verdict.reasons.map { excerpt($0.match) })),
                        JSONMember("programs", .strings(verdict.commands.prefix(32).map { excerpt($0) })),
                    ]))
        }
        return verdict
    }

    /// Decides about a shell command under a policy.
    /// - Returns: The verdict with its reasons and their byte offsets in `command`.
    /// - Throws: `notFound` for an unknown policy.
    nonisolated public func validate(command: String, policy: PolicyName) throws(SecurityError) -> Verdict {
        try validate(
            ValidationCheck(
                subject: .policy(policy), what: .command(CommandCheck(.script(Array(command.utf8))))),
            by: .daemon)
    }

    /// Decides about access to a path under a policy.
    /// - Throws: `notFound` for an unknown policy.
    nonisolated public func validate(
        path: String, operation: FileOperation = .read, policy: PolicyName
    ) throws(SecurityError) -> Verdict {
        try validate(
            ValidationCheck(
                subject: .policy(policy),
                what: .path(PathCheck(path, operation: operation))),
            by: .daemon)
    }
}
