internal import Glibc

/// `/proc/PID` of one process, held open: after the process has ended, reads fail with `ESRCH`, also when its
/// number has gone to somebody else.
/// - SeeAlso: proc(5).
package struct ProcessDirectory: ~Copyable, Sendable {
    package let pid: Int32
    private let directory: Descriptor

    /// Opens the directory of a process.
    /// - Throws: `ENOENT` when there is none.
    package init(pid: Int32) throws(SystemError) {
        directory = try Descriptor.openDirectory(RawPath("/proc/\(pid)"))
        self.pid = pid
    }

    /// Reads a small file below, whole.
    private borrowing func read(_ name: RawPath, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.open(at: directory, path: name, flags: O_RDONLY)
        return try file.readAll(limit: limit)
    }

    private func malformed(_ name: String) -> SystemError {
        SystemError(errno: EBADMSG, operation: "read", detail: "/proc/\(pid)/\(name)")
    }

    /// State, identities, capabilities.
    /// - Throws: `ESRCH`, `ENOENT` when the process has ended; `EBADMSG` for text of another form.
    package borrowing func status() throws(SystemError) -> ProcessStatus {
        guard let status = ProcessStatus.parse(try read("status", limit: 64 * 1024)[...]) else {
            throw malformed("status")
        }
        return status
    }

    /// Times and kinship.
    package borrowing func stat() throws(SystemError) -> ProcessStat {
        guard let stat = ProcessStat.parse(try read("stat", limit: 8 * 1024)[...]) else {
            throw malformed("stat")
        }
        return stat
    }

    /// Resource limits.
    package borrowing func limits() throws(SystemError) -> ProcessLimits {
        guard let limits = ProcessLimits.parse(try read("limits", limit: 16 * 1024)[...]) else {
            throw malformed("limits")
        }
        return limits
    }

    /// Control groups.
    package borrowing func controlGroups() throws(SystemError) -> CgroupMembership {
        CgroupMembership.parse(try read("cgroup", limit: 256 * 1024)[...])
    }

    /// The arguments as the process shows them (it may rewrite them), at most `limit` bytes together; empty
    /// for kernel threads and zombies.
    package borrowing func arguments(limit: Int = 4096) throws(SystemError) -> [[UInt8]] {
        let file = try Descriptor.open(at: directory, path: "cmdline", flags: O_RDONLY)
        return Self.parseArguments(try file.readPrefix(limit: limit)[...])
    }

    /// Splits the text of `cmdline` at its NUL bytes. An empty argument counts.
    package static func parseArguments(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        guard !bytes.isEmpty else { return [] }
        let body = bytes.last == 0 ? bytes.dropLast() : bytes
        return body.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
    }

    /// Path of the program, seen from its own root; ` (deleted)` is appended when the file is gone.
    /// - Throws: `ENOENT` for kernel threads and zombies.
    package borrowing func executable() throws(SystemError) -> RawPath {
        RawPath(bytes: try directory.readLink("exe"))
    }

    /// What the program's file is, whatever its name has become.
    package borrowing func executableStatus() throws(SystemError) -> FileStatus {
        try Descriptor.open(at: directory, path: "exe", flags: Descriptor.pathOnly).status()
    }

    /// Opens the root directory that the process has.
    package borrowing func openRoot() throws(SystemError) -> Descriptor {
        try Descriptor.open(at: directory, path: "root", flags: O_RDONLY | O_DIRECTORY)
    }

    /// Open descriptors, counted up to `limit`.
    package borrowing func openFileCount(limit: Int = 1 << 20) throws(SystemError) -> Int {
        let list = try Descriptor.open(at: directory, path: "fd", flags: O_RDONLY | O_DIRECTORY)
        return try list.list(limit: limit).entries.count
    }

    /// Opens a file of the process's network namespace, such as `sockstat`, to be read again and again.
    package borrowing func openNetworkFile(_ name: String) throws(SystemError) -> Descriptor {
        try Descriptor.open(at: directory, path: RawPath("net/\(name)"), flags: O_RDONLY)
    }

    /// Numbers of the direct children of the process's first thread.
    /// - Throws: `ENOENT` when the kernel does not offer the list.
    package borrowing func children() throws(SystemError) -> [Int32] {
        let bytes = try read(RawPath("task/\(pid)/children"), limit: 1 << 20)
        return KernelText.words(KernelText.trimmed(bytes[...])).compactMap { word in
            KernelText.unsigned(word).flatMap { Int32(exactly: $0) }
        }
    }
}
