internal import SandboxModel

/// One entry of a bundle's `mounts`.
struct OCIMount: Sendable, Hashable {
    var destination: String
    var type: String
    var source: String
    var options: [String]

    /// A file system of the kernel's own, or a memory file system.
    init(_ type: String, at destination: String, source: String? = nil, options: [String]) {
        self.destination = destination
        self.type = type
        self.source = source ?? type
        self.options = options
    }

    /// A file or folder of the host shown at another place, without what is mounted below it: what is not
    /// shown cannot stay writable by accident.
    static func bind(_ source: String, at destination: String, isReadOnly: Bool) -> OCIMount {
        OCIMount(
            "bind", at: destination, source: source,
            options: ["bind", "nosuid", "nodev"] + (isReadOnly ? ["ro"] : ["rw"]))
    }

    var json: JSONValue {
        [
            "destination": .string(destination), "type": .string(type), "source": .string(source),
            "options": .strings(options),
        ]
    }

    /// The mounts that every sandbox has, in order: the kernel's file systems and the small writable places.
    ///
    /// `/tmp` lets programs run, as compilers and language runtimes expect and the workspace allows anyway;
    /// `/run` and `/dev/shm` do not. All three are charged to the sandbox's memory.
    /// - Parameters:
    ///   - memoryMB: The policy's limit; an eighth of it, at most 64 and at least 1, bounds each memory file
    ///     system.
    ///   - showsControlGroups: Whether programs can read their own limits below `/sys/fs/cgroup`.
    static func standard(memoryMB: Int, showsControlGroups: Bool) -> [OCIMount] {
        let size = "size=\(temporarySizeMB(memoryMB: memoryMB))m"
        var mounts = [
            OCIMount("proc", at: "/proc", options: ["nosuid", "nodev", "noexec"]),
            OCIMount(
                "tmpfs", at: "/dev",
                options: ["nosuid", "noexec", "strictatime", "mode=755", "size=64k", "ro"]),
            OCIMount(
                "devpts", at: "/dev/pts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            OCIMount(
                "tmpfs", at: "/dev/shm", source: "shm",
                options: ["nosuid", "nodev", "noexec", "mode=1777", size]),
            OCIMount("mqueue", at: "/dev/mqueue", options: ["nosuid", "nodev", "noexec"]),
            OCIMount("sysfs", at: "/sys", options: ["nosuid", "nodev", "noexec", "ro"]),
        ]
        if showsControlGroups {
            mounts.append(
                OCIMount(
                    "cgroup", at: "/sys/fs/cgroup", options: ["nosuid", "nodev", "noexec", "relatime", "ro"]))
        }
        mounts.append(OCIMount("tmpfs", at: "/tmp", options: ["nosuid", "nodev", "mode=1777", size]))
        mounts.append(
            OCIMount("tmpfs", at: "/run", options: ["nosuid", "nodev", "noexec", "mode=1777", size]))
        return mounts
    }

    /// Folders that everybody may write in. The runtime gives a memory file system the mode of the folder
    /// that it is mounted on.
    static let sharedFolders = ["run", "tmp"]

    /// Bound of each memory file system, in units of 2^20 bytes.
    static func temporarySizeMB(memoryMB: Int) -> Int { max(1, min(64, memoryMB / 8)) }
}
