internal import Glibc
internal import LinuxSystem
internal import SandboxPolicy

/// Writes the generated `/etc` of a sandbox's root.
enum HostViewSettings {
    /// Writes all files that a host view needs; nothing of the host's but the loader's cache.
    static func write(_ plan: SandboxPlan, in folder: borrowing HostFolder) throws(SystemError) {
        let user = plan.user
        let home = plan.policy.workspace
        try folder.write("etc/passwd", passwd(user, home: home, shell: plan.policy.shell))
        try folder.write("etc/group", group(user))
        try folder.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
        try folder.link("etc/mtab", to: "/proc/self/mounts")
        try folder.link("etc/os-release", to: "../usr/lib/os-release")
        try writeNames(plan, in: folder)
        do throws(SystemError) {
            try folder.write(
                "etc/ld.so.cache", try HostFiles.read("/etc/ld.so.cache", limit: 64 << 20), mode: 0o644)
        } catch {
            // Without a cache the loader searches its default folders.
            guard error.errno == ENOENT else { throw error }
        }
    }

    /// Writes what every root gets, an image's too: host names and the name service.
    static func writeNames(_ plan: SandboxPlan, in folder: borrowing HostFolder) throws(SystemError) {
        try folder.write(
            "etc/hosts",
            """
            127.0.0.1\tlocalhost
            ::1\tlocalhost ip6-localhost ip6-loopback
            127.0.1.1\t\(plan.hostname)

            """)
        try folder.write("etc/hostname", "\(plan.hostname)\n")
        // Without a name service the file is empty: an image's own would name servers that are not meant.
        try folder.write("etc/resolv.conf", plan.resolverText ?? "")
    }

    static func passwd(_ user: SandboxUser, home: String, shell: PolicyShell) -> String {
        var lines: [String] = []
        if user.uid != 0 { lines.append("root:x:0:0:root:/root:/usr/sbin/nologin") }
        lines.append(userLine(user, home: home, shell: shell))
        if user.uid != 65534 { lines.append("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin") }
        return lines.joined(separator: "\n") + "\n"
    }

    static func group(_ user: SandboxUser) -> String {
        var lines: [String] = []
        if user.gid != 0 { lines.append("root:x:0:") }
        lines.append(groupLine(user))
        if user.gid != 65534 { lines.append("nogroup:x:65534:") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The line of the sandbox's own user.
    static func userLine(_ user: SandboxUser, home: String, shell: PolicyShell) -> String {
        // A separator in the path would shift the fields.
        let place = home.utf8.contains { $0 == 0x3a || $0 < 0x20 } ? "/" : home
        return "sandbox:x:\(user.uid):\(user.gid):sandbox:\(place):/bin/\(shell.rawValue)"
    }

    /// The line of the sandbox's own group.
    static func groupLine(_ user: SandboxUser) -> String { "sandbox:x:\(user.gid):" }
}
