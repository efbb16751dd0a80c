import Glibc
import HTTP
import LinuxSystem
import Logging
import Metrics
import SandboxModel
import SandboxSecurity
import SandwardenAPI

/// The parts of a running daemon.
struct Daemon: Sendable {
    let settings: DaemonConfiguration
    let manager: SandboxSecurityManager
    let recovery: RecoveryOutcome
    let server: HTTPServer
    private let tokenWatch: Task<Void, Never>?

    /// How long requests that are under way may take when the daemon stops.
    private static let drainDeadline = Duration.seconds(20)

    /// Opens the data folder, takes up sandboxes, listens.
    /// - Throws: ``CommandFailure`` that says what is wrong and what to do.
    static func start(_ settings: DaemonConfiguration) async throws(CommandFailure) -> Daemon {
        let logger = Log.make(level: settings.logLevel)
        // Files of the daemon are nobody else's, whoever started it.
        umask(0o077)
        let (access, watch) = try accessControl(settings, logger)
        let started: (manager: SandboxSecurityManager, recovery: RecoveryOutcome)
        let registry = MetricsRegistry()
        do throws(SecurityError) {
            started = try await SandboxSecurityManager.start(
                settings.security, logger: logger, registry: registry)
        } catch {
            watch?.cancel()
            throw CommandFailure(error.code == .invalid ? .badInput : .unavailable, error.detail)
        }
        var configuration = HTTPServerConfiguration(listeners: settings.listeners)
        configuration.maxConnections = settings.maximumConnections
        configuration.maxConnectionsPerClient = settings.maximumConnectionsPerClient
        let manager = started.manager
        let handler = APIHandler(manager: manager, access: access) { await manager.readiness() }
        do throws(HTTPServerError) {
            let server = try HTTPServer(configuration: configuration, handler: handler, metrics: registry)
            return Daemon(
                settings: settings, manager: manager, recovery: started.recovery, server: server,
                tokenWatch: watch)
        } catch {
            watch?.cancel()
            await manager.shutdown()
            throw CommandFailure(.unavailable, "cannot listen: \(error)")
        }
    }

    private static func accessControl(
        _ settings: DaemonConfiguration, _ logger: Logger
    ) throws(CommandFailure) -> (AccessControl, Task<Void, Never>?) {
        var access = AccessControl.Settings()
        access.unixRoles = settings.unixRoles
        access.ownUID = geteuid()
        access.hostNames = Set(settings.hostNames.map { $0.lowercased() })
        guard let path = settings.tokensFile else {
            try refuseWideListeners(settings)
            return (AccessControl(access), nil)
        }
        let file = TokenFile(path: path)
        let read = try file.read()
        access.tokens = read.table
        let control = AccessControl(access)
        return (control, watch(file, read.stamp, control, logger))
    }

    // Without tokens whoever reaches the port is an operator: that may be nobody beyond this machine.
    private static func refuseWideListeners(_ settings: DaemonConfiguration) throws(CommandFailure) {
        for listener in settings.listeners {
            guard let address = SocketAddress(listener) else {
                throw CommandFailure(
                    .badInput, "listen: `\(excerpt(listener))` is not an address such as 127.0.0.1:8722")
            }
            guard address.isLocal else {
                throw CommandFailure(
                    .badInput,
                    "listen: \(listener) can be reached from elsewhere, and no tokens are configured; make one with "
                        + "`sandwarden token new --name N --role operator` and name its file as access.tokens_file"
                )
            }
        }
    }

    /// Reads the token file again when it changes. A faulty one changes nothing and is logged.
    private static func watch(
        _ file: TokenFile, _ first: TokenFile.Stamp, _ control: AccessControl, _ logger: Logger
    ) -> Task<Void, Never> {
        Task {
            var known: TokenFile.Stamp? = first
            while !Task.isCancelled {
                do {
                    try await Task.sleep(for: .seconds(1))
                } catch {
                    return
                }
                let stamp = file.stamp()
                guard stamp != known else { continue }
                known = stamp
                do throws(CommandFailure) {
                    control.replaceTokens(try file.read().table)
                    logger.notice("the token file was read again", metadata: ["file": "\(file.path)"])
                } catch {
                    logger.error(
                        "the token file cannot be used; the tokens before it stay",
                        metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Finishes requests, then ends, freezes or leaves the sandboxes, and gives the data folder back.
    func stop() async {
        tokenWatch?.cancel()
        manager.drain.set()
        await server.drain(deadline: Daemon.drainDeadline)
        await manager.shutdown()
    }

    /// Tells what this daemon offers, and what to try.
    func printBanner() async {
        let facts = await manager.readiness()
        var lines = ["sandwarden \(Version.text) is ready", ""]
        for fact in facts {
            lines.append("  \(fact.name.padded(to: 10)) \(fact.isReady ? "" : "NOT READY: ")\(fact.detail)")
        }
        lines.append("  \("recovery".padded(to: 10)) \(recovery.summary)")
        lines.append("  \("listening".padded(to: 10)) \(server.addresses.joined(separator: ", "))")
        if let address = server.addresses.first(where: { !$0.hasPrefix("unix:") }) {
            lines += [
                "", "Try:",
                "  curl -s http://\(address)/readyz",
                "  curl -s --json '{\"policy\":\"strict\",\"command\":\"find . -exec rm {} +\"}' http://\(address)/validate",
                "  curl -s --json '{\"policy\":\"strict\"}' http://\(address)/sandboxes",
            ]
        }
        Console.print(lines.joined(separator: "\n"))
    }
}

extension String {
    /// The text with spaces after it, at least so long.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
