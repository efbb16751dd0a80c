import LinuxSystem
import Testing

@testable import HTTP

@Suite struct EncoderTests {
    private let date = Array("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".utf8)

    private func head(
        _ status: HTTPStatus, _ headers: HTTPHeaders = [:], framing: ResponseEncoder.Framing,
        keepsAlive: Bool = true, minorVersion: Int = 1
    ) -> String {
        var output: [UInt8] = []
        ResponseEncoder.appendHead(
            to: &output, status: status, headers: headers, dateLine: date, framing: framing,
            keepsAlive: keepsAlive, minorVersion: minorVersion)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func writesHeads() {
        #expect(
            head(.ok, ["Content-Type": "text/plain"], framing: .length(12)) == """
                HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n\
                Content-Length: 12\r\n\r\n
                """)
        #expect(
            head(.serviceUnavailable, framing: .chunked, keepsAlive: false) == """
                HTTP/1.1 503 Service Unavailable\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n
                """)
        #expect(head(.noContent, framing: .none, minorVersion: 0).hasSuffix("Connection: keep-alive\r\n\r\n"))
        #expect(head(HTTPStatus(299), framing: .none).hasPrefix("HTTP/1.1 299 \r\n"))
    }

    /// A handler cannot contradict the framing, and no value breaks out of its line.
    @Test func decidesAboutFramingItself() {
        let headers: HTTPHeaders = [
            "Content-Length": "7", "connection": "keep-alive", "Transfer-Encoding": "chunked", "DATE": "x",
            "X": "a\r\nSet-Cookie: b\0",
        ]
        #expect(
            head(.ok, headers, framing: .length(0)) == """
                HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX: a  Set-Cookie: b \r\n\
                Content-Length: 0\r\n\r\n
                """)
    }

    @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 12_345, 1_048_576, Int.max])
    func writesNumbers(_ number: Int) {
        var output: [UInt8] = [0x41]
        output.append(decimal: number)
        #expect(String(decoding: output, as: UTF8.self) == "A\(number)")
    }

    /// What the encoder writes in chunks, the reader puts together again.
    @Test func chunksAreReadBack() {
        var output = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        let data = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        for size in [1, 0, 15, 16, 255, 256, 300] {
            ResponseEncoder.appendChunk(Array(data[..<size]), to: &output)
        }
        ResponseEncoder.appendLastChunk(trailers: ["X": "y", "Content-Length": "3"], to: &output)
        let transcript = Transcript(of: [output[...]])
        let expected = [1, 0, 15, 16, 255, 256, 300].flatMap { data[..<$0] }
        #expect(transcript.messages.first?.body == expected)
        #expect(transcript.messages.first?.trailers == ["X": "y"])
        #expect(transcript.messages.first?.isComplete == true)
    }

    @Test func requestsAreReadBack() {
        var output: [UInt8] = []
        #expect(
            RequestEncoder.append(
                method: .post, target: "/x?y", host: "docker",
                headers: ["X": "a\r\nb", "Content-Length": "9"],
                body: [1, 2, 3], to: &output))
        #expect(
            RequestEncoder.append(
                method: .get, target: "/", host: "docker", headers: ["Host": "own"], body: [], to: &output))
        let transcript = Transcript(of: [output[...]])
        #expect(transcript.messages.map(\.body) == [[1, 2, 3], []])
        #expect(transcript.messages.map(\.authority) == ["docker", "own"])
        #expect(transcript.messages.first?.headers["x"] == "a  b")
        #expect(transcript.rejection == nil)
    }

    @Test(arguments: [
        ("", ""), ("aZ09-._~", "aZ09-._~"), ("/a b%", "%2Fa%20b%25"), ("é\n", "%C3%A9%0A"),
        ("+&=?", "%2B%26%3D%3F"),
    ])
    func encodesComponents(_ text: String, _ encoded: String) {
        #expect(PercentCoding.encode(text) == encoded)
        #expect(PercentCoding.decode(Array(encoded.utf8)[...]) == text)
        #expect(PercentCoding.decode(Array(encoded.utf8)[...], plusIsSpace: true) == text)
    }

    @Test(arguments: ["", "x", "/a b", "/a\r\nX: y", "/a\u{7F}", "/é", "/a\0"])
    func refusesTargetsThatBreakTheLine(_ target: String) {
        var output: [UInt8] = []
        #expect(
            !RequestEncoder.append(
                method: .get, target: target, host: "a", headers: [:], body: [], to: &output))
        #expect(output.isEmpty)
    }

    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (-5, "Thu, 01 Jan 1970 00:00:00 GMT"), (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] as [(Int64, String)])
    func writesDates(_ seconds: Int64, _ text: String) {
        #expect(String(decoding: HTTPDate.bytes(secondsSinceEpoch: seconds), as: UTF8.self) == text)
    }

    @Test func dateLineChangesWithTheSecond() {
        var cache = DateCache()
        let start = MonotonicInstant.now()
        cache.refresh(now: start)
        let first = cache.line
        #expect(first.count == 37)
        cache.refresh(now: start)
        #expect(cache.line == first)
    }
}

@Suite struct HTTPHeadersTests {
    @Test func namesCompareWithoutCase() {
        var headers: HTTPHeaders = ["Content-Type": "a", "X-Y": "1", "x-y": "2"]
        #expect(headers["CONTENT-TYPE"] == "a")
        #expect(headers.values("X-y") == ["1", "2"])
        #expect(headers["content-typ"] == nil && headers["content-typee"] == nil)
        headers["x-Y"] = "3"
        #expect(headers.values("x-y") == ["3"])
        headers["x-y"] = nil
        #expect(headers.map(\.name) == ["Content-Type"])
        #expect(headers == ["content-type": "a"])
        #expect(headers != ["content-type": "A"])
    }

    @Test func copiesAreIndependent() {
        let first: HTTPHeaders = ["A": "1"]
        var second = first
        second.add("B", "2")
        #expect(first.count == 1 && second.count == 2)
    }

    @Test func badNamesTrap() async {
        await #expect(processExitsWith: .failure) {
            var headers = HTTPHeaders()
            headers.add("A: b\r\nC", "d")
        }
    }
}
