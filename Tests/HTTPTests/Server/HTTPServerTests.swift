import LinuxSystem
import Metrics
import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(2)))
struct HTTPServerTests {
    @Test func answersOnOneConnection() async throws {
        try await withServer { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            for path in ["/a", "/b"] {
                let reply = try await client.exchange("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(reply.status == 200)
                #expect(reply.text == "GET \(path) ")
                #expect(reply.headers["content-length"] == "7")
                #expect(reply.headers["date"]?.utf8.count == 29)
                #expect(reply.headers["connection"] == nil)
            }
        }
    }

    @Test func keepsTheOrderOfPipelinedRequests() async throws {
        let handler = ClosureHandler { request in
            let response = HTTPResponse(text: request.head.rawPath)
            return request.head.isPath("/2") || request.head.isPath("/4")
                ? .later { response } : .now(response)
        }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send((1...5).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            for number in 1...5 { #expect(try await client.reply()?.text == "/\(number)") }
        }
    }

    /// More replies than the output buffer holds wait until the client takes them.
    @Test func pipelinedRepliesAreBounded() async throws {
        let answered = Atomic<Int>(0)
        let handler = ClosureHandler { _ in
            answered.wrappingAdd(1, ordering: .relaxed)
            return .now(HTTPResponse(contentType: "image/png", [UInt8](repeating: 7, count: 100_000)))
        }
        try await withServer(handler, { $0.outputBufferBytes = 200_000 }) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send(String(repeating: simpleGet, count: 200))
            #expect(try await client.reply()?.body.count == 100_000)
            // What the two kernels buffer, and the server's own bound, are far below 200 replies.
            #expect(answered.load(ordering: .relaxed) < 150)
            for _ in 1..<200 { #expect(try await client.reply()?.body.count == 100_000) }
            #expect(answered.load(ordering: .relaxed) == 200)
        }
    }

    @Test func takesBodiesInPieces() async throws {
        try await withServer { (server) async throws in
            let text = """
                POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: u\r\n\r\n
                """
            let client = try await RawClient.connect(server.addresses[0])
            for byte in text.utf8 { try await client.send([byte]) }
            #expect(try await client.reply()?.text == "POST /c abcdefg")
            #expect(
                try await client.exchange("PUT /l HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz").text
                    == "PUT /l xyz")
        }
    }

    @Test func headHasTheFieldsAndNoBody() async throws {
        try await withServer { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            let head = try await client.exchange("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", method: .head)
            #expect(head.headers["content-length"] == "8" && head.body.isEmpty)
            // Had a body followed, this reply would not be well formed.
            #expect(try await client.exchange(simpleGet).text == "GET /x ")
        }
    }

    @Test func oldClients() async throws {
        try await withServer { (server) async throws in
            let once = try await RawClient.connect(server.addresses[0])
            let reply = try await once.exchange("GET /x HTTP/1.0\r\n\r\n")
            #expect(reply.headers["connection"] == "close")
            #expect(try await once.receiveAll().isEmpty)
            let kept = try await RawClient.connect(server.addresses[0])
            for _ in 0..<2 {
                let reply = try await kept.exchange("GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
                #expect(reply.headers["connection"] == "keep-alive")
            }
        }
    }

    @Test func closesWhenAsked() async throws {
        try await withServer { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + simpleGet)
            #expect(try await client.reply()?.headers["connection"] == "close")
            #expect(try await client.receiveAll().isEmpty)
        }
    }

    @Test func answersAClientThatStoppedSending() async throws {
        let handler = ClosureHandler { _ in .later { HTTPResponse(text: "late") } }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send(simpleGet + simpleGet)
            try client.finishSending()
            #expect(try await client.reply()?.text == "late")
            #expect(try await client.reply()?.text == "late")
            #expect(try await client.receiveAll().isEmpty)
        }
    }

    @Test func repliesWithoutABody() async throws {
        let handler = ClosureHandler { request in
            .now(HTTPResponse(request.head.isPath("/204") ? .noContent : .notModified, text: "never sent"))
        }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            for status in [204, 304] {
                let reply = try await client.exchange("GET /\(status) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(reply.status == status)
                #expect(reply.headers["content-length"] == nil)
            }
        }
    }

    /// Large bodies are sent from where they lie, and arrive whole although the socket takes them in pieces.
    @Test func largeBodiesBothWays() async throws {
        var random = SplitMix(seed: 5)
        let body = (0..<6_000_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        let handler = ClosureHandler(limit: 8 << 20) { request in
            .now(HTTPResponse(contentType: "application/octet-stream", request.body))
        }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            let head = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n"
            try await client.send(Array(head.utf8) + body)
            #expect(try await client.reply()?.body == body)
            #expect(try await client.exchange(simpleGet).status == 200)
        }
    }

    @Test func tellsWhatCameInAndFromWhom() async throws {
        let seen = Mutex<HTTPRequest?>(nil)
        let handler = ClosureHandler { request in
            seen.withLock { $0 = request }
            return .now(HTTPResponse(text: request.requestID))
        }
        try await withServer(handler) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            let first = try await client.exchange(simpleGet).text
            let second = try await client.exchange(simpleGet).text
            #expect(first != second && first.utf8.count == 16 && second.utf8.count == 16)
            let request = try #require(seen.withLock { $0 })
            #expect(request.peer == .tcp(address: "127.0.0.1", isLoopback: true))
            #expect(request.listener == server.addresses[0])
            #expect(!request.listener.hasSuffix(":0"))
        }
    }

    @Test func severalLoopsShareThePort() async throws {
        try await withServer(loops: 3) { (server) async throws in
            #expect(server.addresses.count == 1)
            let texts = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<40 { group.addTask { try await exchange(server, simpleGet).text } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(texts == Array(repeating: "GET /x ", count: 40))
        }
    }

    @Test func refusesATakenPort() async throws {
        for loops in [1, 3] {
            try await withServer(loops: loops) { (server) async throws in
                for other in [1, 2] {
                    var configuration = HTTPServerConfiguration(listeners: [server.addresses[0]])
                    configuration.loops = other
                    let error = #expect(throws: HTTPServerError.self) {
                        try HTTPServer(configuration: configuration, handler: ClosureHandler.echo)
                    }
                    #expect(error?.code == .addressInUse)
                }
            }
        }
    }

    @Test(arguments: ["", "localhost:1", "127.0.0.1", "127.0.0.1:70000", "unix:", "::1:80", "1.2.3.4:5\n"])
    func refusesWhatIsNoAddress(_ text: String) {
        let error = #expect(throws: HTTPServerError.self) {
            try HTTPServer(
                configuration: HTTPServerConfiguration(listeners: [text]), handler: ClosureHandler.echo)
        }
        #expect(error?.code == .badAddress)
    }

    @Test func listensOnIPv6AndUnixToo() async throws {
        let path = "/tmp/sandwarden-http-\(UInt64.random(in: 0 ... .max)).sock"
        try await withServer(.echo, loops: 2, { $0.listeners = ["[::1]:0", "unix:\(path)"] }) {
            (server) async throws in
            #expect(server.addresses.count == 2)
            #expect(server.addresses[1] == "unix:\(path)")
            for address in server.addresses {
                let client = try await RawClient.connect(address)
                #expect(try await client.exchange(simpleGet).status == 200)
            }
        }
    }

    @Test func countsWhatItDoes() async throws {
        let metrics = MetricsRegistry()
        try await withServer(metrics: metrics) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            _ = try await client.exchange(simpleGet)
            _ = try await client.exchange(simpleGet)
            _ = try await exchange(server, "GET / HTTP/1.1\r\n\r\n")
            let text = String(decoding: metrics.render(.prometheus), as: UTF8.self)
            #expect(text.contains("sandwarden_http_requests_total{method=\"get\",class=\"2xx\"} 2\n"))
            #expect(text.contains("sandwarden_http_requests_total{method=\"delete\",class=\"5xx\"} 0\n"))
            #expect(text.contains("sandwarden_http_rejections_total{reason=\"host\"} 1\n"))
            #expect(text.contains("sandwarden_http_request_duration_seconds_count 2\n"))
            #expect(text.contains("sandwarden_http_received_bytes_total \(2 * simpleGet.utf8.count + 18)\n"))
            #expect(text.contains("sandwarden_http_timeouts_total{kind=\"header\"} 0\n"))
        }
        let text = String(decoding: metrics.render(.prometheus), as: UTF8.self)
        #expect(text.contains("sandwarden_http_connections 0\n"))
    }
}
