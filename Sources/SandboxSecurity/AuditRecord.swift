public import SandboxModel

/// One line of the audit stream: who did what to which, and how it went.
public struct AuditRecord: Sendable, Hashable {
    /// What happened. The raw values are part of the journal's format.
    public enum Event: String, Sendable, Hashable, CaseIterable {
        case daemonStarted = "daemon.started"
        case daemonStopped = "daemon.stopped"
        case recovery = "daemon.recovery"
        /// Something was not watched, or records were lost: from when to when, how many.
        case gap = "daemon.gap"
        case sandboxCreating = "sandbox.creating"
        case sandboxCreated = "sandbox.created"
        case sandboxRefused = "sandbox.refused"
        case sandboxAdopted = "sandbox.adopted"
        case sandboxChanged = "sandbox.changed"
        case sandboxState = "sandbox.state"
        case sandboxDeleted = "sandbox.deleted"
        case monitoring = "sandbox.monitoring"
        case execStarted = "exec.started"
        case execFinished = "exec.finished"
        case execDenied = "exec.denied"
        case fileRead = "file.read"
        case fileWritten = "file.written"
        case fileDeleted = "file.deleted"
        case fileDenied = "file.denied"
        /// A question to `/validate` that was answered with a denial.
        case checkDenied = "check.denied"
        case response = "response"
        case episodeEnded = "violation.ended"
        case policyCreated = "policy.created"
        case policyReplaced = "policy.replaced"
        case policyDeleted = "policy.deleted"
        case accessRefused = "access.refused"
    }

    /// When.
    public var timestamp: Timestamp
    /// What happened.
    public var event: Event
    /// Who: a token's name, `uid:N`, `loopback`, `daemon`.
    public var actor: String
    /// The sandbox.
    public var sandboxID: SandboxID?
    /// Its policy.
    public var policy: PolicyName?
    /// What else there is to say; never secrets, environments or file contents.
    public var details: [JSONMember]

    /// A record of the given parts.
    public init(
        _ event: Event, at timestamp: Timestamp, by actor: String, sandbox: SandboxID? = nil,
        policy: PolicyName? = nil, details: [JSONMember] = []
    ) {
        self.timestamp = timestamp
        self.event = event
        self.actor = actor
        self.sandboxID = sandbox
        self.policy = policy
        self.details = details
    }

    /// The line's members in their order, without `seq` and `chain`, which the journal writes.
    public var members: [JSONMember] {
        [
            JSONMember("timestamp", .string(timestamp.description)),
            JSONMember("event", .string(event.rawValue)),
            JSONMember("actor", .string(actor)), JSONMember("sandbox_id", .optional(sandboxID?.rawValue)),
            JSONMember("policy", .optional(policy?.rawValue)), JSONMember("details", .object(details)),
        ]
    }

    /// Reads a line of the stream.
    /// - Returns: `nil` when it is not one, or is of an event that this version does not know.
    public init?(json: JSONValue) {
        guard let timestamp = json["timestamp"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let event = json["event"]?.string.flatMap(Event.init(rawValue:)),
            let actor = json["actor"]?.string
        else { return nil }
        self.init(
            event, at: timestamp, by: actor,
            sandbox: json["sandbox_id"]?.string.flatMap(SandboxID.init(rawValue:)),
            policy: json["policy"]?.string.flatMap(PolicyName.init(rawValue:)),
            details: json["details"]?.members ?? [])
    }

    /// A detail by name.
    public subscript(name: String) -> JSONValue? { details.first { $0.key == name }?.value }
}
