import LinuxSystem
import Metrics
import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(2)))
struct ServerRefusalTests {
    /// Every malformed message is answered with its status, the connection ends, and the request that
    /// follows it in the same packet is never read.
    @Test func refusesTheWholeTable() async throws {
        let served = Atomic<Int>(0)
        let handler = ClosureHandler { _ in
            served.wrappingAdd(1, ordering: .relaxed)
            return .now(HTTPResponse(text: "served"))
        }
        try await withServer(handler) { (server) async throws in
            for request in MalformedRequest.all {
                let client = try await RawClient.connect(server.addresses[0])
                try await client.send(request.bytes + Array(simpleGet.utf8))
                let reply = try #require(try await client.reply(), "\(request)")
                #expect(reply.status == request.status, "\(request)")
                #expect(reply.headers["connection"] == "close", "\(request)")
                #expect(reply.headers["content-type"] == "application/problem+json", "\(request)")
                #expect(reply.text.contains("\"status\":\(request.status),"), "\(request)")
                #expect(try await client.receiveAll().isEmpty, "\(request)")
            }
            #expect(served.load(ordering: .relaxed) == 0)
            #expect(try await exchange(server, simpleGet).text == "served")
        }
    }

    @Test func continuesOnlyWhenTheBodyIsWanted() async throws {
        try await withServer(ClosureHandler(limit: 10, answer: ClosureHandler.echo.answer)) {
            (server) async throws in
            let head = { (length: Int) in
                "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: \(length)\r\n\r\n"
            }
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send(head(3))
            #expect(try await client.receive() == Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
            #expect(try await client.exchange("abc").text == "PUT /x abc")
            // A body that is there already needs no invitation.
            #expect(try await client.exchange(head(3) + "abc").text == "PUT /x abc")
            let refused = try await RawClient.connect(server.addresses[0])
            try await refused.send(head(11))
            let all = String(decoding: try await refused.receiveAll(), as: UTF8.self)
            #expect(all.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func bodiesAreBounded() async throws {
        try await withServer(ClosureHandler(limit: 10, answer: ClosureHandler.echo.answer)) {
            (server) async throws in
            let chunked = "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            #expect(try await exchange(server, chunked + "A\r\n0123456789\r\n0\r\n\r\n").status == 200)
            #expect(try await exchange(server, chunked + "9\r\n012345678\r\n2\r\nab\r\n").status == 413)
            #expect(try await exchange(server, chunked + "B\r\n").status == 413)
        }
    }

    @Test func handlersMayRefuseBeforeTheBody() async throws {
        var handler = ClosureHandler.echo
        handler.refuse = {
            $0.headers.contains("authorization") ? nil : HTTPResponse(.unauthorized, text: "who?")
        }
        try await withServer(handler) { (server) async throws in
            let head = "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n"
            let reply = try await exchange(server, head + "Expect: 100-continue\r\n\r\n")
            #expect(reply.status == 401 && reply.text == "who?")
            #expect(reply.headers["connection"] == "close")
            // Requests without a body are the handler's to answer.
            #expect(try await exchange(server, simpleGet).status == 200)
        }
    }

    /// A client that sends a body without waiting still sees why it was refused.
    @Test func theReasonSurvivesAClientThatKeepsSending() async throws {
        let handler = ClosureHandler(limit: 10, answer: ClosureHandler.echo.answer)
        try await withServer(handler, { $0.timeouts.linger = .seconds(60) }) { (server) async throws in
            let client = try await RawClient.connect(server.addresses[0])
            try await client.send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
            try await client.send([UInt8](repeating: 0, count: 1_000_000))
            #expect(try await client.reply()?.status == 413)
        }
    }

    @Test func connectionsAreBounded() async throws {
        let metrics = MetricsRegistry()
        try await withServer(.echo, metrics: metrics, { $0.maxConnections = 2 }) { (server) async throws in
            let first = try await RawClient.connect(server.addresses[0])
            _ = try await first.exchange(simpleGet)
            do {
                let second = try await RawClient.connect(server.addresses[0])
                _ = try await second.exchange(simpleGet)
                let third = try await RawClient.connect(server.addresses[0])
                let reply = try await third.exchange(simpleGet)
                #expect(reply.status == 503)
                #expect(reply.headers["retry-after"] == "1")
                #expect(try await third.receiveAll().isEmpty)
            }
            try await eventually { server.connectionCount < 2 }
            #expect(try await exchange(server, simpleGet).status == 200)
            #expect(try await first.exchange(simpleGet).status == 200)
            let text = String(decoding: metrics.render(.prometheus), as: UTF8.self)
            #expect(text.contains("sandwarden_http_refused_connections_total{reason=\"total\"} 1\n"))
        }
    }

    @Test func connectionsOfOneClientAreBounded() async throws {
        try await withServer(.echo, { $0.maxConnectionsPerClient = 1 }) { (server) async throws in
            let first = try await RawClient.connect(server.addresses[0])
            _ = try await first.exchange(simpleGet)
            let reply = try await exchange(server, simpleGet)
            #expect(reply.status == 429)
            #expect(reply.headers["retry-after"] == "1")
            #expect(try await first.exchange(simpleGet).status == 200)
        }
    }

    /// Far more refused connections than are kept for their answer: none is forgotten, and the server lives.
    @Test func aFloodOfRefusedConnectionsLeavesNothingBehind() async throws {
        try await withServer(.echo, { $0.maxConnections = 1 }) { (server) async throws in
            let first = try await RawClient.connect(server.addresses[0])
            _ = try await first.exchange(simpleGet)
            var refused: [RawClient] = []
            for _ in 0..<200 { refused.append(try await RawClient.connect(server.addresses[0])) }
            for client in refused { _ = try await client.receiveAll() }
            #expect(try await first.exchange(simpleGet).status == 200)
            #expect(server.connectionCount == 1)
        }
    }

    @Test func pendingRequestsAreBounded() async throws {
        let started = Signal()
        let gate = Signal()
        let handler = ClosureHandler { request in
            guard request.head.isPath("/wait") else { return .now(HTTPResponse(text: "now")) }
            return .later {
                started.fire()
                await gate.wait()
                return HTTPResponse(text: "waited")
            }
        }
        try await withServer(handler, { $0.maxPendingRequests = 1 }) { (server) async throws in
            let wait = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"
            let first = try await RawClient.connect(server.addresses[0])
            try await first.send(wait)
            await started.wait()
            let second = try await RawClient.connect(server.addresses[0])
            let refused = try await second.exchange(wait)
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] == "1")
            // Requests that are answered at once are served all the while, on the same connection too.
            #expect(try await second.exchange(simpleGet).text == "now")
            gate.fire()
            #expect(try await first.reply()?.text == "waited")
        }
    }

    /// All bodies together are bounded, and what was taken is given back in every way that a request can end.
    @Test func bodiesTogetherAreBounded() async throws {
        let handler = ClosureHandler(limit: 10_000, answer: ClosureHandler.echo.answer)
        try await withServer(handler, { $0.maxBodyBytesInMemory = 1000 }) { (server) async throws in
            let head = { (length: Int) in "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n" }
            let body = { String(repeating: "x", count: $0) }
            for _ in 0..<5 {
                #expect(try await exchange(server, head(1000) + body(1000)).status == 200)
                let refused = try await exchange(server, head(1001) + body(1001))
                #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
                do {
                    let gone = try await RawClient.connect(server.addresses[0])
                    try await gone.send(head(1000) + body(900))
                    try gone.reset()
                }
                try await eventually { server.connectionCount == 0 }
            }
            #expect(try await exchange(server, head(1000) + body(1000)).status == 200)
        }
    }

    /// Clients that reset the connection at every point of a request do no harm.
    @Test func survivesResets() async throws {
        let handler = ClosureHandler { request in .later { HTTPResponse(text: "x") } }
        try await withServer(handler) { (server) async throws in
            let bytes = Array("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".utf8)
            for cut in 0...bytes.count {
                let client = try await RawClient.connect(server.addresses[0])
                try await client.send(Array(bytes[..<cut]))
                try client.reset()
            }
            try await eventually { server.connectionCount == 0 }
            #expect(try await exchange(server, simpleGet).status == 200)
        }
    }

    /// With no descriptor left, new clients are hung up on, those that are there are served, and afterwards
    /// all is as before.
    @Test func survivesDescriptorExhaustion() async {
        await #expect(processExitsWith: .success) {
            try await exhaustDescriptors()
        }
    }
}
