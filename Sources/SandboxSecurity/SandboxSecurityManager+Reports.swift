internal import Journal
public import SandboxModel
internal import SandboxPolicy
internal import SandboxRuntime

// Lists, counts and reports.

/// Which sandboxes are wanted; every part that is given must fit.
public struct SandboxFilter: Sendable, Hashable {
    /// The state that it is in.
    public var state: SandboxState?
    /// Its policy.
    public var policy: PolicyName?
    /// `name`, or `name=value`.
    public var label: String?

    /// All sandboxes.
    public init() {}

    func matches(_ record: SandboxRecord) -> Bool {
        if let state, record.state != state { return false }
        if let policy, record.policy.name != policy { return false }
        guard let label else { return true }
        let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        guard let value = record.labels[parts[0]] else { return false }
        return parts.count == 1 || parts[1] == value
    }
}

extension SandboxSecurityManager {
    /// One page of sandboxes, newest first.
    /// - Parameter cursor: The page before's: a sandbox's identifier, which need not exist any more.
    public func list(
        _ filter: SandboxFilter, limit: Int, cursor: String?
    ) throws(SecurityError) -> JSONValue {
        var found = allRecords.filter(filter.matches)
        if let cursor {
            let parts = cursor.split(separator: "_", maxSplits: 1).map(String.init)
            guard parts.count == 2, let milliseconds = Int64(parts[0]), let id = SandboxID(rawValue: parts[1])
            else {
                throw .invalid("/query/cursor", "a cursor from the page before was expected")
            }
            let last = (Timestamp(milliseconds: milliseconds), id)
            found = found.filter { ($0.createdAt, last.1) < (last.0, $0.id) }
        }
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { "\($0.createdAt.milliseconds)_\($0.id)" } : nil
        return ["sandboxes": .array(page.map(\.json)), "cursor": .optional(next)]
    }

    /// Counts by state, policy and runtime.
    public func statistics() -> JSONValue {
        func counts(_ key: (SandboxRecord) -> String) -> JSONValue {
            var counts: [String: Int] = [:]
            for record in records.values { counts[key(record), default: 0] += 1 }
            return .object(
                counts.sorted { $0.key < $1.key }.map { JSONMember($0.key, .integer(Int64($0.value))) })
        }
        return [
            "total": .integer(Int64(records.count)), "states": counts(\.state.rawValue),
            "policies": counts(\.policy.name.rawValue), "runtimes": counts(\.runtime.rawValue),
            "violations": .integer(Int64(records.values.reduce(0) { $0 + $1.violations })),
        ]
    }

    /// The report of one sandbox, living, dead or deleted.
    nonisolated public func report(on id: SandboxID) async throws(SecurityError) -> SandboxReport {
        let time = now
        return try await evidence.read { (reader) throws(SecurityError) in try reader.sandbox(id, at: time) }
    }

    /// The report over all sandboxes.
    nonisolated public func fleetReport(since: Timestamp?) async throws(SecurityError) -> FleetReport {
        let time = now
        return try await evidence.read { (reader) throws(SecurityError) in
            try reader.fleet(since: since, at: time)
        }
    }

    /// One page of violations, newest first.
    nonisolated public func violations(
        _ filter: ViolationFilter, limit: Int, cursor: String?
    ) async throws(SecurityError) -> JSONValue {
        try await evidence.read { (reader) throws(SecurityError) in
            try reader.violations(filter, limit: limit, cursor: cursor)
        }
    }

    /// The newest samples of a sandbox in a span, oldest first.
    public func samples(
        _ id: SandboxID, since: Timestamp?, until: Timestamp?, stepSeconds: Int?
    ) async throws(SecurityError) -> JSONValue {
        _ = try record(id)
        let samples = try await evidence.read { (reader) throws(SecurityError) in
            try reader.samples(id, since: since, until: until, stepSeconds: stepSeconds)
        }
        return ["sandbox_id": .string(id.rawValue), "samples": .array(samples.map(\.json))]
    }

    /// The violations that one correlation identifier links.
    /// - Throws: `notFound`.
    nonisolated public func incident(
        _ incident: String, of id: SandboxID
    ) async throws(SecurityError) -> JSONValue {
        let violations = try await evidence.read { (reader) throws(SecurityError) in
            try reader.incident(incident, of: id)
        }
        guard !violations.isEmpty else {
            throw SecurityError(.notFound, "sandbox \(id) has no incident \(excerpt(incident, limit: 64))")
        }
        return [
            "incident_id": .string(incident), "sandbox_id": .string(id.rawValue),
            "violations": .array(violations.map(\.json)),
        ]
    }
}

extension ReportReader {
    /// The violations of one incident, oldest first, at most 1,000.
    func incident(_ incident: String, of id: SandboxID) throws(SecurityError) -> [Violation] {
        var query = JournalQuery(.violations, order: .oldestFirst)
        query.sandboxID = id
        var found: [Violation] = []
        do throws(JournalError) {
            try reader.forEach(query) { record throws(JournalError) in
                if let violation = Violation(json: try record.json()), violation.correlationID == incident {
                    found.append(violation)
                }
                return found.count < 1000
            }
        } catch {
            throw SecurityError(error)
        }
        return found
    }
}
