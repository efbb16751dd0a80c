internal import LinuxSystem

/// Why a request had no usable response.
package struct HTTPClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault it is.
    package enum Code: String, Sendable {
        /// No connection could be made.
        case connect
        /// The deadline passed.
        case timeout
        /// The connection ended before the response did.
        case closed
        /// The response breaks the grammar, or the server speaks another protocol.
        case malformed
        /// The response is larger than was asked for.
        case tooLarge
        /// The asking task was cancelled.
        case cancelled
        /// As many connections are open as may be.
        case busy
        /// The request cannot be written: its target or method holds bytes that do not belong there.
        case badRequest
        /// A kept connection had been closed by the server before it saw the request. Never seen outside: the
        /// request is sent again.
        case stale
    }

    /// What kind of fault it is.
    package let code: Code
    /// What was being done: `connect`, `send`, `receive`.
    package let operation: String
    /// What the system or the reader said.
    package let detail: String
    /// The system's error number, or 0.
    package let errno: Int32

    init(_ code: Code, operation: String, detail: String = "", errno: Int32 = 0) {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.errno = errno
    }

    init(_ code: Code, _ error: SystemError) {
        self.init(code, operation: error.operation, detail: "\(error)", errno: error.errno)
    }

    init(_ rejection: HTTPRejection) {
        switch rejection.reason {
        case .truncated: self.init(.closed, operation: "receive", detail: rejection.detail)
        case .bodyTooLarge, .headersTooLarge:
            self.init(.tooLarge, operation: "receive", detail: rejection.detail)
        default: self.init(.malformed, operation: "receive", detail: rejection.detail)
        }
    }

    /// One line for people.
    package var description: String {
        detail.isEmpty ? "\(operation): \(code.rawValue)" : "\(operation): \(code.rawValue): \(detail)"
    }

    static let cancelled = HTTPClientError(.cancelled, operation: "wait")
    static let ended = HTTPClientError(.closed, operation: "send", detail: "the client has been shut down")
}
