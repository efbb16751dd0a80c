package import LinuxSystem

/// A client for one server at a fixed address: a container engine behind its unix socket, for the most part.
///
/// All connections are driven by one loop on a thread of its own; only making a connection may block, and
/// does so on a queue for blocking calls. The cooperative pool never waits for the server.
///
/// Requests whose repetition does no harm may go over a connection that was used before, the others get a
/// fresh one: a server may close a kept connection at any moment, and then it would not be known whether it
/// had acted. Redirects, cookies, compression and proxies are not handled.
package final class HTTPClient: Sendable {
    /// Where the server is.
    package let address: SocketAddress
    private let configuration: HTTPClientConfiguration
    private let loop: EventLoop<ClientLoop>
    private let pool = IdlePool()
    private let connections = Countdown()
    private let connecting: BlockingQueue

    /// A client. No connection is made before the first request.
    /// - Throws: what the system says when it refuses a loop.
    package init(
        address: SocketAddress, configuration: HTTPClientConfiguration = HTTPClientConfiguration()
    ) throws(HTTPClientError) {
        self.address = address
        self.configuration = configuration
        connecting = BlockingQueue(
            label: "sandwarden.http.connect", width: 4, waitingLimit: configuration.maxConnections)
        let pool = self.pool
        let connections = self.connections
        do throws(SystemError) {
            loop = try EventLoop(
                label: "sandwarden.http.client", postLimit: 8 * configuration.maxConnections + 1024
            ) { _ in
                ClientLoop(configuration: configuration, pool: pool, connections: connections)
            }
        } catch {
            throw HTTPClientError(.connect, error)
        }
    }

    deinit {
        loop.stop()
    }

    /// Connections that are open now, kept ones included.
    package var connectionCount: Int { connections.count }

    /// Sends a request and waits for the whole response.
    ///
    /// - Parameters:
    ///   - target: Path and query, percent-encoded.
    ///   - timeout: For everything, from making the connection to the last byte.
    ///   - limit: Most bytes of the response's body.
    /// - Throws: ``HTTPClientError``; a response of any status is no error.
    package func request(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(30), limit: Int = 8 << 20
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        let request = try encode(method, target, headers, body)
        let deadline = MonotonicInstant.now().advanced(by: timeout)
        let (opening, exchange) = try await open(method, request, .whole, limit, deadline)
        switch opening {
        case .response(let head), .raw(let head): return try await collect(head, exchange)
        }
    }

    /// Sends a request and waits for the head of the response.
    /// - Parameter timeout: Until the head has come; after that the reader decides how long to wait.
    package func stream(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(30)
    ) async throws(HTTPClientError) -> HTTPClientStream {
        let request = try encode(method, target, headers, body)
        let deadline = MonotonicInstant.now().advanced(by: timeout)
        let (opening, exchange) = try await open(method, request, .stream, .max / 4, deadline)
        switch opening {
        case .response(let head), .raw(let head): return HTTPClientStream(head, exchange, self)
        }
    }

    /// Sends a request that asks for a raw connection, and waits for the server's decision.
    ///
    /// - Parameters:
    ///   - headers: Should have `Connection: Upgrade` and `Upgrade`, unless the server switches without.
    ///   - timeout: Until the decision, and for the body of a refusal.
    ///   - limit: Most bytes of a refusal's body.
    /// - Returns: The connection after 101, or after 2xx with a body of no known length; else the response.
    package func upgrade(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: [UInt8] = [],
        timeout: Duration = .seconds(30), limit: Int = 1 << 20
    ) async throws(HTTPClientError) -> HTTPUpgrade {
        let request = try encode(method, target, headers, body)
        let deadline = MonotonicInstant.now().advanced(by: timeout)
        let (opening, exchange) = try await open(method, request, .upgrade, limit, deadline)
        switch opening {
        case .raw(let head): return .connection(HTTPRawConnection(head, exchange, self))
        case .response(let head): return .refused(try await collect(head, exchange))
        }
    }

    /// Ends all connections and waits for the loop. Requests on the way fail with `closed`.
    package func shutdown() async {
        loop.stop()
        do throws(SystemError) {
            try await loop.ended()
        } catch {
            // A loop that failed has ended its connections, which is all that is wanted of it now.
        }
    }

    private func encode(
        _ method: HTTPMethod, _ target: String, _ headers: HTTPHeaders, _ body: [UInt8]
    ) throws(HTTPClientError) -> [UInt8] {
        var bytes: [UInt8] = []
        let isWritten = RequestEncoder.append(
            method: method, target: target, host: configuration.host, headers: headers, body: body, to: &bytes
        )
        guard isWritten else { throw HTTPClientError(.badRequest, operation: "send") }
        return bytes
    }

    private func open(
        _ method: HTTPMethod, _ request: [UInt8], _ mode: ClientExchange.Mode, _ limit: Int,
        _ deadline: MonotonicInstant
    ) async throws(HTTPClientError) -> (ClientExchange.Opening, ClientExchange) {
        let isRepeatable = [.get, .head, .put, .delete, .options].contains(method) && mode != .upgrade
        while true {
            guard !Task.isCancelled else { throw .cancelled }
            let exchange = makeExchange(method, request, mode, limit, deadline)
            let isKept = isRepeatable ? try reuse(exchange) : false
            if !isKept { try await connect(exchange) }
            do throws(HTTPClientError) {
                return (try await exchange.opening(), exchange)
            } catch  where error.code == .stale {
                // Each time round uses up a kept connection; in the end a fresh one is made.
                continue
            }
        }
    }

    private func makeExchange(
        _ method: HTTPMethod, _ request: [UInt8], _ mode: ClientExchange.Mode, _ limit: Int,
        _ deadline: MonotonicInstant
    ) -> ClientExchange {
        var limits = configuration.limits
        limits.bodyBytes = limit
        let loop = self.loop
        return ClientExchange(
            method: method, request: request, mode: mode, limits: limits, deadline: deadline,
            bufferBytes: configuration.streamBufferBytes, post: { loop.post($0) })
    }

    /// Hands the exchange to a kept connection, if there is one.
    private func reuse(_ exchange: ClientExchange) throws(HTTPClientError) -> Bool {
        guard let token = pool.take() else { return false }
        guard loop.post({ loop, context in loop.reuse(token, for: exchange, in: &context) }) else {
            throw .ended
        }
        return true
    }

    private func connect(_ exchange: ClientExchange) async throws(HTTPClientError) {
        guard connections.enter(limit: configuration.maxConnections) else {
            throw HTTPClientError(
                .busy, operation: "connect", detail: "\(configuration.maxConnections) connections are open")
        }
        let left = MonotonicInstant.now().duration(to: exchange.deadline)
        let limit = min(configuration.connectTimeout, max(left, .zero))
        let address = self.address
        let socket: SharedDescriptor
        do throws(SystemError) {
            socket = try await Blocking.run(on: connecting) { () throws(SystemError) in
                SharedDescriptor(try Socket.connect(to: address, deadline: limit))
            }
        } catch {
            connections.leave()
            throw HTTPClientError(.connect, error)
        }
        guard loop.post({ loop, context in loop.adopt(socket, for: exchange, in: &context) }) else {
            connections.leave()
            throw .ended
        }
    }

    private func collect(
        _ head: HTTPResponseHead, _ exchange: ClientExchange
    ) async throws(HTTPClientError) -> HTTPClientResponse {
        var body: [UInt8] = []
        do throws(HTTPClientError) {
            while let bytes = try await exchange.inbox.next(cancelled: .cancelled) { body += bytes }
        } catch {
            exchange.abandon()
            throw error
        }
        return HTTPClientResponse(status: head.status, headers: head.headers, body: body)
    }
}
