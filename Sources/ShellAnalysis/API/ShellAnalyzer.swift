/// Says what a shell text or an argument vector would run, without running anything.
///
/// A value without state: one instance may serve any number of threads.
public struct ShellAnalyzer: Sendable {
    /// The bounds that every analysis keeps to.
    public let limits: AnalysisLimits

    /// Creates an analyzer.
    public init(limits: AnalysisLimits = .standard) {
        self.limits = limits
    }

    /// Analyses a text that a shell will read, as `sh -c` would.
    /// - Parameters:
    ///   - script: The text; not terminated, any bytes.
    ///   - context: Shell, variables, folder and standard input.
    /// - Complexity: Linear in the length of the text, bounded by the limits. Does not block.
    public func analyze(script: [UInt8], context: ShellContext) -> ScriptAnalysis {
        var walker = Walker(context: context, limits: limits)
        walker.walkAll(script)
        return walker.result()
    }

    /// Analyses a program that is started directly, without a shell in between.
    /// - Parameters:
    ///   - arguments: The program's name and its arguments. Offsets in the result count over the arguments
    ///     joined by one space each.
    ///   - context: Shell dialect for whatever is parsed again, variables, folder and standard input.
    /// - Complexity: Linear in the length of the arguments. Does not block.
    public func analyze(arguments: [String], context: ShellContext) -> ScriptAnalysis {
        var walker = Walker(context: context, limits: limits)
        walker.runAll(arguments)
        return walker.result()
    }
}
