internal import CLinuxShims
internal import Glibc

// Every path below is resolved from this directory. Where the directory belongs to somebody who may rename
// and link at will, open with `resolve` first and act on the descriptor: the calls that take a bare name here
// are for single components, whose last link they do not follow.
extension Descriptor {
    /// Opens a path below a directory.
    /// - Parameters:
    ///   - flags: `open(2)` flags; `O_CLOEXEC` is added. `O_PATH` and `O_TMPFILE` work.
    ///   - mode: Permission bits of what is created.
    ///   - resolve: Bounds of the walk, kept by the kernel.
    /// - Throws: `ELOOP` and `EXDEV` when a bound is hit; `EAGAIN` when renames kept racing; as openat2(2)
    ///   says.
    /// - SeeAlso: openat2(2).
    package static func open(
        at directory: borrowing Descriptor, path: RawPath, flags: Int32, mode: UInt32 = 0,
        resolve: ResolveFlags = []
    ) throws(SystemError) -> Descriptor {
        try PathCalls.open(directory.rawValue, path, flags, mode, resolve)
    }

    /// `O_TMPFILE`, which Swift's C module does not show: a file without a name, for ``linkInto(_:_:)``.
    package static var temporary: Int32 { PathCalls.tmpfile }

    /// `O_PATH`: a place in the file system that cannot be read through.
    package static var pathOnly: Int32 { 0o10000000 }

    /// What the open file is.
    package borrowing func status() throws(SystemError) -> FileStatus {
        try PathCalls.status(rawValue, "", PathCalls.emptyPath)
    }

    /// What a name in this directory is; a symbolic link is not followed.
    package borrowing func status(of name: RawPath) throws(SystemError) -> FileStatus {
        try PathCalls.status(rawValue, name, AT_SYMLINK_NOFOLLOW)
    }

    /// Makes a directory; the umask narrows `mode`.
    package borrowing func makeDirectory(_ name: RawPath, mode: UInt32) throws(SystemError) {
        try PathCalls.makeDirectory(rawValue, name, mode)
    }

    /// Makes a named pipe; the umask narrows `mode`.
    package borrowing func makeFIFO(_ name: RawPath, mode: UInt32) throws(SystemError) {
        try PathCalls.makeFIFO(rawValue, name, mode)
    }

    /// Makes a symbolic link with that content.
    package borrowing func makeSymbolicLink(_ name: RawPath, target: RawPath) throws(SystemError) {
        try PathCalls.makeSymbolicLink(rawValue, name, target: target)
    }

    /// Removes a name; an empty directory when `isDirectory`.
    package borrowing func remove(_ name: RawPath, isDirectory: Bool = false) throws(SystemError) {
        try PathCalls.unlink(rawValue, name, isDirectory: isDirectory)
    }

    /// Renames from this directory into another.
    /// - Parameter flags: `RENAME_NOREPLACE` 1, `RENAME_EXCHANGE` 2.
    /// - SeeAlso: renameat2(2).
    package borrowing func rename(
        _ old: RawPath, to directory: borrowing Descriptor, _ new: RawPath, flags: UInt32 = 0
    ) throws(SystemError) {
        try PathCalls.rename(rawValue, old, directory.rawValue, new, flags)
    }

    /// Makes a second name, in another directory, for a name in this one; the last link is not followed.
    package borrowing func link(
        _ old: RawPath, to directory: borrowing Descriptor, _ new: RawPath
    ) throws(SystemError) {
        try PathCalls.link(rawValue, old, directory.rawValue, new, 0)
    }

    /// Gives this open file (of `O_TMPFILE`, or one with a name already) a name in a directory.
    /// - Throws: `EEXIST` when the name is taken.
    /// - SeeAlso: open(2), "O_TMPFILE"; proc(5), `/proc/self/fd`.
    package borrowing func linkInto(
        _ directory: borrowing Descriptor, _ name: RawPath
    ) throws(SystemError) {
        try PathCalls.link(
            AT_FDCWD, RawPath("/proc/self/fd/\(rawValue)"), directory.rawValue, name, AT_SYMLINK_FOLLOW)
    }

    /// Content of a symbolic link: at most 4095 bytes.
    package borrowing func readLink(_ name: RawPath) throws(SystemError) -> [UInt8] {
        try PathCalls.readLink(rawValue, name)
    }

    /// Changes the owner of a name, or, with an empty name, of the open file itself; links are not followed.
    package borrowing func changeOwner(of name: RawPath = "", uid: UInt32, gid: UInt32) throws(SystemError) {
        let flags = name.bytes.isEmpty ? PathCalls.emptyPath : AT_SYMLINK_NOFOLLOW
        try PathCalls.changeOwner(rawValue, name, uid, gid, flags)
    }

    /// Changes the permission bits of the open file; the umask does not count.
    package borrowing func changeMode(_ mode: UInt32) throws(SystemError) {
        guard fchmod(rawValue, mode & 0o7777) == 0 else { throw .last("fchmod") }
    }

    /// Sets the size; what is new reads as zeros and takes no room.
    package borrowing func truncate(to sizeBytes: Int64) throws(SystemError) {
        let number = rawValue
        _ = try Self.retrying("ftruncate") { Int(ftruncate(number, off_t(sizeBytes))) }
    }

    /// Reserves room on the device for a range, so that writing it cannot run out of space.
    /// - SeeAlso: posix_fallocate(3).
    package borrowing func allocate(from start: Int64, count: Int64) throws(SystemError) {
        while true {
            let status = posix_fallocate(rawValue, off_t(start), off_t(count))
            if status == 0 { return }
            if status != EINTR { throw SystemError(errno: status, operation: "posix_fallocate") }
        }
    }

    /// Room on the file system that the file is on.
    /// - SeeAlso: fstatvfs(3).
    package borrowing func fileSystemSpace() throws(SystemError) -> FileSystemSpace {
        var raw = statvfs()
        // SAFETY: fstatvfs fills the one structure it is given.
        guard unsafe fstatvfs(rawValue, &raw) == 0 else { throw .last("fstatvfs") }
        return FileSystemSpace(raw)
    }

    /// Takes the advisory lock on the open file without waiting; it goes with the last duplicate.
    /// - Returns: `false` when somebody else holds it.
    /// - SeeAlso: flock(2).
    package borrowing func lock(exclusive: Bool = true) throws(SystemError) -> Bool {
        while true {
            if flock(rawValue, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
            let failure = Glibc.errno
            if failure == EWOULDBLOCK { return false }
            if failure != EINTR { throw SystemError(errno: failure, operation: "flock") }
        }
    }

    /// Sets the times of last access and content change.
    /// - Parameter nanoseconds: Since 1970.
    package borrowing func setModified(_ nanoseconds: Int64) throws(SystemError) {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let time = timespec(
            tv_sec: Int(rest < 0 ? seconds - 1 : seconds),
            tv_nsec: Int(rest < 0 ? rest + 1_000_000_000 : rest))
        let times = [time, time]
        // SAFETY: futimens reads two structures from an array of two.
        guard unsafe futimens(rawValue, times) == 0 else { throw .last("futimens") }
    }
}
