import SandboxModel
import Testing

/// Names from outside: the checked form and nothing else.
@Suite struct IdentifierTests {
    @Test(
        "Sandbox identifiers",
        arguments: [
            ("sb-0123456789", true), ("sb-" + String(repeating: "a", count: 40), true),
            ("sb-012345678", false),
            ("sb-" + String(repeating: "a", count: 41), false), ("sb-012345678A", false),
            ("sx-0123456789", false), ("", false),
            ("sb-01234567-9", false), ("sb-0123456789\n", false), ("sb-012345678é", false),
            ("sb-../../etc/x", false),
        ])
    func sandboxID(text: String, isTaken: Bool) {
        #expect((SandboxID(rawValue: text)?.rawValue == text) == isTaken)
        #expect(SandboxID(rawValue: text)?.description ?? text == text)
    }

    @Test(
        "Policy names",
        arguments: [
            ("default", true), ("a", true), ("-", true), ("0-a", true),
            (String(repeating: "a", count: 63), true),
            (String(repeating: "a", count: 64), false), ("", false), ("check", false), ("Check", false),
            ("a_b", false), ("a.b", false),
            ("a/b", false), ("ä", false), ("a ", false),
        ])
    func policyName(text: String, isTaken: Bool) {
        #expect((PolicyName(rawValue: text)?.rawValue == text) == isTaken)
    }

    @Test("The default policy's name is one")
    func defaultName() {
        #expect(PolicyName(rawValue: "default") == .default)
    }

    @Test(
        "Engine identifiers",
        arguments: [
            ("abc", true), ("A0_.-z", true), (String(repeating: "f", count: 128), true),
            (String(repeating: "f", count: 129), false),
            ("", false), (".", false), ("..", false), ("-x", false), ("_x", false), ("a/b", false),
            ("a b", false), ("é", false),
        ])
    func engineID(text: String, isTaken: Bool) {
        #expect((EngineID(rawValue: text)?.rawValue == text) == isTaken)
    }

    @Test("Fresh identifiers are valid, differ, and use the whole alphabet")
    func fresh() {
        var generator = SystemRandomNumberGenerator()
        var seen: Set<SandboxID> = []
        var letters: Set<Character> = []
        for _ in 0..<1000 {
            let id = SandboxID(using: &generator)
            #expect(SandboxID(rawValue: id.rawValue) == id)
            seen.insert(id)
            letters.formUnion(id.rawValue.dropFirst(3))
        }
        #expect(seen.count == 1000)
        #expect(letters.count == 36)
        #expect(randomAlphanumerics(0, using: &generator) == "")
    }

    @Test("Identifiers are ordered by their text")
    func order() throws {
        let first = try #require(SandboxID(rawValue: "sb-aaaaaaaaaa"))
        let second = try #require(SandboxID(rawValue: "sb-aaaaaaaaab"))
        #expect(first < second && !(second < first))
        #expect(try #require(PolicyName(rawValue: "a")) < .default)
    }
}
