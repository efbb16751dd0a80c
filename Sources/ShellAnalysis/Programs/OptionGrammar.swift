/// What an option's value is to the analysis.
enum OptionAction: UInt8 {
    /// Nothing that runs.
    case none
    /// Text for a shell.
    case text
    /// A program with arguments in one string.
    case split
    /// A program's name, without arguments.
    case program
    /// Files read and written.
    case read, write
    /// Words behind the options become one text for a shell.
    case textFollows
    /// What it starts cannot be seen: a script, a configuration.
    case opaque
    /// Replaces a token in the words that follow (xargs -I).
    case replace
    /// Commands of another language that can start programs: undecidable unless plainly harmless.
    case code
    /// An ssh option: `ProxyCommand=…`.
    case remote
    /// Ends the use of the program as a wrapper: `--help`, `--version`, `-p PID`.
    case stops
}

/// Whether an option takes a value.
enum OptionValue: UInt8 {
    case no, required, attached, two
}

/// What an option is.
struct OptionRule {
    var value: OptionValue
    var action: OptionAction
}

/// How a program's words are read, written down in one line of text:
/// `-k:` takes a value, `-i?` takes one only when it is attached, `--x::` takes two values, and
/// `-c:text` names what the value is. `-N` stands for `-` followed by digits.
struct OptionGrammar {
    var short: [UInt8: OptionRule] = [:]
    var long: [(name: [UInt8], rule: OptionRule)] = []
    /// Operands in front of the wrapped command.
    var skips = 0
    /// `NAME=value` may stand in front of the command.
    var takesAssignments = false
    /// A lone `-` is an option.
    var takesMinus = false
    var takesDigits = false
    /// Options may stand behind the skipped operands as well.
    var rescans = false
    /// No implementation has another option: the program refuses to run with one.
    var isComplete = false
    /// What the operands are.
    var tail = Tail.command

    /// What follows the options and the skipped operands.
    enum Tail: UInt8 {
        case command
        /// Joined by blanks and given to a shell.
        case text
        /// Arguments for a shell: `-c text`.
        case shellArguments
        case nothing
        /// As command, with unknown words added by what the program reads.
        case commandWithInput
        /// Without a command it starts a shell.
        case commandOrShell
    }

    init(_ specification: String, skips: Int = 0, tail: Tail = .command) {
        self.skips = skips
        self.tail = tail
        for token in specification.split(separator: " ") { add(token) }
    }

    private mutating func add(_ token: Substring) {
        switch token {
        case "=": takesAssignments = true
        case "-": takesMinus = true
        case "-N": takesDigits = true
        case "+": rescans = true
        case ".": isComplete = true
        default:
            let name = token.prefix { $0 != ":" && $0 != "?" && $0 != "!" }
            let rest = token[name.endIndex...]
            let value: OptionValue =
                rest.hasPrefix("::") ? .two : rest.hasPrefix(":") ? .required : rest.hasPrefix("?") ? .attached : .no
            let rule = OptionRule(value: value, action: Self.action(rest.drop { ":?!".contains($0) }))
            if name.hasPrefix("--") {
                long.append((Array(name.dropFirst(2).utf8), rule))
            } else if name.utf8.count > 2, value != .no {
                // A whole name behind one minus: `-wrapper`.
                long.append((Array(name.dropFirst().utf8), rule))
            } else {
                for letter in name.dropFirst().utf8 { short[letter] = rule }
            }
        }
    }

    private static func action(_ name: Substring) -> OptionAction {
        switch name {
        case "text": .text
        case "split": .split
        case "program": .program
        case "read": .read
        case "write": .write
        case "follows": .textFollows
        case "opaque": .opaque
        case "replace": .replace
        case "code": .code
        case "remote": .remote
        case "stops": .stops
        default: .none
        }
    }

    /// Whether any option can start something.
    var startsPrograms: Bool {
        let rules = long.map(\.rule) + short.values
        return rules.contains { $0.action != .none && $0.action != .read && $0.action != .write }
    }

    /// The rule of a long option, given whole or as an unambiguous beginning.
    func longRule(_ name: ArraySlice<UInt8>) -> OptionRule? {
        var found: OptionRule?
        var matches = 0
        for entry in long where entry.name.starts(with: name) {
            if entry.name.count == name.count { return entry.rule }
            found = entry.rule
            matches += 1
        }
        return matches == 1 ? found : nil
    }

    /// The rules that a beginning of a long option may mean, for programs whose other options are not known.
    func possibleRules(_ name: ArraySlice<UInt8>) -> [OptionRule] {
        long.filter { $0.name.starts(with: name) && (name.count > 1 || $0.name.count == 1) }.map(\.rule)
    }
}
