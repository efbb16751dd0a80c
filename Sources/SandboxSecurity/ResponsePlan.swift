package import SandboxModel
package import SandboxPolicy

/// What is done about one violation, and why.
package struct ResponsePlan: Sendable, Hashable {
    /// What is done.
    package var action: ResponseAction
    /// What would be done if the policy enforced; equal to `action` unless it audits.
    package var intended: ResponseAction
    /// Whether the threshold, not the severity, decided.
    package var isByThreshold: Bool

    /// Picks the strongest of the answers by severity and by threshold.
    /// - Parameter reachesThreshold: Whether this violation reaches the policy's threshold within its window.
    package init(for severity: Severity, policy: Policy, reachesThreshold: Bool) {
        let bySeverity = policy.onViolation[severity] ?? .log
        let byThreshold: ResponseAction =
            reachesThreshold && policy.autoTerminateOnViolation ? .terminate : .log
        intended = max(bySeverity, byThreshold)
        isByThreshold = byThreshold > bySeverity
        action = policy.enforcement == .audit ? .log : intended
    }
}
