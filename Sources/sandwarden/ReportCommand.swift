import ArgumentParser
import LinuxSystem
import SandboxModel
import SandboxSecurity

/// `sandwarden report`: from the journal alone.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Reports on sandboxes from the journal, whether the daemon runs or not.",
        discussion: """
            sandwarden report --format markdown
            sandwarden report --sandbox sb-… --data /var/lib/sandwarden
            """)

    /// The forms of a report.
    enum Format: String, ExpressibleByArgument, CaseIterable { case json, markdown }

    @Option(help: "The data folder.")
    var data: String?

    @Option(help: "One sandbox; all of them if absent.")
    var sandbox: String?

    @Option(help: "Only what happened at or after this time (RFC 3339).")
    var since: String?

    @Option(help: "json or markdown.")
    var format: Format = .json

    func run() throws {
        let reader = try DataFolder.reports(data)
        let now = Timestamp(milliseconds: WallClock.nowMilliseconds())
        do throws(SecurityError) {
            if let sandbox {
                guard let id = SandboxID(rawValue: sandbox) else {
                    throw SecurityError(.invalid, "--sandbox: sb-[a-z0-9]{10,40} was expected")
                }
                let report = try reader.sandbox(id, at: now)
                Console.print(format == .json ? PrettyJSON.text(report.json) : ReportMarkdown.render(report))
            } else {
                var start: Timestamp?
                if let since {
                    start = Timestamp(rfc3339: since)
                    if start == nil {
                        throw SecurityError(.invalid, "--since: an RFC 3339 time was expected")
                    }
                }
                let report = try reader.fleet(since: start, at: now)
                Console.print(format == .json ? PrettyJSON.text(report.json) : ReportMarkdown.render(report))
            }
        } catch {
            throw CommandFailure(error.code == .failed ? .failed : .badInput, error.detail)
        }
    }
}

/// Where the data is, for commands that only read.
enum DataFolder {
    static func path(_ flag: String?) -> String {
        let environment = ProcessEnvironment.all
        return flag ?? environment["SANDWARDEN_DATA"]
            ?? DaemonConfiguration.defaultDataDirectory(environment: environment)
    }

    static func reports(_ flag: String?) throws(CommandFailure) -> ReportReader {
        do throws(SecurityError) {
            return try ReportReader(dataDirectory: path(flag))
        } catch {
            throw CommandFailure(.unavailable, error.detail)
        }
    }
}
