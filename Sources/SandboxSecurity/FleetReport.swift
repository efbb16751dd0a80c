public import SandboxModel

/// Gathers the report over all sandboxes from journal records alone.
public struct FleetReport: Sendable, Hashable {
    /// How many sandboxes the list of top violators names.
    public static let keptViolators = 10

    /// When.
    public let timestamp: Timestamp
    /// Nothing before this time; `nil`: from the beginning.
    public let since: Timestamp?
    /// All violations of the span.
    public private(set) var totalViolations = 0
    /// Those of the 24 hours before the report.
    public private(set) var recentViolations = 0
    /// How many of each type.
    public private(set) var types: [String: Int] = [:]
    /// How many of each severity.
    public private(set) var severities: [String: Int] = [:]
    /// How many under each policy.
    public private(set) var policies: [String: Int] = [:]
    /// How often each answer was given.
    public private(set) var actions: [String: Int] = [:]
    /// How many in each sandbox.
    public private(set) var bySandbox: [SandboxID: Int] = [:]
    /// How many sandboxes ended of each cause.
    public private(set) var deaths: [String: Int] = [:]
    private var states: [SandboxID: String] = [:]
    /// Last `seq` and chain head of each chained stream.
    public var heads: JSONValue = .object([JSONMember]())

    /// An empty report over what happened at or after `since`.
    public init(timestamp: Timestamp, since: Timestamp? = nil) {
        self.timestamp = timestamp
        self.since = since
    }

    /// Adds a violation.
    public mutating func add(_ violation: Violation) {
        if let since, violation.timestamp < since { return }
        totalViolations += 1
        if violation.timestamp >= timestamp.advanced(bySeconds: -86_400) { recentViolations += 1 }
        types[violation.type.rawValue, default: 0] += 1
        severities[violation.severity.rawValue, default: 0] += 1
        policies[violation.policy.rawValue, default: 0] += 1
        actions[violation.actionTaken.rawValue, default: 0] += 1
        bySandbox[violation.sandboxID, default: 0] += 1
    }

    /// Adds an audit record.
    public mutating func add(_ record: AuditRecord) {
        guard let id = record.sandboxID else { return }
        switch record.event {
        case .sandboxCreated, .sandboxAdopted: states[id] = "running"
        case .sandboxState:
            states[id] = record["state"]?.string ?? states[id]
            if let cause = record["cause_of_death"]?.string, since.map({ record.timestamp >= $0 }) ?? true {
                deaths[cause, default: 0] += 1
            }
        case .sandboxDeleted: states[id] = "deleted"
        default: break
        }
    }

    /// The sandboxes with most violations, most first.
    public var topViolators: [(sandbox: SandboxID, count: Int)] {
        bySandbox.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(FleetReport.keptViolators)
            .map { (sandbox: $0.key, count: $0.value) }
    }

    /// How many sandboxes are in each state that any is in.
    public var stateCounts: [String: Int] {
        states.values.reduce(into: [:]) { counts, state in counts[state, default: 0] += 1 }
    }

    /// The report as the API shows it.
    public var json: JSONValue {
        [
            "report_timestamp": .string(timestamp.description), "since": .optional(since?.description),
            "total_violations": .integer(Int64(totalViolations)),
            "recent_violations_24h": .integer(Int64(recentViolations)),
            "violation_types": FleetReport.json(types), "severities": FleetReport.json(severities),
            "policies": FleetReport.json(policies), "actions": FleetReport.json(actions),
            "sandboxes": FleetReport.json(stateCounts), "causes_of_death": FleetReport.json(deaths),
            "monitored_containers": .integer(Int64(stateCounts["running", default: 0])),
            "top_violators": .array(
                topViolators.map {
                    ["sandbox_id": .string($0.sandbox.rawValue), "violations": .integer(Int64($0.count))]
                }),
            "journal": heads,
        ]
    }

    private static func json(_ counts: [String: Int]) -> JSONValue {
        .object(counts.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer(Int64($0.value))) })
    }
}
