import SandboxModel
import Testing

@testable import SandboxPolicy

/// The typed getters: what they take, and that every fault is kept with its place.
@Suite struct DocumentCheckerTests {
    private enum Colour: String, CaseIterable { case red, green }

    private func document(_ yaml: String) throws -> DocumentNode { try YAMLReader.read(Array(yaml.utf8)) }

    @Test("Right values are given and leave no trace")
    func rightValues() throws {
        let node = try document(
            "text: hi\ncount: 7\nshare: 2.5\nwhole: 3\nflag: true\ncolour: green\nnames: [a, "
                + "b]\ninner: {x: 1}\nnone: ~\n"
        )
        var checker = DocumentChecker()
        let keys = ["text", "count", "share", "whole", "flag", "colour", "names", "inner", "none"]
        let opened = checker.map(node, keys: keys)
        let map = try #require(opened)
        #expect(checker.string("text", of: map) == "hi")
        #expect(checker.integer("count", of: map, in: 1...7) == 7)
        #expect(checker.number("share", of: map, in: 0...3) == 2.5)
        #expect(checker.number("whole", of: map, in: 0...3) == 3)
        #expect(checker.bool("flag", of: map) == true)
        #expect(checker.choice("colour", of: map, Colour.self) == .green)
        #expect(checker.strings("names", of: map, read: { .success($0 + "!") }) == ["a!", "b!"])
        let openedInner = checker.map("inner", of: map, keys: ["x"])
        let inner = try #require(openedInner)
        #expect(checker.integer("x", of: inner, in: 0...1) == 1)
        #expect(checker.isNull("none", of: map))
        #expect(checker.string("absent", of: map) == nil)
        #expect(!map.has("absent"))
        #expect(checker.faults.isEmpty)
        #expect(checker.warnings.isEmpty)
    }

    @Test("Every fault is kept, with pointer, place and advice")
    func faults() throws {
        let node = try document(
            """
            text: 5
            count: "7"
            share: [1]
            flag: yes
            colour: gren
            names: [a, 2, a]
            inner: 3
            nothing: ~
            cuont: 1
            a/b: 1
            """)
        var checker = DocumentChecker()
        let keys = ["text", "count", "share", "flag", "colour", "names", "inner", "nothing", "needed"]
        let opened = checker.map(node, keys: keys)
        let map = try #require(opened)
        #expect(checker.string("text", of: map) == nil)
        #expect(checker.integer("count", of: map, in: 0...9) == nil)
        #expect(checker.number("share", of: map, in: 0...9) == nil)
        #expect(checker.bool("flag", of: map) == nil)
        #expect(checker.choice("colour", of: map, Colour.self) == nil)
        #expect(checker.strings("names", of: map, read: { .success($0) }) == ["a"])
        #expect(checker.map("inner", of: map, keys: []) == nil)
        #expect(checker.integer("nothing", of: map, in: 0...9) == nil)
        checker.require("needed", of: map)
        let found = checker.faults.map { "\($0)" }
        #expect(
            found == [
                "9:1: /cuont: the key `cuont` is not known; did you mean `count`?",
                "10:1: /a~1b: the key `a/b` is not known; known are `text`, `count`, `share`, `flag`, "
                    + "`colour`, `names`, "
                    + "`inner`, `nothing`, `needed`",
                "1:7: /text: a string was expected, found 5; put it in quotes",
                "2:8: /count: an integer was expected, found the string \"7\"; write it without quotes",
                "3:8: /share: a number was expected, found a list",
                "4:7: /flag: true or false was expected, found the string \"yes\"",
                "5:9: /colour: one of `red`, `green` was expected, found the string \"gren\"; did you "
                    + "mean `green`?",
                "6:12: /names/1: a string was expected, found 2; put it in quotes",
                "6:15: /names/2: `a` stands twice in this list",
                "7:8: /inner: a map was expected, found 3",
                "8:10: /nothing: an integer was expected, found null; leave the key out where nothing "
                    + "is to be said",
                "1:1: /needed: the key `needed` is missing",
            ])
    }

    @Test("Ranges hold at both ends")
    func ranges() throws {
        for (value, isTaken) in [(0, false), (1, true), (9, true), (10, false)] {
            var checker = DocumentChecker()
            let opened = checker.map(try document("n: \(value)"), keys: ["n"])
            let map = try #require(opened)
            #expect((checker.integer("n", of: map, in: 1...9) == value) == isTaken)
            #expect((checker.number("n", of: map, in: 1...9) == Double(value)) == isTaken)
            #expect(checker.faults.count == (isTaken ? 0 : 2))
        }
    }

    @Test("Texts and lists are bounded; control characters are refused")
    func texts() throws {
        let node = try document("long: abcdef\nlines: \"a\\nb\"\nbell: \"a\\ab\"\nlist: [a, b, c]\n")
        var checker = DocumentChecker()
        let opened = checker.map(node, keys: ["long", "lines", "bell", "list"])
        let map = try #require(opened)
        #expect(checker.string("long", of: map, maximumBytes: 5) == nil)
        #expect(checker.string("lines", of: map) == nil)
        #expect(checker.string("lines", of: map, allowsLines: true) == "a\nb")
        #expect(checker.string("bell", of: map, allowsLines: true) == nil)
        #expect(checker.list("list", of: map, atMost: 2) == nil)
        #expect(checker.faults.count == 4)
    }

    @Test("The number of faults is bounded and what is left out is counted")
    func faultLimit() throws {
        let text = (0..<500).map { "k\($0): 1\n" }.joined()
        var checker = DocumentChecker()
        _ = checker.map(try document(text), keys: [])
        #expect(checker.faults.count == DocumentChecker.maximumFaults)
        #expect(checker.faults.last?.detail == "and 301 further faults")
    }

    @Test(
        "A near name is found, a far one is not",
        arguments: [
            ("memroy_mb", "memory_mb"), ("Memory_MB", "memory_mb"), ("memory", nil),
            ("cpu_percnt", "cpu_percent"), ("x", nil),
            ("", nil), ("netwrok", "network"),
        ] as [(String, String?)])
    func nearest(text: String, expected: String?) {
        #expect(nearestName(to: text, among: ["memory_mb", "cpu_percent", "network"]) == expected)
    }
}
