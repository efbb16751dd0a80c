import ArgumentParser
import SandboxSecurity

/// `sandwarden doctor`: what this host offers.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says what this host offers, and what each missing thing costs.",
        discussion: "Changes nothing. Exit status 4 when no sandbox can be made here.")

    @Option(help: "The configuration file.")
    var config: String?

    func run() async throws {
        let settings = try DaemonConfiguration.load(file: config, environment: ProcessEnvironment.all)
        let findings = await HostCheckup.run(settings.security)
        let rows = findings.map {
            [$0.isFine ? "ok" : $0.isNeeded ? "MISSING" : "absent", $0.subject, $0.detail]
        }
        Console.print(Console.table(["", "WHAT", "FOUND"], rows))
        let missing = findings.filter { !$0.isFine && $0.isNeeded }
        guard missing.isEmpty else {
            throw CommandFailure(
                .unavailable,
                "\nsandboxes cannot be made here yet: \(missing.map(\.subject).joined(separator: ", "))")
        }
        Console.print("\nsandboxes can be made here")
    }
}
