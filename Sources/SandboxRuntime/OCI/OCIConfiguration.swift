internal import SandboxModel
internal import SandboxPolicy

/// Writes a whole bundle's `config.json` from a plan.
/// - SeeAlso: OCI runtime specification 1.0.2, `config.md` and `config-linux.md`.
enum OCIConfiguration {
    /// The configuration as one JSON value.
    /// - Parameters:
    ///   - root: Where the sandbox's root comes from and what has to be mounted into it.
    ///   - controlGroup: Path of the sandbox's control group below each hierarchy, with a leading slash.
    static func value(
        _ plan: SandboxPlan, root: OCIRoot, controlGroup: String, facts: OCIHostFacts
    ) -> JSONValue {
        [
            "ociVersion": "1.0.2",
            "process": OCIProcess.holder(plan, facts: facts),
            "root": [
                // A policy that allows a writable root is given a read-only one all the same: what is shown
                // is the host's or the image's own, which no sandbox may change.
                "path": .string(root.path), "readonly": true,
            ],
            "hostname": .string(plan.hostname),
            "mounts": .array(mounts(plan, root: root, facts: facts).map(\.json)),
            "annotations": .object(annotations(plan)),
            "linux": linux(plan, root: root, controlGroup: controlGroup, facts: facts),
        ]
    }

    /// The prefix of what this program writes into a container's annotations.
    static let annotationPrefix = "org.sandwarden."

    /// What is read back from a container of this installation; hints, as everywhere.
    static func annotations(_ plan: SandboxPlan) -> [JSONMember] {
        var members = [
            JSONMember(annotationPrefix + "sandbox", .string(plan.id.rawValue)),
            JSONMember(annotationPrefix + "instance", .string(plan.instanceID)),
            JSONMember(annotationPrefix + "image", .string(plan.image ?? "")),
        ]
        for (key, value) in plan.labels.sorted(by: { $0.key < $1.key }) {
            members.append(JSONMember(annotationPrefix + "label." + key, .string(value)))
        }
        return members
    }

    /// In the order in which they are made: the workspace last, as it may lie below any of the others.
    static func mounts(_ plan: SandboxPlan, root: OCIRoot, facts: OCIHostFacts) -> [OCIMount] {
        let memoryMB = plan.policy.resourceLimits.memoryMB
        let workspace = plan.policy.workspace
        // With version 1 the runtime would mount a writable folder for the hierarchies there.
        let standard = OCIMount.standard(memoryMB: memoryMB, showsControlGroups: facts.isUnified)
        return root.mounts + standard.filter { $0.destination != workspace } + [
            .bind(plan.gatePath, at: SandboxPlan.holderFolder, isReadOnly: true),
            .bind(plan.workspacePath, at: workspace, isReadOnly: false),
        ]
    }

    private static func linux(
        _ plan: SandboxPlan, root: OCIRoot, controlGroup: String, facts: OCIHostFacts
    ) -> JSONValue {
        let namespaces = ["pid", "network", "mount", "ipc", "uts", "cgroup"]
        var members = [
            JSONMember("namespaces", .array(namespaces.map { ["type": .string($0)] })),
            JSONMember("cgroupsPath", .string(controlGroup)),
            JSONMember("resources", resources(plan.policy.resourceLimits, facts: facts)),
            // A server in the sandbox may listen on any port of its own network; shared memory goes with its
            // users.
            JSONMember(
                "sysctl", ["net.ipv4.ip_unprivileged_port_start": "0", "kernel.shm_rmid_forced": "1"]),
            JSONMember("maskedPaths", .strings(AttestationPaths.masked + root.maskedPaths)),
            JSONMember("readonlyPaths", .strings(AttestationPaths.readOnly)),
        ]
        if plan.policy.privileges.seccomp == .default {
            let filter = SeccompConfiguration.value(capabilities: plan.policy.privileges.capabilities)
            members.append(JSONMember("seccomp", filter))
        }
        return .object(members)
    }

    /// The limits that control groups hold.
    static func resources(_ limits: ResourceLimits, facts: OCIHostFacts) -> JSONValue {
        let memory = Int64(limits.memoryMB) << 20
        var memoryMembers = [JSONMember("limit", .integer(memory)), JSONMember("disableOOMKiller", false)]
        // Memory and swap together: equal means no swap at all.
        if facts.accountsSwap { memoryMembers.append(JSONMember("swap", .integer(memory))) }
        return [
            "devices": [["allow": false, "access": "rwm"]],
            "memory": .object(memoryMembers),
            "cpu": [
                "quota": .integer(cpuQuota(percent: limits.cpuPercent)), "period": .integer(cpuPeriod),
            ],
            "pids": ["limit": .integer(Int64(limits.maxProcesses))],
        ]
    }

    /// Length of a CPU accounting period, microseconds.
    static let cpuPeriod: Int64 = 100_000

    /// Microseconds of CPU time in each period; the kernel takes no less than 1000.
    static func cpuQuota(percent: Double) -> Int64 {
        guard percent.isFinite, percent > 0 else { return 1000 }
        return max(1000, Int64(min(percent, 1_000_000) * Double(cpuPeriod) / 100))
    }
}
