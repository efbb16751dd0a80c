import LinuxSystem

/// Tells the file systems that hold files from those through which the kernel speaks. Pure.
///
/// Reading or writing there is no matter of files: a listing of `/proc` shows processes, a write below `/sys` sets
/// hardware. Fails closed: a file on a mount that is not in the table is refused.
struct SandboxFileMounts: Sendable {
    private let typeOfMount: [UInt64: String]
    private let typeOfDevice: [UInt64: String]

    private static let kernelTypes: Set<String> = [
        "proc", "sysfs", "devpts", "devtmpfs", "cgroup", "cgroup2", "mqueue", "securityfs", "debugfs", "tracefs",
        "bpf", "pstore", "configfs", "fusectl", "selinuxfs", "smackfs", "efivarfs", "binfmt_misc", "rpc_pipefs",
        "nsfs", "hugetlbfs", "autofs", "resctrl", "binder",
    ]

    /// Takes a mount table.
    init(_ entries: [MountEntry]) {
        typeOfMount = Dictionary(entries.map { ($0.id, $0.type) }) { first, _ in first }
        typeOfDevice = Dictionary(entries.map { ($0.device, $0.type) }) { first, _ in first }
    }

    /// Whether files there may be acted on. By mount, or by device where the kernel does not tell the mount.
    func allow(_ status: FileStatus) -> Bool {
        let type = status.mountID == 0 ? typeOfDevice[status.device] : typeOfMount[status.mountID]
        return type.map { !SandboxFileMounts.kernelTypes.contains($0) } ?? false
    }
}
