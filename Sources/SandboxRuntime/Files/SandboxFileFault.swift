import Glibc
import LinuxSystem

/// What a failed system call on a sandbox's file means to the caller.
enum SandboxFileFault {
    /// Translates an error; the detail names the path in the sandbox, bounded and printable.
    static func error(_ failure: SystemError, _ operation: String, _ path: RawPath) -> RuntimeError {
        let (code, text) = meaning(failure.errno)
        let detail = text ?? SystemError.text(of: failure.errno)
        return RuntimeError(code, operation: operation, detail: "\(path): \(detail)", errno: failure.errno)
    }

    private static func meaning(_ number: Int32) -> (RuntimeError.Code, String?) {
        switch number {
        case ENOENT: (.notFound, "does not exist")
        case ENOTDIR: (.conflict, "a part of the path is not a folder")
        case EISDIR: (.conflict, "is a folder")
        case EEXIST: (.conflict, "exists already")
        case ENOTEMPTY: (.conflict, "the folder is not empty")
        case EBUSY: (.conflict, "is in use as a mount point")
        case ETXTBSY: (.conflict, "is a running program")
        case EAGAIN: (.conflict, "the path kept changing while it was followed")
        case EACCES, EPERM: (.denied, "the sandbox's user may not")
        case EROFS: (.denied, "is on a read-only file system")
        case ELOOP, EXDEV: (.denied, "leads out of the sandbox, through a link of the kernel, or in a circle")
        case ENAMETOOLONG: (.invalid, "the path or a name is too long")
        case ENOSPC, EDQUOT: (.exhausted, "the file system is full")
        case EFBIG: (.tooLarge, "is larger than a file may be here")
        case EMFILE, ENFILE, ENOMEM: (.exhausted, nil)
        default: (.failed, nil)
        }
    }
}
