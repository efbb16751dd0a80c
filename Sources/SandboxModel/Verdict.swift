/// What a check decided.
public enum Decision: String, Sendable, Hashable, CaseIterable {
    case allow, deny
    /// Would be denied, but the policy only audits.
    case audit
}

/// What stands behind a denial in the sandbox itself.
public enum Wall: String, Sendable, Hashable, CaseIterable {
    /// Only the check at the API.
    case advice
    /// The kernel would stop it too.
    case kernel
}

/// One reason for a verdict.
public struct VerdictReason: Sendable, Hashable {
    /// The policy's field, or the name of a fixed rule: `blocked_commands`, `workspace`, `undecidable_commands`, ….
    public var rule: String
    /// The program, path, pattern or variable as it was understood.
    public var match: String
    /// One sentence: what was found, how it was reached, what would make it allowed.
    public var detail: String
    /// UTF-8 byte offsets in the checked text; `nil` where the reason has no place in it.
    public var range: Range<Int>?

    /// A reason.
    public init(rule: String, match: String, detail: String, range: Range<Int>? = nil) {
        self.rule = rule
        self.match = match
        self.detail = detail
        self.range = range
    }

    /// The reason as the API shows it.
    public var json: JSONValue {
        var members = [
            JSONMember("rule", .string(rule)), JSONMember("match", .string(match)),
            JSONMember("detail", .string(detail)),
        ]
        if let range {
            members.append(JSONMember("start", .integer(Int64(range.lowerBound))))
            members.append(JSONMember("end", .integer(Int64(range.upperBound))))
        }
        return .object(members)
    }
}

/// The answer to one check of a command or a path.
public struct Verdict: Sendable, Hashable {
    /// What was decided.
    public var decision: Decision
    /// Why it was denied, in the order of the text. An allowed check may carry notes: what could not be decided and was
    /// let pass, code that only the kernel holds (`interpreters`), text that others may decode (`encoding`).
    public var reasons: [VerdictReason]
    /// The programs that would run, in order of appearance, as far as they are known.
    public var commands: [String]
    /// Whether something in it could not be decided before it runs.
    public var isUndecidable: Bool
    /// What stands behind a denial in the sandbox itself.
    public var wall: Wall
    /// Its policy.
    public var policy: PolicyName
    /// The version of the policy that decided.
    public var policyVersion: Int

    /// A verdict of the given parts.
    public init(
        decision: Decision, reasons: [VerdictReason] = [], commands: [String] = [],
        isUndecidable: Bool = false,
        wall: Wall = .advice, policy: PolicyName, policyVersion: Int
    ) {
        self.decision = decision
        self.reasons = reasons
        self.commands = commands
        self.isUndecidable = isUndecidable
        self.wall = wall
        self.policy = policy
        self.policyVersion = policyVersion
    }

    /// Whether it may go ahead; an audited denial may.
    public var isAllowed: Bool { decision != .deny }

    /// The verdict as the API shows it.
    public var json: JSONValue {
        [
            "allowed": .bool(isAllowed), "decision": .string(decision.rawValue),
            "reasons": .array(reasons.map(\.json)), "commands": .strings(commands),
            "undecidable": .bool(isUndecidable), "wall": .string(wall.rawValue),
            "policy": .string(policy.rawValue), "policy_version": .integer(Int64(policyVersion)),
        ]
    }
}
