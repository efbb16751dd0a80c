import ArgumentParser
import Glibc
import HTTP
import LinuxSystem
import Logging
import Metrics
import SandboxModel
import SandboxSecurity
import SandwardenAPI

/// `sandwarden serve`: the daemon.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Runs the daemon.",
        discussion: """
            sandwarden serve --config config/sandwarden.yaml
            sandwarden serve --listen 127.0.0.1:8722 --listen unix:/run/sandwarden.sock --data /var/lib/sandwarden

            SIGTERM and Ctrl-C finish what is under way, then end, freeze or leave the sandboxes as `on_shutdown` says.
            """)

    @Option(help: "The configuration file.")
    var config: String?

    @Option(help: ArgumentHelp("An address to listen on; may be repeated.", valueName: "address"))
    var listen: [String] = []

    @Option(help: "The data folder.")
    var data: String?

    @Option(help: "auto, docker or oci.")
    var runtime: String?

    func run() async throws {
        let environment = ProcessEnvironment.all
        var settings = try DaemonConfiguration.load(
            file: config ?? environment["SANDWARDEN_CONFIG"], environment: environment)
        if !listen.isEmpty { settings.listeners = listen }
        if let runtime {
            guard let choice = RuntimeChoice(rawValue: runtime) else {
                throw CommandFailure(.badInput, "--runtime: auto, docker or oci was expected")
            }
            settings.security.runtime = choice
        }
        settings.security.dataDirectory =
            data ?? settings.dataDirectory
            ?? DaemonConfiguration.defaultDataDirectory(environment: environment)
        let daemon = try await Daemon.start(settings)
        await daemon.printBanner()
        await TerminationSignal.wait()
        await daemon.stop()
    }
}
