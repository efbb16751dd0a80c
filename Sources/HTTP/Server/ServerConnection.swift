internal import LinuxSystem

/// One connection of a server's loop. Only the loop's thread touches it.
final class ServerConnection {
    /// What the connection waits for.
    enum Phase {
        /// A request to begin.
        case idle
        /// The rest of a head.
        case head
        /// The rest of a body.
        case body
        /// A task's answer.
        case handling
        /// A task's stream of bytes.
        case streaming
        /// The client's end of the connection, after the last reply.
        case lingering
    }

    /// The request that is being answered.
    struct Exchange {
        let method: HTTPMethod
        let minorVersion: Int
        let keepsAlive: Bool
        let started: MonotonicInstant
        var status = HTTPStatus.ok
        var task: Task<Void, Never>?
        var outbox: ByteOutbox?
        /// Whether the streamed body is sent in chunks.
        var isChunked = false
    }

    let socket: Descriptor
    let token: UInt64
    let peer: HTTPPeer
    let listener: String
    /// The address that the connection was counted under.
    let client: InternetAddress?
    /// Whether the connection was counted; one that was turned away was not.
    let isAdmitted: Bool

    var reader: RequestReader
    /// Bytes that have been received and not yet read.
    var input: [UInt8] = []
    var body: [UInt8] = []
    /// Bytes that the present request's body has been counted with.
    var reservedBody = 0
    /// Limit of the present body, also when it is decompressed.
    var bodyLimit = 0
    var bodyIsGzip = false
    /// Whether the client wants to hear `100 Continue` before it sends the body.
    var awaitsContinue = false
    var output = OutputBuffer()
    var exchange: Exchange?
    var interest = Interest(reads: true)
    /// Whether the client has said that it sends no more.
    var hasPeerClosed = false
    /// Whether the connection ends when the output has been sent.
    var closesAfterOutput = false
    var isClosed = false

    private(set) var phase = Phase.head
    private(set) var phaseStart: MonotonicInstant
    /// Bytes received in the present phase.
    private(set) var receivedInPhase = 0
    /// Until when the rest of the body may stay away.
    private var bodyPace: Pace
    /// Until when the client may leave output untaken; `nil` when none waits.
    private(set) var outputPace: Pace?

    init(
        socket: consuming Descriptor, token: UInt64, peer: HTTPPeer, listener: String,
        client: InternetAddress?,
        isAdmitted: Bool, limits: HTTPLimits, now: MonotonicInstant
    ) {
        self.socket = socket
        self.token = token
        self.peer = peer
        self.listener = listener
        self.client = client
        self.isAdmitted = isAdmitted
        reader = RequestReader(limits: limits)
        phaseStart = now
        bodyPace = Pace(deadline: now)
    }

    /// Begins to wait for something else.
    func enter(_ phase: Phase, at now: MonotonicInstant, _ timeouts: HTTPTimeouts) {
        self.phase = phase
        phaseStart = now
        receivedInPhase = 0
        bodyPace = Pace(at: now, timeouts)
    }

    /// Notes that bytes have arrived.
    func received(_ count: Int, at now: MonotonicInstant, _ timeouts: HTTPTimeouts) {
        receivedInPhase += count
        bodyPace.advance(by: count, at: now, timeouts)
    }

    /// Notes that the client has taken bytes, and whether it has left some.
    func sent(_ count: Int, at now: MonotonicInstant, _ timeouts: HTTPTimeouts) {
        if output.isEmpty {
            outputPace = nil
        } else if outputPace == nil {
            outputPace = Pace(at: now, timeouts)
        } else {
            outputPace?.advance(by: count, at: now, timeouts)
        }
    }

    /// Until when the connection may go on as it is; the end of time when nothing is awaited from the client.
    func deadline(_ timeouts: HTTPTimeouts) -> MonotonicInstant {
        if phase == .lingering { return phaseStart.advanced(by: timeouts.linger) }
        if let outputPace { return outputPace.deadline }
        switch phase {
        case .idle: return phaseStart.advanced(by: timeouts.idle)
        case .head: return phaseStart.advanced(by: timeouts.header)
        case .body: return min(phaseStart.advanced(by: timeouts.body), bodyPace.deadline)
        case .handling, .streaming, .lingering: return MonotonicInstant(nanoseconds: .max)
        }
    }
}

/// A slowest rate that is kept up: bytes push the deadline on, but never further than the grace from now, so
/// that a quick start buys no long silence.
struct Pace {
    private(set) var deadline: MonotonicInstant

    /// A pace whose deadline is already known.
    init(deadline: MonotonicInstant) {
        self.deadline = deadline
    }

    /// Nothing has come yet.
    init(at now: MonotonicInstant, _ timeouts: HTTPTimeouts) {
        deadline = now.advanced(by: timeouts.grace)
    }

    /// Some bytes have come.
    mutating func advance(by bytes: Int, at now: MonotonicInstant, _ timeouts: HTTPTimeouts) {
        let rate = max(1, timeouts.minimumBytesPerSecond)
        // A transfer is at most some megabytes: the product stays far below the end of the range.
        let earned = Duration.nanoseconds(bytes * (1_000_000_000 / rate))
        deadline = min(deadline.advanced(by: earned), now.advanced(by: timeouts.grace))
    }
}
