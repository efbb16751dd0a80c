internal import LinuxSystem
internal import SandboxModel

/// Runs an OCI runtime (`runc`, or another with its command line) as a child process.
///
/// Each call is one process with a deadline. What the runtime complains about is read from a log file,
/// because its standard streams belong to the container when it starts one.
struct OCIRuntimeProgram: Sendable {
    /// Absolute path of the program.
    let path: String
    /// The runtime's own folder, for this installation alone.
    let stateDirectory: String

    /// The longest that a call may take on a host that is very busy.
    static let deadline = Duration.seconds(60)

    /// The shell moves descriptors about, which the child's launcher cannot; the arguments are not seen by it
    /// as text.
    private static let shell = "/bin/sh"

    /// What the standard streams of a call are.
    enum Streams: Sendable {
        /// Output and errors come back to us.
        case captured
        /// All three are the null device, so that a container that outlives the call holds nothing of ours.
        case none
        /// The null device; what we hold the other ends of become descriptors 3, 4 and 5.
        case handedOver

        /// The shell's command; `nil` for none.
        fileprivate var script: String? {
            switch self {
            case .captured: nil
            case .none: #"exec "$@" </dev/null >/dev/null 2>/dev/null"#
            case .handedOver: #"exec "$@" 3<&0 4>&1 5>&2 </dev/null >/dev/null 2>/dev/null"#
            }
        }
    }

    /// The whole command for a call.
    /// - Parameter log: Where the runtime writes its complaints; `nil` to its standard error.
    func command(
        _ arguments: [String], streams: Streams = .captured, log: String? = nil,
        input: ChildCommand.Input = .nothing,
        deadline: Duration? = OCIRuntimeProgram.deadline
    ) -> ChildCommand {
        var all = ["--root", stateDirectory]
        if let log { all += ["--log", log, "--log-format", "json"] }
        all += arguments
        // The runtime's first process inside the sandbox counts against its process limit, with each of its
        // threads.
        let environment = ChildCommand.minimalEnvironment.merging(["GOMAXPROCS": "1"]) { $1 }
        guard let script = streams.script else {
            return ChildCommand(path, all, environment: environment, input: input, deadline: deadline)
        }
        return ChildCommand(
            Self.shell, ["-c", script, "sh", path] + all, environment: environment, input: input,
            deadline: deadline)
    }

    /// Runs a call to its end.
    /// - Throws: `failed` with what the runtime said when it does not end with 0; `timedOut`; `unavailable`
    ///   when the program cannot be run.
    @discardableResult
    func run(
        _ operation: String, _ arguments: [String], streams: Streams = .captured, log: String? = nil,
        input: ChildCommand.Input = .nothing
    ) async throws(RuntimeError) -> ChildResult {
        let result = try await attempt(operation, arguments, streams: streams, log: log, input: input)
        guard result.exit.isSuccess else {
            throw RuntimeError(.failed, operation: operation, detail: complaint(result, log: log))
        }
        return result
    }

    /// Runs a call to its end, whatever its exit code.
    func attempt(
        _ operation: String, _ arguments: [String], streams: Streams = .captured, log: String? = nil,
        input: ChildCommand.Input = .nothing
    ) async throws(RuntimeError) -> ChildResult {
        let command = command(arguments, streams: streams, log: log, input: input)
        let result = try await Uncancelled.run { () async throws(RuntimeError) in
            do throws(SystemError) {
                return try await ChildProcess.run(command, outputLimit: 1 << 20)
            } catch {
                throw RuntimeError(error, operation: operation, code: error.errno == 2 ? .unavailable : nil)
            }
        }
        guard !result.isTimedOut else {
            throw RuntimeError(
                .timedOut, operation: operation, detail: "\(path) did not end in \(Self.deadline)")
        }
        return result
    }

    /// The last thing that the runtime complained about, bounded and printable.
    func complaint(_ result: ChildResult, log: String?) -> String {
        let said = log.map { Self.lastMessage(inLog: $0) } ?? result.stderrText
        let text =
            said.isEmpty ? "ended with \(result.exit.shellCode.map { "\($0)" } ?? "no known code")" : said
        return ForeignText.printable(text.utf8, limit: 512)
    }

    /// The message of the last line of a log; what cannot be read is said instead.
    static func lastMessage(inLog path: String) -> String {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Descriptor.openAbsolute(RawPath(path)).readPrefix(limit: 256 << 10)
        } catch {
            return error.errno == 2 ? "" : "log: \(error)"
        }
        guard let line = bytes.split(separator: 0x0a).last else { return "" }
        do throws(JSONSyntaxError) {
            return try JSONParser.parse(Array(line))["msg"]?.string ?? ""
        } catch {
            return String(decoding: line.prefix(512), as: UTF8.self)
        }
    }
}
