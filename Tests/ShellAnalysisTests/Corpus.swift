import Foundation
import ShellAnalysis

/// One row of a corpus file: only the fields that these tests read.
struct CorpusRow: Decodable {
    struct Oracle: Decodable {
        var bash_n: Bool?
        var dash_n: Bool?
        var names: [String]?
        var names_shfmt: [String]?
        var names_treesitter: [String]?
    }

    var id: String
    var command: String
    var label: String?
    var also_acceptable: [String]?
    var hits_bash: [String]?
    var oracle: Oracle?
    var binary: String?
    var function: String?
}

/// Test data that is kept outside the repository.
enum Corpus {
    /// The folder, or `nil` where there is none.
    static let folder: String? = {
        let manager = FileManager.default
        var candidates: [String] = []
        if let named = ProcessInfo.processInfo.environment["SANDWARDEN_CORPORA"] { candidates.append(named) }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        candidates.append(root.deletingLastPathComponent().appending(path: "shared/corpora").path)
        return candidates.first { manager.fileExists(atPath: $0 + "/commands_hard_dev.jsonl") }
    }()

    /// All rows of a file; empty, with a line that says so, where the corpora are absent.
    static func rows(_ name: String) throws -> [CorpusRow] {
        guard let folder else {
            print("skipped: 1 corpus test (\(name)): set SANDWARDEN_CORPORA")
            return []
        }
        let data = try Data(contentsOf: URL(filePath: "\(folder)/\(name).jsonl"))
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            try JSONDecoder().decode(CorpusRow.self, from: line)
        }
    }
}

/// The smallest policy that the corpora are labelled for.
struct Decider {
    enum Decision: String { case allow, deny, undecidable }

    var blocked: Set<String> = ["rm", "sudo", "kill", "curl"]
    var interpretersAreUndecidable = true
    var dialect = ShellDialect.bash

    func analyze(_ text: String) -> ScriptAnalysis {
        ShellAnalyzer().analyze(script: Array(text.utf8), context: ShellContext(dialect: dialect, stdin: []))
    }

    /// Files under `/etc`, after `.` and `..` are taken out.
    private func isBlocked(_ file: FileOperand) -> Bool {
        let path = file.path.hasPrefix("/") ? file.path : (file.directory ?? "") + "/" + file.path
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return parts.first == "etc"
    }

    func decide(_ text: String) -> Decision {
        let analysis = analyze(text)
        if analysis.commands.contains(where: { blocked.contains($0.baseName) }) { return .deny }
        if analysis.files.contains(where: { isBlocked($0) }) { return .deny }
        if !analysis.undecidable.isEmpty { return .undecidable }
        if interpretersAreUndecidable, !analysis.interpreters.isEmpty { return .undecidable }
        return .allow
    }
}
