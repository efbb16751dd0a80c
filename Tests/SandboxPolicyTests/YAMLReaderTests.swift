import FoundationEssentials
import SandboxModel
import Testing

@testable import SandboxPolicy

/// The strict YAML: what is taken, as what, and what is refused where.
@Suite struct YAMLReaderTests {
    private func read(_ text: String) throws -> JSONValue { try YAMLReader.read(Array(text.utf8)).json }

    private func refusal(_ text: String) -> YAMLSyntaxError? {
        do {
            _ = try YAMLReader.read(Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "Plain scalars are resolved by the core schema",
        arguments: [
            ("null", "null"), ("~", "null"), ("", "null"), ("true", "true"), ("False", "false"),
            ("TRUE", "true"),
            ("yes", "\"yes\""), ("on", "\"on\""), ("No", "\"No\""), ("y", "\"y\""),
            ("0", "0"), ("-7", "-7"), ("+12", "12"), ("0o17", "15"), ("0xFf", "255"),
            ("9223372036854775807", "9223372036854775807"), ("1.5", "1.5"), (".5", "0.5"), ("1.", "1.0"),
            ("1e3", "1000.0"), ("-2.5E-1", "-0.25"), ("1_000", "\"1_000\""), ("12:30", "\"12:30\""),
            ("0b11", "\"0b11\""),
            ("1.2.3", "\"1.2.3\""), ("-", "[null]"), ("2026-01-31", "\"2026-01-31\""), ("0o8", "\"0o8\""),
            ("+", "\"+\""),
            (".", "\".\""), ("e3", "\"e3\""), ("1e", "\"1e\""), ("nUll", "\"nUll\""),
        ])
    func scalars(text: String, expected: String) throws {
        #expect(try read(text).text == expected)
        if expected != "[null]" { #expect(try read("a: \(text)\n")["a"]?.text == expected) }
    }

    @Test(
        "Whatever is quoted or a block is a string",
        arguments: [
            ("\"true\"", "\"true\""), ("'12'", "\"12\""), ("\"\"", "\"\""), ("'it''s'", "\"it's\""),
            ("\"a\\tb\\x41\\u00e9\"", "\"a\\tbAé\""),
        ])
    func quoted(text: String, expected: String) throws {
        #expect(try read("k: \(text)")["k"]?.text == expected)
    }

    @Test("Blocks keep or fold their lines")
    func blocks() throws {
        #expect(try read("a: |\n  one\n  two\nb: 1\n").text == #"{"a":"one\ntwo\n","b":1}"#)
        #expect(try read("a: >-\n  one\n  two\n\nb: 1\n").text == #"{"a":"one two","b":1}"#)
        #expect(try read("- |\n x: *y\n- 2\n").text == #"["x: *y\n",2]"#)
        #expect(try read("a:\n  - k: |\n      & * !\n    l: 1\n").text == #"{"a":[{"k":"& * !\n","l":1}]}"#)
        #expect(try read("a: |+\n  x\n\nb: |\nc: 1\n").text == #"{"a":"x\n\n","b":"","c":1}"#)
    }

    @Test("Collections in both styles, with comments anywhere")
    func collections() throws {
        let text = """
            # a comment
            --- # another
            list: [1, two, "thr]ee", {four: 4}]   # behind
            map:
              inner:
              - a
              -   b: 1
                  c: [ ]
              # between
              other: {}
            """
        #expect(
            try read(text).text
                == #"{"list":[1,"two","thr]ee",{"four":4}],"map":{"inner":["a",{"b":1,"c":[]}],"other":{}}}"#)
        #expect(try read("").text == "null")
        #expect(try read("# nothing\n").text == "null")
        #expect(try read("a: b#c\nurl: http://x/?a&b*c!\n").text == #"{"a":"b#c","url":"http://x/?a&b*c!"}"#)
        #expect(try read("a: 1\r\nb: 2\r\n").text == #"{"a":1,"b":2}"#)
        #expect(try read("\"quoted key\": 1\n'other': 2\n").text == #"{"quoted key":1,"other":2}"#)
        #expect(
            try read("{\"json\":[1,2.5,null,true],\"x\":{\"y\":\"z\"}}").text
                == #"{"json":[1,2.5,null,true],"x":{"y":"z"}}"#)
    }

    @Test("Places count lines and bytes from 1")
    func places() throws {
        let node = try YAMLReader.read(Array("é: 1\nlist:\n  - ü\n  - {a: é, b: 2}\n".utf8))
        #expect(node.location == SandboxModel.SourceLocation(line: 1, column: 1))
        #expect(node["é"]?.location == SandboxModel.SourceLocation(line: 1, column: 5))
        let list = try #require(node["list"]?.array)
        #expect(list[0].location == SandboxModel.SourceLocation(line: 3, column: 5))
        #expect(list[1]["b"]?.location == SandboxModel.SourceLocation(line: 4, column: 16))
        #expect(node.members?[1].keyLocation == SandboxModel.SourceLocation(line: 2, column: 1))
    }

    @Test(
        "What surprises is refused at its place",
        arguments: [
            ("a: &x 1", 1, 4, "anchors"), ("a: 1\nb: *x", 2, 4, "aliases"), ("a: [1, *x]", 1, 8, "aliases"),
            ("a: !!str 1", 1, 4, "tags"), ("! a: 1", 1, 1, "tags"), ("- !x {}", 1, 3, "tags"),
            ("<<: {a: 1}", 1, 1, "merge keys"), ("%YAML 1.1\n---\na: 1", 1, 1, "directives"),
            ("? a\n: 1", 1, 1, "complex keys"), ("{? a : 1}", 1, 2, "complex keys"),
            ("1: a", 1, 1, "must be a string"), ("a: 1\ntrue: 2", 2, 1, "must be a string"),
            ("~: 1", 1, 1, "must be a string"), ("[a]: 1", 1, 1, "must be a string"),
            ("a: 1\nb: 2\na: 3", 1, 1, "stands twice"), ("x: {a: 1, \"a\": 2}", 1, 5, "stands twice"),
            ("a: 1\n---\nb: 2", 2, 1, "second document"), ("a: 1\n...\n---\nb: 2", 3, 1, "second document"),
            ("a: x\n  y", 2, 3, "goes on over lines"), ("[a\n b]", 2, 2, "goes on over lines"),
            ("a: 012", 1, 4, "begin with 0"), ("a: .inf", 1, 4, "finite"), ("a: .nan", 1, 4, "finite"),
            ("a: 9223372036854775808", 1, 4, "out of range"), ("a: 1e999", 1, 4, "out of range"),
            ("a: |2\n  x", 1, 5, "indentation indicator"), ("a:\n  |\n  x", 2, 3, "must begin on the line"),
            ("a: \"x", 1, 4, "not closed"), ("a: 'x\n\n", 1, 4, "not closed"),
            ("a: \"x\"y", 1, 7, "nothing may follow"), ("a: [1,#c\n2]", 1, 7, "space must stand"),
            ("a: |\n    \n  x\n", 3, 3, "indented deeper"), ("a: @x", 1, 4, ""), ("a: `x", 1, 4, ""),
            ("a: [1", 1, 0, ""),
            ("a: 1\n b: 2", 2, 0, ""), ("\"a\nb\": 1", 2, 4, "one line"),
        ])
    func refused(text: String, line: Int, column: Int, detail: String) throws {
        let fault = try #require(refusal(text), "\(text) was taken")
        #expect(fault.detail.contains(detail), "\(fault)")
        #expect(fault.location.line == line || column == 0, "\(fault)")
        if column > 0 { #expect(fault.location.column == column, "\(fault)") }
    }

    @Test(
        "Characters that nobody sees are refused, but as escapes",
        arguments: [
            (0x00, "control character"), (0x1B, "control character"), (0x7F, "control character"),
            (0x85, "control character"), (0x2028, "line separator"), (0x2029, "line separator"),
            (0xFEFF, "byte order mark"), (0x0D, "carriage return"),
        ] as [(UInt32, String)])
    func invisible(value: UInt32, detail: String) throws {
        let scalar = try #require(Unicode.Scalar(value))
        let fault = try #require(refusal("a: \(scalar)b"))
        #expect(fault.detail.contains(detail))
        #expect(fault.location == SandboxModel.SourceLocation(line: 1, column: 4))
        let escape =
            "\\U" + String(repeating: "0", count: 8 - String(value, radix: 16).count)
            + String(value, radix: 16)
        #expect(try read("a: \"x\(escape)\"")["a"]?.string == "x" + String(scalar))
    }

    @Test("Nesting, size and number of values are bounded")
    func bounds() throws {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        _ = try read(deep)
        for opening in ["[", "{a: ", "- ", "[{a: "] {
            let fault = try #require(refusal(String(repeating: opening, count: 100_000)))
            #expect(fault.detail.contains("nesting"), "\(fault)")
        }
        let stairs = (0..<70).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(try #require(refusal(stairs)).detail.contains("nesting is deeper"))
        let wide = "[" + String(repeating: "1,", count: YAMLReader.maximumNodes) + "1]"
        #expect(try #require(refusal(wide)).detail.contains("values"))
        #expect(
            try #require(refusal(String(repeating: "#", count: YAMLReader.maximumBytes + 1))).detail.contains(
                "bytes"))
    }

    @Test(
        "Text that is not UTF-8 is refused",
        arguments: [[0x61, 0x3A, 0x20, 0xFF], [0xC3], [0x22, 0xED, 0xA0, 0x80, 0x22]])
    func invalidUTF8(bytes: [UInt8]) {
        #expect(throws: YAMLSyntaxError.self) { try YAMLReader.read(bytes) }
    }

    @Test("The program's own example is within what is taken")
    func ownConfiguration() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try Data(contentsOf: URL(filePath: root + "/config/sandwarden.yaml"))
        #expect(try YAMLReader.read(Array(bytes)).members?.isEmpty == false)
    }

    @Test("No text of a few tokens brings the reader down, and what is taken has no place backwards")
    func tokenSoup() {
        let tokens = [
            "a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ", ", "\"", "'", "|", ">", "#", "&x ", "*x",
            "!t ", "? ", "---", "1",
            "\t", "%", "é",
        ]
        var generator = SplitMix(seed: 7)
        var taken = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...9, using: &generator)
            let text = (0..<count).map { _ in tokens.randomElement(using: &generator) ?? "" }.joined()
            guard case .success(let node) = Result(catching: { try YAMLReader.read(Array(text.utf8)) }) else {
                continue
            }
            taken += 1
            #expect(isOrdered(node), "\(text)")
        }
        #expect(taken > 100)
    }

    // An alias would bring back a node with the place of its anchor.
    private func isOrdered(_ node: DocumentNode) -> Bool {
        func follows(_ left: SandboxModel.SourceLocation, _ right: SandboxModel.SourceLocation) -> Bool {
            (left.line, left.column) <= (right.line, right.column)
        }
        switch node.content {
        case .array(let elements):
            return elements.allSatisfy { follows(node.location, $0.location) && isOrdered($0) }
        case .object(let members):
            return members.allSatisfy { follows($0.keyLocation, $0.value.location) && isOrdered($0.value) }
        default: return true
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
