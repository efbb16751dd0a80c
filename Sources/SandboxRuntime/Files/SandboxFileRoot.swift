import Glibc
import LinuxSystem

/// A sandbox's root folder, held by descriptor as long as this value lives.
///
/// Everything is reached through the folder of the holder's process: the kernel ties it to that very process, so
/// that a reused pid cannot stand in for it. Let go of it before the sandbox is removed: it keeps the root's file
/// system in use.
package final class SandboxFileRoot: Sendable {
    /// Whose file access counts.
    package let user: SandboxUser
    package let holder: HolderProcess
    /// The folder itself, opened only to walk from it.
    let folder: Descriptor
    /// What the kernel calls that folder; `/` in a mount namespace of its own.
    let name: [UInt8]
    private let process: ProcessDirectory

    /// Opens the root of a live holder. Blocks.
    /// - Throws: `conflict` when the process is gone or another one has its pid; `denied` without the right.
    package init(holder: HolderProcess, user: SandboxUser) throws(RuntimeError) {
        do throws(SystemError) {
            process = try ProcessDirectory(pid: holder.pid)
            folder = try process.openRoot()
            name = try SandboxFileRoot.kernelName(of: folder)
        } catch {
            throw SandboxFileRoot.gone(holder, error)
        }
        self.holder = holder
        self.user = user
        try check()
    }

    /// A root that is an ordinary folder, watched over by a process that is no sandbox's. For tests.
    init(folder: consuming Descriptor, holder: HolderProcess, user: SandboxUser) throws(RuntimeError) {
        do throws(SystemError) {
            process = try ProcessDirectory(pid: holder.pid)
            self.folder = folder
            name = try SandboxFileRoot.kernelName(of: self.folder)
        } catch {
            throw SandboxFileRoot.gone(holder, error)
        }
        self.holder = holder
        self.user = user
        try check()
    }

    /// Makes sure that the holder still runs. Blocks.
    /// - Throws: `conflict` when it does not.
    package func check() throws(RuntimeError) {
        let stat: ProcessStat
        do throws(SystemError) {
            stat = try process.stat()
        } catch {
            throw SandboxFileRoot.gone(holder, error)
        }
        let isDead = [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(stat.state)
        guard stat.startTicks == holder.startTicks, !isDead else { throw SandboxFileRoot.gone(holder, nil) }
    }

    /// The mounts that the holder sees now. Blocks.
    func mounts() throws(RuntimeError) -> SandboxFileMounts {
        let entries: [MountEntry]
        do throws(SystemError) {
            entries = try MountTable.read(pid: holder.pid)
        } catch {
            throw SandboxFileRoot.gone(holder, error)
        }
        // Read by number: it must still be the same process.
        try check()
        return SandboxFileMounts(entries)
    }

    private static func gone(_ holder: HolderProcess, _ failure: SystemError?) -> RuntimeError {
        let isGone = failure.map { $0.errno == ENOENT || $0.errno == ESRCH } ?? true
        guard isGone, failure?.errno != EACCES else {
            return RuntimeError(
                .denied, operation: "open root", detail: "process \(holder.pid): \(failure?.description ?? "")",
                errno: failure?.errno)
        }
        return RuntimeError(
            .conflict, operation: "open root", detail: "the sandbox has no live process", errno: failure?.errno)
    }

    /// The path that the kernel shows for an open file.
    /// - SeeAlso: proc(5), `/proc/self/fd`.
    static func kernelName(of descriptor: borrowing Descriptor) throws(SystemError) -> [UInt8] {
        let own = try Descriptor.openAbsolute("/proc/self/fd", flags: Descriptor.pathOnly | O_DIRECTORY)
        return try own.readLink(RawPath("\(descriptor.rawValue)"))
    }

    /// Turns the kernel's path of an open file into one that begins at this root.
    /// - Returns: `nil` for what is not below the root: another mount tree, no file at all.
    func relative(_ path: [UInt8]) -> [[UInt8]]? {
        guard path.first == SandboxFilePath.slash else { return nil }
        var rest = path[...]
        if name != [SandboxFilePath.slash] {
            guard rest.starts(with: name) else { return nil }
            rest = rest.dropFirst(name.count)
            guard rest.isEmpty || rest.first == SandboxFilePath.slash else { return nil }
        }
        return rest.split(separator: SandboxFilePath.slash).map { Array($0) }
    }
}
