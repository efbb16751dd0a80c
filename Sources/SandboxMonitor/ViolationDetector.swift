package import SandboxModel
package import SandboxPolicy

/// Turns readings of one sandbox into episodes: something that lasts begins once and ends once.
///
/// Pure: the time is that of the sample. The tolerances are the contract's.
package struct ViolationDetector: Sendable {
    /// What changed with a reading.
    package enum Change: Sendable, Hashable {
        case began(ViolationFinding)
        case ended(cause: String)
    }

    private struct Episode: Sendable {
        var cause: String
        var lastSeen: Timestamp
    }

    /// How long a count that grew by events (kills, refusals) keeps its episode open.
    static let quietSeconds: Int64 = 10
    /// How long the processor must be held back for it to be told.
    static let throttledSeconds: Int64 = 10
    /// The most episodes that are followed at once; what is beyond is not begun until one ends.
    static let maximumEpisodes = 256

    private var policy: Policy
    private var blocked: Set<String>
    private var allowedCapabilities: UInt64
    private var episodes: [String: Episode] = [:]
    private var previous: MetricsSample?
    private var throttledSince: Timestamp?

    /// A detector for a policy.
    package init(policy: Policy) {
        self.policy = policy
        blocked = []
        allowedCapabilities = 0
        adopt(policy)
    }

    /// Judges by another policy from now on; open episodes go on.
    package mutating func adopt(_ policy: Policy) {
        self.policy = policy
        let compiled = CompiledPolicy(
            PolicyVersion(policy: policy, version: 0, origin: .builtIn, digest: ""))
        blocked = Set(compiled.blockedProgramNames)
        allowedCapabilities = policy.privileges.capabilityMask
    }

    /// Takes a sample as the place from which counts grow: what happened before it was watched is not judged.
    package mutating func begin(from sample: MetricsSample) { previous = sample }

    /// Judges one reading.
    /// - Returns: What began and what ended with it, in that order.
    package mutating func judge(_ reading: DetectorReading) -> [Change] {
        let findings = limits(reading) + counts(reading.sample) + processes(reading)
        previous = reading.sample
        return settle(findings, at: reading.sample.timestamp)
    }

    /// One finding with the name of its episode.
    private struct Seen {
        var key: String
        var finding: ViolationFinding
    }

    private mutating func settle(_ seen: [Seen], at now: Timestamp) -> [Change] {
        var changes: [Change] = []
        var present = Set<String>()
        for item in seen {
            present.insert(item.key)
            if episodes[item.key] != nil {
                episodes[item.key]?.lastSeen = now
            } else if episodes.count < ViolationDetector.maximumEpisodes {
                episodes[item.key] = Episode(cause: item.finding.cause, lastSeen: now)
                changes.append(.began(item.finding))
            }
        }
        for (key, episode) in episodes where !present.contains(key) {
            let isQuiet = episode.lastSeen.advanced(bySeconds: ViolationDetector.quietSeconds) <= now
            let isCounted = key.hasPrefix("count:")
            if !isCounted || isQuiet {
                episodes[key] = nil
                changes.append(.ended(cause: episode.cause))
            }
        }
        return changes
    }

    // MARK: States

    private mutating func limits(_ reading: DetectorReading) -> [Seen] {
        let sample = reading.sample
        let limits = policy.resourceLimits
        var seen: [Seen] = []
        func add(
            _ cause: String, _ severity: Severity, _ type: ViolationType, _ found: JSONValue,
            _ limit: JSONValue
        ) {
            seen.append(
                Seen(
                    key: "state:" + cause,
                    finding: ViolationFinding(
                        type, severity, cause: cause,
                        details: [JSONMember("found", found), JSONMember("limit", limit)])))
        }
        if sample.cpuUsagePercent > 1.2 * limits.cpuPercent {
            add(
                "cpu_over_limit", .medium, .resourceLimitExceeded, .number(sample.cpuUsagePercent),
                .number(limits.cpuPercent))
        }
        if isThrottled(sample) {
            add(
                "cpu_throttled", .low, .resourceLimitExceeded, .number(sample.cpuUsagePercent),
                .number(limits.cpuPercent))
        }
        if sample.memoryUsageMB > 1.1 * Double(limits.memoryMB) {
            add(
                "memory_over_limit", .high, .resourceLimitExceeded, .number(sample.memoryUsageMB),
                .integer(Int64(limits.memoryMB)))
        }
        if sample.processCount > limits.maxProcesses {
            add(
                "processes_over_limit", .medium, .resourceLimitExceeded, .integer(Int64(sample.processCount)),
                .integer(Int64(limits.maxProcesses)))
        }
        if sample.networkConnections > limits.maxNetworkConnections, policy.networkPolicy != .none {
            add(
                "connections_over_limit", .high, .networkViolation,
                .integer(Int64(sample.networkConnections)),
                .integer(Int64(limits.maxNetworkConnections)))
        }
        let total = Double(reading.diskTotalBytes) / 1_048_576
        // On a small workspace 2 % is less than one write: less than a megabyte of room counts as full too.
        if total > 0, sample.diskUsageMB >= 0.98 * total || (total >= 8 && total - sample.diskUsageMB < 1) {
            add(
                "disk_full", .low, .resourceLimitExceeded, .number(sample.diskUsageMB),
                .integer(Int64(limits.diskMB)))
        }
        return seen
    }

    // Where the kernel holds the quota, use never passes it: what tells is that it is held back all the time.
    private mutating func isThrottled(_ sample: MetricsSample) -> Bool {
        guard let previous else { return false }
        let periods = sample.cpuPeriods - previous.cpuPeriods
        let throttled = sample.cpuThrottledPeriods - previous.cpuThrottledPeriods
        guard periods > 0, Double(throttled) >= 0.9 * Double(periods) else {
            throttledSince = nil
            return false
        }
        let since = throttledSince ?? previous.timestamp
        throttledSince = since
        return since.advanced(bySeconds: ViolationDetector.throttledSeconds) <= sample.timestamp
    }

    // MARK: Counts that grew

    private func counts(_ sample: MetricsSample) -> [Seen] {
        var seen: [Seen] = []
        func grew(_ cause: String, _ severity: Severity, by count: Int64, limit: Int) {
            guard count > 0 else { return }
            seen.append(
                Seen(
                    key: "count:" + cause,
                    finding: ViolationFinding(
                        .resourceLimitExceeded, severity, cause: cause,
                        details: [
                            JSONMember("count", .integer(count)), JSONMember("limit", .integer(Int64(limit))),
                        ])))
        }
        grew(
            "memory_oom", .high, by: sample.oomKills - (previous?.oomKills ?? 0),
            limit: policy.resourceLimits.memoryMB)
        grew(
            "pids_refused", .medium, by: sample.pidsRefused - (previous?.pidsRefused ?? 0),
            limit: policy.resourceLimits.maxProcesses)
        return seen
    }

    // MARK: Processes

    private func processes(_ reading: DetectorReading) -> [Seen] {
        var seen: [Seen] = []
        let fileLimit = policy.resourceLimits.maxOpenFiles
        for process in reading.processes {
            let identity = "\(process.pid):\(process.startTicks)"
            let pid = JSONMember("host_pid", .integer(Int64(process.pid)))
            if let name = process.names.first(where: blocked.contains) {
                seen.append(
                    Seen(
                        key: "process:\(identity):\(name)",
                        finding: ViolationFinding(
                            .processViolation, .high, cause: "blocked_process",
                            details: [JSONMember("program", .string(excerpt(name))), pid])))
            }
            if process.openFiles > 0, Double(process.openFiles) >= 0.95 * Double(fileLimit) {
                seen.append(
                    Seen(
                        key: "files:" + identity,
                        finding: ViolationFinding(
                            .resourceLimitExceeded, .low, cause: "open_files",
                            details: [
                                JSONMember("found", .integer(Int64(process.openFiles))),
                                JSONMember("limit", .integer(Int64(fileLimit))), pid,
                            ])))
            }
            seen += privileges(of: process, identity, pid)
        }
        return seen
    }

    private func privileges(
        of process: DetectorReading.Process, _ identity: String, _ pid: JSONMember
    ) -> [Seen] {
        var seen: [Seen] = []
        if let found = process.capabilities, found & ~allowedCapabilities != 0 {
            seen.append(
                Seen(
                    key: "capabilities:" + identity,
                    finding: ViolationFinding(
                        .permissionViolation, .critical, cause: "capability_gained",
                        details: [
                            JSONMember("found", .string("0x" + String(found, radix: 16))),
                            JSONMember("allowed", .string("0x" + String(allowedCapabilities, radix: 16))),
                            pid,
                        ])))
        }
        if process.hasNoNewPrivileges == false, policy.privileges.noNewPrivileges {
            seen.append(
                Seen(
                    key: "privileges:" + identity,
                    finding: ViolationFinding(
                        .permissionViolation, .high, cause: "new_privileges_possible", details: [pid])))
        }
        return seen
    }
}
