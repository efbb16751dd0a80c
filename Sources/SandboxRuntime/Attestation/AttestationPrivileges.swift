import LinuxSystem
import SandboxModel
import SandboxPolicy

/// Compares a sandbox's rights with its policy. Pure.
enum AttestationPrivileges {
    static func controls(
        _ policy: Policy, user: SandboxUser, _ facts: AttestationFacts
    ) -> [AppliedControl] {
        let privileges = policy.privileges
        return [
            capabilities(privileges, facts.credentials), noNewPrivileges(privileges, facts.credentials),
            seccomp(privileges, facts.credentials), Self.user(user, facts.credentials),
            namespaces(facts.separateNamespaces), devices(facts.devices, facts.credentials, facts.mounts),
        ]
    }

    /// The bounding set is the wall: nothing in the sandbox can ever have more. A process of an ordinary user has
    /// less than it until a program gives it something.
    static func capabilities(
        _ privileges: Privileges, _ reading: AttestationReading<ProcessStatus>
    ) -> AppliedControl {
        let list = privileges.capabilities
        return .attested("capabilities", wanted: list.isEmpty ? "none" : list.joined(separator: ", "), reading) { now in
            guard let wanted = AttestationCapabilities.bits(list) else {
                return .held(false, "a name in the policy is not known")
            }
            guard let sets = now.capabilities else { return .held(false, "", note: "the kernel does not tell") }
            let all = sets.bounding | sets.permitted | sets.effective | sets.inheritable | sets.ambient
            let missing = wanted & ~sets.bounding
            let note = missing == 0 ? "" : "\(AttestationCapabilities.text(missing)) cannot be had"
            return .held(all & ~wanted == 0 && missing == 0, AttestationCapabilities.text(all), note: note)
        }
    }

    static func noNewPrivileges(
        _ privileges: Privileges, _ reading: AttestationReading<ProcessStatus>
    ) -> AppliedControl {
        .attested("no_new_privileges", wanted: privileges.noNewPrivileges ? "on" : "off", reading) { now in
            guard let isOn = now.hasNoNewPrivileges else { return .held(false, "", note: "the kernel does not tell") }
            return .held(isOn || !privileges.noNewPrivileges, isOn ? "on" : "off")
        }
    }

    static func seccomp(
        _ privileges: Privileges, _ reading: AttestationReading<ProcessStatus>
    ) -> AppliedControl {
        .attested("seccomp", wanted: privileges.seccomp.rawValue, reading) { now in
            guard let mode = now.seccompMode else { return .held(false, "", note: "the kernel does not tell") }
            let found = mode == 2 ? "filter" : mode == 1 ? "strict" : "off"
            return .held(mode != 0 || privileges.seccomp == .unconfined, found)
        }
    }

    static func user(
        _ user: SandboxUser, _ reading: AttestationReading<ProcessStatus>
    ) -> AppliedControl {
        .attested("user", wanted: "\(user.uid):\(user.gid)", reading) { now in
            let others = now.groups.filter { $0 != user.gid }
            let found = "\(text(now.uids)):\(text(now.gids))"
            let extra = others.isEmpty ? "" : " and groups \(others.map { "\($0)" }.joined(separator: ", "))"
            return .held(
                now.uids.isAll(user.uid) && now.gids.isAll(user.gid) && others.isEmpty, found + extra)
        }
    }

    /// `70001` when all four are equal, else each of them.
    private static func text(_ ids: Identities) -> String {
        if ids.isAll(ids.real) { return "\(ids.real)" }
        return "\(ids.real)/\(ids.effective)/\(ids.saved)/\(ids.fileSystem)"
    }

    /// The namespaces that every sandbox has of its own.
    static let namespaceNames = ["pid", "mnt", "ipc", "uts", "net", "cgroup"]

    static func namespaces(_ reading: AttestationReading<[String: Bool]>) -> AppliedControl {
        .attested("namespaces", wanted: namespaceNames.joined(separator: ", "), reading) { found in
            let own = namespaceNames.filter { found[$0] == true }
            let shared = namespaceNames.filter { found[$0] == false }
            let unknown = namespaceNames.filter { found[$0] == nil }
            var notes: [String] = []
            if !shared.isEmpty { notes.append("shared with the host: \(shared.joined(separator: ", "))") }
            if !unknown.isEmpty { notes.append("not told: \(unknown.joined(separator: ", "))") }
            return .held(
                own.count == namespaceNames.count, own.joined(separator: ", "), note: notes.joined(separator: "; "))
        }
    }

    /// Null, zero, full, random, urandom, tty, console, ptmx and terminals.
    static let harmlessDevices: Set<String> = [
        "c 1:3", "c 1:5", "c 1:7", "c 1:8", "c 1:9", "c 5:0", "c 5:1", "c 5:2",
    ]

    /// Three walls: the control group's list, no right to make device files, and no file systems that honour them.
    static func devices(
        _ reading: AttestationReading<AttestationDevices>,
        _ credentials: AttestationReading<ProcessStatus>,
        _ mounts: AttestationReading<[MountEntry]>
    ) -> AppliedControl {
        .attested("devices", wanted: "null, zero, full, random, tty and terminals", reading) { devices in
            let foreign = devices.nodes.filter { !isHarmless($0) }
            guard foreign.isEmpty else { return .held(false, foreign.sorted().joined(separator: ", ")) }
            let canMake = mayMakeNodes(credentials)
            if let allowed = devices.allowed {
                let wide = allowed.filter { !isHarmlessRule($0) }
                let isOpen = wide.contains { $0.hasPrefix("a ") || $0.hasPrefix("b ") }
                guard !isOpen, wide.isEmpty || !canMake else {
                    return .held(false, wide.joined(separator: ", "))
                }
                let note = wide.isEmpty ? "" : "\(wide.joined(separator: ", ")) allowed, but there is no such file"
                return .held(true, "no other", note: note)
            }
            guard !canMake else {
                return .held(false, "device files can be made", note: "CAP_MKNOD is in the bounding set")
            }
            // The list of control group version 2 is a program, which cannot be read back as a list.
            let honouring = places(honouringDevices: mounts)
            guard honouring.isEmpty else {
                return AttestationJudgement(
                    status: .observed, found: "no other",
                    note: "the list of control group version 2 cannot be read back, and device files that an image "
                        + "brings would count on: \(honouring.joined(separator: ", "))")
            }
            return .held(true, "no other", note: "none can be made, and no file system but /dev honours them")
        }
    }

    private static func mayMakeNodes(_ credentials: AttestationReading<ProcessStatus>) -> Bool {
        guard case .found(let now, _) = credentials, let sets = now.capabilities else { return true }
        return sets.bounding & AttestationCapabilities.makeNode != 0
    }

    private static func places(honouringDevices mounts: AttestationReading<[MountEntry]>) -> [String] {
        guard case .found(let mounts, _) = mounts else { return ["unknown mounts"] }
        return mounts.filter { mount in
            !mount.options.contains("nodev") && mount.point != "/dev" && mount.point != "/dev/pts"
        }.map(\.point.description)
    }

    private static func isHarmless(_ node: String) -> Bool {
        harmlessDevices.contains(node) || isTerminal(node)
    }

    private static func isTerminal(_ node: String) -> Bool {
        guard node.hasPrefix("c ") else { return false }
        let numbers = node.dropFirst(2).split(separator: ":")
        guard numbers.count == 2, let major = Int(numbers[0]) else { return false }
        return (136...143).contains(major)
    }

    /// A rule of the list. Making device files of any number (`m` alone) opens none of them.
    private static func isHarmlessRule(_ rule: String) -> Bool {
        let parts = rule.split(separator: " ").map(String.init)
        guard parts.count == 3 else { return false }
        return parts[2] == "m" || isHarmless("\(parts[0]) \(parts[1])")
    }
}
