package import SandboxModel
package import SandboxNetwork
package import SandboxPolicy

/// What is to be launched: a sandbox's identity and its policy, already checked.
package struct LaunchOrder: Sendable, Hashable {
    package var id: SandboxID
    package var policy: Policy
    package var policyVersion: Int
    /// As the client named it; `nil` for the driver's default.
    package var image: String?
    package var user: SandboxUser
    package var labels: [String: String]
    /// Whether samples are taken of it once it runs.
    package var isMonitored: Bool

    /// An order of the given parts.
    package init(
        id: SandboxID, policy: Policy, policyVersion: Int, image: String?, user: SandboxUser,
        labels: [String: String], isMonitored: Bool
    ) {
        self.id = id
        self.policy = policy
        self.policyVersion = policyVersion
        self.image = image
        self.user = user
        self.labels = labels
        self.isMonitored = isMonitored
    }

    /// The network that the policy asks for.
    func attachment(holderPID: Int32) -> NetworkAttachment {
        NetworkAttachment(
            sandboxID: id, policyName: policy.name, networkPolicy: policy.networkPolicy,
            rules: policy.network,
            maxConnections: policy.resourceLimits.maxNetworkConnections, holderPID: holderPID)
    }
}

/// A sandbox that runs its holder, with every control armed and read back.
package struct LaunchedSandbox: Sendable, Hashable {
    package var engineID: EngineID
    package var holder: HolderProcess
    package var network: NetworkHandle
    /// Every control of the policy. Whether they suffice is the caller's to decide, before anything of the
    /// client's runs.
    package var controls: [AppliedControl]

    /// A launched sandbox of the given parts.
    package init(
        engineID: EngineID, holder: HolderProcess, network: NetworkHandle, controls: [AppliedControl]
    ) {
        self.engineID = engineID
        self.holder = holder
        self.network = network
        self.controls = controls
    }
}

/// What a sandbox may have left on the host, as far as it is known: the parts that were known before a crash
/// suffice.
package struct SandboxRemains: Sendable, Hashable {
    package var id: SandboxID
    /// `nil` when it was not known yet; then the engine is searched.
    package var engineID: EngineID?
    package var network: NetworkHandle?

    /// Remains of the given parts.
    package init(id: SandboxID, engineID: EngineID?, network: NetworkHandle?) {
        self.id = id
        self.engineID = engineID
        self.network = network
    }
}
