internal import LinuxSystem

/// Why a server could not start.
public struct HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    public enum Code: String, Sendable {
        /// A listener's text is no address.
        case badAddress
        /// Somebody else listens there.
        case addressInUse
        /// The system refused.
        case system
    }

    /// What kind of fault it is.
    public let code: Code
    /// What was attempted.
    public let operation: String
    /// On what, and what the system said.
    public let detail: String
    /// The system's error number, or 0.
    public let errno: Int32

    init(_ code: Code, operation: String, detail: String, errno: Int32 = 0) {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.errno = errno
    }

    /// EADDRINUSE has a code of its own: it is what an operator meets.
    init(_ error: SystemError, listener: String) {
        let isInUse = error.errno == ErrorNumber.addressInUse
        self.init(
            isInUse ? .addressInUse : .system, operation: error.operation, detail: "\(listener): \(error)",
            errno: error.errno)
    }

    /// One line for people.
    public var description: String { "\(operation): \(detail)" }
}
