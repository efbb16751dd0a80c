import LinuxSystem
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(2)))
struct ServerDrainTests {
    private func server(_ handler: ClosureHandler) throws -> HTTPServer {
        var configuration = HTTPServerConfiguration(listeners: ["127.0.0.1:0"])
        configuration.loops = 2
        return try HTTPServer(configuration: configuration, handler: handler)
    }

    @Test func letsWhatWasAskedBeAnswered() async throws {
        let started = Signal()
        let gate = Signal()
        let server = try server(
            ClosureHandler { request in
                guard request.head.isPath("/wait") else { return .now(HTTPResponse(text: "now")) }
                return .later {
                    started.fire()
                    await gate.wait()
                    return HTTPResponse(text: "waited")
                }
            })
        let idle = try await RawClient.connect(server.addresses[0])
        _ = try await idle.exchange(simpleGet)
        let busy = try await RawClient.connect(server.addresses[0])
        try await busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await started.wait()
        async let isComplete = server.drain(deadline: .seconds(60))
        // The idle connection is closed while the other is still waited for.
        #expect(try await idle.receiveAll().isEmpty)
        // As soon as the last loop has let go of its listener, nobody gets in.
        await #expect(throws: SystemError.self) {
            while true { _ = try await RawClient.connect(server.addresses[0]) }
        }
        gate.fire()
        let reply = try #require(try await busy.reply())
        #expect(reply.text == "waited")
        #expect(reply.headers["connection"] == "close")
        #expect(try await busy.receiveAll().isEmpty)
        try busy.reset()
        #expect(await isComplete)
        #expect(server.connectionCount == 0)
    }

    @Test func endsAtTheDeadline() async throws {
        let started = Signal()
        let cancelled = Signal()
        let server = try server(
            ClosureHandler { _ in
                .later {
                    started.fire()
                    while !Task.isCancelled {
                        do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.fire() }
                    }
                    return HTTPResponse(text: "too late")
                }
            })
        let client = try await RawClient.connect(server.addresses[0])
        try await client.send(simpleGet)
        await started.wait()
        let isComplete = await server.drain(deadline: .milliseconds(50))
        #expect(!isComplete)
        await cancelled.wait()
        #expect(try await client.receiveAll().isEmpty)
    }

    @Test func aServerThatIsLetGoStops() async throws {
        var held: HTTPServer? = try server(.echo)
        let address = try #require(held?.addresses.first)
        let client = try await RawClient.connect(address)
        _ = try await client.exchange(simpleGet)
        held = nil
        #expect(try await client.receiveAll().isEmpty)
    }

    @Test func drainsTwiceWithoutHarm() async throws {
        let server = try server(.echo)
        #expect(await server.drain(deadline: .seconds(5)))
        #expect(await server.drain(deadline: .seconds(5)))
    }
}
