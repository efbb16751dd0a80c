/// Where a sandbox is in its life.
public enum SandboxState: String, Sendable, Hashable, CaseIterable {
    case creating, running, paused, stopped, terminated, failed, lost

    /// Whether processes of it may exist.
    public var isAlive: Bool {
        switch self {
        case .creating, .running, .paused: true
        case .stopped, .terminated, .failed, .lost: false
        }
    }
}

/// Why a sandbox, or one exec in it, ended. The same value stands in the reply, the metric and the journal.
public enum CauseOfDeath: String, Sendable, Hashable, CaseIterable {
    /// The kernel killed it for memory.
    case oomKilled = "oom_killed"
    /// It could not go on because no process could be made.
    case pidsLimit = "pids_limit"
    /// A response to violations.
    case policyViolation = "policy_violation"
    case execTimeout = "exec_timeout"
    case ttlExpired = "ttl_expired"
    case idleExpired = "idle_expired"
    /// Somebody with the right to do so ended it.
    case `operator`
    /// The engine no longer has it.
    case engineLost = "engine_lost"
    /// Its first process ended by itself.
    case exited
    /// The daemon ended it while shutting down.
    case shutdown
    /// A control was found different from the policy.
    case controlDrift = "control_drift"
    /// It never came to run.
    case startFailed = "start_failed"
}

/// Which driver runs a sandbox.
public enum RuntimeKind: String, Sendable, Hashable, CaseIterable {
    case docker, oci
}

/// How far a control of the policy holds in one sandbox.
public enum ControlStatus: String, Sendable, Hashable, CaseIterable {
    /// The kernel holds it, and that was read back from the host.
    case enforced
    /// Checked at the API, or watched and answered, but not prevented by the kernel.
    case observed
    /// Weaker than the policy says.
    case degraded
    /// Not to be had here.
    case unsupported
}

/// One control of a policy as it stands in one sandbox.
public struct AppliedControl: Sendable, Hashable {
    /// The control's name, the policy's field where there is one: `memory`, `cpu`, `processes`, `open_files`, ….
    public var control: String
    /// How far it holds.
    public var status: ControlStatus
    /// What the policy asks for, as text.
    public var wanted: String
    /// What was found on the host, as text; empty when nothing could be read.
    public var found: String
    /// Where it was read (a file and its content), or why the status is not `enforced`.
    public var evidence: String

    /// A control's state.
    public init(_ control: String, _ status: ControlStatus, wanted: String, found: String, evidence: String) {
        self.control = control
        self.status = status
        self.wanted = wanted
        self.found = found
        self.evidence = evidence
    }

    /// The control as the API shows it.
    public var json: JSONValue {
        [
            "control": .string(control), "status": .string(status.rawValue), "wanted": .string(wanted),
            "found": .string(found), "evidence": .string(evidence),
        ]
    }

    /// Reads what ``json`` wrote.
    /// - Returns: `nil` when a member is missing.
    public init?(json: JSONValue) {
        guard let control = json["control"]?.string,
            let status = json["status"]?.string.flatMap(ControlStatus.init(rawValue:)),
            let wanted = json["wanted"]?.string, let found = json["found"]?.string,
            let evidence = json["evidence"]?.string
        else { return nil }
        self.init(control, status, wanted: wanted, found: found, evidence: evidence)
    }
}
