package import LinuxSystem

/// What was read of one thing on the host, and where.
package enum AttestationReading<Value: Sendable & Hashable>: Sendable, Hashable {
    /// The value, and the place and content that it was read from.
    case found(Value, evidence: String)
    /// Nothing could be read, and why. A control that rests on it does not hold.
    case unknown(String)
}

/// Everything that the comparison of one running sandbox with its policy looks at. Plain values: where they come from
/// is the reader's business.
package struct AttestationFacts: Sendable, Hashable {
    /// Bytes.
    package var memoryLimit: AttestationReading<KernelLimit>
    package var swap: AttestationReading<AttestationSwap>
    package var cpu: AttestationReading<AttestationCPU>
    /// Processes and threads together.
    package var processLimit: AttestationReading<KernelLimit>
    package var openFiles: AttestationReading<ProcessLimits.Pair>
    /// As the host numbers users and groups.
    package var credentials: AttestationReading<ProcessStatus>
    /// As the sandbox's own namespace sees them.
    package var mounts: AttestationReading<[MountEntry]>
    package var workspace: AttestationReading<AttestationWorkspace>
    /// Paths of the kernel's file systems that exist on this host; only they need a cover.
    package var presentKernelPaths: Set<String>
    /// By name (`pid`, `mnt`, …): whether the sandbox's is another one than the daemon's.
    package var separateNamespaces: AttestationReading<[String: Bool]>
    package var devices: AttestationReading<AttestationDevices>

    /// Facts of the given parts.
    package init(
        memoryLimit: AttestationReading<KernelLimit>, swap: AttestationReading<AttestationSwap>,
        cpu: AttestationReading<AttestationCPU>, processLimit: AttestationReading<KernelLimit>,
        openFiles: AttestationReading<ProcessLimits.Pair>, credentials: AttestationReading<ProcessStatus>,
        mounts: AttestationReading<[MountEntry]>, workspace: AttestationReading<AttestationWorkspace>,
        presentKernelPaths: Set<String>, separateNamespaces: AttestationReading<[String: Bool]>,
        devices: AttestationReading<AttestationDevices>
    ) {
        self.memoryLimit = memoryLimit
        self.swap = swap
        self.cpu = cpu
        self.processLimit = processLimit
        self.openFiles = openFiles
        self.credentials = credentials
        self.mounts = mounts
        self.workspace = workspace
        self.presentKernelPaths = presentKernelPaths
        self.separateNamespaces = separateNamespaces
        self.devices = devices
    }
}

/// How much swap a sandbox may use.
package enum AttestationSwap: Sendable, Hashable, CustomStringConvertible {
    /// Bytes beyond the memory limit.
    case limited(beyondMemory: KernelLimit)
    /// The kernel does not count swap by control group.
    case notCounted(hostHasSwap: Bool)

    package var description: String {
        switch self {
        case .limited(let bytes): "\(bytes) beyond the memory limit"
        case .notCounted: "not counted"
        }
    }
}

extension KernelLimit: CustomStringConvertible {
    /// `unlimited`, or the number.
    package var description: String {
        switch self {
        case .unlimited: "unlimited"
        case .value(let value): "\(value)"
        }
    }
}

/// A quota of processor time.
package struct AttestationCPU: Sendable, Hashable, CustomStringConvertible {
    /// Microseconds in each period.
    package var quota: KernelLimit
    package var period: UInt64

    /// A quota in a period.
    package init(quota: KernelLimit, period: UInt64) {
        self.quota = quota
        self.period = period
    }

    package var description: String { "\(quota) in \(period) µs" }
}

/// The workspace as the sandbox reaches it.
package struct AttestationWorkspace: Sendable, Hashable {
    /// Whether the folder in the sandbox is the folder that was prepared on the host.
    package var isTheHosts: Bool
    /// Whether it is the root of a file system of its own.
    package var isOwnFileSystem: Bool
    /// Bytes of the device or of the file system; `nil` where neither tells.
    package var sizeBytes: Int64?

    /// A workspace of the given parts.
    package init(isTheHosts: Bool, isOwnFileSystem: Bool, sizeBytes: Int64?) {
        self.isTheHosts = isTheHosts
        self.isOwnFileSystem = isOwnFileSystem
        self.sizeBytes = sizeBytes
    }
}

/// Devices that a sandbox can open.
package struct AttestationDevices: Sendable, Hashable {
    /// Device files below `/dev`: `c 1:3`, `b 8:0`.
    package var nodes: [String]
    /// The control group's list (version 1): `c 1:3 rwm`; `nil` where it cannot be read back.
    package var allowed: [String]?

    /// Devices of the given parts.
    package init(nodes: [String], allowed: [String]?) {
        self.nodes = nodes
        self.allowed = allowed
    }
}
