/// Capability sets of a thread, one bit a capability.
/// - SeeAlso: capabilities(7).
package struct CapabilitySets: Sendable, Hashable {
    package var inheritable: UInt64 = 0
    package var permitted: UInt64 = 0
    package var effective: UInt64 = 0
    package var bounding: UInt64 = 0
    package var ambient: UInt64 = 0

    package init() {}
}

/// The four identities of a kind: real, effective, saved, and the one for files.
package struct Identities: Sendable, Hashable {
    package let real: UInt32
    package let effective: UInt32
    package let saved: UInt32
    package let fileSystem: UInt32

    package init(real: UInt32, effective: UInt32, saved: UInt32, fileSystem: UInt32) {
        self.real = real
        self.effective = effective
        self.saved = saved
        self.fileSystem = fileSystem
    }

    /// Whether all four are this one.
    package func isAll(_ id: UInt32) -> Bool {
        real == id && effective == id && saved == id && fileSystem == id
    }
}

/// What `/proc/PID/status` says. A field that the kernel does not print is `nil`, never a default.
/// - SeeAlso: proc_pid_status(5).
package struct ProcessStatus: Sendable, Hashable {
    /// At most 15 bytes, chosen by the process; the kernel's escapes (`\n`, `\\`) are kept.
    package private(set) var name = ""
    /// `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I`.
    package private(set) var state: UInt8 = 0
    package private(set) var pid: Int32 = 0
    package private(set) var parent: Int32 = 0
    /// Process that traces this one; 0 is none.
    package private(set) var tracer: Int32?
    package private(set) var uids: Identities
    package private(set) var gids: Identities
    package private(set) var groups: [UInt32] = []
    /// The process's number in each pid namespace, ours first, its own last.
    package private(set) var namespacePIDs: [Int32] = []
    package private(set) var threads: Int?
    /// Resident memory in bytes; `nil` for kernel threads and zombies.
    package private(set) var residentBytes: UInt64?
    package private(set) var capabilities: CapabilitySets?
    package private(set) var hasNoNewPrivileges: Bool?
    /// 0 off, 1 strict, 2 filter.
    package private(set) var seccompMode: Int?
    package private(set) var seccompFilters: Int?

    /// Reads the file's text.
    /// - Returns: `nil` when name, state, pid, parent, user or group is missing or malformed, or a security
    ///   field is there but malformed.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> ProcessStatus? {
        var fields = Fields()
        for line in KernelText.lines(bytes) {
            guard let colon = line.firstIndex(of: 0x3a) else { continue }
            guard fields.take(KernelText.text(line[..<colon]), line[(colon + 1)...]) else { return nil }
        }
        return fields.status()
    }

    private init(uids: Identities, gids: Identities) {
        self.uids = uids
        self.gids = gids
    }

    /// What has been seen so far; the first line of a key counts.
    private struct Fields {
        var seen: Set<String> = []
        var name: String?
        var state: UInt8?
        var pid: Int32?
        var parent: Int32?
        var tracer: Int32?
        var uids: Identities?
        var gids: Identities?
        var groups: [UInt32] = []
        var namespacePIDs: [Int32] = []
        var threads: Int?
        var residentBytes: UInt64?
        var sets = CapabilitySets()
        var setsSeen = 0
        var noNewPrivileges: UInt64?
        var seccompMode: Int?
        var seccompFilters: Int?

        /// Returns `false` when the value cannot be what its key promises.
        mutating func take(_ key: String, _ value: ArraySlice<UInt8>) -> Bool {
            guard seen.insert(key).inserted else { return true }
            let text = KernelText.trimmed(value)
            switch key {
            case "Name": name = KernelText.text(text)
            case "State": state = text.first
            case "Pid": pid = Self.int32(text)
            case "PPid": parent = Self.int32(text)
            case "TracerPid": tracer = Self.int32(text)
            case "Uid": uids = Self.identities(text)
            case "Gid": gids = Self.identities(text)
            case "Groups": groups = KernelText.words(text).compactMap { Self.uint32($0) }
            case "NSpid":
                let numbers = KernelText.words(text).map { Self.int32($0) }
                namespacePIDs = numbers.compactMap { $0 }
                return namespacePIDs.count == numbers.count
            case "Threads": threads = KernelText.unsigned(text).flatMap { Int(exactly: $0) }
            case "VmRSS": residentBytes = Self.kibibytes(text)
            default: return takeSecurity(key, text)
            }
            return true
        }

        private mutating func takeSecurity(_ key: String, _ text: ArraySlice<UInt8>) -> Bool {
            switch key {
            case "CapInh": return capability(text, \.inheritable)
            case "CapPrm": return capability(text, \.permitted)
            case "CapEff": return capability(text, \.effective)
            case "CapBnd": return capability(text, \.bounding)
            case "CapAmb": return capability(text, \.ambient)
            case "NoNewPrivs":
                noNewPrivileges = KernelText.unsigned(text)
                return noNewPrivileges != nil
            case "Seccomp":
                seccompMode = KernelText.unsigned(text).flatMap { Int(exactly: $0) }
                return seccompMode != nil
            case "Seccomp_filters":
                seccompFilters = KernelText.unsigned(text).flatMap { Int(exactly: $0) }
                return seccompFilters != nil
            default: return true
            }
        }

        private mutating func capability(
            _ text: ArraySlice<UInt8>, _ set: WritableKeyPath<CapabilitySets, UInt64>
        ) -> Bool {
            guard let value = KernelText.hexadecimal(text) else { return false }
            sets[keyPath: set] = value
            setsSeen += 1
            return true
        }

        func status() -> ProcessStatus? {
            guard let name, let state, let pid, let parent, let uids, let gids else { return nil }
            var status = ProcessStatus(uids: uids, gids: gids)
            status.name = name
            status.state = state
            status.pid = pid
            status.parent = parent
            status.tracer = tracer
            status.groups = groups
            status.namespacePIDs = namespacePIDs
            status.threads = threads
            status.residentBytes = residentBytes
            status.capabilities = setsSeen == 5 ? sets : nil
            status.hasNoNewPrivileges = noNewPrivileges.map { $0 != 0 }
            status.seccompMode = seccompMode
            status.seccompFilters = seccompFilters
            return status
        }

        private static func int32(_ text: ArraySlice<UInt8>) -> Int32? {
            KernelText.unsigned(text).flatMap { Int32(exactly: $0) }
        }

        private static func uint32(_ text: ArraySlice<UInt8>) -> UInt32? {
            KernelText.unsigned(text).flatMap { UInt32(exactly: $0) }
        }

        private static func identities(_ text: ArraySlice<UInt8>) -> Identities? {
            let ids = KernelText.words(text).compactMap { uint32($0) }
            guard ids.count == 4 else { return nil }
            return Identities(real: ids[0], effective: ids[1], saved: ids[2], fileSystem: ids[3])
        }

        private static func kibibytes(_ text: ArraySlice<UInt8>) -> UInt64? {
            guard let number = KernelText.words(text).first else { return nil }
            guard let value = KernelText.unsigned(number), value < 1 << 53 else { return nil }
            return value * 1024
        }
    }
}
