internal import Glibc

/// The limits of one control group as the kernel holds them now. `nil` where the host has no such limit to
/// read, which is not the same as ``KernelLimit/unlimited``.
package struct CgroupLimits: Sendable, Hashable {
    /// Microseconds of CPU time in each period.
    package var cpuQuotaMicroseconds: KernelLimit?
    package var cpuPeriodMicroseconds: UInt64?
    package var memoryBytes: KernelLimit?
    /// Version 1: of memory and swap together.
    package var memoryAndSwapBytes: KernelLimit?
    /// Version 2: of swap alone.
    package var swapBytes: KernelLimit?
    package var tasks: KernelLimit?

    package init() {}

    /// Hundredths of one processor, 100 being a whole one; `nil` when unlimited or not to be read.
    package var cpuPercent: Double? {
        guard case .value(let quota)? = cpuQuotaMicroseconds, let period = cpuPeriodMicroseconds, period > 0
        else { return nil }
        return Double(quota) * 100 / Double(period)
    }

    /// Whether the group can use swap: `nil` when that cannot be told.
    package var allowsSwap: Bool? {
        if let swapBytes { return swapBytes != .value(0) }
        guard let memoryAndSwapBytes, let memoryBytes else { return nil }
        switch (memoryAndSwapBytes, memoryBytes) {
        case (.value(let both), .value(let memory)): return both > memory
        default: return true
        }
    }

    /// Reads the limits back.
    /// - Throws: what reading a file says that is there; a file that is not there leaves its limit `nil`.
    package static func read(_ place: CgroupPlace) throws(SystemError) -> CgroupLimits {
        var limits = CgroupLimits()
        if let cpu = place.legacy["cpu"] {
            limits.cpuPeriodMicroseconds =
                try text(cpu, "cpu.cfs_period_us").flatMap { KernelText.unsigned($0[...]) }
            limits.cpuQuotaMicroseconds = try text(cpu, "cpu.cfs_quota_us").flatMap { legacyQuota($0[...]) }
        } else if let cpu = try place.unified.map({ directory throws(SystemError) in
            try text(directory, "cpu.max")
        }) ?? nil {
            (limits.cpuQuotaMicroseconds, limits.cpuPeriodMicroseconds) = unifiedQuota(cpu[...])
        }
        if let memory = place.legacy["memory"] {
            limits.memoryBytes = try text(memory, "memory.limit_in_bytes").flatMap { legacyBytes($0[...]) }
            limits.memoryAndSwapBytes =
                try text(memory, "memory.memsw.limit_in_bytes").flatMap { legacyBytes($0[...]) }
        } else if let unified = place.unified {
            limits.memoryBytes = try text(unified, "memory.max").flatMap { CgroupReader.limit($0[...]) }
            limits.swapBytes = try text(unified, "memory.swap.max").flatMap { CgroupReader.limit($0[...]) }
        }
        if let pids = place.legacy["pids"] ?? place.unified {
            limits.tasks = try text(pids, "pids.max").flatMap { CgroupReader.limit($0[...]) }
        }
        return limits
    }

    private static func text(_ directory: String, _ name: String) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            let bytes = try HostFiles.read(RawPath("\(directory)/\(name)"), limit: 4096)
            return Array(KernelText.trimmed(bytes[...]))
        } catch {
            guard error.errno == ENOENT else { throw error }
            return nil
        }
    }

    /// `-1` is no quota.
    package static func legacyQuota(_ text: ArraySlice<UInt8>) -> KernelLimit? {
        guard let value = KernelText.signed(text) else { return nil }
        return value < 0 ? .unlimited : .value(UInt64(value))
    }

    /// Version 1 counts pages, so that no limit is the largest multiple of a page in 63 bits.
    package static func legacyBytes(_ text: ArraySlice<UInt8>) -> KernelLimit? {
        guard let value = KernelText.unsigned(text) else { return nil }
        return value >= UInt64(Int64.max) - (1 << 16) ? .unlimited : .value(value)
    }

    /// `max 100000` or `25000 100000`.
    package static func unifiedQuota(_ text: ArraySlice<UInt8>) -> (KernelLimit?, UInt64?) {
        let words = KernelText.words(text)
        guard words.count == 2, let period = KernelText.unsigned(words[1]) else { return (nil, nil) }
        return (CgroupReader.limit(words[0]), period)
    }
}
