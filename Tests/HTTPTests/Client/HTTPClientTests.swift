import LinuxSystem
import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(2)))
struct HTTPClientTests {
    private func client(
        _ server: HTTPServer, _ configure: (inout HTTPClientConfiguration) -> Void = { _ in }
    ) throws -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        configure(&configuration)
        let address = try #require(SocketAddress(server.addresses[0]))
        return try HTTPClient(address: address, configuration: configuration)
    }

    @Test func sendsAndReceives() async throws {
        try await withServer { (server) async throws in
            let client = try client(server)
            let read = try await client.request(.get, "/a?b")
            #expect(read.status == .ok)
            #expect(String(decoding: read.body, as: UTF8.self) == "GET /a ")
            #expect(read.headers["content-type"] == "application/octet-stream")
            let body = [UInt8](repeating: 9, count: 500_000)
            let written = try await client.request(.put, "/b", body: body)
            #expect(written.body == Array("PUT /b ".utf8) + body)
            #expect(try await client.request(.post, "/c").body == Array("POST /c ".utf8))
            let head = try await client.request(.head, "/d")
            #expect(head.body.isEmpty && head.headers["content-length"] == "8")
            #expect(try await client.request(.delete, "/e").body == Array("DELETE /e ".utf8))
        }
    }

    @Test func keepsConnectionsForRepeatableRequests() async throws {
        try await withServer { (server) async throws in
            let client = try client(server)
            for _ in 0..<20 { _ = try await client.request(.get, "/") }
            #expect(server.connectionCount == 1)
            #expect(client.connectionCount == 1)
            // A request that must not be repeated gets a connection of its own, which is then kept as well.
            _ = try await client.request(.post, "/", body: [1])
            #expect(client.connectionCount == 2)
        }
    }

    @Test func manyAtOnce() async throws {
        let handler = ClosureHandler { request in .later { HTTPResponse(text: request.head.rawPath) } }
        try await withServer(handler, loops: 2) { (server) async throws in
            let client = try client(server) { $0.maxIdleConnections = 3 }
            let count = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let body = try await client.request(.get, "/\(number)").body
                        return String(decoding: body, as: UTF8.self) == "/\(number)"
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(count == 200)
            try await eventually { client.connectionCount <= 3 }
        }
    }

    @Test func boundsResponses() async throws {
        let handler = ClosureHandler { request in
            let bytes = [UInt8](repeating: 0, count: 1000)
            guard request.head.isPath("/stream") else {
                return .now(HTTPResponse(contentType: "image/png", bytes))
            }
            return .now(HTTPResponse(body: .stream(HTTPBodyStream { try await $0.write(bytes) })))
        }
        try await withServer(handler) { (server) async throws in
            let client = try client(server)
            for path in ["/", "/stream"] {
                #expect(try await client.request(.get, path, limit: 1000).body.count == 1000)
                let error = await #expect(throws: HTTPClientError.self) {
                    try await client.request(.get, path, limit: 999)
                }
                #expect(error?.code == .tooLarge)
            }
        }
    }

    @Test func givesUpInTime() async throws {
        let handler = ClosureHandler { _ in
            .later {
                do { try await Task.sleep(for: .seconds(100)) } catch { return HTTPResponse(text: "cut") }
                return HTTPResponse(text: "late")
            }
        }
        try await withServer(handler) { (server) async throws in
            let client = try client(server)
            for method in [HTTPMethod.get, .post] {
                let error = await #expect(throws: HTTPClientError.self) {
                    try await client.request(method, "/", timeout: .milliseconds(50))
                }
                #expect([.timeout, .connect].contains(error?.code))
            }
            try await eventually { client.connectionCount == 0 }
        }
    }

    /// Over a unix socket the server sees at once that its client is gone; over TCP it could as well be a
    /// client that has only stopped sending.
    @Test func cancellationEndsTheRequest() async throws {
        let started = Signal()
        let handler = ClosureHandler { _ in
            .later {
                started.fire()
                do { try await Task.sleep(for: .seconds(100)) } catch { return HTTPResponse(text: "cut") }
                return HTTPResponse()
            }
        }
        let path = "unix:/tmp/sandwarden-http-\(UInt64.random(in: 0 ... .max)).sock"
        try await withServer(handler, { $0.listeners = [path] }) { (server) async throws in
            let client = try client(server)
            let task = Task { try await client.request(.get, "/") }
            await started.wait()
            task.cancel()
            let error = await #expect(throws: HTTPClientError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            try await eventually { server.connectionCount == 0 && client.connectionCount == 0 }
        }
    }

    @Test func boundsConnections() async throws {
        let started = Signal()
        let gate = Signal()
        let handler = ClosureHandler { _ in
            .later {
                started.fire()
                await gate.wait()
                return HTTPResponse(text: "x")
            }
        }
        try await withServer(handler) { (server) async throws in
            let client = try client(server) { $0.maxConnections = 1 }
            async let first = client.request(.get, "/")
            await started.wait()
            let error = await #expect(throws: HTTPClientError.self) { try await client.request(.get, "/") }
            #expect(error?.code == .busy)
            gate.fire()
            #expect(try await first.status == .ok)
        }
    }

    @Test func shutdownEndsEverything() async throws {
        let started = Signal()
        let handler = ClosureHandler { _ in
            .later {
                started.fire()
                do { try await Task.sleep(for: .seconds(100)) } catch { return HTTPResponse(text: "cut") }
                return HTTPResponse()
            }
        }
        try await withServer(handler) { (server) async throws in
            let client = try client(server)
            let task = Task { try await client.request(.get, "/") }
            await started.wait()
            await client.shutdown()
            let error = await #expect(throws: HTTPClientError.self) { try await task.value }
            #expect(error?.code == .closed)
            let after = await #expect(throws: HTTPClientError.self) { try await client.request(.get, "/") }
            #expect(after?.code == .closed)
            #expect(client.connectionCount == 0)
        }
    }

    @Test func saysWhenNobodyListens() async throws {
        let client = try HTTPClient(address: .unix(path: "/tmp/sandwarden-no-such.sock"))
        let error = await #expect(throws: HTTPClientError.self) { try await client.request(.get, "/") }
        #expect(error?.code == .connect)
        #expect(client.connectionCount == 0)
    }

    @Test(arguments: ["", "x", "/a b", "/a\r\nX: y"])
    func refusesTargetsThatAreNone(_ target: String) async throws {
        let client = try HTTPClient(address: .unix(path: "/tmp/sandwarden-no-such.sock"))
        let error = await #expect(throws: HTTPClientError.self) { try await client.request(.get, target) }
        #expect(error?.code == .badRequest)
    }
}
