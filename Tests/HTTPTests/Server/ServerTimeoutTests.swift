import LinuxSystem
import Metrics
import Testing

@testable import HTTP

/// The waits are made short; what is asserted is what happens at their end, never how long it took.
@Suite(.timeLimit(.minutes(2)))
struct ServerTimeoutTests {
    private func timeouts(_ metrics: MetricsRegistry, _ kind: String, count: Int = 1) -> Bool {
        String(decoding: metrics.render(.prometheus), as: UTF8.self)
            .contains("sandwarden_http_timeouts_total{kind=\"\(kind)\"} \(count)\n")
    }

    /// On a busy machine a test may come too late with its own first byte; then it tries again.
    private func persistently(
        _ server: HTTPServer, _ begin: (RawClient) async throws -> Void
    ) async throws -> (RawClient, Reply) {
        while true {
            let client = try await RawClient.connect(server.addresses[0])
            do { try await begin(client) } catch is SystemError { continue }
            if let reply = try await client.reply() { return (client, reply) }
        }
    }

    @Test func slowHeads() async throws {
        let metrics = MetricsRegistry()
        try await withServer(.echo, metrics: metrics, { $0.timeouts.header = .milliseconds(100) }) {
            (server) async throws in
            let (client, reply) = try await persistently(server) {
                try await $0.send("GET /x HTTP/1.1\r\nHost:")
            }
            #expect(reply.status == 408)
            #expect(reply.headers["connection"] == "close")
            #expect(try await client.receiveAll().isEmpty)
            #expect(!timeouts(metrics, "header", count: 0))
        }
    }

    /// A client that sends a byte now and then does not push the deadline on.
    @Test func dripsDoNotHelp() async throws {
        try await withServer(.echo, { $0.timeouts.header = .milliseconds(150) }) { (server) async throws in
            let (_, reply) = try await persistently(server) { client in
                try await client.send("GET /x HTTP/1.1\r\n")
                do {
                    while true {
                        try await client.send("A: b\r\n")
                        try await Task.sleep(for: .milliseconds(10))
                    }
                } catch is SystemError {
                    // The server has hung up; what it said before can still be read.
                }
            }
            #expect(reply.status == 408)
        }
    }

    @Test func connectionsThatSayNothing() async throws {
        let metrics = MetricsRegistry()
        try await withServer(.echo, metrics: metrics, { $0.timeouts.header = .milliseconds(50) }) {
            (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            #expect(try await client.receiveAll().isEmpty)
            #expect(timeouts(metrics, "header"))
        }
    }

    @Test func idleConnections() async throws {
        let metrics = MetricsRegistry()
        try await withServer(.echo, metrics: metrics, { $0.timeouts.idle = .milliseconds(50) }) {
            (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            #expect(try await client.exchange(simpleGet).status == 200)
            #expect(try await client.receiveAll().isEmpty)
            #expect(timeouts(metrics, "idle"))
        }
    }

    @Test func bodiesBelowTheRate() async throws {
        let metrics = MetricsRegistry()
        try await withServer(.echo, metrics: metrics, { $0.timeouts.grace = .milliseconds(100) }) {
            (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            #expect(try await client.reply()?.status == 408)
            #expect(timeouts(metrics, "body"))
        }
    }

    @Test func clientsThatDoNotRead() async throws {
        let metrics = MetricsRegistry()
        let handler = ClosureHandler { _ in
            .now(HTTPResponse(contentType: "image/png", [UInt8](repeating: 1, count: 50_000_000)))
        }
        try await withServer(handler, metrics: metrics, { $0.timeouts.grace = .milliseconds(100) }) {
            (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send(simpleGet)
            try await eventually { timeouts(metrics, "write") }
            #expect(server.connectionCount == 0)
        }
    }

    /// Work that takes longer than every client timeout is waited for.
    @Test func slowHandlersAreNotTheClientsFault() async throws {
        let handler = ClosureHandler { _ in
            .later {
                do { try await Task.sleep(for: .milliseconds(400)) } catch {
                    return HTTPResponse(text: "cut")
                }
                return HTTPResponse(text: "done")
            }
        }
        let configure = { (configuration: inout HTTPServerConfiguration) in
            configuration.timeouts.header = .milliseconds(50)
            configuration.timeouts.idle = .milliseconds(50)
            configuration.timeouts.body = .milliseconds(50)
            configuration.timeouts.grace = .milliseconds(50)
        }
        try await withServer(handler, configure) { (server) async throws in
            let (_, reply) = try await persistently(server) { try await $0.send(simpleGet) }
            #expect(reply.text == "done")
        }
    }
}
