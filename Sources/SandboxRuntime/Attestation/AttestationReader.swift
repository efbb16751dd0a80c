import Glibc
import LinuxSystem
package import SandboxPolicy

/// Reads from the host what the kernel holds for one running sandbox. Never runs anything inside it.
package struct AttestationReader: Sendable {
    let holder: HolderProcess
    /// The workspace's path in the sandbox.
    let workspace: String
    /// The same folder on the host.
    let hostWorkspace: String

    /// A reader for a sandbox.
    /// - Parameter hostWorkspace: The mounted workspace on the host; for an adopted container the same path as inside,
    ///   which then counts as another folder.
    package init(holder: HolderProcess, policy: Policy, hostWorkspace: String) {
        self.holder = holder
        workspace = policy.workspace
        self.hostWorkspace = hostWorkspace
    }

    /// Reads everything. Blocks: some dozens of small kernel files.
    /// - Throws: `conflict` when the holder has ended or another process has its pid. Whatever else cannot be read is
    ///   `unknown` in the facts.
    package func read() throws(RuntimeError) -> AttestationFacts {
        // The root's owner does not matter here: nothing is opened as somebody else.
        let root = try SandboxFileRoot(holder: holder, user: SandboxUser(uid: 0, gid: 0))
        let groups = AttestationGroups(pid: holder.pid)
        let mounts = attempt { () throws(SystemError) in
            let entries = try MountTable.read(pid: holder.pid)
            return (entries, "/proc/\(holder.pid)/mountinfo")
        }
        let facts = AttestationFacts(
            memoryLimit: groups.memoryLimit(), swap: groups.swap(), cpu: groups.cpu(),
            processLimit: groups.processLimit(), openFiles: openFiles(), credentials: credentials(),
            mounts: mounts, workspace: workspaceFacts(root, mounts),
            presentKernelPaths: AttestationReader.presentPaths(), separateNamespaces: namespaces(),
            devices: devices(root, groups))
        // Files below `/proc` were opened by number: it must have been the same process all along.
        try root.check()
        return facts
    }

    private func openFiles() -> AttestationReading<ProcessLimits.Pair> {
        attempt { () throws(SystemError) in
            guard let pair = try ProcessDirectory(pid: holder.pid).limits().openFiles else {
                throw SystemError(errno: EBADMSG, operation: "read", detail: "no line of open files")
            }
            return (pair, "/proc/\(holder.pid)/limits")
        }
    }

    private func credentials() -> AttestationReading<ProcessStatus> {
        attempt { () throws(SystemError) in
            (try ProcessDirectory(pid: holder.pid).status(), "/proc/\(holder.pid)/status")
        }
    }

    private func namespaces() -> AttestationReading<[String: Bool]> {
        attempt { () throws(SystemError) in
            var separate: [String: Bool] = [:]
            for name in AttestationPrivileges.namespaceNames {
                let inside = try HostFiles.status(RawPath("/proc/\(holder.pid)/ns/\(name)"))
                let outside = try HostFiles.status(RawPath("/proc/self/ns/\(name)"))
                separate[name] = FileIdentity(inside) != FileIdentity(outside)
            }
            return (separate, "/proc/\(holder.pid)/ns")
        }
    }

    private static func presentPaths() -> Set<String> {
        // What cannot be looked at counts as present, so that a cover is asked for.
        Set(
            (AttestationPaths.masked + AttestationPaths.readOnly).filter { path in
                do throws(SystemError) {
                    _ = try HostFiles.status(RawPath(path))
                    return true
                } catch {
                    return error.errno != ENOENT
                }
            })
    }

    // MARK: Workspace

    private func workspaceFacts(
        _ root: SandboxFileRoot, _ mounts: AttestationReading<[MountEntry]>
    ) -> AttestationReading<AttestationWorkspace> {
        attempt { () throws(SystemError) in
            let inside = try Descriptor.open(
                at: root.folder, path: RawPath(workspace), flags: O_RDONLY | O_DIRECTORY,
                resolve: [.inRoot, .noMagiclinks])
            let status = try inside.status()
            let outside = try HostFiles.status(RawPath(hostWorkspace))
            let parent = try HostFiles.status(RawPath(hostWorkspace + "/.."))
            var isWhole = false
            if case .found(let entries, _) = mounts, let entry = entries.last(where: { $0.point == RawPath(workspace) })
            {
                isWhole = entry.root == "/"
            }
            let size = try AttestationReader.sizeBytes(of: inside, status)
            let facts = AttestationWorkspace(
                isTheHosts: FileIdentity(status) == FileIdentity(outside),
                isOwnFileSystem: isWhole && outside.device != parent.device, sizeBytes: size.bytes)
            return (facts, size.evidence)
        }
    }

    /// Size of the block device that a file system is on, or of the file system where it has none.
    private static func sizeBytes(
        of folder: borrowing Descriptor, _ status: FileStatus
    ) throws(SystemError) -> (bytes: Int64?, evidence: String) {
        let major = status.device >> 32
        let path = "/sys/dev/block/\(major):\(status.device & 0xFFFF_FFFF)/size"
        if major != 0, let text = try AttestationReader.textIfPresent(path),
            let sectors = KernelText.unsigned(Array(text.utf8)[...]), sectors < 1 << 50
        {
            return (Int64(sectors) * 512, "\(path): \(text)")
        }
        let space = try folder.fileSystemSpace()
        return (Int64(clamping: space.totalBytes), "file system of \(space.totalBytes) bytes")
    }

    /// A small file's text without its line end; `nil` when there is no such file.
    static func textIfPresent(_ path: String) throws(SystemError) -> String? {
        do throws(SystemError) {
            let bytes = try HostFiles.read(RawPath(path), limit: 64 * 1024)
            return KernelText.text(KernelText.trimmed(bytes[...]))
        } catch {
            guard error.errno == ENOENT else { throw error }
            return nil
        }
    }

    // MARK: Devices

    private static let deviceEntryLimit = 4096
    private static let deviceDepth = 4

    private func devices(
        _ root: SandboxFileRoot, _ groups: AttestationGroups
    ) -> AttestationReading<AttestationDevices> {
        attempt { () throws(SystemError) in
            var nodes: [String] = []
            let folder = try Descriptor.open(
                at: root.folder, path: "dev", flags: O_RDONLY | O_DIRECTORY, resolve: [.inRoot, .noSymlinks])
            try AttestationReader.collectDevices(folder, depth: 0, into: &nodes)
            let allowed = try groups.allowedDevices()
            let list = allowed.map { ", \($0.path)" } ?? ""
            return (
                AttestationDevices(nodes: nodes, allowed: allowed?.rules),
                "\(nodes.count) device files below /proc/\(holder.pid)/root/dev\(list)"
            )
        }
    }

    private static func collectDevices(
        _ folder: borrowing Descriptor, depth: Int, into nodes: inout [String]
    ) throws(SystemError) {
        let listing = try folder.list(limit: deviceEntryLimit)
        guard !listing.isCut, depth < deviceDepth else {
            throw SystemError(errno: EMSGSIZE, operation: "list", detail: "/dev is larger than can be looked through")
        }
        for entry in listing.entries {
            let name = RawPath(bytes: entry.name)
            let status = try folder.status(of: name)
            let special = status.specialDevice
            let number = "\(special >> 32):\(special & 0xFFFF_FFFF)"
            switch status.kind {
            case .characterDevice: nodes.append("c \(number)")
            case .blockDevice: nodes.append("b \(number)")
            case .directory:
                // Shared memory and message queues are mounts without devices, full of the sandbox's own names.
                guard depth > 0 || (name != "shm" && name != "mqueue") else { continue }
                let next = try Descriptor.open(
                    at: folder, path: name, flags: O_RDONLY | O_DIRECTORY, resolve: [.beneath, .noSymlinks])
                try collectDevices(next, depth: depth + 1, into: &nodes)
            default: continue
            }
        }
    }
}

/// Turns a failed system call into a reading that nothing is known.
func attempt<Value: Sendable & Hashable>(
    _ body: () throws(SystemError) -> (Value, String)
) -> AttestationReading<Value> {
    do throws(SystemError) {
        let (value, evidence) = try body()
        return .found(value, evidence: evidence)
    } catch {
        return .unknown(error.description)
    }
}
