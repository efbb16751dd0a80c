/// The capabilities of Linux, and those that would make a sandbox none.
/// - SeeAlso: capabilities(7)
enum Capability {
    /// Every capability by its full name, in the kernel's order.
    static let known = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
        "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
        "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN",
        "CAP_SYSLOG",
        "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
        "CAP_CHECKPOINT_RESTORE",
    ]

    /// Capabilities that act on the host itself from inside a sandbox, with what they would do.
    static let refused = [
        "CAP_DAC_READ_SEARCH": "it opens host files by handle, around every mount",
        "CAP_SYS_MODULE": "it loads code into the host's kernel",
        "CAP_SYS_RAWIO": "it reaches the host's devices and memory",
        "CAP_SYS_ADMIN": "it undoes mounts, namespaces and read-only places",
        "CAP_SYS_BOOT": "it restarts the host",
        "CAP_SYS_TIME": "it sets the host's clock",
        "CAP_SYS_RESOURCE": "it lifts the limits of the policy",
        "CAP_MKNOD": "it makes device files of the host's disks",
        "CAP_AUDIT_CONTROL": "it turns off the host's audit",
        "CAP_AUDIT_READ": "it reads the host's audit log",
        "CAP_MAC_OVERRIDE": "it lifts the host's mandatory access control",
        "CAP_MAC_ADMIN": "it changes the host's mandatory access control",
        "CAP_SYSLOG": "it reads the host's kernel log",
        "CAP_BLOCK_SUSPEND": "it keeps the host awake",
        "CAP_WAKE_ALARM": "it wakes the host",
        "CAP_PERFMON": "it observes the host's kernel",
        "CAP_BPF": "it loads programs into the host's kernel",
        "CAP_CHECKPOINT_RESTORE": "it reads other processes' memory",
    ]

    /// Capabilities with which a process inside can undo or pass by the rules of its network.
    static let undoesNetworkRules: Set<String> = ["CAP_NET_ADMIN", "CAP_NET_RAW"]
}
