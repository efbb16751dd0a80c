import SandboxModel
import Testing

/// Trees with places, faults, and text made safe to show.
@Suite struct DocumentNodeTests {
    @Test("Accessors answer for their own type only")
    func accessors() throws {
        let node = try JSONParser.parse(
            Array(#"{"s":"x","i":3,"n":1.5,"b":true,"a":[1],"o":{},"z":null}"#.utf8))
        let names = try #require(node.members).map { $0.value.typeName }
        #expect(names == ["string", "integer", "number", "boolean", "list", "map", "null"])
        #expect(node["s"]?.string == "x" && node["i"]?.string == nil)
        #expect(node["i"]?.integer == 3 && node["n"]?.integer == nil)
        #expect(node["i"]?.double == 3 && node["n"]?.double == 1.5 && node["s"]?.double == nil)
        #expect(node["b"]?.bool == true && node["i"]?.bool == nil)
        #expect(node["a"]?.array?.count == 1 && node["o"]?.array == nil)
        #expect(node["o"]?.members?.isEmpty == true && node["a"]?.members == nil)
        #expect(node["z"]?.isNull == true && node["s"]?.isNull == false)
        #expect(node["missing"] == nil && node["a"]?["x"] == nil)
        #expect(node.json["n"] == 1.5)
    }

    @Test("Pointers escape what separates them")
    func pointers() {
        #expect(DocumentFault.pointer("", "a") == "/a")
        #expect(DocumentFault.pointer("/a", "b/c~d") == "/a/b~1c~0d")
        #expect(DocumentFault.pointer("/a", "") == "/a/")
    }

    @Test("A fault prints its place where it has one")
    func faults() {
        let place = SandboxModel.SourceLocation(line: 3, column: 7)
        #expect("\(DocumentFault(pointer: "/a", location: place, detail: "wrong"))" == "3:7: /a: wrong")
        #expect("\(DocumentFault(pointer: "/a", location: .none, detail: "wrong"))" == "/a: wrong")
    }

    @Test(
        "Foreign text is shown without what cannot be seen, and cut",
        arguments: [
            ("plain é 你", 128, "plain é 你"), ("a\u{1B}[2Jb", 128, "a\\u{1b}[2Jb"), ("a\nb", 128, "a\\u{a}b"),
            ("a\u{202E}b", 128, "a\\u{202e}b"), ("\u{200B}", 128, "\\u{200b}"),
            ("\u{2028}", 128, "\\u{2028}"),
            ("\u{E000}", 128, "\\u{e000}"), ("abcdef", 5, "abcde…"), ("abcde", 5, "abcde"), ("ééé", 5, "éé…"),
            ("a\u{1}", 5, "a…"),
            ("", 0, ""), ("x", 0, "…"),
        ])
    func excerpts(text: String, limit: Int, expected: String) {
        #expect(excerpt(text, limit: limit) == expected)
    }
}
