package import SandboxModel
package import SandboxPolicy
internal import Synchronization

/// Everything that a check needs, as of one moment: immutable, so that it is read on any thread without the actor.
package struct ValidationSnapshot: Sendable {
    /// The newest version of each policy.
    package var policies: [PolicyName: CompiledPolicy] = [:]
    /// The version that each living sandbox runs under.
    package var sandboxes: [SandboxID: CompiledPolicy] = [:]

    /// An empty snapshot: every name is unknown.
    package init() {}
}

/// Where the manager puts the newest ``ValidationSnapshot`` and checks find it.
package final class PublishedSnapshot: Sendable {
    private let current = Mutex(ValidationSnapshot())

    /// Holds an empty snapshot until the first one is published.
    package init() {}

    /// The newest snapshot. A copy of two references; never waits for the manager.
    package var snapshot: ValidationSnapshot { current.withLock { $0 } }

    package func publish(_ change: (inout ValidationSnapshot) -> Void) { current.withLock { change(&$0) } }

    /// The policy of that name.
    /// - Throws: ``SecurityError`` `notFound` naming it.
    package func policy(_ name: PolicyName) throws(SecurityError) -> CompiledPolicy {
        if let policy = current.withLock({ $0.policies[name] }) { return policy }
        throw SecurityError(.notFound, "there is no policy named \(name); GET /policies lists them")
    }

    /// The policy that a sandbox runs under.
    /// - Throws: ``SecurityError`` `notFound` when no such sandbox lives.
    package func policy(of sandbox: SandboxID) throws(SecurityError) -> CompiledPolicy {
        if let policy = current.withLock({ $0.sandboxes[sandbox] }) { return policy }
        throw SecurityError(.notFound, "there is no sandbox \(sandbox)")
    }
}
