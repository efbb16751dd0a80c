import Testing

@testable import SandboxPolicy

/// Patterns of paths: what they cover, what they refuse to be, and what a shell's pattern may meet.
@Suite struct PathPatternTests {
    private func pattern(_ text: String) throws -> PathPattern { try PathPattern.parse(text).get() }

    @Test(
        "A pattern covers what it names and what is below it",
        arguments: [
            // Trees.
            ("/etc/", "/etc", true), ("/etc/", "/etc/passwd", true), ("/etc/", "/etcetera", false),
            ("/etc/", "/", false),
            ("/etc/", "/work/etc", false), ("/etc", "/etc/passwd", true), ("/", "/anything", true),
            ("/a/b/", "/a/b/c/d", true),
            ("/a/b/", "/a", false),
            // One component.
            ("/home/*/.ssh", "/home/me/.ssh/id", true), ("/home/*/.ssh", "/home/.ssh", false),
            ("/home/*/.ssh", "/home/a/b/.ssh", false), ("/a/?.txt", "/a/b.txt", true),
            ("/a/?.txt", "/a/é.txt", true),
            ("/a/?.txt", "/a/bc.txt", false), ("/a/?.txt", "/a/.txt", false), ("/a/[bc]", "/a/c", true),
            ("/a/[!bc]", "/a/c", false), ("/a/[!bc]", "/a/d", true), ("/a/[^bc]", "/a/b", false),
            ("/a/[a-c]x", "/a/bx", true),
            ("/a/[]]", "/a/]", true), ("/a/[é-ü]", "/a/ö", true), ("/a/[a-]", "/a/-", true),
            ("/a/\\*", "/a/*", true),
            ("/a/\\*", "/a/b", false), ("/a/[\\]]", "/a/]", true),
            // Any depth.
            ("**/.env", "/work/.env", true), ("**/.env", "/.env", true), ("**/.env", "/a/b/c/.env", true),
            ("**/.env", "/work/.env.local", false), ("**/.env", "/work/x.env", false),
            ("**/.env", "/work/.env/below", true),
            ("**/.ssh/**", "/work/.ssh/id", true), ("**/.ssh/**", "/work/.ssh", true),
            ("**/.ssh/**", "/work/xssh/id", false),
            ("**/*.pem", "/work/k.pem", true), ("**/*.pem", "/work/.pem", true),
            ("**/*.pem", "/work/k.pem.txt", false),
            ("/a/**/b", "/a/b", true), ("/a/**/b", "/a/x/y/b", true), ("/a/**/b", "/x/a/b", false),
            ("/**/a/**/b/**/c", "/a/a/b/x/b/c", true), ("/**/a/**/b/**/c", "/a/c/b", false),
            ("/a/**", "/a", true),
            ("**", "/x", true),
            // Without a slash: at every level.
            ("*.pem", "/work/k.pem", true), (".ssh/", "/root/.ssh/id", true), ("id_rsa", "/a/id_rsa", true),
            ("id_rsa", "/a/id_rsa.pub", false),
            // Bytes stand for themselves.
            ("/caf\u{E9}", "/cafe\u{301}", false), ("/A", "/a", false), ("/a*b*c", "/a-b-b-c", true),
            ("/a*b*c", "/a-b-b", false),
            ("/a**b", "/axxb", true),
        ])
    func covers(text: String, path: String, expected: Bool) throws {
        #expect(try pattern(text).covers(Array(path.utf8)) == expected)
    }

    @Test(
        "A shell's pattern is held against what it could become",
        arguments: [
            ("/etc/", "/etc/*", true), ("/etc/", "/e*c/passwd", true), ("/etc/", "/e?c", true),
            ("/etc/", "/*/passwd", true),
            ("/etc/", "/x*/passwd", false), ("/etc/", "/work/*", false), ("**/.env", "/work/*", false),
            ("**/.env", "/work/.*", true), ("**/.env", "/work/.e[n]v", true),
            ("**/.env", "/work/.[!e]nv", false),
            ("**/*.pem", "/work/*.pem", true), ("**/*.pem", "/work/*.txt", false),
            ("**/*.pem", "/work/*", true),
            ("**/*.pem", "/work/k.p?m", true), ("/a/b*c", "/a/*d", false), ("/a/b*c", "/a/*c", true),
            ("/a/b*c", "/a/b?", true),
            ("/a/[ab]x", "/a/[cd]x", true), ("/a/[ab]x", "/a/c?", false), ("/a/x*y*z", "/a/*q*", true),
            ("/a/xyz", "/a/x*z*", true),
            ("/a/xyz", "/a/x[", false), ("/a/*", "/a/[", true), ("/etc/", "/etc/[", true),
        ])
    func mayCover(text: String, path: String, expected: Bool) throws {
        #expect(try pattern(text).mayCover(shellPattern: Array(path.utf8)) == expected)
    }

    @Test(
        "What could never match, or means something else elsewhere, is refused",
        arguments: [
            "", "a/b", "./a", "/a//b", "/a/./b", "/a/../b", "/a/[b", "/a/[]", "/a/[z-a]", "/a/b\\", "/{a,b}",
            "~/x",
        ])
    func refused(text: String) {
        #expect(PathPattern.parse(text).success == nil)
        #expect(PathPattern.parse("/a\u{0}b").success == nil)
    }

    @Test("Matching costs no more than the product of both lengths")
    func bounded() throws {
        let stars = try pattern("/" + String(repeating: "a*", count: 100) + "b")
        #expect(!stars.covers(Array(("/" + String(repeating: "a", count: 255)).utf8)))
        let depths = try pattern(String(repeating: "/**/a", count: 200) + "/b")
        #expect(!depths.covers(Array(String(repeating: "/a", count: 2000).utf8)))
        #expect(stars.mayCover(shellPattern: Array(("/" + String(repeating: "*", count: 200) + "b").utf8)))
    }

    @Test("The bounded matcher agrees with a plain recursive one")
    func agreesWithRecursion() throws {
        var generator = SplitMix(seed: 11)
        let pieces = ["a", "b", "*", "?", "[ab]", "[!a]"]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }
            let name = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                Bool.random(using: &generator) ? "a" : "b"
            }
            let expected = recursive(text[...], name[...])
            let found = try pattern("/" + text.joined()).covers(Array(("/" + name.joined()).utf8))
            #expect(found == expected, "\(text.joined()) \(name.joined())")
        }
    }

    private func recursive(_ pattern: ArraySlice<String>, _ name: ArraySlice<String>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" {
            return (0...name.count).contains { recursive(pattern.dropFirst(), name.dropFirst($0)) }
        }
        guard let letter = name.first else { return false }
        let fits = first == letter || first == "?" || first == "[ab]" || (first == "[!a]" && letter == "b")
        return fits && recursive(pattern.dropFirst(), name.dropFirst())
    }

    @Test("Two patterns meet when some name fits both, and never when none does")
    func intersectionAgreesWithSearch() throws {
        var generator = SplitMix(seed: 12)
        let pieces = ["a", "b", "*", "?", "[a]", "[!a]"]
        let names = (1...5).flatMap { length in
            (0..<(1 << length)).map { bits in
                Array((0..<length).map { bits >> $0 & 1 == 0 ? UInt8(ascii: "a") : UInt8(ascii: "b") })
            }
        }
        for _ in 0..<3000 {
            func make() -> String {
                (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                    pieces.randomElement(using: &generator) ?? ""
                }.joined()
            }
            let left = try NamePattern.parse(ArraySlice(make().utf8)).get()
            let right = try NamePattern.parse(ArraySlice(make().utf8)).get()
            let meets = names.contains { left.matches($0[...]) && right.matches($0[...]) }
            // The other way round it may err to caution: two sets are taken to meet.
            if meets { #expect(left.intersects(shellPattern: right), "\(left.tokens) \(right.tokens)") }
        }
    }
}
