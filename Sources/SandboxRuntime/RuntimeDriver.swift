package import SandboxModel
package import SandboxPolicy

/// What a driver found when it looked for its engine.
package struct RuntimeProbe: Sendable, Hashable {
    package var kind: RuntimeKind
    package var isAvailable: Bool
    /// For people: the version and place where available, otherwise what is missing and how to get it.
    package var detail: String

    /// A finding.
    package init(kind: RuntimeKind, isAvailable: Bool, detail: String) {
        self.kind = kind
        self.isAvailable = isAvailable
        self.detail = detail
    }
}

/// What an engine says of one container now.
package struct EngineContainer: Sendable, Hashable {
    /// The engine's own words for the state, folded.
    package enum State: Sendable, Hashable {
        case created, running, paused
        case exited(code: Int?, wasOOMKilled: Bool)
    }

    package var engineID: EngineID
    package var state: State
    /// Host pid of the first process; `nil` when none runs.
    package var pid: Int32?
    package var image: String
    /// Hints only: an image can forge them.
    package var labels: [String: String]
    /// Why this container must not be adopted (`privileged`, `host network`, `engine socket mounted`, …); empty = may.
    package var adoptionObstacles: [String]

    /// A container's description.
    package init(
        engineID: EngineID, state: State, pid: Int32?, image: String, labels: [String: String],
        adoptionObstacles: [String]
    ) {
        self.engineID = engineID
        self.state = state
        self.pid = pid
        self.image = image
        self.labels = labels
        self.adoptionObstacles = adoptionObstacles
    }
}

/// Something an engine did, or that was done to it behind our back.
package struct EngineEvent: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case died(exitCode: Int?), outOfMemory, paused, resumed, updated, removed
        /// The stream broke: events may be missing until now.
        case gap
    }

    package var engineID: EngineID?
    package var kind: Kind

    /// An event of a container; `engineID` is `nil` for a gap.
    package init(engineID: EngineID?, kind: Kind) {
        self.engineID = engineID
        self.kind = kind
    }
}

/// One process to be started inside a running sandbox.
package struct ExecProcess: Sendable, Hashable {
    /// The program first, absolute inside the sandbox (always the holder in gate mode), then its arguments.
    package var arguments: [String]
    /// The whole environment, nothing is added by the driver.
    package var environment: [String: String]
    package var workingDirectory: String
    package var user: SandboxUser
    /// Whether standard input will be written; otherwise it is empty.
    package var hasInput: Bool

    /// A process of the given parts.
    package init(
        arguments: [String], environment: [String: String], workingDirectory: String, user: SandboxUser,
        hasInput: Bool
    ) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.hasInput = hasInput
    }
}

/// A piece of what an exec printed.
package struct ExecOutput: Sendable, Hashable {
    package enum Stream: String, Sendable, Hashable { case stdout, stderr }

    package var stream: Stream
    package var bytes: [UInt8]

    /// A piece of one stream.
    package init(stream: Stream, bytes: [UInt8]) {
        self.stream = stream
        self.bytes = bytes
    }
}

/// A started exec as its driver sees it. Every wait ends when the streams end or ``cancel()`` is called.
package protocol ExecHandle: Sendable {
    /// The host pid of the exec's first process; waits (bounded) until the engine knows it.
    func hostPID() async throws(RuntimeError) -> Int32
    /// The next piece of output, in the order it came; `nil` once both streams have ended. One caller at a time.
    /// Nothing is read ahead beyond a small buffer, so a slow caller slows the program down.
    func nextOutput() async throws(RuntimeError) -> ExecOutput?
    /// Writes to standard input; waits while the program does not read.
    func write(_ bytes: [UInt8]) async throws(RuntimeError)
    /// Ends standard input.
    func closeInput() async
    /// The exit code as a shell counts it (128 + signal for a killed one), once the process has ended.
    func exitCode() async throws(RuntimeError) -> Int
    /// Lets go of the streams; other waits return at once. Kills nothing.
    func cancel() async
}

/// Speaks to one kind of engine. All calls are bounded in time and safe to repeat after a crash.
package protocol RuntimeDriver: Sendable {
    var kind: RuntimeKind { get }
    /// Looks for the engine; never throws, says what is missing.
    func probe() async -> RuntimeProbe
    /// Whether the image (`nil`: the default one) can be used by this driver.
    func hasImage(_ image: String?) async throws(RuntimeError) -> Bool
    /// Makes the container with the whole policy and the holder as its only program, network `none`; nothing runs.
    /// - Throws: `notFound` for an unknown image, `unsupported` for what the engine cannot hold, `unavailable`.
    func prepare(_ plan: SandboxPlan) async throws(RuntimeError) -> EngineID
    /// Starts the holder and nothing else.
    func start(_ engineID: EngineID, plan: SandboxPlan) async throws(RuntimeError) -> HolderProcess
    /// Controls that only the driver can speak for (image, isolation, seccomp profile asked for); the rest is read
    /// from the host by the attestation.
    func driverControls(_ engineID: EngineID, plan: SandboxPlan) async throws(RuntimeError) -> [AppliedControl]
    /// Starts a process beside the holder, under the same restrictions.
    func exec(_ engineID: EngineID, _ process: ExecProcess) async throws(RuntimeError) -> any ExecHandle
    /// Applies changed limits to the running container.
    func update(_ engineID: EngineID, limits: ResourceLimits) async throws(RuntimeError)
    func pause(_ engineID: EngineID) async throws(RuntimeError)
    func resume(_ engineID: EngineID) async throws(RuntimeError)
    /// Kills every process of the container and returns once none is left; fine when none was.
    func kill(_ engineID: EngineID) async throws(RuntimeError)
    /// Removes the container and whatever the driver made for it; fine when it is gone.
    func remove(_ engineID: EngineID) async throws(RuntimeError)
    /// What the engine says of it now; `nil` when it does not have it.
    func inspect(_ engineID: EngineID) async throws(RuntimeError) -> EngineContainer?
    /// Containers that carry this installation's label, running or not: candidates for recovery and clean-up.
    func listLabelled(instanceID: String) async throws(RuntimeError) -> [EngineContainer]
    /// What happens in the engine from now on; ends when the task that reads it is cancelled. Bounded: what does not
    /// fit becomes one `gap`.
    func events() -> AsyncStream<EngineEvent>
    /// Gives back what belongs to no single sandbox, when the daemon stops.
    func close() async
}

extension RuntimeDriver {
    package func close() async {}
}
