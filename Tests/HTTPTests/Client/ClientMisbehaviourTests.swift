import LinuxSystem
import Synchronization
import Testing

@testable import HTTP

/// What the client makes of servers that are wrong, slow or gone.
@Suite(.timeLimit(.minutes(2)))
struct ClientMisbehaviourTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func failure(
        _ script: @escaping @Sendable (RawClient) async throws -> Void
    ) async throws
        -> HTTPClientError?
    {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await script(connection)
        }
        let client = try HTTPClient(address: peer.address)
        let error = await #expect(throws: HTTPClientError.self) { try await client.request(.get, "/") }
        try await eventually { client.connectionCount == 0 }
        return error
    }

    @Test func badResponses() async throws {
        for (text, reason) in ResponseReaderTests.bad where !text.isEmpty {
            let error = try await failure { try await $0.send(text) }
            let expected: HTTPClientError.Code =
                switch reason {
                case .truncated: .closed
                case .bodyTooLarge, .headersTooLarge: .tooLarge
                default: .malformed
                }
            // A length of a mebibyte and a byte is fine for this client; the body that then lacks is not.
            #expect(error?.code == (reason == .bodyTooLarge ? .closed : expected), "\(text.prefix(60))")
        }
    }

    @Test func hangingUp() async throws {
        #expect(try await failure { _ in }?.code == .closed)
        #expect(try await failure { try $0.reset() }?.code == .closed)
    }

    @Test func answeringWithoutReading() async throws {
        let peer = try ScriptedPeer { connection, _ in try await connection.send(Self.ok) }
        let client = try HTTPClient(address: peer.address)
        // Whether the answer or the broken pipe is seen first is the kernel's choice; neither hangs.
        let body = [UInt8](repeating: 1, count: 5_000_000)
        do throws(HTTPClientError) {
            #expect(try await client.request(.put, "/", body: body).status == .ok)
        } catch {
            #expect(error.code == .closed)
        }
    }

    /// A kept connection that the server has closed is noticed, and the request goes over a new one.
    @Test func keptConnectionsThatAreGone() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await connection.send(Self.ok)
        }
        let client = try HTTPClient(address: peer.address)
        for _ in 0..<30 { #expect(try await client.request(.get, "/").status == .ok) }
    }

    /// The second request on each connection is answered by hanging up: it is repeated if that does no harm.
    @Test func repeatsOnlyWhatMayBeRepeated() async throws {
        let posts = Atomic<Int>(0)
        let peer = try ScriptedPeer { connection, _ in
            guard let first = try await connection.request() else { return }
            if first.method == .post { posts.wrappingAdd(1, ordering: .relaxed) }
            try await connection.send(Self.ok)
            _ = try await connection.receive()
        }
        let client = try HTTPClient(address: peer.address)
        for _ in 0..<10 {
            #expect(try await client.request(.get, "/").status == .ok)
            #expect(try await client.request(.post, "/").status == .ok)
        }
        #expect(posts.load(ordering: .relaxed) == 10)
    }

    @Test func speakingUnasked() async throws {
        let peer = try ScriptedPeer { connection, number in
            while try await connection.request() != nil {
                // The first connection sends one response too many.
                let more = number == 0 ? "HTTP/1.1 500 Smuggled\r\n\r\n" : ""
                try await connection.send(Self.ok + more)
            }
        }
        let client = try HTTPClient(address: peer.address)
        for _ in 0..<3 { #expect(try await client.request(.get, "/").body == Array("ok".utf8)) }
        #expect(peer.connectionCount == 2)
    }

    @Test func dripping() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in 0..<100_000 {
                try await connection.send("x")
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        let client = try HTTPClient(address: peer.address)
        let error = await #expect(throws: HTTPClientError.self) {
            try await client.request(.get, "/", timeout: .milliseconds(500))
        }
        #expect(error?.code == .timeout)
        try await eventually { client.connectionCount == 0 }
    }

    @Test func everySplit() async throws {
        let text =
            "HTTP/1.1 103 Early\r\nX: y\r\n\r\n"
            + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        let bytes = Array(text.utf8)
        let peer = try ScriptedPeer { connection, number in
            _ = try await connection.request()
            try await connection.send(Array(bytes[..<number]))
            await Task.yield()
            try await connection.send(Array(bytes[number...]))
        }
        var configuration = HTTPClientConfiguration()
        configuration.maxIdleConnections = 0
        let client = try HTTPClient(address: peer.address, configuration: configuration)
        for _ in 0...bytes.count { #expect(try await client.request(.get, "/").body == Array("ok".utf8)) }
    }
}
