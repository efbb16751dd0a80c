import SandboxModel
import Testing

/// The strict JSON: what is taken, as what, and what is refused where.
@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> DocumentNode { try JSONParser.parse(Array(text.utf8)) }

    private func refusal(_ bytes: [UInt8]) -> JSONSyntaxError? {
        do {
            _ = try JSONParser.parse(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Every kind of value is read, and printed again the same",
        arguments: [
            "null", "true", "false", "0", "-0", "-1", "9223372036854775807", "-9223372036854775808", "\"\"",
            "\"a\"", "[]", "{}",
            "[1,[2,[3]],{}]", "{\"a\":1,\"b\":[true,null],\"c\":{\"d\":\"e\"}}", "\"é你😀\"",
            "\"\\\"\\\\\\n\\r\\t\"", "1.5", "-0.25",
            "\"\\u0000\\u001f\\u007f\"", "{\"\":0}", "1.0", "1e-07", "1e+16",
        ])
    func accepted(text: String) throws {
        let value = try parse(text).json
        #expect(value.text == (text == "-0" ? "0" : text))
        #expect(try JSONParser.parse(value.bytes).json == value)
    }

    @Test(
        "Escapes mean what RFC 8259 says",
        arguments: [
            (#""\/\b\f""#, "/\u{08}\u{0C}"), (#""\u0041\u00e9\u00E9""#, "Aéé"), (#""\ud83d\ude00""#, "😀"),
            (#""\uFFFF""#, "\u{FFFF}"),
            (#""a\\\"b""#, "a\\\"b"), (#""é\n""#, "é\n"),
        ])
    func escapes(text: String, expected: String) throws {
        #expect(try parse(text).string == expected)
    }

    @Test("Space may stand between tokens")
    func space() throws {
        #expect(try parse(" \t\r\n[ 1 ,\n\t2 ] \n").json == [1, 2])
        #expect(try parse("{ \"a\" :\r\n1 , \"b\":2}").json == ["a": 1, "b": 2])
    }

    @Test(
        "Whatever is not JSON is refused at its first wrong byte",
        arguments: [
            ("", 0), (" ", 1), ("nul", 3), ("nulL", 3), ("True", 0), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3),
            ("[1", 2), ("[", 1), ("{", 1),
            ("{a:1}", 1), ("{\"a\" 1}", 5), ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{\"a\":1", 6),
            ("{\"a\":1 \"b\":2}", 7), ("1 2", 2),
            ("01", 1), ("-", 1), ("-a", 1), ("1.", 2), (".5", 0), ("1e", 2), ("1e+", 3), ("+1", 0),
            ("0x1", 1), ("NaN", 0),
            ("Infinity", 0), ("'a'", 0), ("\"a", 2), ("\"\\", 2), ("\"\\x\"", 2), ("\"\\u12\"", 5),
            ("\"\\u12g4\"", 5),
            ("\"\\ud800\"", 7), ("\"\\ud800\\u0041\"", 13), ("\"\\udc00\"", 7), ("\"a\nb\"", 2),
            ("\"a\tb\"", 2), ("// x", 0),
            ("[1]]", 3), ("9223372036854775808", 0), ("-9223372036854775809", 0), ("1e400", 0),
            ("{\"a\":1,\"a\":2}", 7),
            ("{\"a\":1,\"\\u0061\":2}", 7),
        ])
    func refused(text: String, offset: Int) throws {
        let found = refusal(Array(text.utf8))
        let error = try #require(found, "\(text) was taken")
        #expect(error.offset == offset, "\(error)")
        #expect(!error.detail.isEmpty)
    }

    @Test(
        "Bytes that are no UTF-8, and a byte order mark, are refused",
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0xEF, 0xBB, 0xBF, 0x31], [0x22, 0x5C, 0x6E, 0xFF, 0x22],
            [0x80],
            [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D],
        ] as [[UInt8]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(refusal(bytes) != nil)
    }

    @Test("Nesting is bounded")
    func depth() throws {
        let limit = JSONParser.maximumDepth
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let fine =
                String(repeating: open, count: limit) + (open == "[" ? "" : "1")
                + String(repeating: close, count: limit)
            _ = try parse(fine)
            #expect(refusal(Array((open + fine + close).utf8))?.detail.contains("nesting") ?? false)
        }
        #expect(refusal([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)) != nil)
    }

    @Test("Places count lines and bytes from 1")
    func places() throws {
        let node = try parse("{\n  \"é\": [1,\n \"x\"], \"b\": {}\n}")
        #expect(node.location == SandboxModel.SourceLocation(line: 1, column: 1))
        let list = try #require(node["é"])
        #expect(list.location == SandboxModel.SourceLocation(line: 2, column: 9))
        #expect(list.array?[1].location == SandboxModel.SourceLocation(line: 3, column: 2))
        #expect(node["b"]?.location == SandboxModel.SourceLocation(line: 3, column: 13))
        #expect(node.members?[1].keyLocation == SandboxModel.SourceLocation(line: 3, column: 8))
        let error = try #require(refusal(Array("[1,\n  é]".utf8)))
        #expect("\(error)" == "line 2, column 3: a value was expected")
    }

    @Test("A cut or changed text is taken or refused, and never more than that")
    func mutations() {
        let text = Array(#"{"a":[1,-2.5e3,true,null,"x\u00e9\n"],"b":{"c":"é","d":[]}}"#.utf8)
        for end in 0..<text.count { #expect(refusal(Array(text[..<end])) != nil, "cut at \(end)") }
        var taken = 0
        for index in text.indices {
            for byte in stride(from: UInt8.min, through: .max, by: 5) {
                var changed = text
                changed[index] = byte
                guard case .success(let node) = Result(catching: { try JSONParser.parse(changed) }) else {
                    continue
                }
                taken += 1
                #expect(Result { try JSONParser.parse(node.json.bytes).json }.map { $0 == node.json } == true)
            }
        }
        #expect(taken > 100)
    }
}

extension Result where Success == Bool {
    fileprivate static func == (left: Self, right: Bool) -> Bool {
        if case .success(let value) = left { value == right } else { false }
    }
}
