internal import Glibc
internal import LinuxSystem

/// The error numbers that the journal tells apart or makes itself.
enum ErrorNumber {
    static let missing = ENOENT
    static let exists = EEXIST
    static let interrupted = EINTR
    static let io = EIO
    static let tooLong = EMSGSIZE
    static let noSpace = ENOSPC
}

extension SystemError {
    /// Whether the file is not there.
    var isMissing: Bool { errno == ErrorNumber.missing }
}
