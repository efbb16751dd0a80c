package import SandboxModel
package import SandboxPolicy

/// What network one sandbox is to have.
package struct NetworkAttachment: Sendable, Hashable {
    package var sandboxID: SandboxID
    package var policyName: PolicyName
    package var networkPolicy: NetworkPolicy
    package var rules: NetworkRules
    /// Connections at a time; 0 lets no new one begin.
    package var maxConnections: Int
    /// Host pid of the sandbox's first process, which is in its network namespace.
    package var holderPID: Int32

    /// A wish of the given parts.
    package init(
        sandboxID: SandboxID, policyName: PolicyName, networkPolicy: NetworkPolicy, rules: NetworkRules,
        maxConnections: Int, holderPID: Int32
    ) {
        self.sandboxID = sandboxID
        self.policyName = policyName
        self.networkPolicy = networkPolicy
        self.rules = rules
        self.maxConnections = maxConnections
        self.holderPID = holderPID
    }
}
