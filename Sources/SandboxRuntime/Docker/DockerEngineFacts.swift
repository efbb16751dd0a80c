import SandboxModel

/// What an engine says that it can do, once a version has been agreed on.
struct DockerEngineFacts: Sendable, Hashable {
    var version: DockerAPIVersion
    /// The engine's own version, such as `20.10.24`.
    var serverVersion: String
    var isPodman: Bool
    var runtimes: Set<String>
    /// Such as `name=seccomp,profile=default`.
    var securityOptions: [String]
    /// `1` or `2`; empty where the engine does not say.
    var cgroupVersion: String
    /// Limits that the host's kernel lacks as the engine sees it, by the policy's control name.
    var missingLimits: Set<String>

    /// Reads `GET /info`.
    init(version: DockerAPIVersion, isPodman: Bool, info: DocumentNode) {
        self.version = version
        self.isPodman = isPodman
        serverVersion = info["ServerVersion"]?.string ?? ""
        runtimes = Set((info["Runtimes"]?.members ?? []).map(\.key))
        securityOptions = (info["SecurityOptions"]?.array ?? []).compactMap(\.string)
        cgroupVersion = info["CgroupVersion"]?.string ?? ""
        var missing = Set<String>()
        // A member that is absent says nothing; the attestation reads the limits back from the host anyway.
        for (member, control) in [
            ("MemoryLimit", "memory"), ("SwapLimit", "swap"), ("CpuCfsQuota", "cpu"), ("CpuCfsPeriod", "cpu"),
            ("PidsLimit", "processes"),
        ] where info[member]?.bool == false {
            missing.insert(control)
        }
        missingLimits = missing
    }

    /// Whether the engine filters system calls by default.
    var hasSeccomp: Bool {
        securityOptions.contains { option in
            option == "seccomp" || option.hasPrefix("name=seccomp") && !option.contains("profile=unconfined")
        }
    }

    /// Whether users of containers are other users on the host.
    var remapsUsers: Bool { securityOptions.contains { $0 == "userns" || $0.hasPrefix("name=userns") } }

    /// Whether the engine runs without root and so cannot hold foreign users.
    var isRootless: Bool { securityOptions.contains { $0.hasPrefix("name=rootless") } }

    /// For people.
    var summary: String {
        let name = isPodman ? "Podman" : "Docker Engine"
        let group = cgroupVersion.isEmpty ? "" : ", cgroup v\(cgroupVersion)"
        let gvisor = runtimes.contains("runsc") ? ", gVisor" : ""
        return "\(name) \(excerpt(serverVersion, limit: 32)) (API \(version)\(group)\(gvisor))"
    }
}
