import SandboxModel

/// Why a running container must not be taken under guard: it could reach past every control. Pure and total.
///
/// Fails closed: a reply without the part that would tell counts as an obstacle.
enum DockerAdoption {
    /// Reads a container's description.
    /// - Returns: One phrase for each reason, in a fixed order; empty when it may be adopted.
    static func obstacles(_ reply: DocumentNode) -> [String] {
        guard let host = reply["HostConfig"], host.members != nil else { return ["its configuration is not told"] }
        var found: [String] = []
        if host["Privileged"]?.bool != false { found.append("privileged") }
        for (member, name) in [
            ("NetworkMode", "network"), ("PidMode", "pid"), ("IpcMode", "ipc"), ("UTSMode", "uts"),
            // The host's cgroup namespace, which engines give by default on cgroup version 1, only shows names.
            ("UsernsMode", "user"),
        ] {
            guard let mode = host[member]?.string else { continue }
            if mode == "host" {
                found.append("host \(name) namespace")
            } else if mode.hasPrefix("container:") {
                found.append("\(name) namespace of another container")
            }
        }
        let capabilities = (host["CapAdd"]?.array ?? []).compactMap(\.string)
        for capability in capabilities where dangerous.contains(bareName(capability)) {
            found.append("capability \(excerpt(bareName(capability), limit: 32))")
        }
        for (member, name) in [
            ("Devices", "devices"), ("DeviceCgroupRules", "device rules"), ("DeviceRequests", "device requests"),
        ] where !(host[member]?.array ?? []).isEmpty {
            found.append(name)
        }
        for option in (host["SecurityOpt"]?.array ?? []).compactMap(\.string) {
            let plain = option.replacing(":", with: "=")
            if plain == "seccomp=unconfined" || plain == "systempaths=unconfined" || plain == "apparmor=unconfined" {
                found.append("security option \(plain)")
            }
        }
        return found + mountObstacles(reply, host)
    }

    /// Capabilities that reach the host or take the container out of its walls.
    private static let dangerous: Set<String> = [
        "ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "DAC_READ_SEARCH",
        "NET_ADMIN", "BPF", "PERFMON", "MAC_ADMIN", "MAC_OVERRIDE", "SYSLOG", "AUDIT_CONTROL", "CHECKPOINT_RESTORE",
    ]

    private static func bareName(_ capability: String) -> String {
        let upper = capability.uppercased()
        return upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
    }

    private static func mountObstacles(_ reply: DocumentNode, _ host: DocumentNode) -> [String] {
        var sources: [String] = []
        for mount in reply["Mounts"]?.array ?? [] where mount["Type"]?.string != "tmpfs" {
            // A named volume lies in the engine's own folder, on purpose; only what it is made of is looked at.
            guard mount["Type"]?.string != "volume" else { continue }
            sources.append(mount["Source"]?.string ?? "")
        }
        for bind in (host["Binds"]?.array ?? []).compactMap(\.string) {
            let source = String(bind.prefix { $0 != ":" })
            if source.hasPrefix("/") { sources.append(source) }
        }
        for mount in host["Mounts"]?.array ?? [] where mount["Type"]?.string == "bind" {
            sources.append(mount["Source"]?.string ?? "")
        }
        var found: [String] = []
        for source in sources {
            guard let reason = mountObstacle(source) else { continue }
            if !found.contains(reason) { found.append(reason) }
        }
        return found
    }

    /// Why a host path must not be in a sandbox.
    static func mountObstacle(_ source: String) -> String? {
        guard source.hasPrefix("/") else { return "a mount whose source is not told" }
        let parts = source.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { return "a mount whose source is not told" }
        let shown = "/" + parts.map { excerpt(String($0), limit: 64) }.joined(separator: "/")
        guard let first = parts.first else { return "host path / mounted" }
        if parts.contains(where: { sockets.contains($0) }) { return "engine socket mounted (\(shown))" }
        let folded = first == "var" && parts.dropFirst().first == "run" ? parts.dropFirst() : parts[...]
        if folded.first == "run" {
            // The whole of it holds every socket; engines keep theirs in folders of their own.
            guard let second = folded.dropFirst().first else { return "engine socket mounted (\(shown))" }
            if engines.contains(second) { return "engine socket mounted (\(shown))" }
        }
        if systemTrees.contains(first) { return "host path \(shown) mounted" }
        if first == "var", parts.count < 3 || parts[1] == "lib" && engines.contains(parts[2]) {
            return "host path \(shown) mounted"
        }
        return nil
    }

    private static let sockets: Set<Substring> = [
        "docker.sock", "podman.sock", "containerd.sock", "crio.sock", "containerd.sock.ttrpc", "buildkitd.sock",
        "cri-dockerd.sock",
    ]
    private static let engines: Set<Substring> = [
        "docker", "podman", "containerd", "crio", "containers", "buildkit", "kubelet", "systemd", "dbus",
    ]
    private static let systemTrees: Set<Substring> = [
        "bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "sbin", "sys", "usr",
    ]
}
