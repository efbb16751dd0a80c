/// How a server listens and what it bears.
public struct HTTPServerConfiguration: Sendable {
    /// Addresses to listen on: `127.0.0.1:8722`, `[::1]:80`, `unix:/path`. Port 0 lets the kernel choose.
    public var listeners: [String]
    /// Permission bits of unix sockets.
    public var unixMode: UInt32 = 0o600
    /// Threads that serve; 0 means one for each processor.
    public var loops = 0
    /// Sizes of messages. ``HTTPHandler/bodyLimit(for:)`` decides about bodies.
    public var limits = HTTPLimits()
    /// Waits.
    public var timeouts = HTTPTimeouts()
    /// Connections at the same time; one more is answered with 503.
    public var maxConnections = 10_000
    /// Connections of one TCP address at the same time; one more is answered with 429.
    public var maxConnectionsPerClient = 2000
    /// Requests that are answered later, at the same time; one more is answered with 503. A streamed reply
    /// counts until it ends.
    public var maxPendingRequests = 1000
    /// Bytes of request bodies that may be in memory at the same time, over all connections; a request that
    /// would go beyond is answered with 503.
    public var maxBodyBytesInMemory = 512 << 20
    /// Bytes of a streamed reply that may wait before its producer has to wait.
    public var streamBufferBytes = 256 * 1024
    /// Bytes of replies that may wait on one connection before further pipelined requests are left unread.
    public var outputBufferBytes = 256 * 1024
    /// Text of at least this many bytes is compressed for clients that take gzip.
    public var gzipMinimumBytes = 1024
    /// What `Retry-After` says in refusals for overload, in seconds.
    public var retryAfterSeconds = 1

    /// The usual settings.
    public init(listeners: [String]) {
        self.listeners = listeners
    }
}

/// How long a server waits for a client.
public struct HTTPTimeouts: Sendable {
    /// From the first byte of a request, or the beginning of a connection, to the end of the head; then 408.
    public var header = Duration.seconds(10)
    /// From the end of the head to the end of the body; then 408.
    public var body = Duration.seconds(300)
    /// Between two requests of a connection; then it is closed.
    public var idle = Duration.seconds(60)
    /// How long the sending of a body, or the taking of a reply, may go slower than
    /// ``minimumBytesPerSecond``.
    public var grace = Duration.seconds(10)
    /// Slowest average rate of a body or of a reply that is ready, after the grace.
    public var minimumBytesPerSecond = 500
    /// How long a connection that is being closed is still read, so that the client sees the last reply.
    public var linger = Duration.seconds(2)

    /// The usual times.
    public init() {}
}
