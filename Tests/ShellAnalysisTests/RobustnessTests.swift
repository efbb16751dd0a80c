import ShellAnalysis
import Testing

/// Whatever the bytes, an analysis ends, and its work grows with their number.
@Suite struct RobustnessTests {
    /// A small generator, the same on every run.
    private struct Numbers {
        var state: UInt64
        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(max(1, bound)))
        }
    }

    private static let pieces = [
        "$(", ")", "`", "\"", "'", "${", "}", "((", "))", "[[", "]]", "<<E\n", "E\n", "{", ",", "..", "\\", "\n", ";",
        "|",
        "&&", "$'", "<(", "a[", "]=", "if ", "then ", "fi ", "case ", "esac ", "do ", "done ", "#", "\u{0}", "\u{e9}",
        " ",
        "@(", "eval ", "sh -c ", "$((", "&", ">", "<<<", "!", "for ", "in ", "time ", "coproc ", "function ",
        "alias x=",
    ]

    private static func mutate(_ text: String, _ numbers: inout Numbers) -> [UInt8] {
        var bytes = Array(text.utf8)
        for _ in 0..<(1 + numbers.next(below: 4)) {
            let at = numbers.next(below: bytes.count + 1)
            switch numbers.next(below: 4) {
            case 0: bytes.insert(contentsOf: Array(pieces[numbers.next(below: pieces.count)].utf8), at: at)
            case 1 where at < bytes.count: bytes.remove(at: at)
            case 2 where at < bytes.count: bytes[at] = UInt8(numbers.next(below: 256))
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }

    private static func holds(_ analysis: ScriptAnalysis, length: Int) -> Bool {
        let ranges = analysis.commands.map(\.range) + analysis.undecidable.map(\.range) + analysis.files.map(\.range)
        return ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= length }
    }

    @Test(arguments: [ShellDialect.bash, .posix])
    func mutatedTexts(_ dialect: ShellDialect) throws {
        var texts = Evasions.all
        for name in ["grammar_mvdan_dev", "grammar_oils_dev", "atomic_dev", "gtfobins_dev"] {
            texts += try Corpus.rows(name).map(\.command)
        }
        var numbers = Numbers(state: 42)
        var outside = 0
        for text in texts {
            for _ in 0..<3 {
                let bytes = Self.mutate(text, &numbers)
                let analysis = ShellAnalyzer().analyze(script: bytes, context: ShellContext(dialect: dialect))
                if !Self.holds(analysis, length: bytes.count) { outside += 1 }
            }
        }
        #expect(outside == 0)
    }

    @Test func everyPrefix() {
        for text in Evasions.all.prefix(200) {
            let bytes = Array(text.utf8)
            for end in 0...bytes.count {
                let analysis = ShellAnalyzer().analyze(
                    script: Array(bytes[..<end]), context: ShellContext(dialect: .bash))
                #expect(Self.holds(analysis, length: end))
            }
        }
    }

    @Test(arguments: [
        "((", "$((", "$(", "`", "{", "{a,", "(", "a[", "${x:-", "\"$(", "[[ (", "if ", "case x in x) ", "<(", "f() { ",
        "<<E ", "sh -c \"", "eval '", "a b ", "x=1;", "ls;", "'", "\\\n", "@(", "env ", "for i in a; do ",
        "while read x; do x=$x;", "$x", "a=(", "{1..9}", "echo $((1+", "!", "#", "find . -exec ", "xargs ", "* ", "~/",
    ])
    func workIsLinear(_ piece: String) {
        for count in [100, 1_000, 10_000] {
            let text = Array(String(repeating: piece, count: count).utf8)
            let analysis = ShellAnalyzer().analyze(script: text, context: ShellContext(dialect: .bash))
            #expect(analysis.stepCount <= 600 * (text.count + 64), "\(analysis.stepCount) for \(text.count)")
        }
    }
}
