import SandboxModel
import SandboxPolicy

/// Controls that the host's files do not show: what they are without anybody else's word. Pure.
enum AttestationDeclared {
    static func controls(_ policy: Policy, _ guards: Attestation.Guards) -> [AppliedControl] {
        let commands = "checked before a command is started, and watched for while the sandbox runs"
        let files = "checked for each call of the files interface, not for the sandbox's own programs"
        let isAudit = policy.enforcement == .audit
        func checked(_ name: String, _ wanted: String, _ how: String) -> AppliedControl {
            let audit = isAudit ? "; in audit mode a denial is recorded and nothing is stopped" : ""
            return AppliedControl(name, .observed, wanted: wanted, found: "", evidence: how + audit)
        }
        return [
            network(policy),
            connections(policy),
            isolation(policy),
            checked("allowed_commands", list(policy.allowedCommands, none: "any that is not blocked"), commands),
            checked("blocked_commands", list(policy.blockedCommands, none: "none"), commands),
            checked("file_patterns", list(policy.blockedFilePatterns, none: "none"), files),
            checked("extensions", list(policy.allowedFileExtensions, none: "any"), files),
            checked("max_file_size", "\(policy.maxFileSizeMB) MB", files),
            executionTimeout(policy, guards),
            monitoring(policy, guards),
        ]
    }

    /// The network is attested by whoever made it; a sandbox of which nobody says anything has no such control.
    private static func network(_ policy: Policy) -> AppliedControl {
        AppliedControl(
            "network", .degraded, wanted: policy.networkPolicy.rawValue, found: "",
            evidence: "the network was not read back")
    }

    private static func connections(_ policy: Policy) -> AppliedControl {
        AppliedControl(
            "connections", .observed, wanted: "\(policy.resourceLimits.maxNetworkConnections)", found: "",
            evidence: "counted with each sample, and answered when there are more")
    }

    private static func isolation(_ policy: Policy) -> AppliedControl {
        switch policy.isolation {
        case .standard:
            AppliedControl(
                "isolation", .enforced, wanted: "standard", found: "standard",
                evidence: "namespaces, capabilities and system call filter, each read back as a control of its own")
        case .gvisor:
            AppliedControl(
                "isolation", .degraded, wanted: "gvisor", found: "", evidence: "no driver says that gVisor runs it")
        }
    }

    private static func executionTimeout(_ policy: Policy, _ guards: Attestation.Guards) -> AppliedControl {
        let wanted = "\(policy.resourceLimits.executionTimeoutSeconds) s"
        return guards.hasExecGroups
            ? AppliedControl(
                "execution_timeout", .enforced, wanted: wanted, found: wanted,
                evidence: "each exec has a control group of its own, which is killed whole")
            : AppliedControl(
                "execution_timeout", .observed, wanted: wanted, found: wanted,
                evidence: "processes of one exec cannot be told from others: past the time the sandbox is ended")
    }

    private static func monitoring(_ policy: Policy, _ guards: Attestation.Guards) -> AppliedControl {
        let wanted = policy.enableMonitoring ? "every \(policy.monitoringIntervalMilliseconds) ms" : "off"
        guard policy.enableMonitoring else {
            return AppliedControl(
                "monitoring", .observed, wanted: wanted, found: guards.isMonitored ? "on" : "off",
                evidence: "switched off by the policy")
        }
        return AppliedControl(
            "monitoring", guards.isMonitored ? .observed : .degraded, wanted: wanted,
            found: guards.isMonitored ? wanted : "off",
            evidence: guards.isMonitored ? "sampled from the host" : "nobody takes samples of this sandbox")
    }

    /// A list for people, cut where it grows long.
    private static func list(_ names: [String], none: String) -> String {
        guard !names.isEmpty else { return none }
        let shown = names.prefix(12).map { excerpt($0, limit: 32) }.joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }
}
