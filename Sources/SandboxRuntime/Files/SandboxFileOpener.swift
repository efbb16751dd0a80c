import Glibc
import LinuxSystem

/// Follows a path inside a sandbox, under its user's identity, without opening anything that could answer back.
///
/// Blocks. Every walk is one `openat2` with `RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS`: the kernel keeps `..` and
/// absolute links inside and refuses links of `/proc`. `O_PATH` is used throughout, which has no effect on a
/// FIFO or a device.
/// - SeeAlso: openat2(2).
struct SandboxFileOpener {
    let root: SandboxFileRoot
    let path: SandboxFilePath
    let intent: SandboxFileIntent
    /// The file systems that may be acted on.
    let mounts: SandboxFileMounts

    private static let inside: ResolveFlags = [.inRoot, .noMagiclinks]

    /// Something that was found, and where it really is.
    private struct Found {
        let descriptor: SharedDescriptor
        let status: FileStatus
        let path: [[UInt8]]
    }

    func open() throws(RuntimeError) -> SandboxFileTarget {
        switch intent {
        case .read: return try existing(try follow(path.whole))
        case .write: return try forWriting()
        case .remove: return try forRemoval()
        }
    }

    private func existing(_ found: Found) throws(RuntimeError) -> SandboxFileTarget {
        let kind = try kind(of: found.status, mayBeLink: false)
        return SandboxFileTarget(
            kind, path: found.path, status: found.status, intent: intent, root: root,
            place: .itself(found.descriptor))
    }

    // MARK: Writing

    private func forWriting() throws(RuntimeError) -> SandboxFileTarget {
        let found: Found
        do throws(RuntimeError) {
            found = try follow(path.whole)
        } catch {
            guard error.code == .notFound else { throw error }
            return try missing()
        }
        let kind = try kind(of: found.status, mayBeLink: false)
        guard kind == .file else { return try existing(found) }
        // The file is replaced by name, so it is held by its real folder, which the name must still lead to.
        guard let name = found.path.last else { throw fault(.failed, "the root is no file") }
        let folder = try follow(SandboxFilePath.join(found.path.dropLast()), isFolder: true)
        guard folder.path == Array(found.path.dropLast()) else { throw changed() }
        let now = try asUser { () throws(SystemError) in
            try folder.descriptor.descriptor.status(of: RawPath(bytes: name))
        }
        guard FileIdentity(now) == FileIdentity(found.status) else { throw changed() }
        return SandboxFileTarget(
            .file, path: found.path, status: found.status, intent: intent, root: root,
            place: .entry(folder: folder.descriptor, name: name))
    }

    private func missing() throws(RuntimeError) -> SandboxFileTarget {
        guard !path.endsInSlash, let last = path.components.last else {
            throw fault(.invalid, "names a folder")
        }
        guard last != SandboxFilePath.dotDot else { throw fault(.notFound, "does not exist") }
        var count = path.components.count - 1
        while true {
            let base: Found
            do throws(RuntimeError) {
                base = try follow(path.prefix(count), isFolder: true)
            } catch {
                guard error.code == .notFound, count > 0 else { throw error }
                count -= 1
                continue
            }
            let names = Array(path.components[count...])
            guard !names.contains(SandboxFilePath.dotDot) else { throw fault(.notFound, "does not exist") }
            try refuseDanglingLink(names[0], in: base)
            return SandboxFileTarget(
                .missing, path: base.path + names, status: nil, intent: intent, root: root,
                place: .missing(base: base.descriptor, names: names))
        }
    }

    /// A link that leads nowhere is not "nothing there": writing through it would end at a place that no policy was
    /// asked about.
    private func refuseDanglingLink(_ name: [UInt8], in base: Found) throws(RuntimeError) {
        let isTaken = try asUser { () throws(SystemError) in
            do throws(SystemError) {
                _ = try base.descriptor.descriptor.status(of: RawPath(bytes: name))
                return true
            } catch {
                guard error.errno == ENOENT else { throw error }
                return false
            }
        }
        if isTaken { throw fault(.conflict, "is a link that leads nowhere") }
    }

    // MARK: Removing

    private func forRemoval() throws(RuntimeError) -> SandboxFileTarget {
        guard let name = path.components.last, name != SandboxFilePath.dotDot else {
            throw fault(.invalid, "does not end in a name")
        }
        let folder = try follow(path.prefix(path.components.count - 1), isFolder: true)
        let status = try asUser { () throws(SystemError) in
            try folder.descriptor.descriptor.status(of: RawPath(bytes: name))
        }
        let kind = try kind(of: status, mayBeLink: true)
        guard kind == .folder || !path.endsInSlash else { throw fault(.conflict, "is not a folder") }
        return SandboxFileTarget(
            kind, path: folder.path + [name], status: status, intent: intent, root: root,
            place: .entry(folder: folder.descriptor, name: name))
    }

    // MARK: Walking

    /// Follows a path to its end and makes sure of where that is.
    private func follow(_ path: RawPath, isFolder: Bool = false) throws(RuntimeError) -> Found {
        let flags = isFolder ? Descriptor.pathOnly | O_DIRECTORY : Descriptor.pathOnly
        let root = root
        let found = try asUser { () throws(SystemError) -> Found? in
            let descriptor = SharedDescriptor(
                try Descriptor.open(at: root.folder, path: path, flags: flags, resolve: Self.inside))
            let status = try descriptor.descriptor.status()
            let kernelName = try SandboxFileRoot.kernelName(of: descriptor.descriptor)
            guard let real = root.relative(kernelName) else { return nil }
            guard try leads(SandboxFilePath.join(real), to: FileIdentity(status)) else { return nil }
            return Found(descriptor: descriptor, status: status, path: real)
        }
        guard let found else { throw changed() }
        guard mounts.allow(found.status) else {
            throw fault(.denied, "is on a file system of the kernel's own")
        }
        return found
    }

    /// Whether a path without any link leads to that file. What the kernel says of an open file may be stale, and
    /// says ` (deleted)` of one that has no name any more.
    private func leads(_ path: RawPath, to identity: FileIdentity) throws(SystemError) -> Bool {
        do throws(SystemError) {
            let again = try Descriptor.open(
                at: root.folder, path: path, flags: Descriptor.pathOnly | O_NOFOLLOW, resolve: [.inRoot, .noSymlinks])
            return FileIdentity(try again.status()) == identity
        } catch {
            guard [ENOENT, ENOTDIR, ELOOP].contains(error.errno) else { throw error }
            return false
        }
    }

    private func kind(
        of status: FileStatus, mayBeLink: Bool
    ) throws(RuntimeError) -> SandboxFileTarget.Kind {
        switch status.kind {
        case .regular: return .file
        case .directory: return .folder
        case .symbolicLink where mayBeLink: return .link
        default: throw fault(.denied, "is neither a file nor a folder (\(status.kind.rawValue))")
        }
    }

    private func asUser<Value>(_ body: () throws(SystemError) -> Value) throws(RuntimeError) -> Value {
        do throws(SystemError) {
            return try FileSystemIdentity.with(uid: root.user.uid, gid: root.user.gid, body)
        } catch {
            throw SandboxFileFault.error(error, "open", path.whole)
        }
    }

    private func changed() -> RuntimeError { fault(.conflict, "changed while it was followed") }

    private func fault(_ code: RuntimeError.Code, _ detail: String) -> RuntimeError {
        RuntimeError(code, operation: "open", detail: "\(path.whole): \(detail)")
    }
}
