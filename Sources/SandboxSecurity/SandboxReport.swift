public import SandboxModel

/// Gathers the report of one sandbox from journal records alone, so that the same report comes out of a running
/// daemon and of a copied data folder. Records may be added in any order of streams, oldest first within each.
public struct SandboxReport: Sendable, Hashable {
    /// How many samples and timeline entries are kept: the newest.
    public static let keptSamples = 120
    /// How many entries of the timeline are kept: the newest.
    public static let keptTimeline = 500

    /// The sandbox.
    public let sandboxID: SandboxID
    /// When.
    public let timestamp: Timestamp
    /// All violations of the span.
    public private(set) var totalViolations = 0
    /// Those of the 24 hours before the report.
    public private(set) var recentViolations = 0
    /// How many of each type.
    public private(set) var types: [ViolationType: Int] = [:]
    /// How many of each severity.
    public private(set) var severities: [Severity: Int] = [:]
    /// The policy with every field, as it applied last.
    public private(set) var policySummary: JSONValue = .null
    /// The controls as they were read back last.
    public private(set) var applied: JSONValue = .array([])
    /// The last state that was recorded.
    public private(set) var state: String?
    /// Why it ended, where it did.
    public private(set) var causeOfDeath: String?
    /// The newest samples, oldest first.
    public private(set) var samples: [MetricsSample] = []
    /// What happened, stream by stream.
    public private(set) var timeline: [JSONValue] = []
    /// Answers to violations, oldest first in each stream.
    public private(set) var actions: [JSONValue] = []
    /// Last `seq` and chain head of each chained stream, as they stood when the report was made.
    public var heads: JSONValue = .object([JSONMember]())
    /// Whether any record spoke of this sandbox.
    public private(set) var isKnown = false

    /// An empty report.
    public init(sandboxID: SandboxID, timestamp: Timestamp) {
        self.sandboxID = sandboxID
        self.timestamp = timestamp
    }

    /// Adds a violation; those of other sandboxes are passed over.
    public mutating func add(_ violation: Violation) {
        guard violation.sandboxID == sandboxID else { return }
        isKnown = true
        totalViolations += 1
        if violation.timestamp >= timestamp.advanced(bySeconds: -86_400) { recentViolations += 1 }
        types[violation.type, default: 0] += 1
        severities[violation.severity, default: 0] += 1
        let cause = violation.details.first { $0.key == "cause" }?.value.string ?? ""
        enter(
            violation.timestamp, kind: "violation",
            text: "\(violation.severity.rawValue) \(violation.type.rawValue): \(cause)",
            reference: violation.violationID)
        if violation.actionTaken > .log {
            actions.append([
                "timestamp": .string(violation.timestamp.description),
                "action": .string(violation.actionTaken.rawValue),
                "violation_id": .string(violation.violationID), "cause": .string(cause),
            ])
        }
    }

    /// Adds a sample; those of other sandboxes are passed over.
    public mutating func add(_ sample: MetricsSample) {
        guard sample.sandboxID == sandboxID else { return }
        isKnown = true
        samples.append(sample)
        if samples.count > 2 * SandboxReport.keptSamples {
            samples.removeFirst(samples.count - SandboxReport.keptSamples)
        }
    }

    /// Adds an audit record; those of other sandboxes are passed over.
    public mutating func add(_ record: AuditRecord) {
        guard record.sandboxID == sandboxID else { return }
        isKnown = true
        switch record.event {
        case .sandboxCreated, .sandboxAdopted, .sandboxChanged:
            if let summary = record["policy_summary"] { policySummary = summary }
            if let controls = record["applied"] { applied = controls }
            if let text = record["state"]?.string { state = text }
        case .sandboxState:
            state = record["state"]?.string ?? state
            causeOfDeath = record["cause_of_death"]?.string ?? causeOfDeath
        case .response:
            actions.append(
                .object([JSONMember("timestamp", .string(record.timestamp.description))] + record.details))
        default: break
        }
        enter(
            record.timestamp, kind: record.event.rawValue, text: SandboxReport.sentence(record),
            reference: nil)
    }

    private mutating func enter(_ time: Timestamp, kind: String, text: String, reference: String?) {
        timeline.append([
            "timestamp": .string(time.description), "kind": .string(kind), "text": .string(text),
            "reference": .optional(reference),
        ])
        if timeline.count > 2 * SandboxReport.keptTimeline {
            timeline.removeFirst(timeline.count - SandboxReport.keptTimeline)
        }
    }

    /// What an audit record says, in a few words.
    static func sentence(_ record: AuditRecord) -> String {
        let parts = record.details.compactMap { member -> String? in
            switch member.key {
            case "policy_summary", "applied", "controls", "faults": return nil
            default: break
            }
            switch member.value {
            case .null: return nil
            case .string(let text): return "\(member.key)=\(excerpt(text, limit: 200))"
            case .object, .array: return "\(member.key)=\(excerpt(member.value.text, limit: 200))"
            default: return "\(member.key)=\(member.value.text)"
            }
        }
        return ([record.actor] + parts).joined(separator: " ")
    }

    /// The report in the contract's form.
    public var json: JSONValue {
        [
            "report_timestamp": .string(timestamp.description), "sandbox_id": .string(sandboxID.rawValue),
            "state": .optional(state), "cause_of_death": .optional(causeOfDeath),
            "total_violations": .integer(Int64(totalViolations)),
            "recent_violations_24h": .integer(Int64(recentViolations)),
            "violation_types": .object(
                ViolationType.allCases.compactMap { type in
                    types[type].map { JSONMember(type.rawValue, .integer(Int64($0))) }
                }),
            "severities": .object(
                Severity.allCases.compactMap { severity in
                    severities[severity].map { JSONMember(severity.rawValue, .integer(Int64($0))) }
                }),
            "policy_summary": policySummary, "applied": applied,
            "monitored_containers": .integer(state == "running" || state == "paused" ? 1 : 0),
            "recent_metrics": .array(samples.suffix(SandboxReport.keptSamples).map(\.json)),
            "timeline": .array(sortedTimeline), "actions": .array(actions), "journal": heads,
        ]
    }

    // Records come stream by stream; RFC 3339 text in UTC of one width sorts as the times do.
    private var sortedTimeline: [JSONValue] {
        let sorted = timeline.enumerated().sorted { left, right in
            let (first, second) = (
                left.element["timestamp"]?.string ?? "", right.element["timestamp"]?.string ?? ""
            )
            return first == second ? left.offset < right.offset : first < second
        }
        return sorted.map(\.element).suffix(SandboxReport.keptTimeline).map { $0 }
    }
}
