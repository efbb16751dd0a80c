/// The status line and the header fields of a response that has been found well formed.
package struct HTTPResponseHead: Sendable {
    /// The status.
    package internal(set) var status = HTTPStatus.ok
    /// All header fields, in order.
    package internal(set) var headers = HTTPHeaders()
    /// 0 for HTTP/1.0, else 1.
    package internal(set) var minorVersion = 1
    /// How the body is framed.
    var framing = Framing.none
    /// Whether the connection may be used for another request.
    var keepsAlive = true

    /// How the end of a body is found.
    enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
        /// The body ends with the connection.
        case untilClose
        /// There is no HTTP after this head: the bytes that follow are the new protocol's.
        case upgrade
    }

    init() {}

    /// Number of bytes of the body, if it was announced.
    package var contentLength: Int? {
        if case .length(let count) = framing { return count }
        return nil
    }
}
