package import SandboxModel

/// What a client wants to run in a sandbox; already allowed by the policy.
package struct ExecRequest: Sendable, Hashable {
    /// The program by bare name (looked up on the fixed `PATH` below the sandbox's root) or by absolute path, then
    /// its arguments. A shell command is `["/bin/sh", "-c", text]`.
    package var arguments: [String]
    /// Added to the fixed base environment (`PATH`, `HOME`, `LANG`, `TERM`).
    package var environment: [String: String]
    package var workingDirectory: String
    package var stdin: [UInt8]?
    package var timeout: Duration
    /// Bytes of each stream that are kept; what comes after is read and dropped.
    package var outputLimit: Int

    /// A request of the given parts.
    package init(
        arguments: [String], environment: [String: String] = [:], workingDirectory: String,
        stdin: [UInt8]? = nil, timeout: Duration, outputLimit: Int
    ) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.stdin = stdin
        self.timeout = timeout
        self.outputLimit = outputLimit
    }
}

/// How an exec ended.
package struct ExecResult: Sendable, Hashable {
    /// 128 + signal for a killed one; `nil` when the daemon killed it.
    package var exitCode: Int?
    package var stdout: [UInt8]
    package var stderr: [UInt8]
    package var duration: Duration
    package var timedOut: Bool
    /// Whether output was dropped beyond the limit.
    package var truncated: Bool
    /// Set when the exec did not end by itself.
    package var causeOfDeath: CauseOfDeath?

    /// A result of the given parts.
    package init(
        exitCode: Int?, stdout: [UInt8], stderr: [UInt8], duration: Duration, timedOut: Bool, truncated: Bool,
        causeOfDeath: CauseOfDeath?
    ) {
        self.exitCode = exitCode
        self.stdout = stdout
        self.stderr = stderr
        self.duration = duration
        self.timedOut = timedOut
        self.truncated = truncated
        self.causeOfDeath = causeOfDeath
    }
}
