import ArgumentParser
import SandboxSecurity

/// `sandwarden token`: secrets for clients.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes access tokens.", subcommands: [New.self])

    /// `sandwarden token new`.
    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a new secret once, and the line for the token file.",
            discussion: """
                The file holds `tokens:` and below it such lines; mode 0600. Name it as access.tokens_file; the daemon
                reads it again when it changes. Roles: viewer reads, operator also runs, admin also changes policies.
                """)

        @Option(help: "Stands in the audit stream.")
        var name: String

        @Option(help: "viewer, operator or admin.")
        var role: String

        func run() throws {
            guard let role = Role(rawValue: role) else {
                throw CommandFailure(.badInput, "--role: viewer, operator or admin was expected")
            }
            var generator = SystemRandomNumberGenerator()
            do throws(SecurityError) {
                let token = try TokenTable.issue(name: name, role: role, using: &generator)
                Console.print("secret (shown once): \(token.secret)")
                Console.print("line for the token file:")
                Console.print(token.line)
            } catch {
                throw CommandFailure(.badInput, error.detail)
            }
        }
    }
}
