import SandboxModel
import SandboxPolicy

/// A policy's limits as the engine takes them.
struct DockerLimits: Sendable, Hashable {
    let memoryBytes: Int64
    let cpuPeriodMicroseconds: Int64
    let cpuQuotaMicroseconds: Int64
    let processes: Int64

    /// Converts limits.
    /// - Throws: `unsupported` for a share of a core that no period can express, or a size beyond 64 bits.
    init(_ limits: ResourceLimits) throws(RuntimeError) {
        memoryBytes = try Self.bytes(ofMB: limits.memoryMB)
        processes = Int64(limits.maxProcesses)
        // The kernel takes quotas from 1 ms and periods up to 1 s; the usual period is 100 ms. A longer period lets
        // a sandbox with a very small share run in longer bursts, so it is taken only where nothing else holds it.
        for period in [Int64(100_000), 1_000_000] {
            let quota = (limits.cpuPercent * Double(period) / 100).rounded()
            guard quota >= 1000, quota <= 1e12 else { continue }
            cpuPeriodMicroseconds = period
            cpuQuotaMicroseconds = Int64(quota)
            return
        }
        throw RuntimeError(
            .unsupported, operation: "cpu limit",
            detail: "\(limits.cpuPercent) % of a core cannot be expressed; the least is 0.1 %")
    }

    static func bytes(ofMB size: Int) throws(RuntimeError) -> Int64 {
        let (bytes, overflow) = Int64(size).multipliedReportingOverflow(by: 1 << 20)
        guard !overflow, bytes >= 0 else {
            throw RuntimeError(.unsupported, operation: "size", detail: "\(size) MB is beyond 64 bits")
        }
        return bytes
    }

    /// The members that `create` (inside `HostConfig`) and `update` (at the top) share. Swap is the sum of memory
    /// and swap in the engine's terms, so the same number means none.
    var members: [JSONMember] {
        [
            JSONMember("Memory", .integer(memoryBytes)),
            JSONMember("MemorySwap", .integer(memoryBytes)),
            JSONMember("CpuPeriod", .integer(cpuPeriodMicroseconds)),
            JSONMember("CpuQuota", .integer(cpuQuotaMicroseconds)),
            JSONMember("PidsLimit", .integer(processes)),
        ]
    }
}
