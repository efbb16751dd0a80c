/// What a text would run and touch. Every list is in the order in which the walker met its entries.
public struct ScriptAnalysis: Sendable, Equatable {
    /// Programs, builtins and functions that may be run, wrappers as well as what they wrap.
    public var commands: [FoundCommand] = []
    /// Places at which the answer cannot be known. Not empty means that ``commands`` may be incomplete.
    public var undecidable: [Undecidable] = []
    /// Files named by redirections and by operands.
    public var files: [FileOperand] = []
    /// Programs of other languages that are given code.
    public var interpreters: [InterpreterUse] = []
    /// Variables that change what later programs do.
    public var environmentHazards: [EnvironmentHazard] = []
    /// Whether the shell would refuse the text itself, texts parsed again not counted.
    package var isRefused = false
    /// Steps that lexer and walker took: the measure that tests hold against the length of the text.
    package var stepCount = 0

    /// Creates an analysis that found nothing.
    public init() {}

    /// Compares findings, not the work it took.
    public static func == (left: ScriptAnalysis, right: ScriptAnalysis) -> Bool {
        left.commands == right.commands && left.undecidable == right.undecidable && left.files == right.files
            && left.interpreters == right.interpreters && left.environmentHazards == right.environmentHazards
    }
}

/// One program, builtin or function that the text may run.
public struct FoundCommand: Sendable, Equatable {
    /// The name as it would be run, after quote removal: `rm` or `/bin/rm`. Bytes that are not UTF-8 are
    /// replaced by U+FFFD.
    public var name: String
    /// The last component of ``name``.
    public var baseName: String
    /// The words, the name first. `nil` stands for a word that is known only when it runs.
    public var words: [String?]
    /// UTF-8 byte offsets of the name's word in the original text. A command inside text that was parsed
    /// again and has no own place there carries the range of the word that held the text.
    public var range: Range<Int>
    /// How it was reached, outermost first: `["xargs", "sh -c"]`. Empty for a command of the text itself.
    public var via: [String]
    /// Whether the shell runs it itself (`cd`, `eval`, `kill`); it may still be a program's name as well.
    public var isBuiltin: Bool
    /// Whether it certainly calls a function of the text, whose body is among the commands.
    public var isFunction: Bool

    /// Creates a finding; ``baseName`` follows from the name.
    public init(
        name: String, words: [String?], range: Range<Int>, via: [String] = [], isBuiltin: Bool = false,
        isFunction: Bool = false
    ) {
        self.name = name
        self.baseName = lastComponent(of: name)
        self.words = words
        self.range = range
        self.via = via
        self.isBuiltin = isBuiltin
        self.isFunction = isFunction
    }
}

/// A file that the text names.
public struct FileOperand: Sendable, Equatable {
    /// What would be done to the file.
    public enum Operation: Sendable, Hashable {
        case read, write, delete, execute
        /// Named by an operand whose role is not known.
        case unknown
    }
    /// The path as written after quote removal; `~` is kept. For a pattern, the pattern.
    public var path: String
    /// The absolute folder that a relative path starts from, or `nil` when an earlier `cd` hides it.
    public var directory: String?
    /// What would be done.
    public var operation: Operation
    /// UTF-8 byte offsets of the word.
    public var range: Range<Int>
    /// How the command was reached, outermost first, the command itself last; empty for redirections.
    public var via: [String]
    /// Whether unquoted `*`, `?` or `[` make it stand for any number of files.
    public var isPattern: Bool

    /// Creates a finding.
    public init(
        path: String, directory: String?, operation: Operation, range: Range<Int>, via: [String] = [],
        isPattern: Bool = false
    ) {
        self.path = path
        self.directory = directory
        self.operation = operation
        self.range = range
        self.via = via
        self.isPattern = isPattern
    }
}

/// A program of another language (or a build tool) that is given code which this module does not read.
public struct InterpreterUse: Sendable, Equatable {
    /// Where the code comes from.
    public enum Code: Sendable, Hashable {
        /// An argument: `python -c CODE`, `awk PROGRAM`.
        case argument
        /// A script file, by its path as written.
        case file(String)
        /// Standard input, or an interactive session.
        case stdin
        /// Files of the project: `make`, `npm test`.
        case project
        /// The file run is itself the program: `./tool`.
        case program
    }
    /// The interpreter as it would be run.
    public var name: String
    /// Where its code comes from.
    public var code: Code
    /// UTF-8 byte offsets of the interpreter's word.
    public var range: Range<Int>
    /// How it was reached, outermost first.
    public var via: [String]

    /// Creates a finding.
    public init(name: String, code: Code, range: Range<Int>, via: [String] = []) {
        self.name = name
        self.code = code
        self.range = range
        self.via = via
    }
}

/// A variable that changes what programs or shells do later: `PATH`, `LD_PRELOAD`, `BASH_ENV`, `GIT_*`, ….
public struct EnvironmentHazard: Sendable, Equatable {
    /// The variable's name.
    public var variable: String
    /// The value when it is known.
    public var value: String?
    /// UTF-8 byte offsets of the assignment; empty at 0 for a variable of the context's environment.
    public var range: Range<Int>

    /// Creates a finding.
    public init(variable: String, value: String? = nil, range: Range<Int>) {
        self.variable = variable
        self.value = value
        self.range = range
    }
}

/// The part of a path after its last slash; a path that ends in one gives the component before.
func lastComponent(of path: String) -> String {
    var bytes = path.utf8[...]
    while bytes.count > 1, bytes.last == Byte.slash { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: Byte.slash) else { return String(Substring(bytes)) }
    return String(Substring(bytes[bytes.index(after: slash)...]))
}
