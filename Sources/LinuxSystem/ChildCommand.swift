/// A program to start, whole and exact: no shell, no search through `PATH`, nothing inherited by accident.
package struct ChildCommand: Sendable {
    /// What the child reads.
    package enum Input: Sendable {
        /// `/dev/null`.
        case nothing
        /// These bytes, then the end.
        case bytes([UInt8])
        /// What ``ChildProcess/write(_:)`` brings, until ``ChildProcess/closeInput()``.
        case stream
    }

    /// Absolute path of the program; also its `argv[0]`.
    package var executable: String
    /// The arguments after `argv[0]`.
    package var arguments: [String]
    /// The whole environment; `nil` is ``minimalEnvironment``.
    package var environment: [String: String]?
    /// Directory to start in; `nil` keeps ours.
    package var workingDirectory: String?
    /// What the child reads.
    package var input: Input
    /// Whether the child leads a new session, apart from our terminal; then a kill reaches its process group.
    package var startsSession: Bool
    /// Network namespace to start in; `nil` keeps ours.
    package var networkNamespace: SharedDescriptor?
    /// How long after the start everything is killed; `nil` never.
    package var deadline: Duration?
    /// How long, after the program has ended, its descendants may hold the output open before it is closed.
    package var drainTime: Duration

    /// Describes a program to start.
    package init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String]? = nil,
        workingDirectory: String? = nil, input: Input = .nothing, startsSession: Bool = true,
        networkNamespace: SharedDescriptor? = nil, deadline: Duration? = nil,
        drainTime: Duration = .milliseconds(300)
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.input = input
        self.startsSession = startsSession
        self.networkNamespace = networkNamespace
        self.deadline = deadline
        self.drainTime = drainTime
    }

    /// `PATH` with the system's directories and `LC_ALL=C`.
    package static let minimalEnvironment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C",
    ]

    /// Finds a program in the system's own directories; our environment's `PATH` does not count.
    /// - Returns: Absolute path of the first regular file with an execute bit, or `nil`.
    package static func locate(_ name: String) -> String? {
        guard !name.isEmpty, !name.utf8.contains(0x2f) else { return nil }
        for directory in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
            let path = "\(directory)/\(name)"
            do throws(SystemError) {
                let status = try HostFiles.status(RawPath(path))
                if status.kind == .regular, status.permissions & 0o111 != 0 { return path }
            } catch {
                // Not there, or not to be seen: the next directory.
                continue
            }
        }
        return nil
    }
}

/// How a child ended.
package enum ChildExit: Sendable, Hashable {
    /// By exit with this code.
    case code(Int32)
    /// By this signal.
    case signal(Int32)
    /// Somebody else took the answer (`SIGCHLD` ignored, or a stray wait): it ended, but how is not known.
    case unknown

    /// The shell's number: 128 + signal.
    package var shellCode: Int32? {
        switch self {
        case .code(let code): code
        case .signal(let signal): 128 + signal
        case .unknown: nil
        }
    }

    /// Whether it ended by exit with code 0.
    package var isSuccess: Bool { self == .code(0) }
}

/// What a program came to.
package struct ChildResult: Sendable, Hashable {
    package let exit: ChildExit
    /// The first bytes of standard output, up to the limit.
    package let stdout: [UInt8]
    /// The first bytes of standard error, up to the limit.
    package let stderr: [UInt8]
    /// Whether either was longer than the limit; what was longer has been read and thrown away.
    package let isTruncated: Bool
    /// Whether the deadline ended it.
    package let isTimedOut: Bool

    package init(
        exit: ChildExit, stdout: [UInt8], stderr: [UInt8], isTruncated: Bool = false, isTimedOut: Bool = false
    ) {
        self.exit = exit
        self.stdout = stdout
        self.stderr = stderr
        self.isTruncated = isTruncated
        self.isTimedOut = isTimedOut
    }

    /// The exit code; `nil` when a signal ended it.
    package var exitCode: Int32? { if case .code(let code) = exit { code } else { nil } }
    /// The signal that ended it; `nil` when it exited.
    package var termSignal: Int32? { if case .signal(let signal) = exit { signal } else { nil } }
    /// Standard output as text; bytes that are not UTF-8 become U+FFFD.
    package var stdoutText: String { String(decoding: stdout, as: UTF8.self) }
    /// Standard error as text; bytes that are not UTF-8 become U+FFFD.
    package var stderrText: String { String(decoding: stderr, as: UTF8.self) }
}

/// A piece of a child's output.
package struct ChildOutput: Sendable, Hashable {
    package enum Stream: Sendable, Hashable {
        case stdout, stderr
    }

    package let stream: Stream
    /// At least one byte, at most 64 KiB.
    package let bytes: [UInt8]

    package init(stream: Stream, bytes: [UInt8]) {
        self.stream = stream
        self.bytes = bytes
    }
}
