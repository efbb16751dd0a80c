package import SandboxModel
package import SandboxPolicy

/// One sandbox to be watched.
package struct MonitorTarget: Sendable, Hashable {
    package var sandboxID: SandboxID
    /// Limits, blocked programs and the interval come from here.
    package var policy: Policy
    /// Host pid of the holder, and field 22 of its `/proc/PID/stat`, so that a reused pid is not watched.
    package var holderPID: Int32
    package var holderStartTicks: UInt64
    /// The mounted workspace on the host; `nil` for an adopted container, whose disk use is then not read.
    package var workspacePath: String?

    /// A target of the given parts.
    package init(
        sandboxID: SandboxID, policy: Policy, holderPID: Int32, holderStartTicks: UInt64,
        workspacePath: String?
    ) {
        self.sandboxID = sandboxID
        self.policy = policy
        self.holderPID = holderPID
        self.holderStartTicks = holderStartTicks
        self.workspacePath = workspacePath
    }
}

/// What the monitor tells the manager.
package enum MonitorEvent: Sendable, Hashable {
    /// A reading at the policy's interval, or asked for.
    case sample(MetricsSample)
    /// Something wrong began; it is one violation however long it lasts.
    case began(SandboxID, ViolationFinding, at: Timestamp)
    /// The same cause is over.
    case ended(SandboxID, cause: String, at: Timestamp)
    /// The holder is gone, so nothing of the sandbox runs any more.
    case holderExited(SandboxID, at: Timestamp)
    /// Events were lost or readings failed: what, and how many.
    case gap(SandboxID?, reason: String, count: Int)
}

/// One process of a sandbox, as the host sees it.
package struct ProcessEntry: Sendable, Hashable {
    /// Host pid, and the pid inside the sandbox.
    package var pid: Int32
    package var innerPID: Int32
    /// Host pid of the parent.
    package var parentPID: Int32
    package var uid: UInt32
    package var name: String
    /// Arguments, NUL-separated on the host, at most 4096 bytes together; bytes that are not UTF-8 replaced.
    package var arguments: [String]
    /// Link text of `/proc/PID/exe`; empty when it could not be read.
    package var executable: String
    package var state: String
    package var residentBytes: Int64
    package var openFiles: Int
    package var threads: Int

    /// A process of the given parts.
    package init(
        pid: Int32, innerPID: Int32, parentPID: Int32, uid: UInt32, name: String, arguments: [String],
        executable: String, state: String, residentBytes: Int64, openFiles: Int, threads: Int
    ) {
        self.pid = pid
        self.innerPID = innerPID
        self.parentPID = parentPID
        self.uid = uid
        self.name = name
        self.arguments = arguments
        self.executable = executable
        self.state = state
        self.residentBytes = residentBytes
        self.openFiles = openFiles
        self.threads = threads
    }

    /// The process as the API shows it; `pid` is the one inside.
    package var json: JSONValue {
        [
            "pid": .integer(Int64(innerPID)), "host_pid": .integer(Int64(pid)),
            "parent_host_pid": .integer(Int64(parentPID)), "uid": .integer(Int64(uid)), "name": .string(name),
            "arguments": .strings(arguments), "executable": .string(executable), "state": .string(state),
            "resident_bytes": .integer(residentBytes), "open_files": .integer(Int64(openFiles)),
            "threads": .integer(Int64(threads)),
        ]
    }
}

/// Why a sandbox could not be watched or read.
package struct MonitorError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable { case notFound, gone, failed }

    package var code: Code
    package var operation: String
    package var detail: String

    /// A failure of an operation.
    package init(_ code: Code, operation: String, detail: String) {
        self.code = code
        self.operation = operation
        self.detail = detail
    }

    package var description: String { "\(operation): \(detail)" }
}
