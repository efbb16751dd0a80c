internal import LinuxSystem
internal import Synchronization

/// Tokens of connections that are kept for further requests, the latest last.
final class IdlePool: Sendable {
    private let tokens = Mutex<[UInt64]>([])

    /// Takes the connection that was used last.
    func take() -> UInt64? { tokens.withLock { $0.popLast() } }

    /// Keeps a connection, if there are not enough already.
    func keep(_ token: UInt64, limit: Int) -> Bool {
        tokens.withLock { tokens in
            guard tokens.count < limit else { return false }
            tokens.append(token)
            return true
        }
    }

    /// Forgets a connection.
    func forget(_ token: UInt64) {
        tokens.withLock { tokens in tokens.removeAll { $0 == token } }
    }
}

/// The loop of one client: its connections and what they are doing.
///
/// Connections are made elsewhere, since that may block, and adopted here.
struct ClientLoop: ~Copyable, EventHandler {
    let configuration: HTTPClientConfiguration
    let pool: IdlePool
    let connections: Countdown
    var table = ConnectionTable<ClientConnection>()
    var scratch = [UInt8](repeating: 0, count: 65_536)

    init(configuration: HTTPClientConfiguration, pool: IdlePool, connections: Countdown) {
        self.configuration = configuration
        self.pool = pool
        self.connections = connections
    }

    /// Takes over a fresh connection for an exchange.
    mutating func adopt(
        _ socket: SharedDescriptor, for exchange: ClientExchange, in context: inout EventContext
    ) {
        let connection = ClientConnection(
            socket: socket, token: table.reserve(), deadline: exchange.deadline)
        table[connection.token] = connection
        start(connection, exchange, in: &context)
    }

    /// Serves an exchange on a kept connection.
    mutating func reuse(_ token: UInt64, for exchange: ClientExchange, in context: inout EventContext) {
        guard let connection = table[token], connection.exchange == nil else {
            exchange.fail(HTTPClientError(.stale, operation: "send"))
            return
        }
        connection.isReused = true
        start(connection, exchange, in: &context)
    }

    private mutating func start(
        _ connection: ClientConnection, _ exchange: ClientExchange, in context: inout EventContext
    ) {
        exchange.token = connection.token
        connection.exchange = exchange
        connection.reader = ResponseReader(method: exchange.method, limits: exchange.limits)
        connection.hasReceived = false
        connection.deadline = exchange.deadline
        connection.output.append(body: exchange.request)
        pump(connection, in: &context)
    }

    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext) {
        guard let connection = table[token] else { return }
        if connection.isPaused || connection.hasPeerClosed {
            // The other side is gone; what it sent is still in the socket and is read when there is room.
            if events.isBroken { connection.output.discard() }
        } else if events.isReadable || events.isBroken {
            receive(connection, in: &context)
        }
        pump(connection, in: &context)
    }

    mutating func expired(_ token: UInt64, in context: inout EventContext) {
        guard let connection = table.takeTimer(token, now: context.now) else { return }
        if connection.deadline <= context.now {
            fail(connection, HTTPClientError(.timeout, operation: "receive"))
        } else {
            updateTimer(connection, in: &context)
        }
    }

    mutating func stopped(in context: inout EventContext) {
        for connection in table.all { fail(connection, .ended) }
    }

    /// The reader of a body has made room.
    mutating func resume(_ exchange: ClientExchange?, in context: inout EventContext) {
        guard let connection = connection(of: exchange), connection.isPaused else { return }
        connection.isPaused = false
        readOn(connection, now: context.now)
        pump(connection, in: &context)
    }

    /// Something has been written to a raw connection.
    mutating func outputIsReady(_ exchange: ClientExchange?, in context: inout EventContext) {
        guard let connection = connection(of: exchange) else { return }
        pump(connection, in: &context)
    }

    /// Nobody wants the exchange's result any more.
    mutating func abandon(_ exchange: ClientExchange, in context: inout EventContext) {
        guard let connection = connection(of: exchange) else { return }
        fail(connection, .cancelled)
    }

    private func connection(of exchange: ClientExchange?) -> ClientConnection? {
        guard let exchange, let connection = table[exchange.token], connection.exchange === exchange else {
            return nil
        }
        return connection
    }

    /// Ends a connection, and its exchange with this error.
    mutating func fail(_ connection: ClientConnection, _ error: HTTPClientError) {
        guard !connection.isClosed else { return }
        connection.isClosed = true
        // A request that a server never saw, on a connection that it had given up, is sent again.
        let isStale = error.code == .closed && connection.isReused && !connection.hasReceived
        connection.exchange?.fail(isStale ? HTTPClientError(.stale, operation: "send") : error)
        connection.exchange = nil
        pool.forget(connection.token)
        table.remove(connection.token)
        connections.leave()
    }
}
