import SandboxModel
import Testing

@testable import Journal

@Suite struct RecordLineTests {
    private func body(_ members: [JSONMember]) throws -> RecordBody {
        try RecordBody(members, now: Timestamp(milliseconds: 0))
    }

    @Test func readsWhatItWrote() throws {
        var bytes: [UInt8] = []
        let record = try body([JSONMember("a", "x\n\"\\ü"), JSONMember("b", [1, 2.5, nil])])
        let chain = RecordLine.append(seq: 7, body: record.bytes, after: .start, to: &bytes)
        #expect(bytes.last == 0x0A)
        let line = Array(bytes.dropLast())
        let claim = try #require(RecordLine.claim(of: line, isChained: true))
        #expect(claim == LineClaim(seq: 7, chain: chain))
        #expect(RecordLine.chain(of: line, after: .start) == chain)
        let value = try JSONParser.parse(line).json
        #expect(value["timestamp"] == "1970-01-01T00:00:00.000Z")
        #expect(value["a"] == "x\n\"\\ü")
        #expect(value.members?.first?.key == "seq")
        #expect(value.members?.last?.key == "chain")
    }

    @Test(arguments: [
        "", "{}", "{\"seq\":}", "{\"seq\":1", "{\"seq\":01}", "{\"seq\":0}", "{\"seq\":-1}", "{\"seq\":1.0}",
        "{\"seq\":\"1\"}", " {\"seq\":1}", "{\"seq\":1} ", "{\"seq\":1234567890123456789}", "{\"seq\" :1}",
        "{\"Seq\":1}", "[\"seq\":1]",
    ])
    func refuses(_ text: String) {
        #expect(RecordLine.claim(of: Array(text.utf8), isChained: false) == nil)
        #expect(RecordLine.claim(of: Array(text.utf8), isChained: true) == nil)
    }

    @Test func acceptsTheShortestLines() {
        #expect(RecordLine.claim(of: Array("{\"seq\":1}".utf8), isChained: false)?.seq == 1)
        let zeros = String(repeating: "0", count: 64)
        let line = Array("{\"seq\":1,\"chain\":\"\(zeros)\"}".utf8)
        #expect(RecordLine.claim(of: line, isChained: true) == LineClaim(seq: 1, chain: .start))
        let upper = Array("{\"seq\":1,\"chain\":\"\(String(repeating: "A", count: 64))\"}".utf8)
        #expect(RecordLine.claim(of: upper, isChained: true) == nil)
    }

    @Test func neverTrapsOnAPrefixOrAFlip() throws {
        var bytes: [UInt8] = []
        let record = try body([JSONMember("a", .object([JSONMember("b", ["c"])]))])
        _ = RecordLine.append(seq: 12, body: record.bytes, after: .start, to: &bytes)
        for cut in 0...bytes.count {
            let prefix = Array(bytes[..<cut])
            #expect(RecordLine.claim(of: prefix, isChained: true) == nil || cut == bytes.count - 1)
            _ = LineFields(prefix)
            _ = RecordLine.number(prefix)
        }
        for place in bytes.indices {
            for mask in [UInt8(1), 2, 4, 8, 16, 32, 64, 128] {
                var changed = Array(bytes.dropLast())
                guard place < changed.count else { continue }
                changed[place] ^= mask
                if let claim = RecordLine.claim(of: changed, isChained: true) {
                    let isRight = claim.chain == RecordLine.chain(of: changed, after: .start)
                    #expect(!isRight, "byte \(place) mask \(mask)")
                }
            }
        }
    }

    @Test func theChainIsTheContractsHash() throws {
        // SHA-256 of 64 zeros (as text) and `{"seq":1,"a":1}`, from coreutils' sha256sum.
        let zeros = String(repeating: "0", count: 64)
        let expected = ChainValue.digest(of: Array((zeros + #"{"seq":1,"a":1}"#).utf8).span)
        var bytes: [UInt8] = []
        #expect(
            RecordLine.append(seq: 1, body: Array(#","a":1"#.utf8), after: .start, to: &bytes) == expected)
        #expect(expected.description == "2af798a2ea84dceaa5d10f2995a866aed0c2074a40fc5acf278b76fa3c2e6592")
        // The same of no bytes is the well-known value.
        let nothing: [UInt8] = []
        let digest = ChainValue.digest(of: nothing.span).description
        #expect(digest == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}
