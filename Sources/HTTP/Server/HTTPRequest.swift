/// Who is at the other end of a connection.
public enum HTTPPeer: Sendable, Hashable {
    /// A TCP client.
    /// - Parameters:
    ///   - address: IPv4 or IPv6 text, without port.
    ///   - isLoopback: Whether the client is on this machine.
    case tcp(address: String, isLoopback: Bool)
    /// A process that connected to a unix socket, as it was when it connected.
    /// - Parameter pid: 0 when the process is outside our pid namespace; it may have been reused since.
    case unix(uid: UInt32, gid: UInt32, pid: Int32)
}

/// A complete request.
public struct HTTPRequest: Sendable {
    /// Request line and header fields.
    public let head: HTTPRequestHead
    /// The body without its framing; decompressed if it came as gzip.
    public let body: [UInt8]
    /// Fields that followed a chunked body.
    public let trailers: HTTPHeaders
    /// Who sent it.
    public let peer: HTTPPeer
    /// The listener that it came in by: `127.0.0.1:8722`, `unix:/path`, with the real port.
    public let listener: String
    private let number: UInt64

    init(
        head: HTTPRequestHead, body: [UInt8], trailers: HTTPHeaders, peer: HTTPPeer, listener: String,
        number: UInt64
    ) {
        self.head = head
        self.body = body
        self.trailers = trailers
        self.peer = peer
        self.listener = listener
        self.number = number
    }

    /// A name of this request for logs: 16 hexadecimal digits, different for each request of a server.
    public var requestID: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The method.
    public var method: HTTPMethod { head.method }

    /// All header fields.
    public var headers: HTTPHeaders { head.headers }

    /// The decoded segments of the path; see ``HTTPRequestHead/path``.
    public var path: [String] { head.path }

    /// The decoded parameters of the query, in order; see ``HTTPRequestHead/query``.
    public var query: [HTTPQueryParameter] { head.query }

    /// Makes a request from parts, for tests of handlers: what a reader would have made of it.
    /// - Returns: `nil` when the parts do not make a well-formed request.
    package static func made(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        peer: HTTPPeer = .tcp(address: "127.0.0.1", isLoopback: true), listener: String = "127.0.0.1:8722"
    ) -> HTTPRequest? {
        var bytes: [UInt8] = []
        guard
            RequestEncoder.append(
                method: method, target: target, host: listener, headers: headers, body: [], to: &bytes)
        else { return nil }
        var reader = RequestReader()
        guard case .head(bytes.count) = reader.advance(over: bytes.span) else { return nil }
        return HTTPRequest(
            head: reader.head, body: body, trailers: [:], peer: peer, listener: listener, number: 1)
    }
}
