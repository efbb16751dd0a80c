internal import Glibc

/// The machine as a whole.
package enum HostFacts {
    /// Main memory in bytes, and what could be had without swapping.
    /// - SeeAlso: proc_meminfo(5).
    package static func memory() throws(SystemError) -> (totalBytes: UInt64, availableBytes: UInt64) {
        let bytes = try HostFiles.read("/proc/meminfo", limit: 64 * 1024)
        guard let memory = parseMemory(bytes[...]) else {
            throw SystemError(errno: EBADMSG, operation: "read", detail: "/proc/meminfo")
        }
        return memory
    }

    /// Reads the text of `/proc/meminfo`.
    package static func parseMemory(
        _ bytes: ArraySlice<UInt8>
    ) -> (totalBytes: UInt64, availableBytes: UInt64)? {
        var found: [String: UInt64] = [:]
        for line in KernelText.lines(bytes) {
            let words = KernelText.words(line)
            guard words.count == 3, words[2].elementsEqual("kB".utf8) else { continue }
            guard let value = KernelText.unsigned(words[1]), value < 1 << 53 else { continue }
            found[KernelText.text(words[0])] = value * 1024
        }
        guard let total = found["MemTotal:"], let available = found["MemAvailable:"] else { return nil }
        return (total, available)
    }

    /// Time since boot.
    package static func uptime() throws(SystemError) -> Duration {
        let bytes = try HostFiles.read("/proc/uptime", limit: 128)
        guard let uptime = parseUptime(bytes[...]) else {
            throw SystemError(errno: EBADMSG, operation: "read", detail: "/proc/uptime")
        }
        return uptime
    }

    /// Reads the text of `/proc/uptime`: seconds with two decimals, twice.
    package static func parseUptime(_ bytes: ArraySlice<UInt8>) -> Duration? {
        guard let first = KernelText.words(KernelText.trimmed(bytes)).first else { return nil }
        let parts = first.split(separator: 0x2e, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].count == 2, let seconds = KernelText.unsigned(parts[0]),
            let hundredths = KernelText.unsigned(parts[1]), seconds < 1 << 40
        else { return nil }
        return .seconds(Int64(seconds)) + .milliseconds(Int64(hundredths) * 10)
    }

    /// Processors that are switched on.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Clock ticks a second, the unit of ``ProcessStat``.
    package static var ticksPerSecond: Int { max(1, sysconf(Int32(_SC_CLK_TCK))) }

    /// Bytes of a page of memory.
    package static var pageBytes: Int { max(1, sysconf(Int32(_SC_PAGESIZE))) }

    /// The user that this process acts as.
    package static var effectiveUser: UInt32 { geteuid() }
}
