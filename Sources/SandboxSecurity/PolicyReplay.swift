internal import SandboxModel
internal import SandboxPolicy

/// Compares recorded decisions about commands with those of a proposed policy.
struct PolicyReplay {
    private static let keptExamples = 20

    private let proposed: CompiledPolicy
    private let policy: PolicyName
    private var replayed = 0
    private var unchanged = 0
    private var newlyDenied = 0
    private var newlyAllowed = 0
    private var deniedExamples: [JSONValue] = []
    private var allowedExamples: [JSONValue] = []

    init(proposed: CompiledPolicy, policy: PolicyName) {
        self.proposed = proposed
        self.policy = policy
    }

    /// Replays one audit record if it is of a command under the policy.
    mutating func add(_ record: AuditRecord) {
        guard record.policy == policy, record.event == .execStarted || record.event == .execDenied else {
            return
        }
        let check: CommandCheck
        if let command = record["command"]?.string {
            check = CommandCheck(.script(Array(command.utf8)), workingDirectory: record["cwd"]?.string)
        } else if let arguments = record["argv"]?.array?.compactMap(\.string) {
            check = CommandCheck(.arguments(arguments), workingDirectory: record["cwd"]?.string)
        } else {
            return
        }
        replayed += 1
        let verdict = proposed.evaluate(command: check)
        let wasDenied = record.event == .execDenied
        guard wasDenied == (verdict.decision == .allow) else {
            unchanged += 1
            return
        }
        let example: JSONValue = [
            "timestamp": .string(record.timestamp.description),
            "sandbox_id": .optional(record.sandboxID?.rawValue),
            "command": record["command"] ?? record["argv"] ?? .null, "verdict": verdict.json,
        ]
        if wasDenied {
            newlyAllowed += 1
            if allowedExamples.count < PolicyReplay.keptExamples { allowedExamples.append(example) }
        } else {
            newlyDenied += 1
            if deniedExamples.count < PolicyReplay.keptExamples { deniedExamples.append(example) }
        }
    }

    var json: JSONValue {
        [
            "replayed": .integer(Int64(replayed)), "unchanged": .integer(Int64(unchanged)),
            "newly_denied": ["count": .integer(Int64(newlyDenied)), "examples": .array(deniedExamples)],
            "newly_allowed": ["count": .integer(Int64(newlyAllowed)), "examples": .array(allowedExamples)],
        ]
    }
}
