import LinuxSystem
import SandboxModel
import SandboxPolicy

/// Compares what a sandbox sees of the file system with its policy. Pure.
enum AttestationMounts {
    static func controls(_ policy: Policy, _ facts: AttestationFacts) -> [AppliedControl] {
        [
            readOnlyRoot(policy, facts.mounts), maskedPaths(facts.mounts, present: facts.presentKernelPaths),
            readOnlyPaths(facts.mounts, present: facts.presentKernelPaths),
            workspace(policy, facts.mounts, facts.workspace),
        ]
    }

    /// File systems that live in memory or are the kernel's own: writing to them leaves nothing on a disk.
    private static let memoryTypes: Set<String> = ["tmpfs", "proc", "devpts", "mqueue", "sysfs", "cgroup", "cgroup2"]

    /// The root and everything below it but the workspace, memory and the kernel's own files.
    static func readOnlyRoot(
        _ policy: Policy, _ reading: AttestationReading<[MountEntry]>
    ) -> AppliedControl {
        let isWanted = policy.privileges.readOnlyRoot
        return .attested("read_only_root", wanted: isWanted ? "on" : "off", reading) { mounts in
            guard let root = covering("/", in: mounts) else { return .held(false, "", note: "no root mount is listed") }
            let writable = mounts.filter { mount in
                !mount.isReadOnly && !memoryTypes.contains(mount.type) && mount.point != RawPath(policy.workspace)
                    && mount.point != "/"
            }.map(\.point.description)
            let others = writable.isEmpty ? "" : "writable: \(writable.sorted().joined(separator: ", "))"
            return .held(
                !isWanted || root.isReadOnly && writable.isEmpty, root.isReadOnly ? "on" : "off", note: others)
        }
    }

    /// The kernel's file systems that are mounted in the sandbox decide which covers are needed: a path below a place
    /// where nothing is mounted shows the image's own, empty folder.
    static func maskedPaths(
        _ reading: AttestationReading<[MountEntry]>, present: Set<String>
    ) -> AppliedControl {
        let wanted = AttestationPaths.masked.filter(present.contains)
        return .attested("masked_paths", wanted: "\(wanted.count) paths covered", reading) { mounts in
            let open = wanted.filter { path in
                guard let mount = covering(path, in: mounts) else { return false }
                return ["proc", "sysfs", "securityfs", "debugfs", "tracefs", "bpf", "pstore"].contains(mount.type)
            }
            return .held(
                open.isEmpty, "\(wanted.count - open.count) paths covered",
                note: open.isEmpty ? "" : "open: \(open.joined(separator: ", "))")
        }
    }

    static func readOnlyPaths(
        _ reading: AttestationReading<[MountEntry]>, present: Set<String>
    ) -> AppliedControl {
        let wanted = AttestationPaths.readOnly.filter(present.contains)
        return .attested("readonly_paths", wanted: wanted.joined(separator: ", "), reading) { mounts in
            let writable = wanted.filter { path in
                guard let mount = covering(path, in: mounts) else { return false }
                return !mount.isReadOnly
            }
            let sys = mounts.filter { $0.type == "sysfs" && !$0.isReadOnly }.map(\.point.description)
            let held = wanted.filter { !writable.contains($0) }
            let bad = writable + sys
            return .held(
                bad.isEmpty, held.joined(separator: ", "),
                note: bad.isEmpty ? "" : "writable: \(bad.joined(separator: ", "))")
        }
    }

    static func workspace(
        _ policy: Policy, _ mounts: AttestationReading<[MountEntry]>,
        _ reading: AttestationReading<AttestationWorkspace>
    ) -> AppliedControl {
        .attested("workspace", wanted: "\(policy.workspace), no set-id programs, no devices", reading) { workspace in
            guard case .found(let mounts, _) = mounts else { return .held(false, "", note: "the mounts are unknown") }
            guard workspace.isTheHosts, let mount = mounts.last(where: { $0.point == RawPath(policy.workspace) }) else {
                return .held(false, "another folder is at \(policy.workspace)")
            }
            guard !mount.isReadOnly else { return .held(false, "read-only") }
            var weak: [String] = []
            if !mount.options.contains("nosuid") { weak.append("set-id programs") }
            if !mount.options.contains("nodev") { weak.append("devices") }
            guard weak.isEmpty else {
                return .held(false, "\(policy.workspace), allows \(weak.joined(separator: " and "))")
            }
            return .held(true, "\(policy.workspace), no set-id programs, no devices")
        }
    }

    /// The mount that a path is seen through: the longest mount point above it, the last one made where several are on
    /// top of each other.
    static func covering(_ path: String, in mounts: [MountEntry]) -> MountEntry? {
        let path = Array(path.utf8)
        var best: MountEntry?
        for mount in mounts {
            let point = mount.point.bytes
            let isAbove =
                mount.point == "/"
                || path.starts(with: point) && (path.count == point.count || path[point.count] == 0x2F)
            guard isAbove, point.count >= best?.point.bytes.count ?? 0 else { continue }
            best = mount
        }
        return best
    }
}
