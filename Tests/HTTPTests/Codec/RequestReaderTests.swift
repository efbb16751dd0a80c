import Testing

@testable import HTTP

@Suite struct RequestReaderTests {
    @Test func readsASimpleRequest() throws {
        let transcript = Transcript(
            of: "GET /a/b?x=1&y=a+b%26 HTTP/1.1\r\nHost: example:8722\r\nX-Y:  z \t\r\n\r\n")
        let message = try #require(transcript.messages.first)
        #expect(message.method == .get)
        #expect(message.path == ["a", "b"])
        #expect(message.query.map(\.name) == ["x", "y"])
        #expect(message.query.map(\.value) == ["1", "a b&"])
        #expect(message.headers["x-y"] == "z")
        #expect(message.authority == "example:8722")
        #expect(message.keepsAlive && message.isComplete && message.body.isEmpty)
        #expect(transcript.messages.count == 1 && transcript.leftover == 0 && transcript.rejection == nil)
    }

    /// Texts of good streams; each is also fed cut at every byte.
    static let good = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.7\r\nHost:\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "BREW /pot HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\nGET http://b HTTP/1.1\r\nHost: b\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\nhello",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "5;a;b=c ; d=\"e;\\\"f\" ;g\r\nhello\r\nA\r\n0123456789\r\n000\r\nX: y\r\nZ:\r\n\r\n"
            + "GET /y HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
        "PUT /%E2%82%AC%2f?a&b=&=c&&d=%3D HTTP/1.1\r\nHost: a%20b\r\nX: é\u{09}\u{80}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel",
    ]

    @Test(arguments: good.indices)
    func sameMessagesHoweverCut(_ index: Int) {
        let bytes = Array(Self.good[index].utf8)
        let whole = Transcript(of: [bytes[...]])
        #expect(whole.rejection == nil)
        #expect(!whole.messages.isEmpty)
        for pieces in everyCut(bytes) {
            let cut = Transcript(of: pieces)
            #expect(cut == whole, "cut at \(pieces.first?.count ?? 0)")
        }
    }

    @Test func readsPipelinedRequestsAndChunks() {
        let transcript = Transcript(of: Self.good[9])
        #expect(transcript.messages.map(\.rawPath) == ["/x", "/y"])
        #expect(transcript.messages.first?.body == Array("hello0123456789".utf8))
        #expect(transcript.messages.first?.trailers == ["x": "y", "z": ""])
        #expect(transcript.messages.map(\.keepsAlive) == [true, false])
    }

    @Test func leavesWhatIsNotComplete() {
        let transcript = Transcript(of: Self.good[11])
        #expect(transcript.messages.map(\.isComplete) == [true, false])
        #expect(transcript.messages.last?.body == Array("hel".utf8))
    }

    @Test(arguments: MalformedRequest.all)
    func refuses(_ request: MalformedRequest) {
        let transcript = Transcript(of: [request.bytes[...]])
        #expect(transcript.rejection?.status.code == request.status)
        #expect(!transcript.messages.contains { $0.isComplete })
    }

    @Test func tableIsLongAndHasNoTwins() {
        #expect(MalformedRequest.all.count >= 250)
        #expect(Set(MalformedRequest.all.map(\.bytes)).count == MalformedRequest.all.count)
    }

    @Test func refusesTheSameWayHoweverCut() {
        for request in MalformedRequest.all where request.bytes.count < 400 {
            let whole = Transcript(of: [request.bytes[...]])
            for pieces in everyCut(request.bytes) {
                #expect(Transcript(of: pieces) == whole, "\(request), cut at \(pieces.first?.count ?? 0)")
            }
        }
    }

    @Test func refusesLongMessagesTheSameWayHoweverCut() {
        var random = SplitMix(seed: 1)
        for request in MalformedRequest.all where request.bytes.count >= 400 {
            let whole = Transcript(of: [request.bytes[...]])
            for _ in 0..<8 {
                let cut = Int.random(in: 0...request.bytes.count, using: &random)
                #expect(
                    Transcript(of: [request.bytes[..<cut], request.bytes[cut...]]) == whole, "\(request)")
            }
        }
    }

    /// After a refusal nothing more is read, whatever follows.
    @Test func staysRefused() {
        let good = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let transcript = Transcript(of: [Array("GET / HTTP/1.1\r\n\r\n".utf8)[...], Array(good.utf8)[...]])
        #expect(transcript.messages.isEmpty)
        #expect(transcript.rejection?.reason == .host)
    }

    @Test func limitsAreExact() {
        var limits = HTTPLimits()
        limits.requestLineBytes = 20
        let line = { (count: Int) in "GET /\(String(repeating: "a", count: count - 14)) HTTP/1.1\r\n" }
        #expect(Transcript(of: line(20) + "Host: a\r\n\r\n", limits: limits).rejection == nil)
        #expect(Transcript(of: line(21), limits: limits).rejection?.status == .uriTooLong)
        limits = HTTPLimits()
        limits.headerBytes = 30
        let headers = { (count: Int) in
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: count - 16))\r\n\r\n"
        }
        #expect(Transcript(of: headers(30), limits: limits).rejection == nil)
        #expect(Transcript(of: headers(31), limits: limits).rejection?.status == .headerFieldsTooLarge)
        limits = HTTPLimits()
        limits.headerCount = 2
        let fields = { String(repeating: "X: a\r\n", count: $0) }
        let head = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(Transcript(of: head + fields(1) + "\r\n", limits: limits).rejection == nil)
        #expect(
            Transcript(of: head + fields(2) + "\r\n", limits: limits).rejection?.reason == .headersTooLarge)
        limits = HTTPLimits()
        limits.bodyBytes = 3
        let body = { (length: Int) in "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\nabcd" }
        #expect(Transcript(of: body(3), limits: limits).messages.first?.body == Array("abc".utf8))
        #expect(Transcript(of: body(4), limits: limits).rejection?.status == .contentTooLarge)
    }

    /// A length over the limit is refused before a byte of the body has come.
    @Test func refusesABodyByItsLengthAlone() {
        var reader = RequestReader()
        let bytes = Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n".utf8)
        #expect(reader.advance(over: bytes.span) == .head(end: bytes.count))
        reader.bodyLimit = 10
        let nothing: [UInt8] = []
        #expect(reader.advance(over: nothing.span) == .reject(HTTPRejection(.contentTooLarge, .bodyTooLarge)))
    }

    @Test func bodyLimitHoldsForOneMessage() {
        var reader = RequestReader()
        let bytes = Array("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab".utf8)
        for _ in 0..<2 {
            var rest = bytes[...]
            #expect(reader.advance(over: rest.span) == .head(end: bytes.count - 2))
            #expect(reader.bodyLimit == HTTPLimits().bodyBytes)
            reader.bodyLimit = 2
            rest = rest.dropFirst(bytes.count - 2)
            #expect(reader.advance(over: rest.span) == .body(0..<2))
            rest = rest.dropFirst(2)
            #expect(reader.advance(over: rest.span) == .end(at: 0))
        }
    }

    @Test(arguments: [
        ("/", []), ("/a", ["a"]), ("/a/", ["a", ""]), ("//", ["", ""]), ("/a%2Fb/c", ["a/b", "c"]),
        ("/./../a", [".", "..", "a"]), ("/%C3%A4%20+", ["ä +"]), ("/a;b=c,d@e:f", ["a;b=c,d@e:f"]),
    ])
    func decodesSegments(_ target: String, _ segments: [String]) {
        let transcript = Transcript(of: "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(transcript.messages.first?.path == segments)
        #expect(transcript.messages.first?.rawPath == target)
    }

    @Test func comparesPathsAsSent() throws {
        var reader = RequestReader()
        let bytes = Array("GET /healthz?x HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(reader.advance(over: bytes.span) == .head(end: bytes.count))
        #expect(reader.head.isPath("/healthz"))
        #expect(!reader.head.isPath("/health"))
        #expect(!reader.head.isPath("/healthx"))
        #expect(reader.head.rawQuery == "x")
    }

    /// Mutations of good and bad streams: whatever comes, the reader stays within its bounds and says the
    /// same however the bytes are cut.
    @Test(.timeLimit(.minutes(5)))
    func mutationsNeverDependOnCuts() {
        var random = SplitMix(seed: 42)
        let seeds =
            Self.good.map { Array($0.utf8) } + MalformedRequest.all.map(\.bytes).filter { $0.count < 400 }
        let spice: [UInt8] = [0, 9, 10, 13, 32, 34, 37, 44, 48, 58, 59, 61, 63, 127, 128, 255]
        for _ in 0..<1500 {
            var bytes = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(spice.randomElement(using: &random) ?? 0, at: place)
                case 2: bytes.remove(at: place)
                case 3: bytes.removeSubrange(place..<min(bytes.count, place + 8))
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 16)], at: place)
                }
            }
            let whole = Transcript(of: [bytes[...]])
            let cut = Int.random(in: 0...bytes.count, using: &random)
            #expect(Transcript(of: [bytes[..<cut], bytes[cut...]]) == whole, "\(bytes) cut at \(cut)")
            #expect(Transcript(of: bytes.indices.map { bytes[$0...$0] }) == whole, "\(bytes) in single bytes")
        }
    }
}
