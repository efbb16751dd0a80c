/// A place at which what would run cannot be known before it runs.
public struct Undecidable: Sendable, Equatable {
    /// Why it cannot be known.
    public enum Reason: Sendable, Hashable {
        /// The text is not valid UTF-8, or holds a NUL byte.
        case invalidText
        /// The shell would refuse the text, or this parser cannot read it.
        case syntax(String)
        /// The shell would take the text, but this analysis does not follow it; what it is.
        case unsupported(String)
        /// A bound of ``AnalysisLimits`` was reached; the name of the bound.
        case limit(String)
        /// The sh dialect meets text that POSIX does not define; what it is.
        case beyondPOSIX(String)
        /// The program's name is made by an expansion.
        case dynamicCommand
        /// A wrapper's words hide which program it runs; the wrapper.
        case dynamicArguments(String)
        /// A wrapper is used with an option that is not known; the wrapper.
        case unknownOption(String)
        /// A shell or `eval` is given text made by an expansion; which.
        case dynamicScript(String)
        /// A shell reads a script that is not at hand; the shell or `.`.
        case unseenScript(String)
        /// Data would be evaluated as code in a hidden way; which.
        case hiddenEvaluation(String)
        /// A setting changes which program a later name means; which.
        case poisonedContext(String)
        /// The program decides by configuration or input what it starts; the program.
        case opaqueProgram(String)
        /// A file that the text itself wrote or fetched is run.
        case producedProgram(String)
    }

    /// Why.
    public var reason: Reason
    /// UTF-8 byte offsets of the place; empty for a point such as a syntax error.
    public var range: Range<Int>

    /// Creates a finding.
    public init(reason: Reason, range: Range<Int>) {
        self.reason = reason
        self.range = range
    }
}

extension Undecidable.Reason: CustomStringConvertible {
    /// One clause in English, without a full stop, that fits behind "cannot be decided: ".
    public var description: String {
        switch self {
        case .invalidText: "the text is not valid UTF-8 or holds a NUL byte"
        case .syntax(let detail): "syntax error: \(detail)"
        case .unsupported(let what): "\(what) is not followed"
        case .limit(let bound): "the text exceeds the limit on \(bound)"
        case .beyondPOSIX(let what): "\(what) is not POSIX sh; its meaning depends on which shell is installed"
        case .dynamicCommand: "the program's name is made by an expansion"
        case .dynamicArguments(let program): "an expansion hides which program \(program) runs"
        case .unknownOption(let program): "an option of \(program) is not known"
        case .dynamicScript(let shell): "\(shell) is given text that is made by an expansion"
        case .unseenScript(let shell): "\(shell) runs a script whose text is not at hand"
        case .hiddenEvaluation(let what): "\(what) evaluates data as code"
        case .poisonedContext(let what): "\(what) changes which program a name means"
        case .opaqueProgram(let program): "\(program) decides by its own input what it starts"
        case .producedProgram(let path): "\(path) is made by the same text that runs it"
        }
    }
}
