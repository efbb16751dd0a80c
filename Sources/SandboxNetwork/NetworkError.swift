package import LinuxSystem

/// Why the network of a sandbox could not be set, read or removed.
package struct NetworkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart.
    package enum Code: String, Sendable, Hashable {
        /// The configuration or the policy holds something that is no address, block or port.
        case invalid
        /// A program that is needed (`ip`, `nft`) is missing or cannot be run.
        case unavailable
        /// The host cannot do this at all.
        case unsupported
        /// No address, or no place in a queue, is left.
        case exhausted
        /// A name or an address is taken already.
        case conflict
        /// The sandbox's namespace is gone.
        case gone
        case timedOut
        /// Anything else: a program or a system call failed.
        case failed
    }

    package var code: Code
    /// What was attempted, such as `nft` or `allocate`.
    package var operation: String
    /// What was found; bounded and printable.
    package var detail: String

    /// A failure of an operation; `detail` is cut after 512 bytes.
    package init(_ code: Code, operation: String, detail: String) {
        self.code = code
        self.operation = operation
        self.detail = ForeignText.printable(detail.utf8, limit: 512)
    }

    /// A failed system call.
    package init(_ error: SystemError, operation: String) {
        self.init(.failed, operation: operation, detail: error.description)
    }

    package var description: String { "\(operation): \(detail)" }
}
