import Testing

@testable import SandboxPolicy

/// Paths by text alone.
@Suite struct LexicalPathTests {
    private func normalize(_ path: String, _ base: String = "/work") -> String {
        String(decoding: LexicalPath.normalize(Array(path.utf8), base: Array(base.utf8)), as: UTF8.self)
    }

    @Test(
        "Only whole components of one or two dots are special",
        arguments: [
            ("a", "/work/a"), ("./a", "/work/a"), ("../a", "/a"), ("../../../a", "/a"), ("/", "/"),
            ("//", "/"), ("/..", "/"),
            ("/a//b/./c/../d/", "/a/b/d"), ("...", "/work/..."), ("a../b", "/work/a../b"),
            ("..a", "/work/..a"), (".", "/work"),
            ("..", "/"), ("", "/work"), ("/work/../etc", "/etc"), ("a/..", "/work"), (" ", "/work/ "),
            ("%2e%2e", "/work/%2e%2e"),
        ])
    func normalized(path: String, expected: String) {
        #expect(normalize(path) == expected)
    }

    @Test("The root and an empty base are the same")
    func rootBase() {
        #expect(normalize("a", "/") == "/a")
        #expect(normalize("a", "") == "/a")
        #expect(normalize("..", "/") == "/")
    }

    @Test(
        "A tree ends at a component's end",
        arguments: [
            ("/work", "/work", true), ("/work", "/work/a", true), ("/work", "/workspace", false),
            ("/work", "/", false),
            ("/", "/a", true), ("/a/b", "/a", false),
        ])
    func trees(tree: String, path: String, expected: Bool) {
        #expect(LexicalPath.contains(Array(tree.utf8), Array(path.utf8)) == expected)
    }

    @Test("What is no path at all is found, whatever else is in it")
    func problems() {
        func problem(_ text: String) -> LexicalPath.Problem? { LexicalPath.problem(in: Array(text.utf8)) }
        #expect(problem("") == .empty)
        #expect(problem("/a\u{0}b") == .holdsNUL)
        #expect(problem("/" + String(repeating: "a/", count: 2047)) == nil)
        #expect(problem("/" + String(repeating: "a/", count: 2048)) == .tooLong(4097))
        #expect(problem(String(repeating: "a/", count: 2048) + "\u{0}") == .holdsNUL)
        #expect(problem("/" + String(repeating: "a", count: 255)) == nil)
        #expect(problem("/" + String(repeating: "a", count: 256)) == .componentTooLong(256))
        #expect(problem("/" + String(repeating: "a", count: 300) + "/b") == .componentTooLong(300))
        #expect(LexicalPath.problem(in: [0x2F, 0xC0, 0xAE]) == .invalidUTF8)
        #expect(problem("/a\nb") == .invisibleCharacter(0x0A))
        #expect(problem("/caf\u{E9}/你好/ñ") == nil)
    }

    @Test(
        "Characters that show nothing or turn text round are found",
        arguments: [
            0x7F, 0x85, 0xAD, 0x034F, 0x061C, 0x115F, 0x180E, 0x200B, 0x200D, 0x200E, 0x200F, 0x2028, 0x202A,
            0x202E, 0x2060,
            0x2066, 0x2069, 0x2800, 0x3164, 0xFE00, 0xFEFF, 0xFFA0, 0xE000, 0xE0001, 0xE0100,
        ] as [UInt32])
    func invisible(value: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(value))
        #expect(LexicalPath.problem(in: Array("/a\(scalar)b".utf8)) == .invisibleCharacter(value))
    }
}
