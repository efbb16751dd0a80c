internal import LinuxSystem
package import Metrics

/// An HTTP/1.1 server: some listeners, one epoll loop a core, one handler.
///
/// It serves from the moment when it has been made until ``drain(deadline:)`` has returned; one that is let
/// go stops at once. A TCP port is shared by the loops with `SO_REUSEPORT`, after it has been made sure
/// that no other server has it.
public final class HTTPServer: Sendable {
    /// The addresses that are listened on, in the order of the configuration, with real ports.
    public let addresses: [String]
    private let shared: ServerShared
    private let loops: [EventLoop<ServerLoop>]
    private let unixPaths: [String]

    /// Opens the listeners and begins to serve.
    /// - Throws: ``HTTPServerError`` `badAddress`, `addressInUse`, or `system` with what the system said.
    public convenience init(
        configuration: HTTPServerConfiguration, handler: any HTTPHandler
    ) throws(HTTPServerError) {
        try self.init(configuration: configuration, handler: handler, metrics: MetricsRegistry())
    }

    /// Opens the listeners and begins to serve.
    /// - Parameter metrics: Where the server's own metrics, `sandwarden_http_*`, are registered.
    /// - Throws: ``HTTPServerError`` `badAddress`, `addressInUse`, or `system` with what the system said.
    package init(
        configuration: HTTPServerConfiguration, handler: any HTTPHandler, metrics: MetricsRegistry
    ) throws(HTTPServerError) {
        let count = configuration.loops > 0 ? min(configuration.loops, 64) : HostFacts.processors
        let listeners = try ServerListeners(configuration, loops: count)
        addresses = listeners.addresses
        unixPaths = listeners.unixPaths
        shared = ServerShared(configuration: configuration, handler: handler, metrics: metrics)
        var loops: [EventLoop<ServerLoop>] = []
        do throws(SystemError) {
            for index in 0..<count {
                // A connection has at most one answer and one notice on the way; nothing is ever refused.
                let postLimit = 2 * configuration.maxConnections + configuration.maxPendingRequests + 1024
                loops.append(
                    try EventLoop(label: "sandwarden.http.\(index)", postLimit: postLimit) { [shared] _ in
                        ServerLoop(shared: shared, index: index)
                    })
            }
        } catch {
            for loop in loops { loop.stop() }
            throw HTTPServerError(error, listener: "loop")
        }
        self.loops = loops
        // Tasks of the first connections must find the loops, so these come before the listeners.
        shared.setLoops(loops)
        for (index, loop) in loops.enumerated() {
            let own = listeners.byLoop[index]
            _ = loop.post { handler, context in handler.install(own, in: &context) }
        }
    }

    deinit {
        for loop in loops { loop.stop() }
    }

    /// Connections that are open now.
    public var connectionCount: Int { shared.connections.count }

    /// Stops listening, lets what has been asked be answered, then stops.
    ///
    /// Idle connections are closed at once, the others after their present reply. At the deadline what is
    /// left is closed, and its tasks are cancelled.
    /// - Parameter deadline: How long replies may take.
    /// - Returns: Whether everything was answered in time.
    @discardableResult
    public func drain(deadline: Duration) async -> Bool {
        for loop in loops {
            _ = loop.post { handler, context in handler.drain(in: &context) }
        }
        for path in unixPaths {
            do throws(SystemError) {
                try HostFiles.remove(RawPath(path))
            } catch {
                // The next server removes it as stale.
            }
        }
        let isComplete = await shared.connections.waitForZero(deadline: deadline)
        for loop in loops { loop.stop() }
        for loop in loops {
            do throws(SystemError) {
                try await loop.ended()
            } catch {
                // A loop that failed has closed its connections, which is all that is wanted of it now.
            }
        }
        shared.setLoops([])
        // Cancelled tasks bound their own waits; a second is more than an orderly one needs.
        let isQuiet = await shared.tasks.waitForZero(deadline: .seconds(1))
        return isComplete && isQuiet
    }
}
