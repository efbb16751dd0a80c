/// The programs that a policy blocks, with groups and further names of the same program unfolded.
///
/// A class, so that the fast path reads it in place: as a structure its tables were copied for every command.
final class BlockedPrograms: Sendable {
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
    /// Every name that has an entry or conditions: one look-up answers for both.
    private let names: NameSet
    /// By index in ``names``: the entry that blocks the program whatever its words are.
    private let entryOf: [String?]
    /// By index in ``names``: what its words may say.
    private let conditionsOf: [[Condition]]
    /// Whether a name with a version behind it may be blocked by its plain name.
    private let hasVersioned: Bool

    /// Unfolds the entries of `blocked_commands`.
    init(_ blocked: [String]) {
        var entries: [String: String] = [:]
        var conditions: [String: [Condition]] = [:]
        func add(_ name: String, _ entry: String) {
            if entries[name] == nil { entries[name] = entry }
            for alias in ProgramAliases.table[name] ?? [] where entries[alias] == nil {
                entries[alias] = entry
            }
        }
        for entry in blocked where !entry.hasPrefix("@") { add(entry, entry) }
        for entry in blocked {
            guard entry.hasPrefix("@"), let group = CommandGroup(rawValue: String(entry.dropFirst())) else {
                continue
            }
            for name in group.programs { add(name, entry) }
            for condition in group.conditionals {
                conditions[condition.program, default: []].append(
                    Condition(words: condition.words, prefixes: condition.prefixes, entry: entry))
            }
        }
        let names = NameSet(Array(entries.keys) + conditions.keys)
        self.entries = entries
        self.names = names
        entryOf = names.names.map { entries[$0] }
        conditionsOf = names.names.map { conditions[$0] ?? [] }
        hasVersioned = entries.keys.contains { ProgramAliases.versioned.contains($0) }
    }

    /// Every base name that is blocked whatever its words are, sorted: what a kernel mechanism can hold too.
    var unconditionalNames: [String] { entries.keys.sorted() }

    /// What a policy says about one command.
    enum Answer {
        case free
        /// The program is blocked by an entry.
        case blocked(entry: String)
        /// The program is blocked by an entry because of a word.
        case blockedWord(entry: String, word: String)
        /// A word that is known only at run time may be one that an entry blocks.
        case unknown(entry: String)
    }

    /// The entry of the policy that blocks a program by its base name; `nil` when none does.
    func entry(for baseName: String) -> String? {
        if let index = names.index(of: baseName), let entry = entryOf[index] { return entry }
        return versionedEntry(for: baseName)
    }

    private func versionedEntry(for baseName: String) -> String? {
        guard hasVersioned, let last = baseName.utf8.last, (48...57).contains(last),
            let stem = ProgramAliases.unversioned(baseName)
        else { return nil }
        return entries[stem]
    }

    /// Holds a command, by its base name and its words, against the policy.
    func judge(_ baseName: String, words: [String?]) -> Answer {
        guard let index = names.index(of: baseName) else {
            return versionedEntry(for: baseName).map { .blocked(entry: $0) } ?? .free
        }
        if let entry = entryOf[index] { return .blocked(entry: entry) }
        var unknown: String?
        for condition in conditionsOf[index] {
            if condition.isAlways { return .blocked(entry: condition.entry) }
            for word in words.dropFirst() {
                guard let word else {
                    unknown = unknown ?? condition.entry
                    continue
                }
                if condition.words.contains(word)
                    || condition.prefixes.contains(where: { word.hasPrefix($0) })
                {
                    return .blockedWord(entry: condition.entry, word: word)
                }
            }
        }
        return unknown.map { .unknown(entry: $0) } ?? .free
    }

    /// Whether an entry of another policy is blocked here as well.
    func covers(_ entry: String) -> Bool {
        guard entry.hasPrefix("@") else { return entries[entry] != nil }
        guard let group = CommandGroup(rawValue: String(entry.dropFirst())) else { return false }
        return group.programs.allSatisfy { entries[$0] != nil }
            && group.conditionals.allSatisfy { condition in
                entries[condition.program] != nil || isConditional(condition.program, under: entry)
            }
    }

    private func isConditional(_ program: String, under entry: String) -> Bool {
        guard let index = names.index(of: program) else { return false }
        return conditionsOf[index].contains { $0.entry == entry }
    }
}
