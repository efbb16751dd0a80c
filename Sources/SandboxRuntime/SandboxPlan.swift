package import SandboxModel
package import SandboxPolicy

/// Who a sandbox's processes are on the host.
package struct SandboxUser: Sendable, Hashable {
    package var uid: UInt32
    package var gid: UInt32

    /// A user and its group.
    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}

/// Everything a driver needs to make one sandbox; all of it checked, all host paths absolute.
package struct SandboxPlan: Sendable, Hashable {
    package var id: SandboxID
    /// This installation's own identifier, put on containers as a hint.
    package var instanceID: String
    package var policy: Policy
    package var policyVersion: Int
    /// The image as the client named it; `nil` for the driver's default (the engine's default image, the host view).
    package var image: String?
    package var user: SandboxUser
    package var labels: [String: String]
    /// The sandbox's own folder on the host: `<data>/sandboxes/<id>`. The driver may make entries below it.
    package var directory: String
    /// The mounted workspace on the host, bound at `policy.workspace`.
    package var workspacePath: String
    /// The folder with the holder `init` and the FIFOs, bound read-only at ``holderFolder``.
    package var gatePath: String
    /// The whole text of `/etc/resolv.conf` in the sandbox; `nil` when it has no name service.
    package var resolverText: String?
    /// Name under which the host is known inside.
    package var hostname: String

    /// Where the holder's folder appears inside the sandbox.
    package static let holderFolder = "/.sandwarden"
    /// The holder's program inside the sandbox.
    package static let holderProgram = "/.sandwarden/init"

    /// A plan of the given parts.
    package init(
        id: SandboxID, instanceID: String, policy: Policy, policyVersion: Int, image: String?, user: SandboxUser,
        labels: [String: String], directory: String, workspacePath: String, gatePath: String,
        resolverText: String?, hostname: String
    ) {
        self.id = id
        self.instanceID = instanceID
        self.policy = policy
        self.policyVersion = policyVersion
        self.image = image
        self.user = user
        self.labels = labels
        self.directory = directory
        self.workspacePath = workspacePath
        self.gatePath = gatePath
        self.resolverText = resolverText
        self.hostname = hostname
    }
}

/// The holder's process as the host sees it. The start time tells a reused pid apart.
package struct HolderProcess: Sendable, Hashable {
    /// Host pid of the sandbox's first process.
    package var pid: Int32
    /// Field 22 of `/proc/PID/stat`, clock ticks since boot.
    package var startTicks: UInt64

    /// A process by pid and start time.
    package init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }
}
