/// What a handler answers.
///
/// `Date`, `Connection`, `Content-Length` and `Transfer-Encoding` are the server's: fields of these names are
/// left out.
public struct HTTPResponse: Sendable {
    /// The status.
    public var status: HTTPStatus
    /// Header fields.
    public var headers: HTTPHeaders
    /// The body. Nothing of it is sent for HEAD, 204 and 304.
    public var body: HTTPResponseBody

    /// A response.
    public init(_ status: HTTPStatus = .ok, headers: HTTPHeaders = [:], body: HTTPResponseBody = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A response with a body of this media type.
    public init(_ status: HTTPStatus = .ok, contentType: String, _ bytes: [UInt8]) {
        self.init(status, headers: ["Content-Type": contentType], body: .bytes(bytes))
    }

    /// A response whose body is a text.
    public init(_ status: HTTPStatus = .ok, text: String, contentType: String = "text/plain; charset=utf-8") {
        self.init(status, contentType: contentType, Array(text.utf8))
    }
}

/// The body of a response.
public enum HTTPResponseBody: Sendable {
    /// All of it.
    case bytes([UInt8])
    /// Produced while it is sent.
    case stream(HTTPBodyStream)
}

/// A body that a task produces while it is sent, with back-pressure.
///
/// It is sent in chunks to an HTTP/1.1 client, and until the connection closes to an HTTP/1.0 client.
public struct HTTPBodyStream: Sendable {
    /// Writes the whole body and returns; throwing breaks the connection, so that the client can see that the
    /// body is not complete. Its task is cancelled when the client is gone.
    let produce: @Sendable (HTTPBodyWriter) async throws -> Void

    /// A stream.
    /// - Parameter produce: Writes the body. It is not called for a HEAD request, nor when the client has
    ///   gone.
    public init(_ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void) {
        self.produce = produce
    }
}

/// Why bytes could not be written to a stream.
public enum HTTPStreamError: Error, Sendable, Hashable {
    /// The other side is gone, or the server stops.
    case closed
    /// The writing task was cancelled.
    case cancelled
}

/// Where a streamed body is written to.
public struct HTTPBodyWriter: Sendable {
    let outbox: ByteOutbox

    /// Hands bytes over for sending, and waits while more than the server's bound are waiting to be sent.
    ///
    /// Empty bytes are allowed and do nothing. One task writes at a time.
    /// - Throws: ``HTTPStreamError`` `closed` once the client is gone.
    public func write(_ bytes: [UInt8]) async throws(HTTPStreamError) {
        try await outbox.write(bytes)
    }

    /// Sets the fields that follow the body; they are sent to HTTP/1.1 clients, when the body is complete.
    public func setTrailers(_ trailers: HTTPHeaders) {
        outbox.setTrailers(trailers)
    }

    /// Hands text over for sending; see ``write(_:)-([UInt8])``.
    public func write(_ text: String) async throws(HTTPStreamError) {
        try await outbox.write(Array(text.utf8))
    }
}
