/// The programs that a policy blocks, with groups and further names of the same program unfolded.
struct BlockedPrograms: Sendable {
    /// A program that is blocked only when one of its words says so.
    struct Condition: Sendable {
        let words: [String]
        let prefixes: [String]
        /// The entry of the policy, such as `@delete`.
        let entry: String
        /// Whether the condition holds whatever the words are.
        var isAlways: Bool { words.isEmpty && prefixes.isEmpty }
    }

    /// The policy's entry by base name.
    private let entries: [String: String]
    /// Conditions by base name.
    private let conditions: [String: [Condition]]
    /// The same names as ``entries``, for a look-up that costs little.
    private let names: NameSet
    private let conditionNames: NameSet
    /// Whether a name with a version behind it may be blocked by its plain name.
    private let hasVersioned: Bool

    /// Unfolds the entries of `blocked_commands`.
    init(_ blocked: [String]) {
        var entries: [String: String] = [:]
        var conditions: [String: [Condition]] = [:]
        func add(_ name: String, _ entry: String) {
            if entries[name] == nil { entries[name] = entry }
            for alias in ProgramAliases.table[name] ?? [] where entries[alias] == nil { entries[alias] = entry }
        }
        for entry in blocked where !entry.hasPrefix("@") { add(entry, entry) }
        for entry in blocked {
            guard entry.hasPrefix("@"), let group = CommandGroup(rawValue: String(entry.dropFirst())) else { continue }
            for name in group.programs { add(name, entry) }
            for condition in group.conditionals {
                conditions[condition.program, default: []].append(
                    Condition(words: condition.words, prefixes: condition.prefixes, entry: entry))
            }
        }
        self.entries = entries
        self.conditions = conditions
        names = NameSet(entries.keys)
        conditionNames = NameSet(conditions.keys)
        hasVersioned = entries.keys.contains { ProgramAliases.versioned.contains($0) }
    }

    /// Every base name that is blocked whatever its words are, sorted: what a kernel mechanism can hold too.
    var unconditionalNames: [String] { entries.keys.sorted() }

    /// The entry of the policy that blocks a program by its base name; `nil` when none does.
    func entry(for baseName: String) -> String? {
        if names.contains(baseName) { return entries[baseName] }
        guard hasVersioned, let stem = ProgramAliases.unversioned(baseName) else { return nil }
        return entries[stem]
    }

    /// What a command's words say about the conditional entries of its program.
    enum ConditionalAnswer {
        case free
        case blocked(entry: String, word: String)
        /// A word that is known only at run time may be one that is blocked.
        case unknown(entry: String)
    }

    /// Holds a command against the entries that depend on its words.
    func conditional(_ baseName: String, words: [String?]) -> ConditionalAnswer {
        guard conditionNames.contains(baseName), let list = conditions[baseName] else { return .free }
        var unknown: String?
        for condition in list {
            if condition.isAlways { return .blocked(entry: condition.entry, word: baseName) }
            for word in words.dropFirst() {
                guard let word else {
                    unknown = unknown ?? condition.entry
                    continue
                }
                if condition.words.contains(word) || condition.prefixes.contains(where: { word.hasPrefix($0) }) {
                    return .blocked(entry: condition.entry, word: word)
                }
            }
        }
        if let unknown { return .unknown(entry: unknown) }
        return .free
    }

    /// Whether an entry of another policy is blocked here as well.
    func covers(_ entry: String) -> Bool {
        guard entry.hasPrefix("@") else { return entries[entry] != nil }
        guard let group = CommandGroup(rawValue: String(entry.dropFirst())) else { return false }
        return group.programs.allSatisfy { entries[$0] != nil }
            && group.conditionals.allSatisfy { condition in
                entries[condition.program] != nil || (conditions[condition.program] ?? []).contains { $0.entry == entry }
            }
    }
}
