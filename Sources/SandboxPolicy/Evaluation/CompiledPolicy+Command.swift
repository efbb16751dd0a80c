public import SandboxModel
import ShellAnalysis

extension CompiledPolicy {
    /// Decides whether a command may run.
    ///
    /// The text is analysed, never run; every program that it would start is held against the policy, however
    /// it is reached. Rules: `blocked_commands`, `allowed_commands`, `undecidable_commands`, `interpreters`,
    /// `environment`, `blocked_file_patterns` (for files that the text names), `cwd`. An allowed command that
    /// gives code to an interpreter carries a note under `interpreters`: what that code does, only the kernel
    /// can hold.
    /// - Parameter wall: What the sandbox in question stops by itself.
    /// - Complexity: linear in the text, bounded by the analyzer's limits. Does not block.
    public func evaluate(command check: CommandCheck, wall: KernelWall = .none) -> Verdict {
        var evaluation = CommandEvaluation(policy: self, check: check, wall: wall)
        evaluation.run()
        return verdict(evaluation.reasons, commands: evaluation.commands)
    }
}

/// One evaluation of a command: the policy, the question, and what was found so far.
struct CommandEvaluation {
    let policy: CompiledPolicy
    let check: CommandCheck
    let wall: KernelWall
    var reasons = ReasonCollector()
    private(set) var commands: [String] = []

    init(policy: CompiledPolicy, check: CommandCheck, wall: KernelWall) {
        self.policy = policy
        self.check = check
        self.wall = wall
    }

    /// Runs every check.
    mutating func run() {
        guard let folder = startingFolder() else { return }
        if !check.environment.isEmpty { checkEnvironment(folder) }
        if case .arguments(let words) = check.subject, let problem = argumentProblem(words) {
            reasons.deny(VerdictReason(rule: "command", match: "", detail: problem))
            return
        }
        let analysis = analyze(folder)
        judge(analysis)
        collectNames(analysis.commands)
    }

    private func analyze(_ folder: String) -> ScriptAnalysis {
        var variables = check.environment
        if !variables.isEmpty, policy.interpreters == .allow {
            variables = variables.filter { EnvironmentRules.kind(of: $0.key) != .interpreter }
        }
        let context = ShellContext(
            dialect: policy.dialect, environment: variables,
            workingDirectory: folder, stdin: check.stdin)
        switch check.subject {
        case .script(let text): return policy.analyzer.analyze(script: text, context: context)
        case .arguments(let words): return policy.analyzer.analyze(arguments: words, context: context)
        }
    }

    private mutating func startingFolder() -> String? {
        guard let folder = check.workingDirectory else { return policy.workspaceText }
        let bytes = Array(folder.utf8)
        let problem = LexicalPath.problem(in: bytes)?.detail
        guard problem == nil, bytes.first == UInt8(ascii: "/") else {
            reasons.deny(
                VerdictReason(
                    rule: "cwd", match: excerpt(folder), detail: problem ?? "this is no absolute path"))
            return nil
        }
        let normal = LexicalPath.normalize(bytes, base: [])
        if MagicLinks.contains(normal) {
            reasons.deny(
                VerdictReason(
                    rule: "cwd", match: excerpt(folder), detail: "this is a link of the kernel, not a folder")
            )
        }
        return String(decoding: normal, as: UTF8.self)
    }

    private func argumentProblem(_ words: [String]) -> String? {
        guard let program = words.first, !program.isEmpty else { return "no program is named" }
        return words.contains { $0.utf8.contains(0) } ? "a NUL byte would cut an argument short" : nil
    }

    private mutating func collectNames(_ found: [FoundCommand]) {
        commands.reserveCapacity(min(found.count, 16))
        // Most texts hold a handful of commands; a set pays off only beyond that.
        var seen: Set<String> = []
        for command in found where !command.isFunction {
            if found.count <= 8 {
                if commands.contains(command.name) { continue }
            } else if !seen.insert(command.name).inserted {
                continue
            }
            commands.append(command.name)
        }
    }

    // MARK: Judging what was found

    private mutating func judge(_ analysis: ScriptAnalysis) {
        let hasAllowed = policy.hasAllowedList
        for command in analysis.commands where !command.isFunction {
            judgeBlocked(command)
            if hasAllowed { judgeAllowed(command, analysis) }
        }
        for place in analysis.undecidable { judgeUndecidable(place) }
        for use in analysis.interpreters { judgeInterpreter(use) }
        for hazard in analysis.environmentHazards { judgeHazard(hazard) }
        if !policy.patterns.isEmpty {
            for file in analysis.files { judgeFile(file) }
        }
    }

    private mutating func judgeBlocked(_ command: FoundCommand) {
        switch policy.blocked.judge(command.baseName, words: command.words) {
        case .free: break
        case .blocked(let entry):
            let how = entry == command.baseName ? "is blocked" : "is blocked by `\(entry)`"
            denyBlocked(
                command, how, entry,
                isHeld: wall.blockedPrograms.contains(command.baseName) && !command.isBuiltin)
        case .blockedWord(let entry, let word):
            denyBlocked(
                command, "with `\(excerpt(word, limit: 64))` is blocked by `\(entry)`", entry, isHeld: false)
        case .unknown(let entry):
            reasons.undecidable(
                VerdictReason(
                    rule: "undecidable_commands", match: excerpt(command.name),
                    detail:
                        "a word of `\(excerpt(command.name))` is made as it runs and may be one that "
                        + "`\(entry)` "
                        + "blocks\(reached(command.via)); write it out",
                    range: command.range),
                denies: policy.deniesUndecidable)
        }
    }

    private mutating func denyBlocked(_ command: FoundCommand, _ how: String, _ entry: String, isHeld: Bool) {
        reasons.deny(
            VerdictReason(
                rule: "blocked_commands", match: excerpt(command.name),
                detail:
                    "`\(excerpt(command.name))` \(how)\(reached(command.via)); it would be allowed without "
                    + "`\(entry)` in blocked_commands of `\(policy.name)`",
                range: command.range),
            isHeldByKernel: isHeld)
    }

    private mutating func judgeAllowed(_ command: FoundCommand, _ analysis: ScriptAnalysis) {
        if command.isBuiltin, ShellBuiltins.harmless.contains(command.name) { return }
        var detail = "is not among allowed_commands of `\(policy.name)`"
        if command.name.utf8.contains(UInt8(ascii: "/")) {
            guard let path = programPath(command, analysis) else {
                return denyUnlisted(command, "is run from a folder that is not known before it runs")
            }
            if policy.writablePlaces.contains(where: { LexicalPath.contains($0, path) }) {
                return denyUnlisted(
                    command,
                    "lies in a place that the sandbox itself can write, and an entry of a list "
                        + "of programs is never such a file")
            }
            if policy.allowedPaths.contains(String(decoding: path, as: UTF8.self)) { return }
            if FixedSearchPath.holds(path), policy.allowedNames.contains(command.baseName) { return }
        } else {
            if policy.allowedNames.contains(command.name) { return }
            if let path = FixedSearchPath.folders.lazy.map({ $0 + "/" + command.name })
                .first(where: { policy.allowedPaths.contains($0) })
            {
                detail += "; `\(path)` is, by its path only: run it by that, or list the bare name"
            }
        }
        denyUnlisted(command, detail)
    }

    private mutating func denyUnlisted(_ command: FoundCommand, _ detail: String) {
        reasons.deny(
            VerdictReason(
                rule: "allowed_commands", match: excerpt(command.name),
                detail: "`\(excerpt(command.name))` \(detail)\(reached(command.via))", range: command.range))
    }

    // The file of a command that is named by a path. A relative one starts where the analyzer says that it
    // does.
    private func programPath(_ command: FoundCommand, _ analysis: ScriptAnalysis) -> [UInt8]? {
        let bytes = Array(command.name.utf8)
        if bytes.first == UInt8(ascii: "/") { return LexicalPath.normalize(bytes, base: []) }
        guard bytes.first != UInt8(ascii: "~") else { return nil }
        let operand = analysis.files.first {
            $0.operation == .execute && $0.path == command.name && $0.range == command.range
        }
        guard let folder = operand?.directory else { return nil }
        return LexicalPath.normalize(bytes, base: LexicalPath.normalize(Array(folder.utf8), base: []))
    }

    private mutating func judgeUndecidable(_ place: Undecidable) {
        var rule = "undecidable_commands"
        if case .poisonedContext(let name) = place.reason, let kind = EnvironmentRules.kind(of: name) {
            rule = "environment"
            // Whoever may give code to an interpreter may also do it by a variable.
            if kind == .interpreter, policy.interpreters == .allow { return }
        }
        reasons.undecidable(
            VerdictReason(
                rule: rule, match: place.reason.label,
                detail: "what would run cannot be decided: \(place.reason); \(place.reason.advice)",
                range: place.range),
            denies: policy.deniesUndecidable)
    }

    private mutating func judgeInterpreter(_ use: InterpreterUse) {
        let what = "`\(excerpt(use.name))` is given code that is not analysed\(reached(use.via))"
        switch policy.interpreters {
        case .allow:
            reasons.note(
                VerdictReason(
                    rule: "interpreters", match: excerpt(use.name),
                    detail: what + "; for what it does the kernel is the wall, not this check",
                    range: use.range))
        case .deny:
            reasons.deny(
                VerdictReason(
                    rule: "interpreters", match: excerpt(use.name),
                    detail: what + "; it would be allowed with interpreters: allow in `\(policy.name)`",
                    range: use.range))
        case .undecidable:
            reasons.undecidable(
                VerdictReason(
                    rule: "interpreters", match: excerpt(use.name),
                    detail: what + "; it would be allowed with interpreters: allow in `\(policy.name)`",
                    range: use.range),
                denies: policy.deniesUndecidable)
        }
    }

    // What later programs of the text meet, the analyzer says as something undecidable. Beyond that, a text
    // that only sets the loader's variables or the search path is refused too: it can have no other purpose.
    private mutating func judgeHazard(_ hazard: EnvironmentHazard) {
        if hazard.range.isEmpty, check.environment[hazard.variable] != nil { return }
        switch EnvironmentRules.kind(of: hazard.variable) {
        case .loader: break
        case .search:
            guard let value = hazard.value, !FixedSearchPath.isMadeOf(value) else { return }
        default: return
        }
        reasons.undecidable(
            VerdictReason(
                rule: "environment", match: excerpt(hazard.variable, limit: 64),
                detail:
                    "`\(excerpt(hazard.variable, limit: 64))` decides what later programs are; run "
                    + "them without it",
                range: hazard.range),
            denies: policy.deniesUndecidable)
    }

    /// How a command was reached, as the end of a clause; empty for one of the text itself.
    func reached(_ via: [String]) -> String {
        guard !via.isEmpty else { return "" }
        let shown = via.count > 8 ? via.prefix(4) + ["…"] + via.suffix(3) : via[...]
        return ", reached through " + shown.map { excerpt($0, limit: 64) }.joined(separator: " → ")
    }
}

extension Undecidable.Reason {
    /// A short word for what it is about: the program or setting where one is named.
    fileprivate var label: String {
        switch self {
        case .invalidText: "text"
        case .syntax: "syntax"
        case .dynamicCommand: "dynamic command"
        case .limit(let name), .beyondPOSIX(let name), .dynamicArguments(let name), .unknownOption(let name),
            .dynamicScript(let name), .unseenScript(let name), .hiddenEvaluation(let name),
            .poisonedContext(let name),
            .opaqueProgram(let name):
            excerpt(name, limit: 64)
        default: excerpt(description, limit: 64)
        }
    }

    /// What would make it decidable.
    fileprivate var advice: String {
        switch self {
        case .invalidText, .syntax: "correct the text"
        case .limit: "make it shorter or simpler"
        case .beyondPOSIX: "write it in POSIX sh, or use a policy with shell: bash"
        case .dynamicCommand: "write the program's name out"
        case .dynamicArguments, .dynamicScript: "write the words out"
        case .unknownOption: "leave the option out, or run the program itself"
        case .unseenScript: "give the script's text with -c or on standard input"
        default: "do without it, or use a policy with undecidable_commands: allow"
        }
    }
}
