internal import Glibc

/// What one control group has used up to a moment. A figure that the host does not offer is `nil`.
package struct CgroupSample: Sendable, Hashable {
    /// CPU time of all members since the group was made, in nanoseconds.
    package var cpuNanoseconds: UInt64?
    /// Quota periods in which the group was runnable.
    package var cpuPeriods: UInt64?
    /// Of these, the periods in which it was held back.
    package var cpuThrottledPeriods: UInt64?
    /// Time held back, summed over processors, in nanoseconds.
    package var cpuThrottledNanoseconds: UInt64?
    /// Memory charged now, page cache included.
    package var memoryBytes: UInt64?
    /// The most memory charged so far.
    package var memoryPeakBytes: UInt64?
    /// Page cache that could be dropped first.
    package var inactiveFileBytes: UInt64?
    /// Processes killed because the group had no memory left.
    package var outOfMemoryKills: UInt64?
    /// Tasks (threads count) now.
    package var tasks: UInt64?
    /// The most tasks allowed.
    package var taskLimit: KernelLimit?
    /// Forks refused because of the limit.
    package var tasksRefused: UInt64?
    package var readBytes: UInt64?
    package var writtenBytes: UInt64?

    package init() {}

    /// Memory that could not easily be taken back: what is charged without the inactive page cache.
    package var workingSetBytes: UInt64? {
        guard let memoryBytes else { return nil }
        let inactive = inactiveFileBytes ?? 0
        return memoryBytes > inactive ? memoryBytes - inactive : 0
    }
}

/// Reads one control group again and again, by descriptors that stay open.
///
/// One pread(2) a file, no allocation but for the first time. A group that has been removed answers `ENODEV`,
/// also when a new one has the same name.
/// - SeeAlso: Linux `admin-guide/cgroup-v1/` (cpuacct, memory, pids, blkio), `admin-guide/cgroup-v2.rst`.
package final class CgroupReader: Sendable {
    private struct Files: ~Copyable, Sendable {
        var cpuUsage: Descriptor?
        var cpuStat: Descriptor?
        var memory: Descriptor?
        var memoryPeak: Descriptor?
        var memoryStat: Descriptor?
        var memoryEvents: Descriptor?
        var tasks: Descriptor?
        var taskLimit: Descriptor?
        var taskEvents: Descriptor?
        var io: Descriptor?
    }

    private let files: Files
    private let cpuIsLegacy: Bool
    private let memoryIsLegacy: Bool
    private let ioIsLegacy: Bool

    /// Opens the files of a group. Where a controller is mounted in version 1, its directory there counts.
    ///
    /// A file that the host does not have is left out: its figure stays `nil`.
    /// - Throws: `ENOENT` when the group has none of the files; what open(2) says of others.
    package init(_ place: CgroupPlace) throws(SystemError) {
        var files = Files()
        let unified = place.unified
        func open(_ directory: String?, _ name: String) throws(SystemError) -> Descriptor? {
            guard let directory else { return nil }
            do throws(SystemError) {
                return try Descriptor.openAbsolute(RawPath("\(directory)/\(name)"))
            } catch {
                guard error.errno == ENOENT else { throw error }
                return nil
            }
        }
        let cpuacct = place.legacy["cpuacct"]
        cpuIsLegacy = cpuacct != nil || place.legacy["cpu"] != nil
        if cpuIsLegacy {
            files.cpuUsage = try open(cpuacct, "cpuacct.usage")
            files.cpuStat = try open(place.legacy["cpu"], "cpu.stat")
        } else {
            files.cpuStat = try open(unified, "cpu.stat")
        }
        let memory = place.legacy["memory"]
        memoryIsLegacy = memory != nil
        files.memory = try open(
            memory ?? unified, memoryIsLegacy ? "memory.usage_in_bytes" : "memory.current")
        files.memoryPeak = try open(
            memory ?? unified, memoryIsLegacy ? "memory.max_usage_in_bytes" : "memory.peak")
        files.memoryStat = try open(memory ?? unified, "memory.stat")
        files.memoryEvents = try open(
            memory ?? unified, memoryIsLegacy ? "memory.oom_control" : "memory.events")
        let pids = place.legacy["pids"] ?? unified
        files.tasks = try open(pids, "pids.current")
        files.taskLimit = try open(pids, "pids.max")
        files.taskEvents = try open(pids, "pids.events")
        let blkio = place.legacy["blkio"]
        ioIsLegacy = blkio != nil
        files.io = try open(blkio ?? unified, ioIsLegacy ? "blkio.throttle.io_service_bytes" : "io.stat")
        let hasAny =
            files.cpuUsage != nil || files.cpuStat != nil || files.memory != nil || files.tasks != nil
        self.files = files
        guard hasAny else {
            throw SystemError(errno: ENOENT, operation: "cgroup", detail: place.directories.first ?? "")
        }
    }

    /// Takes one sample.
    /// - Parameter scratch: Room for one file, kept by the caller; grown to 16 KiB.
    /// - Throws: `ENODEV` when the group has been removed.
    package func sample(scratch: inout [UInt8]) throws(SystemError) -> CgroupSample {
        if scratch.count < 16 * 1024 { scratch = [UInt8](repeating: 0, count: 16 * 1024) }
        var sample = CgroupSample()
        try sampleCPU(&sample, &scratch)
        try sampleMemory(&sample, &scratch)
        if let count = try files.tasks?.reread(into: &scratch) {
            sample.tasks = Self.single(scratch[..<count])
        }
        if let count = try files.taskLimit?.reread(into: &scratch) {
            sample.taskLimit = Self.limit(scratch[..<count])
        }
        if let count = try files.taskEvents?.reread(into: &scratch) {
            sample.tasksRefused = KernelText.number(after: "max", in: scratch[..<count])
        }
        if let count = try files.io?.reread(into: &scratch) {
            let bytes = scratch[..<count]
            let io = ioIsLegacy ? Self.legacyIO(bytes) : Self.unifiedIO(bytes)
            sample.readBytes = io.read
            sample.writtenBytes = io.written
        }
        return sample
    }

    private func sampleCPU(_ sample: inout CgroupSample, _ scratch: inout [UInt8]) throws(SystemError) {
        if let count = try files.cpuUsage?.reread(into: &scratch) {
            sample.cpuNanoseconds = Self.single(scratch[..<count])
        }
        guard let count = try files.cpuStat?.reread(into: &scratch) else { return }
        let bytes = scratch[..<count]
        sample.cpuPeriods = KernelText.number(after: "nr_periods", in: bytes)
        sample.cpuThrottledPeriods = KernelText.number(after: "nr_throttled", in: bytes)
        if cpuIsLegacy {
            sample.cpuThrottledNanoseconds = KernelText.number(after: "throttled_time", in: bytes)
        } else {
            sample.cpuNanoseconds = KernelText.number(after: "usage_usec", in: bytes).map { $0 &* 1000 }
            sample.cpuThrottledNanoseconds =
                KernelText.number(after: "throttled_usec", in: bytes).map { $0 &* 1000 }
        }
    }

    private func sampleMemory(_ sample: inout CgroupSample, _ scratch: inout [UInt8]) throws(SystemError) {
        if let count = try files.memory?.reread(into: &scratch) {
            sample.memoryBytes = Self.single(scratch[..<count])
        }
        if let count = try files.memoryPeak?.reread(into: &scratch) {
            sample.memoryPeakBytes = Self.single(scratch[..<count])
        }
        if let count = try files.memoryStat?.reread(into: &scratch) {
            let bytes = scratch[..<count]
            sample.inactiveFileBytes =
                memoryIsLegacy
                ? KernelText.number(after: "total_inactive_file", in: bytes)
                : KernelText.number(after: "inactive_file", in: bytes)
        }
        if let count = try files.memoryEvents?.reread(into: &scratch) {
            sample.outOfMemoryKills = KernelText.number(after: "oom_kill", in: scratch[..<count])
        }
    }

    private static func single(_ bytes: ArraySlice<UInt8>) -> UInt64? {
        KernelText.unsigned(KernelText.trimmed(bytes))
    }

    /// `max` or a number.
    static func limit(_ bytes: ArraySlice<UInt8>) -> KernelLimit? {
        let text = KernelText.trimmed(bytes)
        if text.elementsEqual("max".utf8) { return .unlimited }
        return KernelText.unsigned(text).map { .value($0) }
    }

    /// Sums `8:0 Read 4096` and `8:0 Write 0` over the devices.
    package static func legacyIO(_ bytes: ArraySlice<UInt8>) -> (read: UInt64, written: UInt64) {
        var read: UInt64 = 0
        var written: UInt64 = 0
        for line in KernelText.lines(bytes) {
            let words = KernelText.words(line)
            guard words.count == 3, let value = KernelText.unsigned(words[2]) else { continue }
            if words[1].elementsEqual("Read".utf8) { read &+= value }
            if words[1].elementsEqual("Write".utf8) { written &+= value }
        }
        return (read, written)
    }

    /// Sums `8:0 rbytes=4096 wbytes=0 …` over the devices.
    package static func unifiedIO(_ bytes: ArraySlice<UInt8>) -> (read: UInt64, written: UInt64) {
        var read: UInt64 = 0
        var written: UInt64 = 0
        for line in KernelText.lines(bytes) {
            for word in KernelText.words(line) {
                let parts = word.split(separator: 0x3d)
                guard parts.count == 2, let value = KernelText.unsigned(parts[1]) else { continue }
                if parts[0].elementsEqual("rbytes".utf8) { read &+= value }
                if parts[0].elementsEqual("wbytes".utf8) { written &+= value }
            }
        }
        return (read, written)
    }
}
