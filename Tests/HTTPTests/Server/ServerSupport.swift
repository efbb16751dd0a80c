import LinuxSystem
import Metrics
import Synchronization
import Testing

@testable import HTTP

/// A handler made of closures.
struct ClosureHandler: HTTPHandler {
    var limit = 1 << 20
    var refuse: @Sendable (HTTPRequestHead) -> HTTPResponse? = { _ in nil }
    var answer: @Sendable (HTTPRequest) -> HTTPHandling

    init(limit: Int = 1 << 20, answer: @escaping @Sendable (HTTPRequest) -> HTTPHandling) {
        self.limit = limit
        self.answer = answer
    }

    func bodyLimit(for head: HTTPRequestHead) -> Int { limit }
    func refusal(of head: HTTPRequestHead, from peer: HTTPPeer) -> HTTPResponse? { refuse(head) }
    func respond(to request: HTTPRequest) -> HTTPHandling { answer(request) }

    /// Answers with method, path and body.
    static let echo = ClosureHandler { request in
        let text = "\(request.method) \(request.head.rawPath) "
        return .now(HTTPResponse(contentType: "application/octet-stream", Array(text.utf8) + request.body))
    }
}

/// A server on a loopback port of its own, for one test.
func withServer<Answer>(
    _ handler: ClosureHandler = .echo, loops: Int = 1, metrics: MetricsRegistry = MetricsRegistry(),
    _ configure: (inout HTTPServerConfiguration) -> Void = { _ in },
    _ body: (HTTPServer) async throws -> Answer
) async throws -> Answer {
    var configuration = HTTPServerConfiguration(listeners: ["127.0.0.1:0"])
    configuration.loops = loops
    configure(&configuration)
    let server = try HTTPServer(configuration: configuration, handler: handler, metrics: metrics)
    let answer: Answer
    do {
        answer = try await body(server)
    } catch {
        await server.drain(deadline: .zero)
        throw error
    }
    await server.drain(deadline: .zero)
    return answer
}

/// A reply as a client sees it.
struct Reply: Equatable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]
    var trailers: HTTPHeaders

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A client that sends exactly the bytes that it is told to. It waits on threads of its own, never on those
/// that the server's tasks need.
final class RawClient: Sendable {
    static let queue = BlockingQueue(label: "tests.raw", width: 48, waitingLimit: 10_000)
    static let patience = Duration.seconds(30)
    let socket: SharedDescriptor
    private let buffer = Mutex<[UInt8]>([])

    init(_ socket: SharedDescriptor) {
        self.socket = socket
    }

    /// Connects to an address as the server tells it.
    static func connect(_ address: String) async throws -> RawClient {
        let parsed = try #require(SocketAddress(address))
        return RawClient(
            try await Blocking.run(on: queue) { () throws(SystemError) in
                SharedDescriptor(try Socket.connect(to: parsed))
            })
    }

    /// Sends all bytes.
    func send(_ bytes: [UInt8]) async throws {
        try await Blocking.run(on: Self.queue) { [socket] () throws(SystemError) in
            let limit = MonotonicInstant.now().advanced(by: Self.patience)
            var sent = 0
            while sent < bytes.count {
                let rest = bytes[sent...]
                switch try socket.descriptor.send(rest.span) {
                case .bytes(let count): sent += count
                default:
                    guard try socket.descriptor.waitWritable(until: limit) else {
                        throw SystemError(errno: 110, operation: "send")
                    }
                }
            }
        }
    }

    func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    /// Says that nothing more will be sent.
    func finishSending() throws {
        try socket.descriptor.shutdown(.writing)
    }

    /// Waits for some bytes; empty at the end of the stream. A connection that was reset counts as ended.
    func receive() async throws -> [UInt8] {
        try await Blocking.run(on: Self.queue) { [socket] () throws(SystemError) -> [UInt8] in
            let limit = MonotonicInstant.now().advanced(by: Self.patience)
            var place = [UInt8](repeating: 0, count: 65_536)
            while true {
                var span = place.mutableSpan
                let transfer: Transfer
                do throws(SystemError) {
                    transfer = try socket.descriptor.receive(into: &span)
                } catch  where error.errno == 104 {
                    return []
                }
                switch transfer {
                case .bytes(let count): return Array(place[..<count])
                case .endOfStream: return []
                case .wouldBlock:
                    guard try socket.descriptor.waitReadable(until: limit) else {
                        throw SystemError(errno: 110, operation: "receive")
                    }
                }
            }
        }
    }

    /// Everything up to the end of the stream.
    func receiveAll() async throws -> [UInt8] {
        var all = buffer.withLock { buffer in
            defer { buffer = [] }
            return buffer
        }
        while true {
            let bytes = try await receive()
            if bytes.isEmpty { return all }
            all += bytes
        }
    }

    /// The next reply; `nil` when the stream ends before one begins.
    func reply(to method: HTTPMethod = .get) async throws -> Reply? {
        var limits = HTTPLimits()
        limits.bodyBytes = 1 << 30
        var reader = ResponseReader(method: method, limits: limits)
        var pending = buffer.withLock { buffer in
            defer { buffer = [] }
            return buffer
        }
        var reply = Reply(status: 0, headers: [:], body: [], trailers: [:])
        var hasEnded = false
        while true {
            let step = hasEnded && pending.isEmpty ? reader.finish() : reader.advance(over: pending.span)
            switch step {
            case .needMore:
                if hasEnded {
                    pending = []
                    continue
                }
                let bytes = try await receive()
                if bytes.isEmpty {
                    if pending.isEmpty, reply.status == 0 { return nil }
                    hasEnded = true
                }
                pending += bytes
            case .head(let end):
                reply.status = reader.head.status.code
                reply.headers = reader.head.headers
                pending.removeFirst(end)
            case .body(let range):
                reply.body += pending[range]
                pending.removeFirst(range.upperBound)
            case .framing(let end):
                pending.removeFirst(end)
            case .end(let end):
                pending.removeFirst(end)
                reply.trailers = reader.trailers
                let rest = pending
                buffer.withLock { $0 = rest }
                return reply
            case .reject(let rejection):
                throw rejection
            }
        }
    }

    /// Sends a request and waits for its reply.
    func exchange(_ text: String, method: HTTPMethod = .get) async throws -> Reply {
        try await send(text)
        return try #require(try await reply(to: method))
    }

    /// Ends the connection with a reset, as a crashing machine or an impatient proxy does.
    func reset() throws {
        // SO_LINGER with a timeout of zero: closing sends RST.
        try setLingerZero(socket.descriptor)
    }
}

/// One request and its reply on a connection of its own.
func exchange(_ server: HTTPServer, _ text: String, method: HTTPMethod = .get) async throws -> Reply {
    try await RawClient.connect(server.addresses[0]).exchange(text, method: method)
}

/// Waits until something is so; the test's own time limit is the deadline.
func eventually(_ condition: () -> Bool) async throws {
    while !condition() { try await Task.sleep(for: .milliseconds(2)) }
}

/// Something that happens once, which tasks can wait for.
final class Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func fire() {
        continuation.finish()
    }

    func wait() async {
        for await _ in stream {}
    }
}

let simpleGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
