public import Journal
public import SandboxModel

/// Which violations are wanted; every part that is given must fit.
public struct ViolationFilter: Sendable, Hashable {
    /// The sandbox.
    public var sandboxID: SandboxID?
    /// The kind of rule.
    public var type: ViolationType?
    /// How much it matters.
    public var severity: Severity?
    /// Its policy.
    public var policy: PolicyName?
    /// Nothing before this time; `nil`: from the beginning.
    public var since: Timestamp?
    /// Nothing at or after this time; `nil`: to the end.
    public var until: Timestamp?

    /// All violations.
    public init() {}
}

/// Makes reports from a journal alone: of a running daemon's data folder or of a copy. Every call blocks on the disk.
public struct ReportReader: Sendable {
    /// The most samples that one answer holds.
    public static let maximumSamples = 1000

    let reader: JournalReader

    /// Reports from an opened journal.
    public init(reader: JournalReader) { self.reader = reader }

    /// Reports from the journal below a data folder.
    /// - Throws: ``SecurityError`` `notFound` or `failed` naming the folder.
    public init(dataDirectory: String) throws(SecurityError) {
        do throws(JournalError) {
            reader = try JournalReader(dataDirectory: dataDirectory)
        } catch {
            throw SecurityError(error)
        }
    }

    /// The report of one sandbox.
    /// - Throws: `notFound` when no record speaks of it.
    public func sandbox(_ id: SandboxID, at now: Timestamp) throws(SecurityError) -> SandboxReport {
        var report = SandboxReport(sandboxID: id, timestamp: now)
        try each(.violations, sandbox: id) { json in
            if let violation = Violation(json: json) { report.add(violation) }
        }
        try each(.audit, sandbox: id) { json in
            if let record = AuditRecord(json: json) { report.add(record) }
        }
        for sample in try samples(id, since: nil, until: nil, stepSeconds: nil).suffix(
            SandboxReport.keptSamples)
        {
            report.add(sample)
        }
        guard report.isKnown else {
            throw SecurityError(.notFound, "the journal does not know a sandbox \(id)")
        }
        report.heads = try heads()
        return report
    }

    /// The report over all sandboxes.
    public func fleet(since: Timestamp?, at now: Timestamp) throws(SecurityError) -> FleetReport {
        var report = FleetReport(timestamp: now, since: since)
        try each(.violations, since: since) { json in
            if let violation = Violation(json: json) { report.add(violation) }
        }
        // Sandboxes that are alive now may have begun before `since`.
        try each(.audit) { json in
            if let record = AuditRecord(json: json) { report.add(record) }
        }
        report.heads = try heads()
        return report
    }

    /// One page of violations, newest first, as the API shows it.
    public func violations(
        _ filter: ViolationFilter, limit: Int, cursor: String?
    ) throws(SecurityError) -> JSONValue {
        var query = JournalQuery(.violations, limit: limit)
        query.sandboxID = filter.sandboxID
        query.type = filter.type?.rawValue
        query.severity = filter.severity
        query.policy = filter.policy
        query.since = filter.since
        query.until = filter.until
        if let cursor {
            guard let parsed = JournalCursor(rawValue: cursor) else {
                throw .invalid("/query/cursor", "a cursor from the page before was expected")
            }
            query.cursor = parsed
        }
        do throws(JournalError) {
            let page = try reader.query(query)
            var violations: [JSONValue] = []
            for record in page.records {
                // Shown in the contract's order and without the chain, which `journal verify` is for.
                if let violation = Violation(json: try record.json()) { violations.append(violation.json) }
            }
            return ["violations": .array(violations), "cursor": .optional(page.next?.rawValue)]
        } catch {
            throw SecurityError(error)
        }
    }

    /// The newest samples of a span, oldest first.
    /// - Parameter stepSeconds: Keeps the last sample of each step.
    public func samples(
        _ id: SandboxID, since: Timestamp?, until: Timestamp?, stepSeconds: Int?
    ) throws(SecurityError) -> [MetricsSample] {
        var query = JournalQuery(.metrics)
        query.sandboxID = id
        query.since = since
        query.until = until
        var samples: [MetricsSample] = []
        var lastStep: Int64?
        do throws(JournalError) {
            try reader.forEach(query) { record throws(JournalError) in
                guard let sample = MetricsSample(json: try record.json()) else { return true }
                if let stepSeconds {
                    let step = sample.timestamp.milliseconds / (Int64(stepSeconds) * 1000)
                    guard step != lastStep else { return true }
                    lastStep = step
                }
                samples.append(sample)
                return samples.count < ReportReader.maximumSamples
            }
        } catch {
            throw SecurityError(error)
        }
        return samples.reversed()
    }

    /// Every audit record from a time on, oldest first.
    func audit(since: Timestamp?, _ body: (AuditRecord) -> Void) throws(SecurityError) {
        try each(.audit, since: since) { json in
            if let record = AuditRecord(json: json) { body(record) }
        }
    }

    /// Last number and head of each chained stream.
    public func heads() throws(SecurityError) -> JSONValue {
        do throws(JournalError) {
            guard let heads = try reader.heads() else { return .object([JSONMember]()) }
            return .object(
                JournalStream.allCases.compactMap { stream in
                    guard stream.isChained, let head = heads.streams[stream] else { return nil }
                    return JSONMember(
                        stream.rawValue,
                        ["seq": .integer(head.seq), "chain": .optional(head.chain?.description)])
                })
        } catch {
            throw SecurityError(error)
        }
    }

    private func each(
        _ stream: JournalStream, sandbox: SandboxID? = nil, since: Timestamp? = nil,
        _ body: (JSONValue) -> Void
    ) throws(SecurityError) {
        var query = JournalQuery(stream, order: .oldestFirst)
        query.sandboxID = sandbox
        query.since = since
        do throws(JournalError) {
            try reader.forEach(query) { record throws(JournalError) in
                body(try record.json())
                return true
            }
        } catch {
            throw SecurityError(error)
        }
    }
}
