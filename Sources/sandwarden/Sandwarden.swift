import ArgumentParser
import Glibc

/// The one binary.
@main
struct Sandwarden: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandwarden",
        abstract: "Sandboxes for other people's code, under named security policies.",
        discussion: """
            Start the daemon and try it:
              sandwarden doctor
              sandwarden serve --config config/sandwarden.yaml
              curl --json '{"policy":"strict"}' http://127.0.0.1:8722/sandboxes

            Ask without a daemon:
              sandwarden validate --policy strict --command 'find . -exec rm {} +'

            Exit status: 0 done, 1 failed, 2 bad input, 3 denied, 4 something that is needed is not there.
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, ValidateCommand.self, PolicyCommand.self, RunCommand.self, ReportCommand.self,
            JournalCommand.self, TokenCommand.self, DoctorCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            Console.error(failure.detail)
            Glibc.exit(failure.status.rawValue)
        } catch {
            // Wrong flags are bad input; asking for help or the version is not.
            let isHelp = exitCode(for: error).isSuccess
            let text = fullMessage(for: error)
            if !text.isEmpty { isHelp ? Console.print(text) : Console.error(text) }
            Glibc.exit(
                isHelp
                    ? 0
                    : error is ExitCode
                        ? exitCode(for: error).rawValue : CommandFailure.Status.badInput.rawValue)
        }
    }
}

/// What this build calls itself.
enum Version {
    static let text = "0.1.0"
}
