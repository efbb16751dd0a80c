internal import Glibc

/// The kernel's identifier of this boot.
package enum BootIdentifier {
    /// Reads the identifier: 36 bytes, lower-case hexadecimal with hyphens, other after each boot.
    ///
    /// Process start times and inode numbers are comparable within one boot only.
    /// - SeeAlso: random(4), `/proc/sys/kernel/random/boot_id`.
    package static func read() throws(SystemError) -> String {
        let file = try Descriptor.openAbsolute("/proc/sys/kernel/random/boot_id")
        let text = try file.readPrefix(limit: 64)
        return String(decoding: text.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}

/// Files of the host by absolute path: those that this program or its configuration names.
///
/// A path below a sandbox's root goes through ``Descriptor/open(at:path:flags:mode:resolve:)`` instead.
package enum HostFiles {
    /// Reads a whole file.
    /// - Throws: `EMSGSIZE` past `limit` bytes; as open(2) and read(2) say.
    package static func read(_ path: RawPath, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try Descriptor.openAbsolute(path)
        return try file.readAll(limit: limit)
    }

    /// Writes a text to an existing file in one write: for kernel files, which take no part of a value.
    package static func writeControl(_ path: RawPath, _ text: String) throws(SystemError) {
        let file = try Descriptor.openAbsolute(path, flags: O_WRONLY)
        let bytes = Array(text.utf8)
        do throws(SystemError) {
            let count = try file.write(bytes.span)
            guard count == bytes.count else {
                throw SystemError(errno: EIO, operation: "write", detail: "\(count) of \(bytes.count) bytes")
            }
        } catch {
            throw SystemError(errno: error.errno, operation: "write", detail: "\(path)")
        }
    }

    /// What a path is, its last symbolic link followed or not.
    package static func status(_ path: RawPath, followingLink: Bool = true) throws(SystemError) -> FileStatus {
        try PathCalls.status(AT_FDCWD, path, followingLink ? 0 : AT_SYMLINK_NOFOLLOW)
    }

    /// Content of a symbolic link.
    package static func readLink(_ path: RawPath) throws(SystemError) -> [UInt8] {
        try PathCalls.readLink(AT_FDCWD, path)
    }

    /// Makes a directory. The umask narrows `mode`.
    /// - Throws: `EEXIST` when the name is taken.
    package static func makeDirectory(_ path: RawPath, mode: UInt32) throws(SystemError) {
        try PathCalls.makeDirectory(AT_FDCWD, path, mode)
    }

    /// Makes a directory and those above it that are missing; one that is there already is no error.
    package static func makeDirectories(_ path: RawPath, mode: UInt32) throws(SystemError) {
        var end = 0
        while end < path.bytes.count {
            end = path.bytes[(end + 1)...].firstIndex(of: 0x2f) ?? path.bytes.count
            let prefix = RawPath(bytes: path.bytes[..<end])
            do throws(SystemError) {
                try makeDirectory(prefix, mode: mode)
            } catch {
                guard error.errno == EEXIST else { throw error }
                guard try status(prefix).kind == .directory else {
                    throw SystemError(errno: ENOTDIR, operation: "mkdirat", detail: "\(prefix)")
                }
            }
        }
    }

    /// Makes a named pipe. The umask narrows `mode`.
    package static func makeFIFO(_ path: RawPath, mode: UInt32) throws(SystemError) {
        try PathCalls.makeFIFO(AT_FDCWD, path, mode)
    }

    /// Removes a name; an empty directory when `isDirectory`.
    package static func remove(_ path: RawPath, isDirectory: Bool = false) throws(SystemError) {
        try PathCalls.unlink(AT_FDCWD, path, isDirectory: isDirectory)
    }

    /// Renames within one file system.
    /// - Parameter flags: `RENAME_NOREPLACE` 1, `RENAME_EXCHANGE` 2.
    package static func rename(_ old: RawPath, to new: RawPath, flags: UInt32 = 0) throws(SystemError) {
        try PathCalls.rename(AT_FDCWD, old, AT_FDCWD, new, flags)
    }

    /// Replaces a file as a whole: after a crash at any moment the old content or the new is there.
    ///
    /// Written beside it under `.new`, flushed, renamed over it, and the directory flushed. Blocks.
    package static func replace(
        _ path: RawPath, with content: Span<UInt8>, mode: UInt32 = 0o600
    ) throws(SystemError) {
        let temporary = RawPath(bytes: path.bytes + Array(".new".utf8))
        do {
            let file = try Descriptor.openAbsolute(
                temporary, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
            try file.writeAll(content)
            try file.fsync()
        }
        try rename(temporary, to: path)
        let slash = path.bytes.lastIndex(of: 0x2f)
        let parent = slash.map { $0 == 0 ? RawPath("/") : RawPath(bytes: path.bytes[..<$0]) } ?? "."
        try Descriptor.openAbsolute(parent, flags: O_RDONLY | O_DIRECTORY).fsync()
    }
}

extension Descriptor {
    /// Opens a file of the host by its path, following symbolic links.
    /// - Parameter flags: `open(2)` flags; `O_CLOEXEC` is added.
    /// - SeeAlso: ``HostFiles`` for which paths.
    package static func openAbsolute(
        _ path: RawPath, flags: Int32 = O_RDONLY, mode: UInt32 = 0
    ) throws(SystemError) -> Descriptor {
        try PathCalls.open(AT_FDCWD, path, flags, mode, [])
    }

    /// Opens a directory of the host by its path, only to resolve names from it.
    package static func openDirectory(_ path: RawPath) throws(SystemError) -> Descriptor {
        try openAbsolute(path, flags: O_RDONLY | O_DIRECTORY)
    }
}
