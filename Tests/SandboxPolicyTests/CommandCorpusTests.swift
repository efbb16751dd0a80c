import SandboxModel
import SandboxPolicy
import Testing

/// Files of hostile and everyday commands, each with what must come of it.
@Suite struct CommandCorpusTests {
    private func policy(interpreters: String, blockedFiles: String? = nil) throws -> CompiledPolicy {
        try compile(
            """
            name: corpus
            shell: bash
            blocked_commands: [rm, sudo, kill, curl]
            interpreters: \(interpreters)

            """ + (blockedFiles.map { "blocked_file_patterns: \($0)" } ?? ""))
    }

    private func verdict(_ policy: CompiledPolicy, _ row: JSONValue) throws -> Verdict {
        policy.evaluate(command: CommandCheck(try #require(row["command"]?.string)))
    }

    @Test(
        "No hostile command is allowed and no benign one denied",
        arguments: ["commands_hard_dev", "commands_tamper_dev"])
    func hardCommands(file: String) throws {
        guard let rows = try Corpus.rows(file) else { return }
        let policy = try policy(interpreters: "undecidable")
        var wrong: [String] = []
        for row in rows {
            let verdict = try verdict(policy, row)
            let label = row["label"]?.string ?? ""
            let accepted = [label] + (row["also_acceptable"]?.array ?? []).compactMap(\.string)
            let outcome =
                verdict.decision == .allow
                ? "allow"
                : verdict.isUndecidable && !verdict.reasons.contains { $0.rule == "blocked_commands" }
                    ? "undecidable" : "deny"
            let isFine =
                label == "allow"
                ? outcome == "allow" || accepted.contains(outcome)
                : outcome != "allow"
                    || accepted.contains("allow")
            if !isFine {
                wrong.append(
                    "\(row["id"]?.string ?? "?") \(label) \(outcome): \(row["command"]?.string ?? "")")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test("Published ways round command checks are not allowed")
    func agentBypass() throws {
        guard let rows = try Corpus.rows("agent_bypass") else { return }
        let policy = try policy(interpreters: "undecidable")
        var allowed: [String] = []
        for row in rows where row["label"]?.string != "benign" {
            if try verdict(policy, row).decision == .allow { allowed.append(row["command"]?.string ?? "") }
        }
        print("agent_bypass: \(allowed.count) of \(rows.count) allowed, labels are hints")
        #expect(!allowed.contains { $0.contains("rm -rf") && !$0.contains("echo") })
    }

    @Test("What people type is rarely refused")
    func everydayCommands() throws {
        guard let rows = try Corpus.rows("benign_nl2bash_dev") else { return }
        let policy = try policy(interpreters: "allow", blockedFiles: "[]")
        var rules: [String: Int] = [:]
        for row in rows {
            let verdict = try verdict(policy, row)
            guard verdict.decision != .allow,
                !verdict.reasons.contains(where: { $0.rule == "blocked_commands" })
            else {
                continue
            }
            rules[verdict.reasons.first.map { $0.rule + " " + $0.match } ?? "", default: 0] += 1
        }
        let refused = rules.values.reduce(0, +)
        print("nl2bash: \(refused) of \(rows.count) refused without a blocked program")
        for (rule, count) in rules.sorted(by: { $0.value > $1.value }).prefix(10) {
            print("  \(count) \(rule)")
        }
        #expect(refused * 100 <= rows.count * 5)
    }
}
