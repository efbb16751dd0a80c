import SandboxModel

extension Policy {
    /// The names of the built-in policies, `default` first.
    public static let builtInNames = ["default", "strict", "permissive", "audit"]

    /// The built-in policies: `default`, `strict`, `permissive` and `audit`.
    public static let builtIns: [Policy] = builtInNames.compactMap { name in
        PolicyName(rawValue: name).map { builtIn(name, $0) }
    }

    private static func builtIn(_ text: String, _ name: PolicyName) -> Policy {
        var policy = Policy(name: name)
        switch text {
        case "strict": tighten(&policy)
        case "permissive": loosen(&policy)
        case "audit":
            policy.description = "The rules of default: says what they would deny, denies nothing."
            policy.enforcement = .audit
        default: policy.description = "Ordinary untrusted code: no network, limits for one small job."
        }
        return policy
    }

    private static func tighten(_ policy: inout Policy) {
        policy.description =
            "Code that nobody looked at: half the resources, and one grave violation isolates."
        policy.resourceLimits.memoryMB = 256
        policy.resourceLimits.cpuPercent = 25
        policy.resourceLimits.diskMB = 256
        policy.resourceLimits.maxProcesses = 10
        policy.resourceLimits.maxOpenFiles = 256
        policy.resourceLimits.maxNetworkConnections = 0
        policy.resourceLimits.executionTimeoutSeconds = 60
        policy.violationThreshold = 3
        policy.onViolation[.high] = .isolate
    }

    private static func loosen(_ policy: inout Policy) {
        policy.description = "Code that is trusted but kept apart: network, room, and little that is refused."
        policy.resourceLimits.memoryMB = 2048
        policy.resourceLimits.cpuPercent = 200
        policy.resourceLimits.maxProcesses = 256
        policy.resourceLimits.maxNetworkConnections = 256
        policy.networkPolicy = .full
        policy.blockedCommands = []
        policy.blockedFilePatterns = ["/proc/", "/sys/", "/dev/"]
        policy.allowedFileExtensions = []
        policy.undecidableCommands = .allow
        policy.autoTerminateOnViolation = false
    }
}
