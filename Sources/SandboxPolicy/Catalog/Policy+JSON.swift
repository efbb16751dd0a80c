public import SandboxModel

extension Policy {
    /// The whole policy with the contract's field names, in the contract's order. Reading it back gives equal
    /// values.
    public var json: JSONValue {
        [
            "name": .string(name.rawValue),
            "description": .string(description),
            "extends": .optional(extends?.rawValue),
            "resource_limits": resourceLimits.json,
            "network_policy": .string(networkPolicy.rawValue),
            "network": network.json,
            "workspace": .string(workspace),
            "shell": .string(shell.rawValue),
            "allowed_commands": .strings(allowedCommands),
            "blocked_commands": .strings(blockedCommands),
            "undecidable_commands": .string(undecidableCommands.rawValue),
            "interpreters": .string(interpreters.rawValue),
            "allowed_file_extensions": .strings(allowedFileExtensions),
            "blocked_file_patterns": .strings(blockedFilePatterns),
            "max_file_size_mb": .integer(Int64(maxFileSizeMB)),
            "isolation": .string(isolation.rawValue),
            "privileges": privileges.json,
            "enable_monitoring": .bool(enableMonitoring),
            "monitoring_interval_ms": .integer(Int64(monitoringIntervalMilliseconds)),
            "violation_threshold": .integer(Int64(violationThreshold)),
            "violation_window_seconds": .integer(Int64(violationWindowSeconds)),
            "auto_terminate_on_violation": .bool(autoTerminateOnViolation),
            "on_violation": .object(
                Severity.allCases.map { severity in
                    JSONMember(severity.rawValue, .string((onViolation[severity] ?? .log).rawValue))
                }),
            "enforcement": .string(enforcement.rawValue),
            "require_kernel": .strings(requireKernel),
        ]
    }

    /// The text that stands for the policy's values: equal exactly when all of them are equal.
    var digest: String { json.text }
}

extension ResourceLimits {
    /// The limits with the contract's field names.
    public var json: JSONValue {
        [
            "memory_mb": .integer(Int64(memoryMB)),
            "cpu_percent": .number(cpuPercent),
            "disk_mb": .integer(Int64(diskMB)),
            "max_processes": .integer(Int64(maxProcesses)),
            "max_open_files": .integer(Int64(maxOpenFiles)),
            "max_network_connections": .integer(Int64(maxNetworkConnections)),
            "execution_timeout": .integer(Int64(executionTimeoutSeconds)),
        ]
    }
}

extension NetworkRules {
    /// The rules with the contract's field names.
    public var json: JSONValue {
        [
            "allowed_domains": .strings(allowedDomains),
            "allowed_cidrs": .strings(allowedCIDRs),
            "blocked_cidrs": .strings(blockedCIDRs),
            "allowed_ports": .array(allowedPorts.map { .integer(Int64($0)) }),
        ]
    }
}

extension Privileges {
    /// The privileges with the contract's field names.
    public var json: JSONValue {
        let userValue: JSONValue =
            switch user {
            case .auto: "auto"
            case .uid(let uid): .integer(Int64(uid))
            }
        return [
            "user": userValue,
            "capabilities": .strings(capabilities),
            "no_new_privileges": .bool(noNewPrivileges),
            "read_only_root": .bool(readOnlyRoot),
            "seccomp": .string(seccomp.rawValue),
        ]
    }
}

extension PolicyVersion {
    /// `{"version", "origin", "policy"}`; the origin is `built_in`, `file` or `api`.
    public var json: JSONValue {
        let name: JSONValue =
            switch origin {
            case .builtIn: "built_in"
            case .file: "file"
            case .api: "api"
            }
        return ["version": .integer(Int64(version)), "origin": name, "policy": policy.json]
    }
}
