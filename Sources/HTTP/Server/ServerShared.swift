internal import LinuxSystem
internal import Metrics
internal import Synchronization

/// What the loops of one server share.
final class ServerShared: Sendable {
    let configuration: HTTPServerConfiguration
    let handler: any HTTPHandler
    let metrics: ServerMetrics
    let admission: Admission
    /// Connections that were admitted and are open.
    let connections = Countdown()
    /// Tasks that answer requests or produce bodies.
    let tasks = Countdown()
    private let loops = Mutex<[EventLoop<ServerLoop>]>([])
    private let firstNumber: UInt64
    private let requestCount = Atomic<UInt64>(0)
    private let bodyBytes = Atomic<Int>(0)

    init(configuration: HTTPServerConfiguration, handler: any HTTPHandler, metrics: MetricsRegistry) {
        self.configuration = configuration
        self.handler = handler
        self.metrics = ServerMetrics(metrics)
        admission = Admission(
            limit: configuration.maxConnections, limitPerClient: configuration.maxConnectionsPerClient)
        firstNumber = .random(in: .min ... .max)
    }

    /// Makes the loops known, or forgets them.
    func setLoops(_ loops: [EventLoop<ServerLoop>]) {
        self.loops.withLock { $0 = loops }
    }

    /// Runs work on a loop's thread.
    /// - Returns: `false` when it will not run: the loop is ending.
    func post(to index: Int, _ work: @escaping EventLoop<ServerLoop>.Work) -> Bool {
        let loop = loops.withLock { $0.indices.contains(index) ? $0[index] : nil }
        return loop?.post(work) ?? false
    }

    /// Counts bytes of a request's body in, if there is room for them.
    func reserveBody(_ count: Int) -> Bool {
        guard bodyBytes.wrappingAdd(count, ordering: .relaxed).newValue <= configuration.maxBodyBytesInMemory
        else {
            releaseBody(count)
            return false
        }
        return true
    }

    /// Counts bytes of a request's body out.
    func releaseBody(_ count: Int) {
        bodyBytes.wrappingSubtract(count, ordering: .relaxed)
    }

    /// A number for a request, different for each, and starting somewhere else in each run.
    func nextRequestNumber() -> UInt64 {
        // An odd multiplier spreads neighbouring numbers and keeps them different.
        (firstNumber &+ requestCount.wrappingAdd(1, ordering: .relaxed).newValue) &* 0x9E37_79B9_7F4A_7C15
    }
}
