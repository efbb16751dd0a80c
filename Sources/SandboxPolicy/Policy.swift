public import SandboxModel

/// A named security policy with every field present: what `extends` and the defaults left open is filled in.
///
/// The default values are those of the built-in policy `default`. A value of this type that came from
/// ``PolicyDocument`` has been checked; the memberwise defaults here are themselves a valid policy.
public struct Policy: Sendable, Hashable {
    /// The name it is known by.
    public var name: PolicyName
    /// Free text for people.
    public var description = ""
    /// The parent, where there is one; its values are merged in already.
    public var extends: PolicyName?
    /// How much of the host a sandbox may use.
    public var resourceLimits = ResourceLimits()
    /// How much network a sandbox has.
    public var networkPolicy = NetworkPolicy.none
    /// What `restricted` lets through, and what is blocked beyond that.
    public var network = NetworkRules()
    /// The default working folder, an absolute normalised path; files calls outside it are denied.
    public var workspace = "/work"
    /// Which shell runs `command`.
    public var shell = PolicyShell.sh
    /// Empty: any that is not blocked. Entries are bare names on the fixed `PATH` or absolute paths.
    public var allowedCommands: [String] = []
    /// Base names of what would really run, and groups such as `@network`.
    public var blockedCommands: [String] = Policy.defaultBlockedCommands
    /// What happens to a command whose program cannot be known before it runs.
    public var undecidableCommands = AllowOrDeny.deny
    /// What happens to interpreters that are given code or a script.
    public var interpreters = InterpreterRule.allow
    /// Each begins with a dot. Empty: any. A path without an extension is allowed.
    public var allowedFileExtensions: [String] = Policy.defaultExtensions
    /// `/x/` is that tree; anything else a glob on the normalised and the resolved path.
    public var blockedFilePatterns: [String] = Policy.defaultBlockedPatterns
    /// The largest file that the files API takes, in units of 2^20 bytes.
    public var maxFileSizeMB = 10
    /// What separates the sandbox from the host's kernel.
    public var isolation = Isolation.standard
    /// Who the sandbox's processes are, and what they may.
    public var privileges = Privileges()
    /// Whether the running sandbox is watched.
    public var enableMonitoring = true
    /// Milliseconds between two samples.
    public var monitoringIntervalMilliseconds = 1000
    /// How many violations of medium severity and above within the window lead to the threshold's answer.
    public var violationThreshold = 5
    /// How long a violation counts towards the threshold.
    public var violationWindowSeconds = 3600
    /// Whether reaching the threshold terminates; otherwise it is logged.
    public var autoTerminateOnViolation = true
    /// The answer to one violation, by severity.
    public var onViolation: [Severity: ResponseAction] = [
        .low: .log, .medium: .log, .high: .log, .critical: .terminate,
    ]
    /// Whether denials are enforced or only said.
    public var enforcement = Enforcement.enforce
    /// Names of controls that must be `enforced` (see ``SandboxModel/AppliedControl``), else the sandbox is
    /// refused.
    public var requireKernel: [String] = []

    /// The policy `default`'s values under another name.
    public init(name: PolicyName) { self.name = name }

    /// What `default` blocks, by base name.
    public static let defaultBlockedCommands = [
        "rm", "rmdir", "del", "format", "fdisk", "mkfs", "shutdown", "reboot", "halt", "poweroff", "kill",
        "killall", "pkill", "chmod", "chown", "chgrp", "mount", "umount", "sudo", "su", "passwd", "useradd",
        "userdel", "usermod", "iptables", "netstat", "ss", "lsof",
    ]
    /// The extensions that `default` allows.
    public static let defaultExtensions = [".txt", ".py", ".js", ".json", ".yaml", ".yml", ".md", ".csv"]
    /// The trees that `default` blocks.
    public static let defaultBlockedPatterns = [
        "/etc/", "/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/proc/", "/sys/", "/dev/", "/root/", "/home/",
    ]
}

/// How much of the host a sandbox may use. 1 MB is 2^20 bytes.
public struct ResourceLimits: Sendable, Hashable {
    /// Memory with no swap beyond it.
    public var memoryMB = 512
    /// 100 is one core.
    public var cpuPercent = 50.0
    /// The size of the workspace.
    public var diskMB = 1024
    /// Processes and threads together.
    public var maxProcesses = 50
    /// For each process.
    public var maxOpenFiles = 1024
    /// Sockets in use, listeners not counted.
    public var maxNetworkConnections = 10
    /// Seconds an exec may last; a request for more is refused.
    public var executionTimeoutSeconds = 300

    /// The limits of `default`.
    public init() {}
}

/// How much network a sandbox has.
public enum NetworkPolicy: String, Sendable, Hashable, CaseIterable {
    /// Loopback only.
    case none
    /// Sandboxes of one policy reach each other and nothing else.
    case `internal`
    /// Name service and the allowed ports of public addresses outwards.
    case restricted
    /// Everything but metadata and host-local addresses.
    case full
}

/// What `restricted` lets through.
public struct NetworkRules: Sendable, Hashable {
    /// Names, or `*.example.org` for the subdomains. Empty: any public name.
    public var allowedDomains: [String] = []
    /// Blocks in CIDR notation, IPv4 or IPv6. Empty: any public address.
    public var allowedCIDRs: [String] = []
    /// Blocks that are never reached, whatever is allowed.
    public var blockedCIDRs: [String] = []
    /// Ports of allowed addresses, TCP and UDP.
    public var allowedPorts: [Int] = [53, 80, 443]

    /// The rules of `default`.
    public init() {}
}

/// Which shell runs `command`, and which grammar reads it.
public enum PolicyShell: String, Sendable, Hashable, CaseIterable {
    case sh, bash
}

/// A yes or a no.
public enum AllowOrDeny: String, Sendable, Hashable, CaseIterable {
    case allow, deny
}

/// What happens to interpreters that are given code or a script.
public enum InterpreterRule: String, Sendable, Hashable, CaseIterable {
    case allow, deny, undecidable
}

/// What kind of wall separates the sandbox from the host's kernel.
public enum Isolation: String, Sendable, Hashable, CaseIterable {
    case standard, gvisor
}

/// Who the processes of a sandbox are, and what they may.
public struct Privileges: Sendable, Hashable {
    /// The user that processes run as.
    public enum User: Sendable, Hashable {
        /// An unused uid for each sandbox, from the configured range.
        case auto
        /// A fixed uid, also used as gid.
        case uid(UInt32)
    }

    /// The user that processes run as.
    public var user = User.auto
    /// Names with `CAP_`, such as `CAP_NET_BIND_SERVICE`. Empty: none.
    public var capabilities: [String] = []
    /// Whether set-uid programs gain nothing.
    public var noNewPrivileges = true
    /// Whether the image cannot be written.
    public var readOnlyRoot = true
    /// Which system calls are filtered.
    public var seccomp = SeccompProfile.default

    /// The privileges of `default`.
    public init() {}
}

/// Which system calls are filtered.
public enum SeccompProfile: String, Sendable, Hashable, CaseIterable {
    /// The field's common profile.
    case `default`
    /// No filter.
    case unconfined
}

/// Whether denials are enforced or only said.
public enum Enforcement: String, Sendable, Hashable, CaseIterable {
    case enforce, audit
}

/// A policy as published: its values and its place in the history of its name.
public struct PolicyVersion: Sendable, Hashable {
    /// Where it came from, which decides whether the API may change it.
    public enum Origin: Sendable, Hashable {
        case builtIn
        case file(path: String)
        case api
    }

    /// The values.
    public var policy: Policy
    /// Counts from 1 for each name.
    public var version: Int
    /// Where it came from.
    public var origin: Origin
    /// Hex SHA-256 or another digest of the canonical JSON; equal exactly when the values are equal.
    public var digest: String

    /// A version of the given parts.
    public init(policy: Policy, version: Int, origin: Origin, digest: String) {
        self.policy = policy
        self.version = version
        self.origin = origin
        self.digest = digest
    }
}
