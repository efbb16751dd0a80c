import ShellAnalysis
import Testing

@Suite struct GrammarCorpusTests {
    @Test func agreesWithBash() throws {
        var rows: [CorpusRow] = []
        for name in ["grammar_mvdan_dev", "grammar_oils_dev", "grammar_treesitter_dev", "benign_nl2bash_dev"] {
            rows += try Corpus.rows(name)
        }
        var refused: [String] = []
        var accepted = 0
        var wronglyTaken = 0
        for row in rows {
            let analysis = Decider().analyze(row.command)
            let fails = analysis.isRefused
            guard row.oracle?.bash_n == true else {
                if row.oracle?.bash_n == false, !fails { wronglyTaken += 1 }
                continue
            }
            accepted += 1
            if fails {
                let reasons = analysis.undecidable.map(\.reason.description)
                refused.append("\(row.id) \(reasons): \(row.command.debugDescription)")
            }
        }
        print(
            "grammar: \(accepted - refused.count) of \(accepted) that bash accepts; \(wronglyTaken) taken that it refuses"
        )
        #expect(refused.count * 200 <= accepted, "\(refused.joined(separator: "\n"))")
    }
}
