import LinuxSystem
import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(2)))
struct ClientStreamTests {
    @Test func readsABodyWhileItArrives() async throws {
        let gates = (0..<3).map { _ in Signal() }
        let handler = ClosureHandler { _ in
            .now(
                HTTPResponse(
                    body: .stream(
                        HTTPBodyStream { writer in
                            for (number, gate) in gates.enumerated() {
                                try await writer.write("piece \(number)")
                                await gate.wait()
                            }
                        })))
        }
        try await withServer(handler) { (server) async throws in
            let address = try #require(SocketAddress(server.addresses[0]))
            let client = try HTTPClient(address: address)
            let stream = try await client.stream(.get, "/")
            #expect(stream.status == .ok)
            var number = 0
            for try await bytes in stream {
                // Each piece is let go only after the one before it has been read.
                #expect(String(decoding: bytes, as: UTF8.self) == "piece \(number)")
                gates[number].fire()
                number += 1
            }
            #expect(number == 3)
            // The connection is whole again.
            try await eventually { client.connectionCount == 1 }
            _ = try await client.stream(.head, "/")
            #expect(server.connectionCount == 1)
        }
    }

    /// Nobody reads: the server's producer is stopped. The stream is let go: the producer learns of it.
    @Test func backPressureReachesTheProducer() async throws {
        let written = Atomic<Int>(0)
        let ended = Signal()
        let handler = ClosureHandler { _ in
            .now(
                HTTPResponse(
                    body: .stream(
                        HTTPBodyStream { writer in
                            defer { ended.fire() }
                            while true {
                                try await writer.write([UInt8](repeating: 1, count: 10_000))
                                written.wrappingAdd(10_000, ordering: .relaxed)
                            }
                        })))
        }
        try await withServer(handler, { $0.streamBufferBytes = 20_000 }) { (server) async throws in
            let address = try #require(SocketAddress(server.addresses[0]))
            var configuration = HTTPClientConfiguration()
            configuration.streamBufferBytes = 20_000
            let client = try HTTPClient(address: address, configuration: configuration)
            do {
                let stream = try await client.stream(.get, "/")
                var before = -1
                while before != written.load(ordering: .relaxed) || before <= 0 {
                    before = written.load(ordering: .relaxed)
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(before < 20_000_000)
                var taken = 0
                while taken < 30_000_000 { taken += try await stream.next()?.count ?? .max }
                #expect(written.load(ordering: .relaxed) > before)
            }
            await ended.wait()
            try await eventually { client.connectionCount == 0 && server.connectionCount == 0 }
        }
    }

    @Test func aBrokenBodyIsAnError() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        }
        let client = try HTTPClient(address: peer.address)
        let stream = try await client.stream(.get, "/")
        #expect(try await stream.next() == Array("abc".utf8))
        let error = await #expect(throws: HTTPClientError.self) { try await stream.next() }
        #expect(error?.code == .closed)
    }

    @Test func cancellationWakesTheReader() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await connection.send("HTTP/1.1 200 OK\r\n\r\nabc")
            _ = try await connection.receive()
        }
        let client = try HTTPClient(address: peer.address)
        let stream = try await client.stream(.get, "/")
        #expect(try await stream.next() == Array("abc".utf8))
        let task = Task { try await stream.next() }
        task.cancel()
        let error = await #expect(throws: HTTPClientError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        stream.cancel()
        try await eventually { client.connectionCount == 0 }
    }
}
