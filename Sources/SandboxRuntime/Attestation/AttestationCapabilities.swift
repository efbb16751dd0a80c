/// Names of the kernel's capabilities, by bit.
/// - SeeAlso: capabilities(7), `include/uapi/linux/capability.h`.
enum AttestationCapabilities {
    static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    static let makeNode: UInt64 = 1 << 27

    /// The bits of a policy's list.
    /// - Returns: `nil` when a name is not known.
    static func bits(_ list: [String]) -> UInt64? {
        var bits: UInt64 = 0
        for name in list {
            guard name.hasPrefix("CAP_"), let index = names.firstIndex(of: String(name.dropFirst(4))) else {
                return nil
            }
            bits |= 1 << UInt64(index)
        }
        return bits
    }

    /// The set for people: `none`, or names with `CAP_`, in order; unknown bits by number.
    static func text(_ bits: UInt64) -> String {
        guard bits != 0 else { return "none" }
        let found = (0..<64).filter { bits & (1 << UInt64($0)) != 0 }
        return found.map { $0 < names.count ? "CAP_" + names[$0] : "bit \($0)" }.joined(separator: ", ")
    }
}
