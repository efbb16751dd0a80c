import Testing

@testable import HTTP

/// What a reader of responses said about a stream, however it was cut.
private struct ResponseTranscript: Equatable {
    var status: Int?
    var headers = HTTPHeaders()
    var body: [UInt8] = []
    var trailers = HTTPHeaders()
    var keepsAlive = false
    var isComplete = false
    var rejection: HTTPRejection.Reason?
    var leftover = 0

    init(
        of pieces: [ArraySlice<UInt8>], method: HTTPMethod = .get, limits: HTTPLimits = HTTPLimits(),
        closed: Bool = true
    ) {
        var reader = ResponseReader(method: method, limits: limits)
        var buffer: [UInt8] = []
        for piece in pieces where !isComplete {
            buffer += piece
            while !isComplete, rejection == nil {
                guard let dropped = take(reader.advance(over: buffer.span), reader, buffer) else { break }
                buffer.removeFirst(dropped)
            }
        }
        if closed, !isComplete, rejection == nil { _ = take(reader.finish(), reader, buffer) }
        leftover = isComplete || rejection != nil ? 0 : buffer.count
    }

    private mutating func take(_ step: MessageStep, _ reader: ResponseReader, _ buffer: [UInt8]) -> Int? {
        switch step {
        case .needMore:
            return nil
        case .head(let end):
            status = reader.head.status.code
            headers = reader.head.headers
            keepsAlive = reader.head.keepsAlive
            return end
        case .body(let range):
            body += buffer[range]
            return range.upperBound
        case .framing(let end):
            return end
        case .end(let end):
            trailers = reader.trailers
            isComplete = true
            return end
        case .reject(let rejection):
            self.rejection = rejection.reason
            return nil
        }
    }

    init(of text: String, method: HTTPMethod = .get, limits: HTTPLimits = HTTPLimits()) {
        self.init(of: [Array(text.utf8)[...]], method: method, limits: limits)
    }
}

@Suite struct ResponseReaderTests {
    static let good = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello",
        "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n3\r\nyou\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            + "HTTP/1.1 201 Créé\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 299 \r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    ]

    @Test(arguments: good.indices)
    func sameResponseHoweverCut(_ index: Int) {
        let bytes = Array(Self.good[index].utf8)
        let whole = ResponseTranscript(of: [bytes[...]])
        #expect(whole.isComplete && whole.rejection == nil)
        for pieces in everyCut(bytes) {
            #expect(ResponseTranscript(of: pieces) == whole, "cut at \(pieces.first?.count ?? 0)")
        }
    }

    @Test func readsBodies() {
        #expect(ResponseTranscript(of: Self.good[0]).body == Array("hello".utf8))
        #expect(ResponseTranscript(of: Self.good[1]).body == Array("helloyou".utf8))
        #expect(ResponseTranscript(of: Self.good[1]).trailers == ["X": "y"])
        #expect(ResponseTranscript(of: Self.good[3]).body == Array("until the end".utf8))
        #expect(ResponseTranscript(of: Self.good[6]).status == 201)
    }

    @Test func knowsWhetherTheConnectionLives() {
        #expect(
            Self.good.map { ResponseTranscript(of: $0).keepsAlive }
                == [true, true, false, false, true, true, true, false])
    }

    @Test func noBodyFollowsAHeadRequest() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        #expect(ResponseTranscript(of: text, method: .head).isComplete)
        #expect(ResponseTranscript(of: text).rejection == .truncated)
    }

    @Test func switchingProtocolsEndsTheMessage() {
        var reader = ResponseReader(method: .post)
        let bytes = Array("HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\nraw".utf8)
        #expect(reader.advance(over: bytes.span) == .head(end: bytes.count - 3))
        #expect(reader.head.framing == .upgrade)
    }

    static let bad: [(String, HTTPRejection.Reason)] =
        [
            "", "HTTP/1.1", "HTTP/1.1\r\n\r\n", "HTTP/1.1 \r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 200\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1\t200 OK\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.x 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 0x1 OK\r\n\r\n",
            "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 -20 OK\r\n\r\n", "HTTP/1.1 200 O\u{01}K\r\n\r\n", "ICY 200 OK\r\n\r\n", "<html>",
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 9) + "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 \(String(repeating: "x", count: 9000))\r\n\r\n",
        ].map { ($0, $0.isEmpty || $0 == "HTTP/1.1" ? .truncated : .statusLine) }
        + [
            ("HTTP/1.1 200 OK\nX: y\n\n", .lineBreak), ("HTTP/1.1 200 OK\r\nX: y\n\r\n", .lineBreak),
            ("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", .folding),
            ("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", .fieldName),
            ("HTTP/1.1 200 OK\r\nX: \u{01}\r\n\r\n", .fieldValue),
            ("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", .lineBreak),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", .contentLength),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .contentLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", .transferEncoding),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", .transferEncoding),
            ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", .transferEncoding),
            ("HTTP/1.1 200 OK\r\nConnection: a b\r\n\r\n", .connection),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", .chunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n", .chunk),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n", .trailer),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", .bodyTooLarge),
            ("HTTP/1.1 200 OK\r\n\(String(repeating: "X: y\r\n", count: 101))\r\n", .headersTooLarge),
            ("HTTP/1.1 200 OK\r\nX: \(String(repeating: "y", count: 17_000))\r\n\r\n", .headersTooLarge),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", .truncated),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", .truncated),
            ("HTTP/1.1 200 OK\r\nX: y\r\n", .truncated), ("HTTP/1.1 100 Continue\r\n\r\n", .truncated),
        ]

    @Test(arguments: bad.indices)
    func refuses(_ index: Int) {
        let (text, reason) = Self.bad[index]
        let bytes = Array(text.utf8)
        let whole = ResponseTranscript(of: [bytes[...]])
        #expect(whole.rejection == reason)
        #expect(!whole.isComplete)
        guard bytes.count < 400 else { return }
        for pieces in everyCut(bytes) {
            #expect(ResponseTranscript(of: pieces) == whole, "cut at \(pieces.first?.count ?? 0)")
        }
    }

    @Test func boundsABodyThatEndsWithTheConnection() {
        var limits = HTTPLimits()
        limits.bodyBytes = 4
        let head = "HTTP/1.1 200 OK\r\n\r\n"
        #expect(ResponseTranscript(of: head + "abcd", limits: limits).isComplete)
        #expect(ResponseTranscript(of: head + "abcde", limits: limits).rejection == .bodyTooLarge)
    }

    @Test(.timeLimit(.minutes(5)))
    func mutationsNeverDependOnCuts() {
        var random = SplitMix(seed: 7)
        let seeds = (Self.good + Self.bad.map(\.0)).map { Array($0.utf8) }.filter { $0.count < 400 }
        for _ in 0..<1500 {
            var bytes = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1:
                    bytes.insert([0, 9, 10, 13, 32, 44, 59].randomElement(using: &random) ?? 0, at: place)
                case 2: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 16)], at: place)
                }
            }
            let whole = ResponseTranscript(of: [bytes[...]])
            let cut = Int.random(in: 0...bytes.count, using: &random)
            #expect(
                ResponseTranscript(of: [bytes[..<cut], bytes[cut...]]) == whole, "\(bytes) cut at \(cut)")
            #expect(ResponseTranscript(of: bytes.indices.map { bytes[$0...$0] }) == whole, "\(bytes)")
        }
    }
}
