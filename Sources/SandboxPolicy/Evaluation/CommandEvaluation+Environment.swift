import SandboxModel
import ShellAnalysis

extension CommandEvaluation {
    /// Most variables that a client may add.
    static let maximumVariables = 1024

    /// Holds the client's variables against what may decide which programs run. Always denied, whatever the
    /// policy says of undecidable commands: nothing that is run needs them from outside.
    mutating func checkEnvironment(_ folder: String) {
        guard check.environment.count <= CommandEvaluation.maximumVariables else {
            reasons.deny(
                VerdictReason(
                    rule: "environment", match: "",
                    detail: "there are more than \(CommandEvaluation.maximumVariables) variables"))
            return
        }
        for (name, value) in check.environment.sorted(by: { $0.key < $1.key }) {
            if let problem = variableProblem(name, value) {
                deny(name, problem)
            } else if let kind = EnvironmentRules.kind(of: name) {
                judge(name, value, kind, folder)
            }
        }
    }

    private func variableProblem(_ name: String, _ value: String) -> String? {
        if name.isEmpty { return "a variable has no name" }
        if name.utf8.contains(where: { $0 == UInt8(ascii: "=") || $0 < 0x20 || $0 == 0x7F }) {
            return "this is no variable's name"
        }
        return value.utf8.contains(0) ? "a NUL byte would cut its value short" : nil
    }

    private mutating func judge(
        _ name: String, _ value: String, _ kind: EnvironmentRules.Kind, _ folder: String
    ) {
        switch kind {
        case .loader, .shell, .search, .git, .tool: deny(name, kind.detail)
        case .interpreter:
            // Whoever may give code to an interpreter may also do it this way.
            if policy.interpreters != .allow { deny(name, kind.detail) }
        case .command: judgeCommand(name, value, kind, folder)
        }
    }

    private mutating func judgeCommand(
        _ name: String, _ value: String, _ kind: EnvironmentRules.Kind, _ folder: String
    ) {
        guard !value.isEmpty else { return }
        var inner = CommandCheck(value)
        inner.workingDirectory = folder
        inner.stdin = []
        let verdict = policy.evaluate(command: inner, wall: wall)
        if verdict.decision != .allow, let reason = verdict.reasons.first {
            deny(name, "\(kind.detail), and `\(excerpt(value, limit: 64))` is refused: \(reason.detail)")
        }
    }

    private mutating func deny(_ name: String, _ detail: String) {
        reasons.deny(
            VerdictReason(rule: "environment", match: excerpt(name, limit: 64), detail: detail))
    }
}
