import Glibc
import LinuxSystem
import SandboxModel

/// What writing a file came to.
package enum SandboxFileWritten: Sendable, Hashable {
    case created, replaced
}

extension SandboxFileTarget {
    /// Writes a file whole: into a temporary file beside it, which then takes the name. Blocks.
    ///
    /// A reader sees the old content or the new, never a part. Missing folders are made with mode 0755; a new file
    /// has mode 0644, a replaced one keeps its permission bits (without set-id). Nothing is flushed to the device.
    /// - Parameters:
    ///   - limit: The most bytes that a file may have.
    ///   - exclusive: Whether an existing file is an error instead of being replaced.
    /// - Throws: `tooLarge`; `conflict` for an existing file when exclusive, a folder, or a path that changed;
    ///   `denied` by permissions or a read-only place; `exhausted` when the workspace is full.
    func writeWhole(_ bytes: [UInt8], limit: Int, exclusive: Bool) throws(RuntimeError) -> SandboxFileWritten {
        guard bytes.count <= limit else {
            throw RuntimeError(.tooLarge, operation: "write", detail: "\(shown): has more than \(limit) bytes")
        }
        switch place {
        case .itself: throw conflict("write", "is a \(kind.rawValue)")
        case .entry(let folder, let name):
            guard intent == .write, kind == .file else { throw conflict("write", "is a \(kind.rawValue)") }
            if exclusive { throw conflict("write", "exists already") }
            return try asUser("write") { () throws(SystemError) in
                try Self.put(bytes, as: name, in: folder.descriptor, exclusive: false)
            }
        case .missing(let base, let names):
            return try asUser("write") { () throws(SystemError) in
                let folder = try Self.makeFolders(names.dropLast(), below: base)
                return try Self.put(bytes, as: names[names.count - 1], in: folder.descriptor, exclusive: exclusive)
            }
        }
    }

    /// Makes the folders one below the other, each held by descriptor, so that nothing is followed.
    private static func makeFolders(
        _ names: ArraySlice<[UInt8]>, below base: SharedDescriptor
    ) throws(SystemError) -> SharedDescriptor {
        var folder = base
        for bytes in names {
            let name = RawPath(bytes: bytes)
            var isNew = true
            do throws(SystemError) {
                try folder.descriptor.makeDirectory(name, mode: 0o755)
            } catch {
                guard error.errno == EEXIST else { throw error }
                isNew = false
            }
            let next = SharedDescriptor(
                try Descriptor.open(
                    at: folder.descriptor, path: name,
                    flags: isNew ? O_RDONLY | O_DIRECTORY : Descriptor.pathOnly | O_DIRECTORY,
                    resolve: [.beneath, .noSymlinks]))
            // Whatever this daemon's umask is, the sandbox's programs must be able to pass.
            if isNew { try next.descriptor.changeMode(0o755) }
            folder = next
        }
        return folder
    }

    private static func put(
        _ bytes: [UInt8], as name: [UInt8], in folder: borrowing Descriptor, exclusive: Bool
    ) throws(SystemError) -> SandboxFileWritten {
        let temporary = try makeTemporary(bytes, in: folder)
        do throws(SystemError) {
            return try rename(temporary, to: RawPath(bytes: name), in: folder, exclusive: exclusive)
        } catch {
            try removeQuietly(temporary, in: folder)
            throw error
        }
    }

    /// A file beside the target, whole and with its mode, under a name that nobody else uses.
    private static func makeTemporary(
        _ bytes: [UInt8], in folder: borrowing Descriptor
    ) throws(SystemError) -> RawPath {
        var generator = SystemRandomNumberGenerator()
        let name = RawPath(".sandwarden-" + randomAlphanumerics(20, using: &generator))
        let file = try Descriptor.open(
            at: folder, path: name, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600,
            resolve: [.beneath, .noSymlinks])
        do throws(SystemError) {
            try file.writeAll(bytes.span)
            try file.changeMode(0o644)
        } catch {
            try removeQuietly(name, in: folder)
            throw error
        }
        return name
    }

    private static func rename(
        _ temporary: RawPath, to name: RawPath, in folder: borrowing Descriptor, exclusive: Bool
    ) throws(SystemError) -> SandboxFileWritten {
        do throws(SystemError) {
            try moveToFreeName(temporary, name, in: folder)
            return .created
        } catch {
            guard error.errno == EEXIST, !exclusive else { throw error }
        }
        let old = try folder.status(of: name)
        guard old.kind == .regular else {
            throw SystemError(errno: old.kind == .directory ? EISDIR : EEXIST, operation: "rename")
        }
        if old.permissions & 0o777 != 0o644 {
            let file = try Descriptor.open(
                at: folder, path: temporary, flags: O_WRONLY | O_NOFOLLOW, resolve: [.beneath, .noSymlinks])
            try file.changeMode(old.permissions & 0o777)
        }
        try folder.rename(temporary, to: folder, name)
        return .replaced
    }

    /// Renames unless the name is taken.
    private static func moveToFreeName(
        _ temporary: RawPath, _ name: RawPath, in folder: borrowing Descriptor
    ) throws(SystemError) {
        let noReplace: UInt32 = 1
        do throws(SystemError) {
            try folder.rename(temporary, to: folder, name, flags: noReplace)
        } catch {
            // Some file systems do not know the flag; a second link is refused just the same where the name is taken.
            guard error.errno == EINVAL else { throw error }
            try folder.link(temporary, to: folder, name)
            try folder.remove(temporary)
        }
    }

    /// Removes a temporary file; that it is gone already, or cannot be removed, is less than what went wrong before.
    private static func removeQuietly(
        _ name: RawPath, in folder: borrowing Descriptor
    ) throws(SystemError) {
        do throws(SystemError) {
            try folder.remove(name)
        } catch {
            guard [ENOENT, EACCES, EPERM, EROFS, EIO].contains(error.errno) else { throw error }
        }
    }
}
