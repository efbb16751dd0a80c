internal import LinuxSystem

/// What the kernel has done so far to keep a sandbox within its limits; compared before and after an exec.
/// `nil` where the kernel keeps no such count.
struct ExecCounts: Sendable, Hashable {
    /// Processes killed because the sandbox had no memory left.
    var outOfMemoryKills: UInt64?
    /// Processes and threads that could not be made.
    var forksRefused: UInt64?

    /// Reads the counts of a sandbox's groups. Blocks for two small files.
    init(_ place: CgroupPlace) throws(RuntimeError) {
        let memory = place.legacy["memory"].map { "\($0)/memory.oom_control" }
        outOfMemoryKills = try Self.count(memory ?? place.unified.map { "\($0)/memory.events" }, "oom_kill")
        let pids = place.legacy["pids"] ?? place.unified
        forksRefused = try Self.count(pids.map { "\($0)/pids.events" }, "max")
    }

    /// Whether a process was killed for memory since an earlier reading.
    func hasKilled(since earlier: ExecCounts) -> Bool {
        guard let now = outOfMemoryKills, let before = earlier.outOfMemoryKills else { return false }
        return now > before
    }

    /// Whether a process could not be made since an earlier reading.
    func hasRefused(since earlier: ExecCounts) -> Bool {
        guard let now = forksRefused, let before = earlier.forksRefused else { return false }
        return now > before
    }

    private static func count(_ file: String?, _ key: StaticString) throws(RuntimeError) -> UInt64? {
        guard let file else { return nil }
        do throws(SystemError) {
            let bytes = try HostFiles.read(RawPath(file), limit: 4096)
            return KernelText.number(after: key, in: bytes[...])
        } catch {
            if error.errno == 2 { return nil }
            throw RuntimeError(error, operation: "exec")
        }
    }
}
