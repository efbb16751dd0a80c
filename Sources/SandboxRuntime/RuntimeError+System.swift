package import LinuxSystem

extension RuntimeError {
    /// A failed system call as the outcome of an operation.
    ///
    /// `ENOENT` and `ESRCH` become `notFound`, `EAGAIN` of a full queue and `ENOSPC` become `exhausted`, a
    /// passed deadline `timedOut`, missing rights `denied`, a call that the kernel lacks `unsupported`;
    /// anything else `failed`.
    /// - Parameters:
    ///   - operation: What was attempted, in this module's words.
    ///   - code: The code to use instead of the one that the number suggests.
    package init(_ error: SystemError, operation: String, code: Code? = nil) {
        self.init(
            code ?? Code(errno: error.errno), operation: operation, detail: error.description,
            errno: error.errno)
    }
}

extension RuntimeError.Code {
    /// The kind of failure that an error number stands for.
    init(errno: Int32) {
        switch errno {
        case 2, 3: self = .notFound
        case 1, 13: self = .denied
        case 11, 12, 23, 24, 28: self = .exhausted
        case 38, 95: self = .unsupported
        case 110: self = .timedOut
        default: self = .failed
        }
    }
}
