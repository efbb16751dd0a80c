import ArgumentParser
import LinuxSystem
import SandboxModel
import SandboxPolicy
import SandboxSecurity
import SandwardenAPI

/// `sandwarden validate`: verdicts with no daemon.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Says what a policy would answer to a command or a path, and why.",
        discussion: """
            sandwarden validate --policy strict --command 'r""m -rf /'
            sandwarden validate --policy my.yaml --path /work/../etc/shadow --operation write
            sandwarden validate --policy strict --input checks.jsonl

            --input reads JSON lines of checks as POST /validate takes them, without `policy`, and writes one verdict line
            for each, in order; a line that is wrong gives {"error":…} in its place. - is standard input.
            Exit status: 0 all allowed, 3 some denied, 2 bad input.
            """)

    @Option(help: ArgumentHelp("A policy file, or the name of a built-in policy.", valueName: "file|name"))
    var policy: String

    @Option(help: ArgumentHelp("A shell command.", valueName: "text"))
    var command: String?

    @Option(help: ArgumentHelp("A path.", valueName: "path"))
    var path: String?

    @Option(
        help: ArgumentHelp("What would be done to the path: read, write or delete.", valueName: "operation"))
    var operation: String?

    @Option(help: ArgumentHelp("JSON lines of checks; - is standard input.", valueName: "file"))
    var input: String?

    func run() throws {
        let given = [command != nil, path != nil, input != nil].count { $0 }
        guard given == 1 else {
            throw CommandFailure(.badInput, "exactly one of --command, --path, --input was expected")
        }
        guard operation == nil || path != nil else {
            throw CommandFailure(.badInput, "--operation goes with --path")
        }
        let compiled = try PolicySource.compiled(policy)
        if let command {
            try answer(compiled.evaluate(command: CommandCheck(.script(Array(command.utf8)))))
        } else if let path {
            guard let operation = FileOperation(rawValue: operation ?? "read") else {
                throw CommandFailure(.badInput, "--operation: read, write or delete was expected")
            }
            try answer(compiled.evaluate(path: PathCheck(path, operation: operation)))
        } else if let input {
            try answerLines(input, compiled)
        }
    }

    private func answer(_ verdict: Verdict) throws {
        Console.print(verdict.json.text)
        if !verdict.isAllowed { throw ExitCode(CommandFailure.Status.denied.rawValue) }
    }

    private func answerLines(_ file: String, _ compiled: CompiledPolicy) throws {
        let limit = 1 << 30
        let bytes: [UInt8]
        if file == "-" {
            bytes = try Console.readInput(limit: limit)
        } else {
            do throws(SystemError) {
                bytes = try HostFiles.read(RawPath(file), limit: limit)
            } catch {
                throw CommandFailure(.badInput, "\(file): \(error)")
            }
        }
        var (denied, wrong) = (false, false)
        var output: [UInt8] = []
        for line in bytes.split(separator: 0x0A) {
            do throws(SecurityError) {
                let node = try RequestBody.document(Array(line))
                let check = try ValidationBody.check(node, subject: .policy(compiled.policy.name))
                let verdict =
                    switch check.what {
                    case .command(let command): compiled.evaluate(command: command)
                    case .path(let path): compiled.evaluate(path: path)
                    }
                denied = denied || !verdict.isAllowed
                verdict.json.append(to: &output)
            } catch {
                wrong = true
                ValidationBody.errorJSON(error).append(to: &output)
            }
            output.append(0x0A)
            if output.count > 1 << 16 {
                Console.write(output, to: 1)
                output.removeAll(keepingCapacity: true)
            }
        }
        Console.write(output, to: 1)
        if wrong { throw ExitCode(CommandFailure.Status.badInput.rawValue) }
        if denied { throw ExitCode(CommandFailure.Status.denied.rawValue) }
    }
}

/// Finds the policy that a flag names.
enum PolicySource {
    /// A file's policy, resolved beside the built-in ones and the others of its folder; or a built-in one.
    /// - Throws: ``CommandFailure`` `badInput` with every fault as `file:line:column`.
    static func compiled(_ text: String) throws(CommandFailure) -> CompiledPolicy {
        if let name = PolicyName(rawValue: text), let compiled = PolicyCatalog.builtIn[name] {
            return compiled
        }
        guard text.contains("/") || text.contains(".") else {
            throw CommandFailure(
                .badInput,
                "there is no built-in policy `\(excerpt(text))`; they are \(Policy.builtInNames.joined(separator: ", ")). "
                    + "A file is named by its path.")
        }
        do throws(PolicyFaults) {
            let document = try PolicyDocument.load(file: text)
            let entries =
                [PolicyCatalog.Entry(document: document, origin: .file(path: text))]
                + (try neighbours(of: text, document))
            guard let compiled = try PolicyCatalog(entries: entries)[document.name] else {
                throw PolicyFaults([])
            }
            return compiled
        } catch {
            throw CommandFailure(.badInput, error.description)
        }
    }

    /// The policies of the same folder that the document may extend; only read when it extends one that is not built in.
    private static func neighbours(
        of file: String, _ document: PolicyDocument
    ) throws(PolicyFaults) -> [PolicyCatalog.Entry] {
        guard let parent = document.extends, PolicyCatalog.builtIn[parent] == nil else { return [] }
        let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? "."
        return try PolicyCatalog.load(directory: folder.isEmpty ? "/" : folder).filter {
            $0.document.name != document.name
        }
    }
}
