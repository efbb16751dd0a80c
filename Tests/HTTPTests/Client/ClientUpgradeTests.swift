import LinuxSystem
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(2)))
struct ClientUpgradeTests {
    private static let asking: HTTPHeaders = ["Connection": "Upgrade", "Upgrade": "tcp"]
    private static let agreements = [
        "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
    ]

    /// A peer that agrees and then sends back whatever comes, until the client has finished.
    private func echo(_ agreement: String = agreements[0], greeting: String = "") throws -> ScriptedPeer {
        try ScriptedPeer { connection, _ in
            guard try await connection.request() != nil else { return }
            try await connection.send(agreement + greeting)
            while true {
                let bytes = try await connection.receive()
                if bytes.isEmpty { break }
                try await connection.send(bytes)
            }
            try await connection.send("bye")
        }
    }

    private func upgrade(_ client: HTTPClient) async throws -> HTTPRawConnection {
        let answer = try await client.upgrade(
            .post, "/exec/x/start", headers: Self.asking, body: Array("{}".utf8))
        guard case .connection(let connection) = answer else { throw UpgradeRefused() }
        return connection
    }

    private struct UpgradeRefused: Error {}

    private func read(_ connection: HTTPRawConnection, until count: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count, let bytes = try await connection.read() { all += bytes }
        return all
    }

    @Test(arguments: agreements)
    func carriesBytesBothWays(_ agreement: String) async throws {
        let peer = try echo(agreement, greeting: "hello")
        let client = try HTTPClient(address: peer.address)
        let connection = try await upgrade(client)
        #expect(String(decoding: try await read(connection, until: 5), as: UTF8.self) == "hello")
        for text in ["one", "two", "three"] {
            try await connection.write(Array(text.utf8))
            #expect(try await read(connection, until: text.utf8.count) == Array(text.utf8))
        }
        // Our half is closed first, the other side's last words still come.
        connection.finishWriting()
        #expect(String(decoding: try await read(connection, until: 4), as: UTF8.self) == "bye")
        #expect(try await connection.read() == nil)
        let error = await #expect(throws: HTTPClientError.self) { try await connection.write([1]) }
        #expect(error?.code == .closed)
        try await eventually { client.connectionCount == 0 }
    }

    @Test func agreementInPieces() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            for byte in Self.agreements[0].utf8 { try await connection.send([byte]) }
            try await connection.send("raw")
        }
        let client = try HTTPClient(address: peer.address)
        let connection = try await upgrade(client)
        #expect(try await read(connection, until: 4) == Array("raw".utf8))
    }

    @Test func aRefusalIsAResponse() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await connection.send(
                "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            _ = try await connection.receive()
        }
        let client = try HTTPClient(address: peer.address)
        guard case .refused(let response) = try await client.upgrade(.post, "/x", headers: Self.asking) else {
            Issue.record("not refused")
            return
        }
        #expect(response.status == .conflict)
        #expect(response.body == Array("{}".utf8))
    }

    @Test func anUnaskedSwitchIsAnError() async throws {
        let peer = try echo()
        let client = try HTTPClient(address: peer.address)
        let error = await #expect(throws: HTTPClientError.self) { try await client.request(.get, "/") }
        #expect(error?.code == .malformed)
    }

    /// Far more than all buffers hold goes through, in both directions at once, on many connections.
    @Test func manyLargeStreams() async throws {
        let peer = try echo()
        var configuration = HTTPClientConfiguration()
        configuration.streamBufferBytes = 10_000
        let client = try HTTPClient(address: peer.address, configuration: configuration)
        let size = 2_000_000
        let sizes = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let connection = try await upgrade(client)
                    let piece = [UInt8](repeating: UInt8(number), count: 7_000)
                    let writer = Task {
                        var left = size
                        while left > 0 {
                            try await connection.write(Array(piece.prefix(left)))
                            left -= piece.count
                        }
                    }
                    let received = try await read(connection, until: size)
                    try await writer.value
                    return received.allSatisfy { $0 == UInt8(number) } ? received.count : 0
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(sizes == Array(repeating: size, count: 20))
        try await eventually { client.connectionCount == 0 }
    }

    @Test func writingToOneThatIsGoneFails() async throws {
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await connection.send(Self.agreements[0])
        }
        let client = try HTTPClient(address: peer.address)
        let connection = try await upgrade(client)
        let error = await #expect(throws: HTTPClientError.self) {
            while true { try await connection.write([UInt8](repeating: 1, count: 100_000)) }
        }
        #expect(error?.code == .closed)
        // The reader sees the end, or a reset if the peer left bytes unread; it does not wait.
        do throws(HTTPClientError) {
            #expect(try await connection.read() == nil)
        } catch {
            #expect(error.code == .closed)
        }
    }

    @Test func lettingGoCloses() async throws {
        let ended = Signal()
        let peer = try ScriptedPeer { connection, _ in
            _ = try await connection.request()
            try await connection.send(Self.agreements[0])
            while try await !connection.receive().isEmpty {}
            ended.fire()
        }
        let client = try HTTPClient(address: peer.address)
        do {
            let connection = try await upgrade(client)
            try await connection.write([1])
        }
        await ended.wait()
        try await eventually { client.connectionCount == 0 }
    }

    /// A stream outlives the last reference to its client.
    @Test func connectionsKeepTheirClient() async throws {
        let peer = try echo()
        let connection = try await upgrade(HTTPClient(address: peer.address))
        try await connection.write([5])
        #expect(try await connection.read() == [5])
    }
}
