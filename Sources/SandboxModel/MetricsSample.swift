/// One reading of a sandbox, taken from the host.
public struct MetricsSample: Sendable, Hashable {
    /// When.
    public var timestamp: Timestamp
    /// The sandbox.
    public var sandboxID: SandboxID
    /// Percent of one core over the interval since the sample before; 0 in the first.
    public var cpuUsagePercent = 0.0
    /// Working set (charged memory less inactive file pages), in units of 2^20 bytes.
    public var memoryUsageMB = 0.0
    /// Used space of the workspace's file system, in units of 2^20 bytes.
    public var diskUsageMB = 0.0
    /// TCP and UDP sockets in use in the sandbox's network namespace, listeners included.
    public var networkConnections = 0
    /// Processes, the holder included.
    public var processCount = 0
    /// Open descriptors of all processes together.
    public var openFiles = 0
    /// Violations recorded for the sandbox so far.
    public var violationsCount = 0
    /// CPU time used since the sandbox began, microseconds.
    public var cpuMicrosecondsTotal: Int64 = 0
    /// Periods in which the CPU quota throttled the sandbox, since it began.
    public var cpuThrottledPeriods: Int64 = 0
    /// CPU quota periods that passed, since it began.
    public var cpuPeriods: Int64 = 0
    /// Bytes received and sent by the sandbox's interfaces, loopback not counted.
    public var networkReceivedBytes: Int64 = 0
    /// Bytes sent by the sandbox's interfaces, loopback not counted.
    public var networkSentBytes: Int64 = 0
    /// Kills by the memory controller, since the sandbox began.
    public var oomKills: Int64 = 0
    /// Forks that the pids controller refused, since the sandbox began.
    public var pidsRefused: Int64 = 0

    /// An empty reading at a time.
    public init(timestamp: Timestamp, sandboxID: SandboxID) {
        self.timestamp = timestamp
        self.sandboxID = sandboxID
    }

    /// The sample as the API shows it and the metrics stream keeps it.
    public var json: JSONValue {
        [
            "timestamp": .string(timestamp.description),
            "sandbox_id": .string(sandboxID.rawValue),
            "cpu_usage_percent": .number(MetricsSample.rounded(cpuUsagePercent)),
            "memory_usage_mb": .number(MetricsSample.rounded(memoryUsageMB)),
            "disk_usage_mb": .number(MetricsSample.rounded(diskUsageMB)),
            "network_connections": .integer(Int64(networkConnections)),
            "process_count": .integer(Int64(processCount)),
            "open_files": .integer(Int64(openFiles)),
            "violations_count": .integer(Int64(violationsCount)),
            "cpu_microseconds_total": .integer(cpuMicrosecondsTotal),
            "cpu_periods": .integer(cpuPeriods),
            "cpu_throttled_periods": .integer(cpuThrottledPeriods),
            "network_received_bytes": .integer(networkReceivedBytes),
            "network_sent_bytes": .integer(networkSentBytes),
            "oom_kills": .integer(oomKills),
            "pids_refused": .integer(pidsRefused),
        ]
    }

    /// Reads what ``json`` wrote.
    /// - Returns: `nil` when the time or the sandbox is missing; other members default to 0.
    public init?(json: JSONValue) {
        guard let timestamp = json["timestamp"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let sandboxID = json["sandbox_id"]?.string.flatMap(SandboxID.init(rawValue:))
        else { return nil }
        self.init(timestamp: timestamp, sandboxID: sandboxID)
        cpuUsagePercent = json["cpu_usage_percent"]?.double ?? 0
        memoryUsageMB = json["memory_usage_mb"]?.double ?? 0
        diskUsageMB = json["disk_usage_mb"]?.double ?? 0
        networkConnections = Int(json["network_connections"]?.integer ?? 0)
        processCount = Int(json["process_count"]?.integer ?? 0)
        openFiles = Int(json["open_files"]?.integer ?? 0)
        violationsCount = Int(json["violations_count"]?.integer ?? 0)
        cpuMicrosecondsTotal = json["cpu_microseconds_total"]?.integer ?? 0
        cpuPeriods = json["cpu_periods"]?.integer ?? 0
        cpuThrottledPeriods = json["cpu_throttled_periods"]?.integer ?? 0
        networkReceivedBytes = json["network_received_bytes"]?.integer ?? 0
        networkSentBytes = json["network_sent_bytes"]?.integer ?? 0
        oomKills = json["oom_kills"]?.integer ?? 0
        pidsRefused = json["pids_refused"]?.integer ?? 0
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
