/// Why something could not be done to a sandbox.
package struct RuntimeError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart.
    package enum Code: String, Sendable, Hashable {
        /// The container, image, program or file does not exist.
        case notFound
        /// The present state does not allow it.
        case conflict
        /// The engine or a program that is needed cannot be reached.
        case unavailable
        /// The request itself is wrong.
        case invalid
        /// The host or the engine cannot do this at all.
        case unsupported
        /// A control of the policy cannot be applied, or was found different.
        case refused
        case timedOut
        case tooLarge
        case denied
        /// A bound (waiting jobs, identifiers, loop devices) is reached.
        case exhausted
        /// Anything else: an unexpected answer, a failed system call.
        case failed
    }

    package var code: Code
    /// What was attempted, such as `start` or `mount workspace`.
    package var operation: String
    /// What was found; bounded, never secrets or whole commands.
    package var detail: String
    /// The system's number where a system call failed.
    package var errno: Int32?

    /// A failure of an operation.
    package init(_ code: Code, operation: String, detail: String, errno: Int32? = nil) {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.errno = errno
    }

    package var description: String { "\(operation): \(detail)" }
}
