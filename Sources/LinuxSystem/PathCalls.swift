internal import CLinuxShims
internal import Glibc

/// How openat2(2) may walk.
package struct ResolveFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// No mount may be crossed.
    package static let noXdev = ResolveFlags(rawValue: 0x01)
    /// `/proc`'s links to other processes' files are not followed.
    package static let noMagiclinks = ResolveFlags(rawValue: 0x02)
    /// No symbolic link is followed.
    package static let noSymlinks = ResolveFlags(rawValue: 0x04)
    /// Leaving the directory is an error (`EXDEV`).
    package static let beneath = ResolveFlags(rawValue: 0x08)
    /// The directory is the root of the walk: `/` and `..` stay inside.
    package static let inRoot = ResolveFlags(rawValue: 0x10)
}

/// The path system calls over raw directory numbers; one place for the pointers.
///
/// SAFETY, for every call here: the terminated path is read during the call and not kept.
enum PathCalls {
    static func open(
        _ directory: Int32, _ path: RawPath, _ flags: Int32, _ mode: UInt32, _ resolve: ResolveFlags
    ) throws(SystemError) -> Descriptor {
        // openat2(2) refuses a mode where nothing is created.
        let creates = flags & O_CREAT != 0 || flags & tmpfile == tmpfile
        for _ in 0..<64 {
            // SAFETY: here and below, `withTerminated` upholds that the name ends with a NUL byte and lives during the
            // call; the kernel keeps no pointer.
            let result = unsafe try path.withTerminated("openat2") { name in
                unsafe sw_openat2(
                    directory, name, UInt64(UInt32(bitPattern: flags)), creates ? UInt64(mode) : 0,
                    resolve.rawValue)
            }
            // EAGAIN: a rename raced with a walk that had to stay inside; the manual page says to try again.
            if result == -EINTR || result == -EAGAIN { continue }
            return Descriptor(owning: try SystemError.check(result, "openat2", "\(path)"))
        }
        throw SystemError(errno: EAGAIN, operation: "openat2", detail: "\(path)")
    }

    /// `O_TMPFILE`: its own bit and `O_DIRECTORY`, which differs between architectures.
    static var tmpfile: Int32 { 0o20000000 | O_DIRECTORY }

    /// `AT_EMPTY_PATH`: act on the descriptor itself.
    static var emptyPath: Int32 { 0x1000 }

    static func status(_ directory: Int32, _ path: RawPath, _ flags: Int32) throws(SystemError) -> FileStatus {
        var raw = sw_status()
        let result = unsafe try path.withTerminated("statx") { unsafe sw_statx(directory, $0, flags, &raw) }
        _ = try SystemError.check(result, "statx", "\(path)")
        return FileStatus(raw)
    }

    static func makeDirectory(_ directory: Int32, _ path: RawPath, _ mode: UInt32) throws(SystemError) {
        unsafe try one("mkdirat", path) { unsafe mkdirat(directory, $0, mode) }
    }

    static func makeFIFO(_ directory: Int32, _ path: RawPath, _ mode: UInt32) throws(SystemError) {
        unsafe try one("mkfifoat", path) { unsafe mkfifoat(directory, $0, mode) }
    }

    static func unlink(_ directory: Int32, _ path: RawPath, isDirectory: Bool) throws(SystemError) {
        unsafe try one("unlinkat", path) { unsafe unlinkat(directory, $0, isDirectory ? AT_REMOVEDIR : 0) }
    }

    static func changeOwner(
        _ directory: Int32, _ path: RawPath, _ uid: UInt32, _ gid: UInt32, _ flags: Int32
    ) throws(SystemError) {
        unsafe try one("fchownat", path) { unsafe fchownat(directory, $0, uid, gid, flags) }
    }

    static func rename(
        _ from: Int32, _ old: RawPath, _ to: Int32, _ new: RawPath, _ flags: UInt32
    ) throws(SystemError) {
        unsafe try two("renameat2", old, new) { unsafe sw_renameat2(from, $0, to, $1, flags) }
    }

    static func link(
        _ from: Int32, _ old: RawPath, _ to: Int32, _ new: RawPath, _ flags: Int32
    ) throws(SystemError) {
        unsafe try two("linkat", old, new) { unsafe failure(of: linkat(from, $0, to, $1, flags)) }
    }

    static func makeSymbolicLink(
        _ directory: Int32, _ path: RawPath, target: RawPath
    ) throws(SystemError) {
        unsafe try two("symlinkat", target, path) { unsafe failure(of: symlinkat($0, directory, $1)) }
    }

    static func readLink(_ directory: Int32, _ path: RawPath) throws(SystemError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe try path.withTerminated("readlinkat") { name in
            // readlinkat writes at most `count` bytes into a buffer of that size.
            unsafe buffer.withUnsafeMutableBufferPointer { place in
                guard let base = place.baseAddress else { return -EINVAL }
                return unsafe failure(of: Int32(clamping: readlinkat(directory, name, base, place.count)))
            }
        }
        let length = Int(try SystemError.check(count, "readlinkat", "\(path)"))
        guard length < buffer.count else {
            throw SystemError(errno: ENAMETOOLONG, operation: "readlinkat", detail: "\(path)")
        }
        return buffer.prefix(length).map { UInt8(bitPattern: $0) }
    }

    /// A call's answer, or `-errno`, taken before anything else can run.
    private static func failure(of result: Int32) -> Int32 {
        result < 0 ? -Glibc.errno : result
    }

    private static func one(
        _ operation: String, _ path: RawPath, _ call: (UnsafePointer<CChar>) -> Int32
    ) throws(SystemError) {
        let result = unsafe try path.withTerminated(operation) { unsafe failure(of: call($0)) }
        _ = try SystemError.check(result, operation, "\(path)")
    }

    /// `call` answers with `-errno`.
    private static func two(
        _ operation: String, _ first: RawPath, _ second: RawPath,
        _ call: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
    ) throws(SystemError) {
        let result = unsafe try first.withTerminated(operation) { firstName in
            do throws(SystemError) {
                return unsafe try second.withTerminated(operation) { unsafe call(firstName, $0) }
            } catch {
                return -error.errno
            }
        }
        _ = try SystemError.check(result, operation, "\(first), \(second)")
    }
}
