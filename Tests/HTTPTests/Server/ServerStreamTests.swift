import LinuxSystem
import Synchronization
import Testing

@testable import HTTP

private struct Broken: Error {}

@Suite(.timeLimit(.minutes(2)))
struct ServerStreamTests {
    private static let numbers = ClosureHandler { _ in
        .now(
            HTTPResponse(
                headers: ["Content-Type": "text/event-stream"],
                body: .stream(
                    HTTPBodyStream { writer in
                        for number in 0..<1000 { try await writer.write("data: \(number)\n\n") }
                        try await writer.write([])
                    })))
    }

    @Test func streamsInChunks() async throws {
        try await withServer(Self.numbers) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            let expected = (0..<1000).map { "data: \($0)\n\n" }.joined()
            for _ in 0..<3 {
                let reply = try await client.exchange(simpleGet)
                #expect(reply.text == expected)
                #expect(reply.headers["transfer-encoding"] == "chunked")
            }
            let old = try await exchange(server, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(old.text == expected)
            #expect(old.headers["transfer-encoding"] == nil && old.headers["connection"] == "close")
        }
    }

    @Test func fieldsMayFollowABody() async throws {
        let handler = ClosureHandler { _ in
            .now(
                HTTPResponse(
                    body: .stream(
                        HTTPBodyStream { writer in
                            try await writer.write("x")
                            writer.setTrailers(["Exit-Code": "0", "Content-Length": "9"])
                        })))
        }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            for _ in 0..<2 { #expect(try await client.exchange(simpleGet).trailers == ["Exit-Code": "0"]) }
            #expect(try await exchange(server, "GET / HTTP/1.0\r\n\r\n").text == "x")
        }
    }

    @Test func headDoesNotProduce() async throws {
        let produced = Atomic<Bool>(false)
        let handler = ClosureHandler { _ in
            .now(
                HTTPResponse(body: .stream(HTTPBodyStream { _ in produced.store(true, ordering: .relaxed) })))
        }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            for _ in 0..<2 {
                let reply = try await client.exchange("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", method: .head)
                #expect(reply.status == 200 && reply.body.isEmpty)
            }
            let wasProduced = produced.load(ordering: .relaxed)
            #expect(!wasProduced)
        }
    }

    @Test func aFailedProducerBreaksTheReply() async throws {
        let handler = ClosureHandler { _ in
            .later {
                HTTPResponse(
                    body: .stream(
                        HTTPBodyStream { writer in
                            try await writer.write("half")
                            throw Broken()
                        }))
            }
        }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send(simpleGet)
            await #expect(throws: HTTPRejection(.badGateway, .truncated)) { try await client.reply() }
        }
    }

    /// A producer without end stays within the buffers while nobody reads, and learns when the client goes.
    @Test func producersWaitForReaders() async throws {
        let written = Atomic<Int>(0)
        let ended = Signal()
        let outcome = Mutex<HTTPStreamError?>(nil)
        let handler = ClosureHandler { _ in
            .now(
                HTTPResponse(
                    body: .stream(
                        HTTPBodyStream { writer in
                            defer { ended.fire() }
                            let piece = [UInt8](repeating: 1, count: 10_000)
                            do throws(HTTPStreamError) {
                                while true {
                                    try await writer.write(piece)
                                    written.wrappingAdd(piece.count, ordering: .relaxed)
                                }
                            } catch {
                                outcome.withLock { $0 = error }
                                throw error
                            }
                        })))
        }
        try await withServer(handler, { $0.streamBufferBytes = 50_000 }) { (server) async throws in
            do {
                let client = try await RawClient.connect(server.addresses[0])
                try await client.send(simpleGet)
                // Wait until nothing moves any more: the producer has been stopped.
                var before = -1
                while before != written.load(ordering: .relaxed) || before <= 0 {
                    before = written.load(ordering: .relaxed)
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(before < 20_000_000)
            }
            await ended.wait()
            #expect([.closed, .cancelled].contains(outcome.withLock { $0 }))
            try await eventually { server.connectionCount == 0 }
        }
    }

    @Test func slowReadersGetEverything() async throws {
        let handler = ClosureHandler { _ in
            .now(
                HTTPResponse(
                    body: .stream(
                        HTTPBodyStream { writer in
                            for number in 0..<200 {
                                try await writer.write([UInt8](repeating: UInt8(number), count: 20_000))
                            }
                        })))
        }
        try await withServer(handler, { $0.streamBufferBytes = 1000 }) { (server) async throws in
            let reply = try await exchange(server, simpleGet)
            #expect(reply.body.count == 4_000_000)
            #expect((0..<200).allSatisfy { reply.body[$0 * 20_000 + 19_999] == UInt8($0) })
        }
    }

    /// A task whose client is gone is told by cancellation.
    @Test func workForAClientThatIsGoneIsCancelled() async throws {
        let started = Signal()
        let cancelled = Signal()
        let handler = ClosureHandler { _ in
            .later {
                started.fire()
                while !Task.isCancelled {
                    do { try await Task.sleep(for: .seconds(60)) } catch { cancelled.fire() }
                }
                return HTTPResponse(text: "nobody reads this")
            }
        }
        try await withServer(handler) { (server) async throws in
            do {
                let client = try await RawClient.connect(server.addresses[0])
                try await client.send(simpleGet)
                await started.wait()
                try client.reset()
            }
            await cancelled.wait()
            try await eventually { server.connectionCount == 0 }
        }
    }
}
