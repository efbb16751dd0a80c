/// A whole response.
package struct HTTPClientResponse: Sendable {
    /// The status.
    package let status: HTTPStatus
    /// All header fields.
    package let headers: HTTPHeaders
    /// The body without its framing; not decompressed, since nothing else was asked for.
    package let body: [UInt8]
}

/// A response whose body is read while it arrives.
///
/// Iterate it once, from one task; each element is one or more bytes, and bytes that nobody takes make the
/// server wait. Letting go of the stream, or cancelling it, closes the connection.
package final class HTTPClientStream: Sendable, AsyncSequence {
    /// Some bytes of the body.
    package typealias Element = [UInt8]
    /// Why the body is not complete.
    package typealias Failure = HTTPClientError

    /// The status.
    package let status: HTTPStatus
    /// All header fields.
    package let headers: HTTPHeaders
    private let exchange: ClientExchange
    /// A client that is let go ends its connections.
    private let client: HTTPClient

    init(_ head: HTTPResponseHead, _ exchange: ClientExchange, _ client: HTTPClient) {
        status = head.status
        headers = head.headers
        self.exchange = exchange
        self.client = client
    }

    deinit {
        exchange.abandon()
    }

    /// Waits for the next bytes of the body.
    /// - Returns: At least one byte, or `nil` at the end of a complete body.
    /// - Throws: `closed` or `malformed` when the body breaks off, `cancelled`.
    package func next() async throws(HTTPClientError) -> [UInt8]? {
        try await exchange.inbox.next(cancelled: .cancelled)
    }

    /// Gives up the rest of the body.
    package func cancel() {
        exchange.abandon()
    }

    /// Goes through the body.
    package func makeAsyncIterator() -> Iterator {
        Iterator(stream: self)
    }

    /// A place in a body.
    package struct Iterator: AsyncIteratorProtocol {
        let stream: HTTPClientStream

        /// See ``HTTPClientStream/next()``.
        package mutating func next() async throws(HTTPClientError) -> [UInt8]? {
            try await stream.next()
        }

        /// See ``HTTPClientStream/next()``.
        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(HTTPClientError) -> [UInt8]? {
            try await stream.next()
        }
    }
}

/// What a server made of a request to turn the connection into a raw stream.
package enum HTTPUpgrade: Sendable {
    /// It agreed.
    case connection(HTTPRawConnection)
    /// It answered something else.
    case refused(HTTPClientResponse)
}

/// A connection that carries raw bytes in both directions, after a server has agreed to it.
///
/// One task may read while another writes. Letting go of it closes it.
package final class HTTPRawConnection: Sendable {
    /// 101, or 200 from servers that switch without saying so.
    package let status: HTTPStatus
    /// The header fields of the agreement.
    package let headers: HTTPHeaders
    private let exchange: ClientExchange
    /// A client that is let go ends its connections.
    private let client: HTTPClient

    init(_ head: HTTPResponseHead, _ exchange: ClientExchange, _ client: HTTPClient) {
        status = head.status
        headers = head.headers
        self.exchange = exchange
        self.client = client
    }

    deinit {
        exchange.abandon()
    }

    /// Waits for bytes from the other side.
    /// - Returns: At least one byte, or `nil` when the other side has said that it sends no more.
    /// - Throws: `closed` when the connection broke, `cancelled`.
    package func read() async throws(HTTPClientError) -> [UInt8]? {
        try await exchange.inbox.next(cancelled: .cancelled)
    }

    /// Hands bytes over for sending, and waits while too many wait to be sent.
    /// - Throws: `closed` when the other side is gone or ``finishWriting()`` was called, `cancelled`.
    package func write(_ bytes: [UInt8]) async throws(HTTPClientError) {
        do throws(HTTPStreamError) {
            try await exchange.outbox.write(bytes)
        } catch {
            throw error == .cancelled ? .cancelled : HTTPClientError(.closed, operation: "send")
        }
    }

    /// Says, after everything that was written, that no more follows; reading goes on.
    package func finishWriting() {
        exchange.outbox.finish()
    }

    /// Ends the connection in both directions at once.
    package func close() {
        exchange.abandon()
    }
}
