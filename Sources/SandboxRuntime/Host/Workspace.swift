internal import Glibc
package import LinuxSystem

/// The file system that a sandbox may fill: an ext4 image of fixed size on a loop device, mounted
/// `nosuid,nodev`.
///
/// The image is sparse: it takes from the host's disk what is written, and never more than its size. It has
/// no journal, because a workspace does not outlive its sandbox; after an unclean end it is checked before it
/// is mounted again. Programs may run from it. What the file system needs for itself (about 1.5 %, more on
/// the smallest) is part of the size, so that the bound on the host holds exactly.
package struct Workspace: Sendable, Hashable {
    /// The sandbox's own folder on the host.
    package let directory: String
    /// Size of the image in units of 2^20 bytes.
    package let sizeMB: Int
    /// Who owns the root of the file system.
    package let owner: SandboxUser

    /// The smallest size that a file system with room for files can have.
    package static let minimumSizeMB = 1
    /// The largest: 16 TB, what ext4 holds with blocks of 4 KiB and 32-bit numbers.
    package static let maximumSizeMB = 16 << 20

    /// A workspace in a sandbox's folder; nothing is made yet.
    package init(directory: String, sizeMB: Int, owner: SandboxUser) {
        self.directory = directory
        self.sizeMB = sizeMB
        self.owner = owner
    }

    /// The image file.
    package var imagePath: String { "\(directory)/work.img" }
    /// Where it is mounted on the host.
    package var mountPath: String { "\(directory)/work" }

    /// Makes the image, its file system, and mounts it. The sandbox's folder must exist.
    /// - Throws: `invalid` for a size out of bounds, `conflict` when there is an image already, `unavailable`
    ///   with what to install when `mke2fs` or loop devices are missing, `exhausted` when the host's disk or
    ///   its loop devices are used up, `refused` when the mounted file system is not of the size asked for.
    package func create() async throws(RuntimeError) {
        guard (Self.minimumSizeMB...Self.maximumSizeMB).contains(sizeMB) else {
            throw RuntimeError(
                .invalid, operation: "workspace",
                detail: "disk_mb must be \(Self.minimumSizeMB) to \(Self.maximumSizeMB), not \(sizeMB)")
        }
        let workspace = self
        try await HostWork.run("workspace") { () throws(RuntimeError) in try workspace.makeImage() }
        try await format()
        try await HostWork.run("workspace") { () throws(RuntimeError) in
            try workspace.mount()
            try workspace.clear()
            try workspace.checkSize()
        }
    }

    /// Mounts the image again when nothing is mounted, as after the host's restart; checks it first.
    /// - Returns: Whether it had to be mounted.
    /// - Throws: `notFound` when the image is gone, `failed` when it cannot be repaired; as ``create()``.
    package func remount() async throws(RuntimeError) -> Bool {
        let workspace = self
        if try await HostWork.run("workspace", { () throws(RuntimeError) in try workspace.isMounted() }) {
            return false
        }
        let result = try await tool("e2fsck", ["-p", imagePath])
        // 1: errors were repaired; anything beyond is not safe to hand to the kernel.
        guard let code = result.exitCode, code <= 1 else {
            throw RuntimeError(
                .failed, operation: "check workspace",
                detail: ForeignText.printable(result.stderr + result.stdout))
        }
        try await HostWork.run("workspace") { () throws(RuntimeError) in
            try workspace.mount()
            try workspace.checkSize()
        }
        return true
    }

    /// Unmounts and removes everything; fine when it is gone, wholly or in part.
    package func remove() async throws(RuntimeError) {
        let workspace = self
        try await HostWork.run("remove workspace") { () throws(RuntimeError) in
            try HostWork.calls("remove workspace") { () throws(SystemError) in
                try HostMount.unmountAll(workspace.mountPath)
                try HostTree.remove(workspace.mountPath)
                try HostTree.remove(workspace.imagePath)
            }
        }
    }

    /// Whether the file system is mounted now. Blocks for two system calls.
    package func isMounted() throws(RuntimeError) -> Bool {
        try HostWork.calls("workspace") { () throws(SystemError) in try HostMount.isMountPoint(mountPath) }
    }

    /// Size and use of the mounted file system. Blocks for two system calls.
    /// - Throws: `notFound` when it is not mounted.
    package func space() throws(RuntimeError) -> FileSystemSpace {
        guard try isMounted() else {
            throw RuntimeError(.notFound, operation: "workspace", detail: "not mounted")
        }
        return try HostWork.calls("workspace") { () throws(SystemError) in
            try Descriptor.openDirectory(RawPath(mountPath)).fileSystemSpace()
        }
    }

    private func makeImage() throws(RuntimeError) {
        do throws(SystemError) {
            try HostFiles.makeDirectories(RawPath(mountPath), mode: 0o755)
            let image = try Descriptor.openAbsolute(
                RawPath(imagePath), flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try image.truncate(to: Int64(sizeMB) << 20)
        } catch {
            throw RuntimeError(
                error, operation: "make workspace", code: error.errno == EEXIST ? .conflict : nil)
        }
    }

    private func format() async throws(RuntimeError) {
        let isSmall = sizeMB < 512
        let result = try await tool(
            "mke2fs",
            [
                "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-b", isSmall ? "1024" : "4096",
                "-i",
                isSmall ? "4096" : "16384", "-E",
                "lazy_itable_init=1,nodiscard,root_owner=\(owner.uid):\(owner.gid)", imagePath,
            ])
        guard result.exit.isSuccess else {
            throw RuntimeError(
                .failed, operation: "format workspace", detail: ForeignText.printable(result.stderr))
        }
    }

    private func tool(_ name: String, _ arguments: [String]) async throws(RuntimeError) -> ChildResult {
        guard let path = ChildCommand.locate(name) else {
            throw RuntimeError(
                .unavailable, operation: "workspace", detail: "\(name) is missing: install e2fsprogs")
        }
        let command = ChildCommand(path, arguments, deadline: .seconds(60))
        let imagePath = imagePath
        return try await Uncancelled.run { () async throws(RuntimeError) in
            do throws(SystemError) {
                let result = try await ChildProcess.run(command, outputLimit: 4096)
                guard !result.isTimedOut else {
                    throw SystemError(errno: ETIMEDOUT, operation: name, detail: imagePath)
                }
                return result
            } catch {
                throw RuntimeError(error, operation: name)
            }
        }
    }

    private func mount() throws(RuntimeError) {
        do throws(SystemError) {
            let image = try Descriptor.openAbsolute(RawPath(imagePath), flags: O_RDWR | O_NOFOLLOW)
            // Autoclear: the device lets go of the image with the last mount, whoever is alive then.
            let device = try LoopDevice.attach(file: image, autoclear: true, name: imagePath)
            // The inode tables are zeros already, being holes of a fresh file: no kernel thread has to write
            // them.
            try Mount.mount(
                RawPath(device.path), at: RawPath(mountPath), type: "ext4",
                flags: [.noSetuid, .noDevices, .noAccessTime],
                options: "noinit_itable,errors=remount-ro")
        } catch {
            throw Self.explained(error)
        }
    }

    /// Tells what an operator can do where loop devices are not to be had.
    private static func explained(_ error: SystemError) -> RuntimeError {
        let remedy =
            "the workspace needs a loop device: load the module (modprobe loop), let the daemon use "
            + "/dev/loop-control, and run it as root"
        switch (error.operation.hasPrefix("LOOP_"), error.errno) {
        case (true, EBUSY), (true, ENOSPC), (true, ENOMEM):
            return RuntimeError(
                .exhausted, operation: "mount workspace",
                detail: "no loop device is free: raise max_loop or remove sandboxes (\(error))",
                errno: error.errno)
        case (true, _), (false, ENOENT), (false, ENXIO), (false, ENODEV), (false, EPERM), (false, EACCES):
            return RuntimeError(
                .unavailable, operation: "mount workspace", detail: "\(remedy) (\(error))", errno: error.errno
            )
        default:
            return RuntimeError(error, operation: "mount workspace")
        }
    }

    /// Takes away `lost+found`, which belongs to root and has no use here; a new workspace is empty.
    private func clear() throws(RuntimeError) {
        try HostWork.calls("workspace") { () throws(SystemError) in
            try HostTree.remove("\(mountPath)/lost+found")
        }
    }

    /// What is mounted must not be larger than asked, nor lack what only a foreign file system would lack.
    private func checkSize() throws(RuntimeError) {
        let found = try space().totalBytes
        let wanted = UInt64(sizeMB) << 20
        guard found <= wanted, found >= wanted / 2 else {
            throw RuntimeError(
                .refused, operation: "workspace",
                detail: "\(found) bytes mounted where \(wanted) were asked for")
        }
    }
}
