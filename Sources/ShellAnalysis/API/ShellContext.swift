/// Which shell will read the text.
public enum ShellDialect: Sendable, Hashable {
    /// POSIX `sh` (dash, ash, or bash called `sh`): what POSIX leaves open is undecidable.
    case posix
    /// GNU bash 5.2, not interactive.
    case bash
}

/// Everything that decides what a text means besides the text itself.
public struct ShellContext: Sendable {
    /// The shell that reads the text.
    public var dialect: ShellDialect
    /// Variables that the shell starts with, by name. Variables that change what runs become hazards.
    public var environment: [String: String]
    /// The absolute folder in which the shell starts.
    public var workingDirectory: String
    /// What the shell reads on standard input: a shell that takes its script from there is analysed over
    /// these bytes. `nil` means that it is not known; empty means that there is none.
    public var stdin: [UInt8]?

    /// Creates a context; by default a POSIX shell in `/work` with no environment and no known input.
    public init(
        dialect: ShellDialect = .posix,
        environment: [String: String] = [:],
        workingDirectory: String = "/work",
        stdin: [UInt8]? = nil
    ) {
        self.dialect = dialect
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.stdin = stdin
    }
}

/// The bounds of one analysis. Reaching one makes the text undecidable; nothing is cut off silently.
public struct AnalysisLimits: Sendable, Hashable {
    /// Longest text in bytes, and the longest sum of all texts that are parsed again.
    public var maxInputBytes: Int
    /// Deepest nesting of constructs, substitutions and texts parsed again.
    public var maxDepth: Int
    /// Most commands found.
    public var maxCommands: Int
    /// Most words after expansion, over all commands.
    public var maxWords: Int
    /// Most words that one brace expansion may give.
    public var maxBraceWords: Int
    /// Most steps of the lexer and the walker together, for each byte of input. Keeps the time linear.
    public var maxStepsPerByte: Int

    /// Creates limits; the defaults are ``standard``.
    public init(
        maxInputBytes: Int = 262_144,
        maxDepth: Int = 60,
        maxCommands: Int = 4_096,
        maxWords: Int = 65_536,
        maxBraceWords: Int = 1_024,
        maxStepsPerByte: Int = 256
    ) {
        self.maxInputBytes = maxInputBytes
        self.maxDepth = maxDepth
        self.maxCommands = maxCommands
        self.maxWords = maxWords
        self.maxBraceWords = maxBraceWords
        self.maxStepsPerByte = maxStepsPerByte
    }

    /// 256 KiB of text, depth 60, 4,096 commands, 65,536 words.
    public static let standard = AnalysisLimits()
}
