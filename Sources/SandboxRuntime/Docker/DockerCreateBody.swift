import SandboxModel
import SandboxPolicy

/// The body of `POST /containers/create`: the whole policy in the engine's fields. Pure.
///
/// Nothing is left to the engine's or the image's defaults where a default could weaken the sandbox: entry point,
/// user, environment, volumes, health check, restart, logging, namespaces and hidden paths are all said.
struct DockerCreateBody {
    let plan: SandboxPlan
    let image: DockerImage
    let facts: DockerEngineFacts
    /// Host file bound read-only as `/etc/resolv.conf`.
    let resolverPath: String
    /// Parent control group; `nil` leaves it to the engine.
    let cgroupParent: String?

    /// Label with this installation's identifier.
    static let instanceLabel = "org.sandwarden.instance"
    /// Label with the sandbox's identifier.
    static let sandboxLabel = "org.sandwarden.sandbox"
    /// Label with the policy's name.
    static let policyLabel = "org.sandwarden.policy"

    /// What executables are looked up on when the holder starts; an exec brings its own.
    static let path = ExecEnvironment.path

    static let maximumVolumes = 32

    /// Makes the body.
    /// - Throws: `unsupported` for what this engine cannot hold, `invalid` for paths that cannot be mounts.
    func json() throws(RuntimeError) -> JSONValue {
        let policy = plan.policy
        try checkEngine(policy)
        try DockerCreateBody.checkMountPoint(policy.workspace)
        let limits = try DockerLimits(policy.resourceLimits)
        let members: [JSONMember] = [
            JSONMember("Image", .string(image.id)),
            JSONMember("Hostname", .string(plan.hostname)),
            JSONMember("User", .string("\(plan.user.uid):\(plan.user.gid)")),
            JSONMember("Entrypoint", [.string(SandboxPlan.holderProgram)]),
            JSONMember("Cmd", ["hold"]),
            JSONMember("Env", .strings(environment)),
            JSONMember("WorkingDir", "/"),
            JSONMember("Healthcheck", ["Test": ["NONE"]]),
            JSONMember("StopSignal", "SIGKILL"),
            JSONMember("Tty", false),
            JSONMember("OpenStdin", false),
            JSONMember("AttachStdin", false),
            JSONMember("AttachStdout", false),
            JSONMember("AttachStderr", false),
            JSONMember(
                "Labels",
                [
                    DockerCreateBody.instanceLabel: .string(plan.instanceID),
                    DockerCreateBody.sandboxLabel: .string(plan.id.rawValue),
                    DockerCreateBody.policyLabel: .string(policy.name.rawValue),
                ]),
            JSONMember("HostConfig", .object(limits.members + (try hostMembers(policy, limits)))),
        ]
        return .object(members)
    }

    private func checkEngine(_ policy: Policy) throws(RuntimeError) {
        func refuse(_ detail: String) -> RuntimeError {
            RuntimeError(.unsupported, operation: "create", detail: detail)
        }
        if policy.isolation == .gvisor, !facts.runtimes.contains("runsc") {
            throw refuse("isolation gvisor: the engine lists no runtime `runsc`; install gVisor and register it")
        }
        if policy.privileges.seccomp == .default, !facts.hasSeccomp, policy.isolation == .standard {
            throw refuse("the engine filters no system calls (no seccomp among its security options)")
        }
        if !facts.missingLimits.isEmpty {
            // Swap alone is judged by the attestation: a host without swap needs no limit of it.
            let missing = facts.missingLimits.subtracting(["swap"]).sorted()
            if !missing.isEmpty {
                throw refuse("the engine's kernel cannot hold: \(missing.joined(separator: ", "))")
            }
        }
    }

    /// An image's variables are taken out by naming them without a value.
    private var environment: [String] {
        var seen: Set<String> = ["PATH"]
        return ["PATH=" + DockerCreateBody.path] + image.environmentNames.filter { seen.insert($0).inserted }
    }

    private func hostMembers(
        _ policy: Policy, _ limits: DockerLimits
    ) throws(RuntimeError) -> [JSONMember] {
        let temporary = try temporaryFolders(policy)
        var security: [JSONValue] = []
        if policy.privileges.noNewPrivileges { security.append("no-new-privileges") }
        if policy.privileges.seccomp == .unconfined { security.append("seccomp=unconfined") }
        var members: [JSONMember] = [
            JSONMember("MemorySwappiness", facts.cgroupVersion == "2" ? .null : 0),
            JSONMember("OomKillDisable", false),
            JSONMember("Ulimits", .array(try ulimits(policy))),
            JSONMember("ReadonlyRootfs", .bool(policy.privileges.readOnlyRoot)),
            JSONMember("Privileged", false),
            JSONMember("CapDrop", ["ALL"]),
            JSONMember("CapAdd", .strings(policy.privileges.capabilities)),
            JSONMember("SecurityOpt", .array(security)),
            JSONMember("NetworkMode", "none"),
            JSONMember("PublishAllPorts", false),
            JSONMember("Mounts", .array(binds(policy))),
            JSONMember("Tmpfs", .object(temporary.map { JSONMember($0.path, .string($0.options)) })),
            JSONMember("ShmSize", .integer(try temporarySizeBytes(policy))),
            JSONMember("IpcMode", "private"),
            JSONMember("CgroupnsMode", "private"),
            JSONMember("PidMode", ""),
            JSONMember("UTSMode", ""),
            JSONMember("UsernsMode", ""),
            JSONMember("MaskedPaths", .strings(AttestationPaths.masked)),
            JSONMember("ReadonlyPaths", .strings(AttestationPaths.readOnly)),
            JSONMember("LogConfig", ["Type": "none", "Config": [:]]),
            JSONMember("RestartPolicy", ["Name": "no", "MaximumRetryCount": 0]),
            JSONMember("Init", false),
            JSONMember("AutoRemove", false),
        ]
        if policy.isolation == .gvisor { members.append(JSONMember("Runtime", "runsc")) }
        if let cgroupParent { members.append(JSONMember("CgroupParent", .string(cgroupParent))) }
        return members
    }

    /// The number of processes is counted for a user over the whole host: with a user of its own the sandbox gets
    /// twice its share, which only catches what slips out of the control group; a fixed user may have several
    /// sandboxes.
    private func ulimits(_ policy: Policy) throws(RuntimeError) -> [JSONValue] {
        let limits = policy.resourceLimits
        let processes: Int64
        switch policy.privileges.user {
        case .auto: processes = Int64(limits.maxProcesses) * 2 + 64
        case .uid: processes = 65_536
        }
        // A file cannot be longer than the workspace is large; elsewhere the small file systems end before.
        let largestFile = max(try DockerLimits.bytes(ofMB: limits.diskMB), 1 << 20)
        return [
            ("nofile", Int64(limits.maxOpenFiles)), ("nproc", processes), ("core", 0), ("fsize", largestFile),
        ].map { ["Name": .string($0.0), "Soft": .integer($0.1), "Hard": .integer($0.1)] }
    }

    private func binds(_ policy: Policy) -> [JSONValue] {
        [
            (plan.workspacePath, policy.workspace, false),
            (plan.gatePath, SandboxPlan.holderFolder, true),
            (resolverPath, "/etc/resolv.conf", true),
        ].map { source, target, isReadOnly in
            [
                "Type": "bind", "Source": .string(source), "Target": .string(target),
                "ReadOnly": .bool(isReadOnly), "BindOptions": ["Propagation": "rprivate"],
            ]
        }
    }
}

// MARK: Small writable places

extension DockerCreateBody {
    /// A writable folder in memory, and its mount options.
    struct TemporaryFolder: Sendable, Hashable {
        var path: String
        var options: String
    }

    /// `/tmp`, `/run` and, instead of each volume that the image declares, a small folder in memory. All of them
    /// are charged to the memory limit. In `/tmp` alone programs may run, as compilers and language runtimes expect
    /// and the workspace allows anyway.
    func temporaryFolders(_ policy: Policy) throws(RuntimeError) -> [TemporaryFolder] {
        let size = try temporarySizeBytes(policy)
        var folders: [TemporaryFolder] = []
        var taken: Set<String> = [policy.workspace, SandboxPlan.holderFolder]
        func add(_ path: String, _ execution: String) {
            guard taken.insert(path).inserted else { return }
            let bounds = "size=\(size),nr_inodes=\(size / 4096)"
            // Some runtimes put the mode of the image's folder over the one that is asked for: with its owner the
            // sandbox can write there whatever that is.
            let owner = "mode=1777,uid=\(plan.user.uid),gid=\(plan.user.gid)"
            folders.append(
                TemporaryFolder(path: path, options: "rw,nosuid,nodev,\(execution),\(bounds),\(owner)"))
        }
        add("/tmp", "exec")
        add("/run", "noexec")
        guard image.volumes.count <= DockerCreateBody.maximumVolumes else {
            throw RuntimeError(
                .unsupported, operation: "create",
                detail: "the image declares \(image.volumes.count) volumes, more than the "
                    + "\(DockerCreateBody.maximumVolumes) that are taken")
        }
        for volume in image.volumes {
            let path = DockerCreateBody.normalized(volume)
            try DockerCreateBody.checkMountPoint(path)
            add(path, "noexec")
        }
        return folders
    }

    /// Bound of each folder in memory, `/dev/shm` too: an eighth of the limit, 1 to 64 MB.
    func temporarySizeBytes(_ policy: Policy) throws(RuntimeError) -> Int64 {
        let memory = try DockerLimits.bytes(ofMB: policy.resourceLimits.memoryMB)
        return max(1, min(64, (memory >> 20) / 8)) << 20
    }

    /// Removes repeated and final slashes and `.` components, as the engine does with a volume's path.
    static func normalized(_ path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }

    /// Refuses mounts that would cover the kernel's files, the holder or the whole root.
    static func checkMountPoint(_ path: String) throws(RuntimeError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let reserved: Set<Substring> = ["proc", "sys", "dev", ".sandwarden"]
        let isFine =
            path.hasPrefix("/") && !parts.isEmpty && path.utf8.count <= 1024
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
            && !parts.prefix(1).contains { reserved.contains($0) }
        guard isFine else {
            throw RuntimeError(
                .invalid, operation: "create", detail: "\(excerpt(path, limit: 64)) cannot be a mount point")
        }
    }
}
