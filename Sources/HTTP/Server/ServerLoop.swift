internal import LinuxSystem
internal import Metrics

/// One loop of a server: its listeners, its connections, and the buffers that they share.
///
/// Everything here happens on the loop's thread. The other files of the same name hold accepting, input,
/// output and timing.
struct ServerLoop: ~Copyable, EventHandler {
    let shared: ServerShared
    /// Position among the server's loops.
    let index: Int
    var listeners: [ServerListener] = []
    var table = ConnectionTable<ServerConnection>()
    /// Where bytes are received; most are read from here and never copied.
    var scratch = [UInt8](repeating: 0, count: 65_536)
    /// An empty buffer with memory, lent to the connection that is being served.
    var spare = OutputBuffer()
    var date = DateCache()
    var isDraining = false
    /// Given up to be able to accept, and turn away, when there is no other descriptor left.
    var reserve: Descriptor?
    /// Connections that were turned away and are being read until the client has seen why.
    var turnedAway = 0

    /// Tokens from here on belong to listeners.
    static var listenerToken: UInt64 { 1 << 62 }
    /// The timer after which listeners are waited for again.
    static var acceptTimer: UInt64 { .max }

    init(shared: ServerShared, index: Int) {
        self.shared = shared
        self.index = index
    }

    var configuration: HTTPServerConfiguration { shared.configuration }

    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext) {
        if token >= Self.listenerToken {
            accept(Int(truncatingIfNeeded: token - Self.listenerToken), in: &context)
            return
        }
        guard let connection = table[token] else { return }
        if events.isBroken {
            close(connection)
            return
        }
        if events.isReadable { receive(connection, in: &context) }
        if !connection.isClosed { pump(connection, in: &context) }
    }

    mutating func expired(_ token: UInt64, in context: inout EventContext) {
        if token == Self.acceptTimer {
            waitForConnections(true, in: &context)
            return
        }
        guard let connection = table.takeTimer(token, now: context.now) else { return }
        if connection.deadline(configuration.timeouts) <= context.now {
            timeOut(connection, now: context.now)
        }
        if !connection.isClosed { pump(connection, in: &context) }
    }

    mutating func stopped(in context: inout EventContext) {
        listeners = []
        closeAll()
    }

    /// Ends a connection at once, and what is being done for it.
    mutating func close(_ connection: ServerConnection) {
        guard !connection.isClosed else { return }
        connection.isClosed = true
        connection.exchange?.task?.cancel()
        connection.exchange?.outbox?.close()
        connection.exchange = nil
        connection.output.discard()
        releaseBody(of: connection)
        table.remove(connection.token)
        guard connection.isAdmitted else {
            turnedAway -= 1
            return
        }
        shared.admission.leave(connection.client)
        shared.metrics.connections.decrement()
        shared.connections.leave()
    }

    /// Counts the present request's body out.
    func releaseBody(of connection: ServerConnection) {
        guard connection.reservedBody > 0 else { return }
        shared.releaseBody(connection.reservedBody)
        connection.reservedBody = 0
    }

    /// Stops listening, and closes every connection as soon as its present request has been answered.
    mutating func drain(in context: inout EventContext) {
        isDraining = true
        listeners = []
        for connection in table.all {
            let isUnused = connection.phase == .head && connection.input.isEmpty
            guard isUnused || connection.phase == .idle else { continue }
            connection.closesAfterOutput = true
            pump(connection, in: &context)
        }
    }

    /// Closes every connection now.
    mutating func closeAll() {
        for connection in table.all { close(connection) }
    }
}

/// A socket that connections come from.
struct ServerListener: Sendable {
    let socket: SharedDescriptor
    /// The address as text, with the real port.
    let name: String
    let isUnix: Bool
}
