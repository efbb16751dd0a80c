package import SandboxModel

/// What one look at a sandbox gave, as the detector needs it.
package struct DetectorReading: Sendable, Hashable {
    /// One process that is worth judging.
    package struct Process: Sendable, Hashable {
        package var pid: Int32
        /// Host clock ticks at its start: tells a reused pid apart.
        package var startTicks: UInt64
        /// Names under which it could be known: its own, that of its first argument, that of its executable.
        package var names: [String]
        package var openFiles: Int
        /// Effective capabilities; `nil` when not read.
        package var capabilities: UInt64?
        package var hasNoNewPrivileges: Bool?

        /// A process of the given parts.
        package init(
            pid: Int32, startTicks: UInt64, names: [String], openFiles: Int = 0, capabilities: UInt64? = nil,
            hasNoNewPrivileges: Bool? = nil
        ) {
            self.pid = pid
            self.startTicks = startTicks
            self.names = names
            self.openFiles = openFiles
            self.capabilities = capabilities
            self.hasNoNewPrivileges = hasNoNewPrivileges
        }
    }

    package var sample: MetricsSample
    package var processes: [Process]
    /// Bytes that the workspace holds, and may hold; 0 when it is not known.
    package var diskTotalBytes: UInt64

    /// A reading of the given parts.
    package init(sample: MetricsSample, processes: [Process], diskTotalBytes: UInt64) {
        self.sample = sample
        self.processes = processes
        self.diskTotalBytes = diskTotalBytes
    }
}
