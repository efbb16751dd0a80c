import SandboxModel
import SandboxPolicy

/// What only the engine can say of a container's controls. Pure.
enum DockerControls {
    /// - Parameters:
    ///   - reply: The engine's description of the container.
    ///   - warnings: What it warned of; quoted with the control that they are about.
    static func controls(
        _ reply: DocumentNode, facts: DockerEngineFacts, policy: Policy, image: String, warnings: [String]
    ) -> [AppliedControl] {
        [
            self.image(reply, image), isolation(reply, facts, policy), seccomp(reply, facts, policy),
        ] + warnings.map(warning)
    }

    private static func image(_ reply: DocumentNode, _ wanted: String) -> AppliedControl {
        let found = reply["Image"]?.string ?? ""
        return AppliedControl(
            "image", found.isEmpty ? .degraded : .enforced, wanted: excerpt(wanted), found: excerpt(found),
            evidence: "the engine's description of the container")
    }

    private static func isolation(
        _ reply: DocumentNode, _ facts: DockerEngineFacts, _ policy: Policy
    ) -> AppliedControl {
        let runtime = reply["HostConfig"]?["Runtime"]?.string ?? reply["OCIRuntime"]?.string ?? ""
        let isGVisor = runtime == "runsc"
        let evidence = "\(facts.summary), runtime \(excerpt(runtime.isEmpty ? "unknown" : runtime, limit: 64))"
        let isAsWanted = policy.isolation == .standard || isGVisor
        return AppliedControl(
            "isolation", isAsWanted ? .enforced : .degraded, wanted: policy.isolation.rawValue,
            found: isGVisor ? "gvisor" : "standard", evidence: evidence)
    }

    /// That a filter is on is read from the host; which one was asked for is known here alone.
    private static func seccomp(
        _ reply: DocumentNode, _ facts: DockerEngineFacts, _ policy: Policy
    ) -> AppliedControl {
        let options = (reply["HostConfig"]?["SecurityOpt"]?.array ?? []).compactMap(\.string)
        let asked = options.first { $0.hasPrefix("seccomp=") || $0.hasPrefix("seccomp:") }
        let isOff = asked.map { $0.hasSuffix("unconfined") } ?? false
        let profile =
            facts.securityOptions.first { $0.contains("seccomp") }
            .map { excerpt($0, limit: 96) } ?? "none"
        let isAsWanted = policy.seccomp(isOff: isOff)
        return AppliedControl(
            "seccomp", isAsWanted ? .enforced : .degraded, wanted: policy.privileges.seccomp.rawValue,
            found: "", evidence: isOff ? "no filter was asked for" : "the engine's profile: \(profile)")
    }

    /// A warning says what the engine thinks; whether the control holds is read from the host.
    private static func warning(_ text: String) -> AppliedControl {
        let words = text.lowercased()
        let control =
            if words.contains("swap") {
                "swap"
            } else if words.contains("memory") || words.contains("oom") {
                "memory"
            } else if words.contains("cpu") || words.contains("cfs") {
                "cpu"
            } else if words.contains("pids") {
                "processes"
            } else if words.contains("seccomp") {
                "seccomp"
            } else {
                "isolation"
            }
        return AppliedControl(control, .enforced, wanted: "", found: "", evidence: "the engine warned: \(text)")
    }
}

extension Policy {
    /// Whether a container with or without a filter is as the policy wants; stricter is.
    fileprivate func seccomp(isOff: Bool) -> Bool { !isOff || privileges.seccomp == .unconfined }
}
