/// What kind of rule a sandbox broke.
public enum ViolationType: String, Sendable, Hashable, CaseIterable {
    case resourceLimitExceeded = "resource_limit_exceeded"
    case networkViolation = "network_violation"
    case fileAccessViolation = "file_access_violation"
    case processViolation = "process_violation"
    case permissionViolation = "permission_violation"
    case suspiciousActivity = "suspicious_activity"
}

/// How much a violation matters; ordered.
public enum Severity: String, Sendable, Hashable, CaseIterable, Comparable {
    case low, medium, high, critical

    private var rank: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        case .critical: 3
        }
    }

    /// By how much it matters.
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// What the daemon does about a violation; ordered from the mildest to the strongest.
public enum ResponseAction: String, Sendable, Hashable, CaseIterable, Comparable {
    case log, throttle, pause, isolate, terminate

    // `isolate` cuts the network for good, `pause` can be undone with nothing lost: so isolation is the stronger.
    private var rank: Int {
        switch self {
        case .log: 0
        case .throttle: 1
        case .pause: 2
        case .isolate: 3
        case .terminate: 4
        }
    }

    /// From the mildest to the strongest.
    public static func < (left: ResponseAction, right: ResponseAction) -> Bool { left.rank < right.rank }
}

/// Something that a detector found, before it has a number, a time on disk and an answer.
public struct ViolationFinding: Sendable, Hashable {
    /// The kind of rule.
    public var type: ViolationType
    /// How much it matters.
    public var severity: Severity
    /// A stable short name of the cause, such as `memory_oom` or `blocked_process`; findings of one cause that
    /// last are one episode.
    public var cause: String
    /// What was seen: wanted and found values, pids, names. Never secrets, bounded text.
    public var details: [JSONMember]

    /// A finding.
    public init(_ type: ViolationType, _ severity: Severity, cause: String, details: [JSONMember] = []) {
        self.type = type
        self.severity = severity
        self.cause = cause
        self.details = details
    }
}

/// One recorded violation, as the journal and the API show it.
public struct Violation: Sendable, Hashable {
    /// `v-` and a random part; unique.
    public var violationID: String
    /// The number of its line in the violations stream; given by the journal.
    public var seq: Int64
    /// When it was found.
    public var timestamp: Timestamp
    /// The kind of rule.
    public var type: ViolationType
    /// How much it matters.
    public var severity: Severity
    /// The sandbox.
    public var sandboxID: SandboxID
    /// The engine's name of the container, where there is one.
    public var containerID: String?
    /// Its policy.
    public var policy: PolicyName
    /// Always begins with `cause`.
    public var details: [JSONMember]
    /// What was done about it.
    public var actionTaken: ResponseAction
    /// Links violations of one incident.
    public var correlationID: String?

    /// A violation of the given parts.
    public init(
        violationID: String, seq: Int64, timestamp: Timestamp, type: ViolationType, severity: Severity,
        sandboxID: SandboxID, containerID: String?, policy: PolicyName, details: [JSONMember],
        actionTaken: ResponseAction, correlationID: String?
    ) {
        self.violationID = violationID
        self.seq = seq
        self.timestamp = timestamp
        self.type = type
        self.severity = severity
        self.sandboxID = sandboxID
        self.containerID = containerID
        self.policy = policy
        self.details = details
        self.actionTaken = actionTaken
        self.correlationID = correlationID
    }

    /// The members in the contract's order, without `seq`, which the journal writes itself.
    public var recordMembers: [JSONMember] {
        [
            JSONMember("violation_id", .string(violationID)),
            JSONMember("timestamp", .string(timestamp.description)),
            JSONMember("violation_type", .string(type.rawValue)),
            JSONMember("severity", .string(severity.rawValue)),
            JSONMember("sandbox_id", .string(sandboxID.rawValue)),
            JSONMember("container_id", .optional(containerID)),
            JSONMember("policy", .string(policy.rawValue)),
            JSONMember("details", .object(details)),
            JSONMember("action_taken", .string(actionTaken.rawValue)),
            JSONMember("correlation_id", .optional(correlationID)),
        ]
    }

    /// The whole violation as the API shows it.
    public var json: JSONValue {
        var members = recordMembers
        members.insert(JSONMember("seq", .integer(seq)), at: 1)
        return .object(members)
    }

    /// Reads what ``json`` or a journal line holds.
    /// - Returns: `nil` when a member is missing or of another type.
    public init?(json: JSONValue) {
        guard let violationID = json["violation_id"]?.string, let seq = json["seq"]?.integer,
            let timestamp = json["timestamp"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let type = json["violation_type"]?.string.flatMap(ViolationType.init(rawValue:)),
            let severity = json["severity"]?.string.flatMap(Severity.init(rawValue:)),
            let sandboxID = json["sandbox_id"]?.string.flatMap(SandboxID.init(rawValue:)),
            let policy = json["policy"]?.string.flatMap(PolicyName.init(rawValue:)),
            let details = json["details"]?.members,
            let action = json["action_taken"]?.string.flatMap(ResponseAction.init(rawValue:))
        else { return nil }
        self.init(
            violationID: violationID, seq: seq, timestamp: timestamp, type: type, severity: severity,
            sandboxID: sandboxID, containerID: json["container_id"]?.string, policy: policy, details: details,
            actionTaken: action, correlationID: json["correlation_id"]?.string)
    }
}
