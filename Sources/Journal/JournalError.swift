internal import LinuxSystem

/// Why the journal refused or could not do something.
public struct JournalError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// Another process writes to this data folder.
        case locked
        /// As many records wait as may wait.
        case queueFull = "queue_full"
        /// The disk does not take records now; the record is not known to be on it.
        case failing
        /// The journal was closed.
        case closed
        /// The record breaks the format: a reserved or repeated name, a bad time, too deep.
        case invalidRecord = "invalid_record"
        /// The record's line would be longer than the format allows.
        case tooLarge = "too_large"
        /// A file is not what the format says.
        case damaged
        /// The data folder is not there.
        case notFound = "not_found"
        /// A system call failed.
        case io
        /// The wait was given up; whether the record reaches the disk is not known.
        case timedOut = "timed_out"
        /// A cursor that this journal cannot have given out.
        case badCursor = "bad_cursor"
        /// As many subscribers are there as may be.
        case tooManySubscribers = "too_many_subscribers"
        /// A subscription was asked for its next record while it was waiting for one.
        case busy
    }

    /// The kind.
    public let code: Code
    /// What was attempted, such as `append` or `fdatasync`.
    public let operation: String
    /// What it was done to and what was found; bounded.
    public let detail: String
    /// The system's error number; 0 where no system call failed.
    public let errno: Int32

    init(_ code: Code, operation: String, detail: String = "", errno: Int32 = 0) {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.errno = errno
    }

    init(_ error: SystemError, _ code: Code = .io, _ detail: String = "") {
        self.init(
            code, operation: error.operation,
            detail: detail.isEmpty ? error.description : "\(detail): \(error.description)", errno: error.errno
        )
    }

    /// `code: operation: detail`.
    public var description: String {
        detail.isEmpty ? "\(code.rawValue): \(operation)" : "\(code.rawValue): \(operation): \(detail)"
    }
}
