/// A question about a command: may it run?
///
/// Everything that decides what would run is part of the question: the folder, the variables and what is on
/// standard input.
public struct CommandCheck: Sendable, Hashable {
    /// What would be run.
    public enum Subject: Sendable, Hashable {
        /// A text that the policy's shell reads, as with `sh -c`. Any bytes.
        case script([UInt8])
        /// A program and its arguments, started without a shell.
        case arguments([String])
    }

    /// The text or the words.
    public var subject: Subject
    /// The absolute folder it starts in; `nil` for the policy's workspace.
    public var workingDirectory: String?
    /// Variables that the client adds to the sandbox's fixed environment.
    public var environment: [String: String]
    /// What would be on standard input: a shell that reads its script there is analysed over it. `nil` when
    /// it is not known, which makes such a shell undecidable; empty when there is none.
    public var stdin: [UInt8]?

    /// A question about a command.
    public init(
        _ subject: Subject, workingDirectory: String? = nil, environment: [String: String] = [:],
        stdin: [UInt8]? = nil
    ) {
        self.subject = subject
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.stdin = stdin
    }

    /// A question about a shell's text.
    public init(_ script: String) { self.init(.script(Array(script.utf8))) }
}
