import SandboxModel

/// Reads the fields of a policy document over given values: what stands in the document replaces, map by map
/// and list by list; what does not stand there stays.
struct PolicyFields {
    /// The keys of a policy, in the contract's order.
    static let keys = [
        "name", "description", "extends", "resource_limits", "network_policy", "network", "workspace",
        "shell",
        "allowed_commands", "blocked_commands", "undecidable_commands", "interpreters",
        "allowed_file_extensions",
        "blocked_file_patterns", "max_file_size_mb", "isolation", "privileges", "enable_monitoring",
        "monitoring_interval_ms", "violation_threshold", "violation_window_seconds",
        "auto_terminate_on_violation",
        "on_violation", "enforcement", "require_kernel",
    ]
    static let limitKeys = [
        "memory_mb", "cpu_percent", "disk_mb", "max_processes", "max_open_files", "max_network_connections",
        "execution_timeout",
    ]
    static let networkKeys = ["allowed_domains", "allowed_cidrs", "blocked_cidrs", "allowed_ports"]
    static let privilegeKeys = ["user", "capabilities", "no_new_privileges", "read_only_root", "seccomp"]

    /// Places that no workspace may be or lie in.
    private static let reservedTrees = [
        "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr",
        "/var/run", "/var/tmp", "/.sandwarden",
    ]

    /// Reads every field of the document that stands in it; faults go to the checker.
    static func read(_ map: DocumentMap, into policy: inout Policy, _ checker: inout DocumentChecker) {
        if let text = checker.string("description", of: map, allowsLines: true) { policy.description = text }
        readLimits(map, into: &policy.resourceLimits, &checker)
        if let value = checker.choice("network_policy", of: map, NetworkPolicy.self) {
            policy.networkPolicy = value
        }
        readNetwork(map, into: &policy.network, &checker)
        readCommands(map, into: &policy, &checker)
        readFiles(map, into: &policy, &checker)
        if let value = checker.choice("isolation", of: map, Isolation.self) { policy.isolation = value }
        readPrivileges(map, into: &policy.privileges, &checker)
        readMonitoring(map, into: &policy, &checker)
        if let value = checker.choice("enforcement", of: map, Enforcement.self) { policy.enforcement = value }
        if let value = checker.strings("require_kernel", of: map, atMost: 128, read: PolicyEntries.control) {
            policy.requireKernel = value
        }
    }

    private static func readLimits(
        _ root: DocumentMap, into limits: inout ResourceLimits, _ checker: inout DocumentChecker
    ) {
        guard let map = checker.map("resource_limits", of: root, keys: limitKeys) else { return }
        if let value = checker.integer("memory_mb", of: map, in: 8...4_194_304) { limits.memoryMB = value }
        if let value = checker.number("cpu_percent", of: map, in: 1...102_400) { limits.cpuPercent = value }
        if let value = checker.integer("disk_mb", of: map, in: 1...16_777_216) { limits.diskMB = value }
        if let value = checker.integer("max_processes", of: map, in: 1...4_194_304) {
            limits.maxProcesses = value
        }
        if let value = checker.integer("max_open_files", of: map, in: 16...1_048_576) {
            limits.maxOpenFiles = value
        }
        if let value = checker.integer("max_network_connections", of: map, in: 0...1_048_576) {
            limits.maxNetworkConnections = value
        }
        if let value = checker.integer("execution_timeout", of: map, in: 1...604_800) {
            limits.executionTimeoutSeconds = value
        }
    }

    private static func readNetwork(
        _ root: DocumentMap, into network: inout NetworkRules, _ checker: inout DocumentChecker
    ) {
        guard let map = checker.map("network", of: root, keys: networkKeys) else { return }
        if let value = checker.strings("allowed_domains", of: map, read: PolicyEntries.domain) {
            network.allowedDomains = value
        }
        if let value = checker.strings("allowed_cidrs", of: map, read: PolicyEntries.cidr) {
            network.allowedCIDRs = value
        }
        if let value = checker.strings("blocked_cidrs", of: map, read: PolicyEntries.cidr) {
            network.blockedCIDRs = value
        }
        guard let items = checker.list("allowed_ports", of: map) else { return }
        var ports: [Int] = []
        for item in items {
            guard let port = checker.integer(item, in: 1...65_535) else { continue }
            if ports.contains(port) {
                checker.fault(
                    "\(port) stands twice in this list", at: item.pointer, location: item.node.location)
            } else {
                ports.append(port)
            }
        }
        network.allowedPorts = ports
    }

    private static func readCommands(
        _ map: DocumentMap, into policy: inout Policy, _ checker: inout DocumentChecker
    ) {
        if let value = checker.choice("shell", of: map, PolicyShell.self) { policy.shell = value }
        if let value = checker.strings(
            "allowed_commands", of: map, atMost: 4096, read: PolicyEntries.allowedCommand)
        {
            policy.allowedCommands = value
        }
        if let value = checker.strings(
            "blocked_commands", of: map, atMost: 4096, read: PolicyEntries.blockedCommand)
        {
            policy.blockedCommands = value
        }
        if let value = checker.choice("undecidable_commands", of: map, AllowOrDeny.self) {
            policy.undecidableCommands = value
        }
        if let value = checker.choice("interpreters", of: map, InterpreterRule.self) {
            policy.interpreters = value
        }
    }

    private static func readFiles(
        _ map: DocumentMap, into policy: inout Policy, _ checker: inout DocumentChecker
    ) {
        if let text = checker.string("workspace", of: map, maximumBytes: 255) {
            if let problem = workspaceProblem(text) {
                checker.fault(problem, key: "workspace", of: map)
            } else {
                policy.workspace = text
            }
        }
        if let value = checker.strings("allowed_file_extensions", of: map, read: PolicyEntries.fileExtension) {
            policy.allowedFileExtensions = value
        }
        let patterns = checker.strings(
            "blocked_file_patterns", of: map, maximumBytes: 4096, read: PolicyEntries.filePattern)
        if let patterns { policy.blockedFilePatterns = patterns }
        if let value = checker.integer("max_file_size_mb", of: map, in: 1...1_048_576) {
            policy.maxFileSizeMB = value
        }
    }

    private static func workspaceProblem(_ text: String) -> String? {
        if let problem = PolicyEntries.pathProblem(text) { return problem }
        guard text != "/" else { return "the workspace cannot be the whole file system" }
        let bytes = Array(text.utf8)
        for tree in reservedTrees where LexicalPath.contains(Array(tree.utf8), bytes) {
            return "the workspace cannot lie in `\(tree)`, which belongs to the image or the system"
        }
        if LexicalPath.contains(Array("/tmp".utf8), bytes) {
            return "the workspace cannot lie in `/tmp`, which is a place of its own in every sandbox"
        }
        return nil
    }

    private static func readPrivileges(
        _ root: DocumentMap, into privileges: inout Privileges, _ checker: inout DocumentChecker
    ) {
        guard let map = checker.map("privileges", of: root, keys: privilegeKeys) else { return }
        if let node = map["user"] {
            if node.string == "auto" {
                privileges.user = .auto
            } else if node.integer == 0 {
                checker.fault(
                    "uid 0 is the host's root; write `auto` or an unused uid", key: "user", of: map)
            } else if node.string != nil {
                checker.fault("`auto` or a uid was expected; users have no names here", key: "user", of: map)
            } else if let uid = checker.integer("user", of: map, in: 1...4_294_967_293) {
                privileges.user = .uid(UInt32(truncatingIfNeeded: uid))
            }
        }
        if let value = checker.strings("capabilities", of: map, atMost: 64, read: PolicyEntries.capability) {
            privileges.capabilities = value
        }
        if let value = checker.bool("no_new_privileges", of: map) { privileges.noNewPrivileges = value }
        if let value = checker.bool("read_only_root", of: map) { privileges.readOnlyRoot = value }
        if let value = checker.choice("seccomp", of: map, SeccompProfile.self) { privileges.seccomp = value }
    }

    private static func readMonitoring(
        _ map: DocumentMap, into policy: inout Policy, _ checker: inout DocumentChecker
    ) {
        if let value = checker.bool("enable_monitoring", of: map) { policy.enableMonitoring = value }
        if let value = checker.integer("monitoring_interval_ms", of: map, in: 50...3_600_000) {
            policy.monitoringIntervalMilliseconds = value
        }
        if let value = checker.integer("violation_threshold", of: map, in: 1...1_000_000) {
            policy.violationThreshold = value
        }
        if let value = checker.integer("violation_window_seconds", of: map, in: 1...2_592_000) {
            policy.violationWindowSeconds = value
        }
        if let value = checker.bool("auto_terminate_on_violation", of: map) {
            policy.autoTerminateOnViolation = value
        }
        guard let answers = checker.map("on_violation", of: map, keys: Severity.allCases.map(\.rawValue))
        else {
            return
        }
        for severity in Severity.allCases {
            if let action = checker.choice(severity.rawValue, of: answers, ResponseAction.self) {
                policy.onViolation[severity] = action
            }
        }
    }
}
