import SandboxModel
import SandboxPolicy
import SandboxSecurity

/// What the daemon is told by its file, the environment and flags, in rising order of weight.
struct DaemonConfiguration: Sendable {
    var listeners = ["127.0.0.1:8722"]
    var hostNames: [String] = []
    var dataDirectory: String?
    var security = SecurityConfiguration(dataDirectory: "")
    var maximumConnections = 10_000
    var maximumConnectionsPerClient = 2000
    var tokensFile: String?
    var unixRoles: [UInt32: Role] = [:]
    var logLevel = LogLevel.info

    /// The words for the log's level.
    enum LogLevel: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// The keys of the file, for messages and for the test that holds the example to them.
    static let keys = [
        "listen", "host_names", "data", "runtime", "on_shutdown", "docker", "oci", "images", "policies",
        "uid_range",
        "network", "limits", "dead_sandbox_seconds", "journal", "access", "log",
    ]

    /// Reads a document of the file.
    /// - Returns: The configuration and every fault that was found; with faults it must not be used.
    static func read(
        _ document: DocumentNode
    ) -> (configuration: DaemonConfiguration, faults: [DocumentFault]) {
        var configuration = DaemonConfiguration()
        var checker = DocumentChecker()
        if let map = checker.map(document, keys: keys) {
            configuration.readTop(&checker, map)
            configuration.readRuntimes(&checker, map)
            configuration.readLimits(&checker, map)
            configuration.readAccess(&checker, map)
        }
        return (configuration, checker.faults)
    }

    private mutating func readTop(_ checker: inout DocumentChecker, _ map: DocumentMap) {
        if let items = checker.list("listen", of: map, atMost: 16) {
            listeners = items.compactMap { checker.string($0, maximumBytes: 256) }
            if items.isEmpty { checker.fault("at least one address was expected", key: "listen", of: map) }
        }
        if let items = checker.list("host_names", of: map, atMost: 64) {
            hostNames = items.compactMap { checker.string($0, maximumBytes: 253) }
        }
        dataDirectory = path(&checker, "data", map)
        if let choice = checker.choice("runtime", of: map, RuntimeChoice.self) { security.runtime = choice }
        if let answer = checker.choice("on_shutdown", of: map, SecurityConfiguration.ShutdownAnswer.self) {
            security.shutdownAnswer = answer
        }
        if let seconds = checker.integer("dead_sandbox_seconds", of: map, in: 0...31_536_000) {
            security.deadSandboxSeconds = seconds
        }
        if let section = checker.map("log", of: map, keys: ["level"]),
            let level = checker.choice("level", of: section, LogLevel.self)
        {
            logLevel = level
        }
    }

    private mutating func readRuntimes(_ checker: inout DocumentChecker, _ map: DocumentMap) {
        if let section = checker.map("docker", of: map, keys: ["socket", "default_image"]) {
            security.dockerSocket = text(&checker, "socket", section)
            security.dockerDefaultImage = text(&checker, "default_image", section)
        }
        if let section = checker.map("oci", of: map, keys: ["program"]),
            let program = checker.string("program", of: section, maximumBytes: 4096)
        {
            security.ociProgram = program
        }
        if let section = checker.map("images", of: map, keys: ["dir"]) {
            security.imageDirectory = path(&checker, "dir", section)
        }
        if let section = checker.map("policies", of: map, keys: ["dir"]) {
            security.policyDirectory = path(&checker, "dir", section)
        }
        if let items = checker.list("uid_range", of: map, atMost: 2) {
            let bounds = items.compactMap { checker.integer($0, in: 1000...Int(UInt32.max - 1)) }
            if items.count == 2, bounds.count == 2, bounds[0] <= bounds[1] {
                security.uidRange = UInt32(bounds[0])...UInt32(bounds[1])
            } else {
                checker.fault("the first and the last uid were expected", key: "uid_range", of: map)
            }
        }
        if let section = checker.map(
            "network", of: map, keys: ["resolvers", "subnet_pool", "openable_private"])
        {
            if let items = checker.list("resolvers", of: section, atMost: 3) {
                security.resolvers = items.compactMap { checker.string($0, maximumBytes: 64) }
            }
            if let pool = checker.string("subnet_pool", of: section, maximumBytes: 64) {
                security.subnetPool = pool
            }
            if let items = checker.list("openable_private", of: section, atMost: 64) {
                security.openablePrivateCIDRs = items.compactMap { checker.string($0, maximumBytes: 64) }
            }
        }
    }

    private mutating func readLimits(_ checker: inout DocumentChecker, _ map: DocumentMap) {
        let keys = [
            "max_sandboxes", "max_execs", "max_execs_per_sandbox", "exec_output_kb", "max_connections",
            "max_connections_per_client",
        ]
        if let section = checker.map("limits", of: map, keys: keys) {
            let values = keys.map { checker.integer($0, of: section, in: 1...1_000_000) }
            security.maximumSandboxes = values[0] ?? security.maximumSandboxes
            security.maximumExecs = values[1] ?? security.maximumExecs
            security.maximumExecsPerSandbox = values[2] ?? security.maximumExecsPerSandbox
            security.execOutputLimit = values[3].map { $0 << 10 } ?? security.execOutputLimit
            maximumConnections = values[4] ?? maximumConnections
            maximumConnectionsPerClient = values[5] ?? maximumConnectionsPerClient
        }
        if let section = checker.map(
            "journal", of: map, keys: ["segment_mb", "retention_days", "retention_mb"])
        {
            if let size = checker.integer("segment_mb", of: section, in: 1...4096) {
                security.journalSegmentBytes = size << 20
            }
            if let days = checker.integer("retention_days", of: section, in: 1...36_500) {
                security.journalRetentionDays = days
            }
            if let size = checker.integer("retention_mb", of: section, in: 1...16_777_216) {
                security.journalRetentionBytes = size << 20
            }
        }
    }

    private mutating func readAccess(_ checker: inout DocumentChecker, _ map: DocumentMap) {
        guard let section = checker.map("access", of: map, keys: ["tokens_file", "unix"]) else { return }
        tokensFile = path(&checker, "tokens_file", section)
        for item in checker.list("unix", of: section, atMost: 256) ?? [] {
            guard let entry = checker.map(item.node, at: item.pointer, keys: ["uid", "role"]) else {
                continue
            }
            checker.require("uid", of: entry)
            checker.require("role", of: entry)
            guard let uid = checker.integer("uid", of: entry, in: 0...Int(UInt32.max)),
                let role = checker.choice("role", of: entry, Role.self)
            else { continue }
            unixRoles[UInt32(uid)] = role
        }
    }

    /// A text or null.
    private func text(_ checker: inout DocumentChecker, _ key: String, _ map: DocumentMap) -> String? {
        checker.isNull(key, of: map) ? nil : checker.string(key, of: map, maximumBytes: 4096)
    }

    /// An absolute path or null.
    private func path(_ checker: inout DocumentChecker, _ key: String, _ map: DocumentMap) -> String? {
        guard let text = text(&checker, key, map) else { return nil }
        guard text.hasPrefix("/") else {
            checker.fault("an absolute path was expected", key: key, of: map)
            return nil
        }
        return text
    }
}
