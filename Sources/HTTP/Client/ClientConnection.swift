internal import LinuxSystem

/// One connection of a client's loop. Only the loop's thread touches it.
final class ClientConnection {
    let socket: SharedDescriptor
    let token: UInt64
    /// The exchange that is being served; `nil` while the connection is kept for the next one.
    var exchange: ClientExchange?
    var reader = ResponseReader(method: .get)
    /// Bytes that have been received and not yet read.
    var input: [UInt8] = []
    var output = OutputBuffer()
    /// What is waited for; `nil` while the socket is not in the loop's set.
    var interest: Interest?
    /// Whether the connection carries raw bytes.
    var isRaw = false
    /// Whether the reader of the body has enough for now.
    var isPaused = false
    /// Whether the other side has said that it sends no more.
    var hasPeerClosed = false
    /// Whether we have said so.
    var hasFinishedWriting = false
    /// Whether this exchange is not the connection's first.
    var isReused = false
    /// Whether anything has come for the present exchange.
    var hasReceived = false
    var isClosed = false
    var deadline: MonotonicInstant

    init(socket: SharedDescriptor, token: UInt64, deadline: MonotonicInstant) {
        self.socket = socket
        self.token = token
        self.deadline = deadline
    }
}
