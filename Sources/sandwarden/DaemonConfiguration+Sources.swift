import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy
import SandboxSecurity

extension DaemonConfiguration {
    /// Reads the file, then lets the environment override it.
    /// - Parameter file: `nil`: the defaults.
    /// - Throws: ``CommandFailure`` with every fault as `file:line:column: key: detail`.
    static func load(
        file: String?, environment: [String: String]
    ) throws(CommandFailure) -> DaemonConfiguration {
        var configuration = DaemonConfiguration()
        if let file {
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try HostFiles.read(RawPath(file), limit: YAMLReader.maximumBytes)
            } catch {
                throw CommandFailure(.badInput, "\(file): \(error)")
            }
            let node: DocumentNode
            do throws(YAMLSyntaxError) {
                node = try YAMLReader.read(bytes)
            } catch {
                throw CommandFailure(.badInput, "\(file):\(error)")
            }
            let read = DaemonConfiguration.read(node)
            guard read.faults.isEmpty else {
                throw CommandFailure(.badInput, read.faults.map { "\(file):\($0)" }.joined(separator: "\n"))
            }
            configuration = read.configuration
        }
        try configuration.apply(environment)
        return configuration
    }

    private mutating func apply(_ environment: [String: String]) throws(CommandFailure) {
        if let text = environment["SANDWARDEN_LISTEN"] {
            listeners = text.split(separator: ",").map(String.init)
        }
        if let text = environment["SANDWARDEN_DATA"] { dataDirectory = text }
        if let text = environment["SANDWARDEN_RUNTIME"] {
            security.runtime = try choice("SANDWARDEN_RUNTIME", text, RuntimeChoice.self)
        }
        if let text = environment["SANDWARDEN_ON_SHUTDOWN"] {
            security.shutdownAnswer = try choice(
                "SANDWARDEN_ON_SHUTDOWN", text, SecurityConfiguration.ShutdownAnswer.self)
        }
        if let text = environment["SANDWARDEN_LOG_LEVEL"] {
            logLevel = try choice("SANDWARDEN_LOG_LEVEL", text, LogLevel.self)
        }
        if let text = environment["SANDWARDEN_DOCKER_SOCKET"] { security.dockerSocket = text }
        security.dockerHost = environment["DOCKER_HOST"]
        if let text = environment["SANDWARDEN_POLICIES_DIR"] { security.policyDirectory = text }
        if let text = environment["SANDWARDEN_TOKENS_FILE"] { tokensFile = text }
    }

    private func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ text: String, _ type: Choice.Type
    ) throws(CommandFailure) -> Choice {
        if let value = Choice(rawValue: text) { return value }
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw CommandFailure(.badInput, "\(name): one of \(names) was expected, found \(excerpt(text))")
    }

    /// Where data lives when nobody says so.
    static func defaultDataDirectory(environment: [String: String]) -> String {
        if getuid() == 0 { return "/var/lib/sandwarden" }
        if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") { return base + "/sandwarden" }
        return (environment["HOME"] ?? "/tmp") + "/.local/state/sandwarden"
    }
}
