import ShellAnalysis
import Testing

/// Scores over commands that others labelled. Floors are exact: a change for the worse fails.
@Suite struct CorpusScoreTests {
    @Test func hardCommands() throws {
        let rows = try Corpus.rows("commands_hard_dev")
        var wrong: [String] = []
        for row in rows {
            let got = Decider().decide(row.command).rawValue
            if got != row.label, !(row.also_acceptable ?? []).contains(got) {
                wrong.append("\(row.id) \(row.label ?? "") got \(got): \(row.command.prefix(150))")
            }
        }
        print("commands_hard_dev: \(rows.count - wrong.count) of \(rows.count)")
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test func tamperedCommands() throws {
        let rows = try Corpus.rows("commands_tamper_dev")
        let allowed = rows.filter { Decider().decide($0.command) == .allow }.map { "\($0.id) \($0.command)" }
        print("commands_tamper_dev: \(rows.count - allowed.count) of \(rows.count)")
        #expect(allowed.isEmpty, "\(allowed.joined(separator: "\n"))")
    }

    /// Rows that neither run a blocked program nor hide one under this policy: quoted text, files outside the
    /// blocked folders, programs that are not blocked, and what only another shell would read differently.
    private static let harmlessBypasses: Set<String> = [
        "byp-000", "byp-002", "byp-005", "byp-011", "byp-012", "byp-020", "byp-026", "byp-027", "byp-028", "byp-029",
        "byp-030", "byp-032", "byp-035", "byp-036", "byp-040", "byp-043", "byp-044", "byp-045", "byp-050", "byp-059",
        "byp-070", "byp-071", "byp-072", "byp-074", "byp-076", "byp-082", "byp-087", "byp-088", "byp-091", "byp-093",
        "byp-094", "byp-095", "byp-098", "byp-106", "byp-108", "byp-109", "byp-110", "byp-111", "byp-112",
    ]

    @Test func agentBypasses() throws {
        let rows = try Corpus.rows("agent_bypass")
        let allowed = rows.filter { Decider().decide($0.command) == .allow && !Self.harmlessBypasses.contains($0.id) }
            .map { "\($0.id) \($0.label ?? "") \($0.command.prefix(100).debugDescription)" }
        print("agent_bypass: \(rows.count - allowed.count) of \(rows.count)")
        #expect(allowed.isEmpty, "\(allowed.joined(separator: "\n"))")
        let benign = rows.filter { $0.label == "benign" && Decider().decide($0.command) != .allow }.map(\.command)
        #expect(benign.isEmpty, "\(benign.joined(separator: "\n"))")
    }

    @Test func everydayCommands() throws {
        let rows = try Corpus.rows("benign_nl2bash_dev")
        var decider = Decider()
        decider.interpretersAreUndecidable = false
        var stopped: [String] = []
        var containing = 0
        for row in rows {
            let analysis = decider.analyze(row.command)
            if analysis.commands.contains(where: { decider.blocked.contains($0.baseName) }) {
                containing += 1
            } else if let first = analysis.undecidable.first {
                stopped.append("\(first.reason): \(row.command)")
            }
        }
        print("benign_nl2bash_dev: \(containing) with a blocked program, \(stopped.count) undecidable of \(rows.count)")
        #expect(stopped.count * 50 <= rows.count, "\(stopped.joined(separator: "\n"))")
    }
}
