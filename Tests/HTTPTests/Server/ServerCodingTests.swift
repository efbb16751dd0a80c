import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(1)))
struct ServerCodingTests {
    private static let text = String(repeating: "{\"allowed\":false},", count: 200)
    private static let json = ClosureHandler { request in
        var response = HTTPResponse(contentType: "application/json", Array(text.utf8))
        if request.head.isPath("/tagged") { response.headers.add("ETag", "\"1\"") }
        if request.head.isPath("/vary") { response.headers.add("Vary", "Accept") }
        if request.head.isPath("/small") { response.body = .bytes(Array("{}".utf8)) }
        if request.head.isPath("/large") {
            response.body = .bytes(Array(String(repeating: text, count: 100).utf8))
        }
        return request.head.isPath("/later") ? .later { [response] in response } : .now(response)
    }

    private func get(_ server: HTTPServer, _ path: String, _ accept: String) async throws -> Reply {
        try await exchange(
            server, "GET \(path) HTTP/1.1\r\nHost: a\r\nAccept-Encoding: \(accept)\r\n\r\n")
    }

    @Test(arguments: ["/", "/later", "/large"])
    func compressesForThoseWhoTakeIt(_ path: String) async throws {
        try await withServer(Self.json) { (server) async throws in
            let packed = try await get(server, path, "gzip, br")
            #expect(packed.headers["content-encoding"] == "gzip")
            #expect(packed.headers["vary"] == "Accept-Encoding")
            let plain = try await get(server, path, "identity")
            #expect(plain.headers["content-encoding"] == nil)
            #expect(plain.headers["vary"] == "Accept-Encoding")
            #expect(packed.body.count < plain.body.count / 5)
            #expect(try Gzip.decompress(packed.body, limit: 10_000_000) == plain.body)
        }
    }

    @Test func leavesSmallAndTaggedBodiesAlone() async throws {
        try await withServer(Self.json) { (server) async throws in
            for path in ["/small", "/tagged"] {
                let reply = try await get(server, path, "gzip")
                #expect(reply.headers["content-encoding"] == nil && reply.headers["vary"] == nil)
            }
            #expect(try await get(server, "/vary", "gzip").headers["vary"] == "Accept, Accept-Encoding")
        }
    }

    private func post(_ server: HTTPServer, _ coding: String, _ body: [UInt8]) async throws -> Reply {
        let client = try await RawClient.connect(server.addresses[0])
        let fields = "Content-Encoding: \(coding)\r\nContent-Length: \(body.count)\r\n"
        let head = "POST /x HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
        try await client.send(Array(head.utf8) + body)
        return try #require(try await client.reply())
    }

    @Test func takesCompressedBodies() async throws {
        let packed = try #require(Gzip.compress(Array(Self.text.utf8)))
        try await withServer { (server) async throws in
            #expect(try await post(server, "gzip", packed).text == "POST /x " + Self.text)
            #expect(try await post(server, "X-GZip", packed).text == "POST /x " + Self.text)
            #expect(try await post(server, "identity", [1]).body.last == 1)
            #expect(try await post(server, "gzip", Array(packed.dropLast())).status == 400)
            #expect(try await post(server, "gzip", Array("plain".utf8)).status == 400)
        }
    }

    @Test(arguments: ["br", "deflate", "gzip, gzip", "gzip, identity", "", "zstd"])
    func refusesOtherCodings(_ coding: String) async throws {
        try await withServer { (server) async throws in
            let reply = try await post(server, coding, [1, 2, 3])
            #expect(reply.status == 415)
            #expect(reply.headers["accept-encoding"] == "gzip")
        }
    }

    @Test func bombsAreDefused() async throws {
        let bomb = try #require(Gzip.compress([UInt8](repeating: 0, count: 1_000_000)))
        #expect(bomb.count < 10_000)
        try await withServer(ClosureHandler(limit: 10_000, answer: ClosureHandler.echo.answer)) {
            (server) async throws in
            #expect(try await post(server, "gzip", bomb).status == 413)
        }
    }
}
