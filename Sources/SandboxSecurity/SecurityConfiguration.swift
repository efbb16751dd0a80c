/// How the manager works. The defaults are those of `config/sandwarden.yaml`.
public struct SecurityConfiguration: Sendable, Hashable {
    /// What happens to living sandboxes when the daemon stops.
    public enum ShutdownAnswer: String, Sendable, Hashable, CaseIterable {
        case terminate
        /// Frozen until the next start: nothing runs unguarded.
        case pause
        case keep
    }

    /// Where streams, state and workspaces live; absolute.
    public var dataDirectory: String
    /// A folder of policies (`*.yaml`, `*.json`) that the API may not change; `nil` for none.
    public var policyDirectory: String?
    /// Used where a request says `auto`.
    public var runtime = RuntimeChoice.auto
    /// The engine's socket path; `nil` for `DOCKER_HOST`, else the usual places.
    public var dockerSocket: String?
    /// The value of `DOCKER_HOST`, where the process has one.
    public var dockerHost: String?
    /// The image of requests that name none, for the engine; `nil`: there is none.
    public var dockerDefaultImage: String?
    /// The OCI runtime's program: `runc`, `crun` or `runsc`, by name or absolute path.
    public var ociProgram = "runc"
    /// Folders of imported images, `<name>/rootfs` or `<name>`; `nil` for `images` in the data folder.
    public var imageDirectory: String?
    /// Host uids that sandboxes are given, one each.
    public var uidRange: ClosedRange<UInt32> = 231_072...296_607
    /// Name servers for sandboxes; empty for the host's own that are not loopback.
    public var resolvers: [String] = []
    /// The block that sandboxes' addresses come from, CIDR.
    public var subnetPool = "10.213.0.0/16"
    /// Private blocks that a policy may open by naming them in `allowed_cidrs`.
    public var openablePrivateCIDRs: [String] = []
    /// What happens to living sandboxes at a stop.
    public var shutdownAnswer = ShutdownAnswer.pause
    /// Sandboxes that may be alive at the same time.
    public var maximumSandboxes = 200
    /// Running at the same time, all sandboxes together, and in one.
    public var maximumExecs = 64
    /// Commands running at the same time in one sandbox.
    public var maximumExecsPerSandbox = 16
    /// Bytes kept of each output stream of an exec that is not streamed.
    public var execOutputLimit = 1 << 20
    /// How long a dead sandbox stays listed.
    public var deadSandboxSeconds = 86_400
    /// Bytes of a journal segment before a new one is begun.
    public var journalSegmentBytes = 64 << 20
    /// Days, and bytes for each stream, that old segments are kept.
    public var journalRetentionDays = 90
    /// Bytes of each stream that are kept.
    public var journalRetentionBytes = 4 << 30

    /// The defaults over a data folder.
    public init(dataDirectory: String) { self.dataDirectory = dataDirectory }
}
