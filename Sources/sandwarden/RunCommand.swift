import ArgumentParser
import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy
import SandboxRuntime
import SandboxSecurity

/// `sandwarden run`: one command in a fresh sandbox, no daemon.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs one command in a fresh sandbox and ends with its exit code.",
        discussion: """
            sandwarden run --policy strict -- sh -c 'id; ls /'

            The command's output goes to standard output and standard error, violations to standard error. Standard input is
            given to the command when it is not a terminal. A denied command ends with 3.
            """)

    @Option(help: "A built-in policy's name, or a policy file.")
    var policy = "strict"

    @Option(help: "auto, docker or oci.")
    var runtime = "auto"

    @Option(help: "An image of the runtime.")
    var image: String?

    @Option(help: "Keep the data here; a temporary folder that is removed if absent.")
    var data: String?

    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.")
    var arguments: [String] = []

    func run() async throws {
        let words = arguments.first == "--" ? Array(arguments.dropFirst()) : arguments
        guard !words.isEmpty else { throw CommandFailure(.badInput, "a command was expected after --") }
        guard let choice = RuntimeChoice(rawValue: runtime) else {
            throw CommandFailure(.badInput, "--runtime: auto, docker or oci was expected")
        }
        let compiled = try PolicySource.compiled(policy)
        let folder = try TemporaryFolder.make(unless: data)
        var settings = try DaemonConfiguration.load(file: nil, environment: ProcessEnvironment.all).security
        settings.dataDirectory = folder.path
        settings.shutdownAnswer = .terminate
        let code: Int32
        do throws(SecurityError) {
            code = try await run(words, compiled.policy, choice, settings)
        } catch {
            folder.remove()
            if let verdict = error.verdict { Console.error(verdict.json.text) }
            for control in error.controls {
                Console.error("\(control.control): \(control.status.rawValue): \(control.evidence)")
            }
            throw CommandFailure(RunCommand.status(error.code), error.detail)
        }
        folder.remove()
        Glibc.exit(code)
    }

    private func run(
        _ words: [String], _ policy: Policy, _ choice: RuntimeChoice, _ settings: SecurityConfiguration
    ) async throws(SecurityError) -> Int32 {
        let (manager, _) = try await SandboxSecurityManager.start(settings, logger: Log.make(level: .error))
        do throws(SecurityError) {
            try await manager.define(policy, by: .daemon)
            var request = SandboxRequest(policy: policy.name)
            request.runtime = choice
            request.image = image
            let id = try await manager.create(request, by: .daemon).id
            var command = CommandRequest(.arguments(words))
            if isatty(0) == 0 { command.stdin = try RunCommand.input() }
            let reply = try await manager.exec(command, in: id, by: .daemon) { piece in
                Console.write(piece.bytes, to: piece.isError ? 2 : 1)
            }
            var filter = ViolationFilter()
            filter.sandboxID = id
            let violations = try await manager.violations(filter, limit: 100, cursor: nil)
            for violation in violations["violations"]?.array ?? [] {
                Console.error("violation: \(violation.text)")
            }
            if let cause = reply.result.causeOfDeath { Console.error("ended by: \(cause.rawValue)") }
            await manager.shutdown()
            return Int32(clamping: reply.result.exitCode ?? 137)
        } catch {
            await manager.shutdown()
            throw error
        }
    }

    private static func input() throws(SecurityError) -> [UInt8] {
        do throws(CommandFailure) {
            return try Console.readInput(limit: 8 << 20)
        } catch {
            throw SecurityError(.invalid, error.detail)
        }
    }

    private static func status(_ code: SecurityError.Code) -> CommandFailure.Status {
        switch code {
        case .denied, .forbidden, .unauthenticated: .denied
        case .invalid, .tooLarge, .preconditionFailed, .keyReused: .badInput
        case .unavailable, .notFound, .unenforceable, .exhausted, .journalFailing: .unavailable
        case .conflict, .timedOut, .failed: .failed
        }
    }
}

/// A data folder that goes with the command, unless one was named.
struct TemporaryFolder {
    let path: String
    let isTemporary: Bool

    static func make(unless named: String?) throws(CommandFailure) -> TemporaryFolder {
        if let named { return TemporaryFolder(path: named, isTemporary: false) }
        var generator = SystemRandomNumberGenerator()
        let path = "/tmp/sandwarden-" + randomAlphanumerics(10, using: &generator)
        do throws(SystemError) {
            try HostFiles.makeDirectory(RawPath(path), mode: 0o711)
        } catch {
            throw CommandFailure(.unavailable, "no temporary folder: \(error)")
        }
        return TemporaryFolder(path: path, isTemporary: true)
    }

    func remove() {
        guard isTemporary else { return }
        do throws(SystemError) {
            try TemporaryFolder.removeTree(RawPath(path), depth: 0)
        } catch {
            Console.error("\(path) could not be removed: \(error)")
        }
    }

    /// Removes a folder that the daemon made and has closed; links are removed, not followed.
    private static func removeTree(_ path: RawPath, depth: Int) throws(SystemError) {
        guard depth < 32 else { throw SystemError(errno: ELOOP, operation: "remove", detail: "\(path)") }
        let listing = try Descriptor.openDirectory(path).list(limit: 100_000)
        for entry in listing.entries {
            let child = RawPath(bytes: path.bytes + [UInt8(ascii: "/")] + entry.name)
            if entry.kind == .directory {
                try removeTree(child, depth: depth + 1)
            } else {
                try HostFiles.remove(child)
            }
        }
        try HostFiles.remove(path, isDirectory: true)
    }
}
