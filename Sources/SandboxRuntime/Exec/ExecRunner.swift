internal import Glibc
internal import LinuxSystem
package import SandboxModel
package import SandboxPolicy
internal import Synchronization

/// A running sandbox as its exec runner needs it.
package struct ExecTarget: Sendable, Hashable {
    package var engineID: EngineID
    package var holder: HolderProcess
    package var gatePath: String
    package var user: SandboxUser
    package var policy: Policy

    /// A target of the given parts.
    package init(
        engineID: EngineID, holder: HolderProcess, gatePath: String, user: SandboxUser, policy: Policy
    ) {
        self.engineID = engineID
        self.holder = holder
        self.gatePath = gatePath
        self.user = user
        self.policy = policy
    }
}

/// Runs a client's programs in one sandbox; the same for every driver.
///
/// A program starts behind a gate: the engine starts our own tiny program, which waits for a byte. Meanwhile
/// it is moved, from the host, into a control group of its own below the sandbox's; only then does it become
/// the client's program. So at the deadline everything that it has started can be ended, double-forked and
/// `setsid` children too, and nothing else is.
///
/// When the program ends by itself, what it left running goes on, without its output, until the sandbox ends.
package final class ExecRunner: Sendable {
    /// How long the engine and the gate may take before a program begins.
    static let startDeadline = Duration.seconds(30)
    /// How long the kernel may take to end everything that an exec started.
    static let killDeadline = Duration.seconds(20)
    /// How long, after a program has ended, the last of its output may take.
    static let drainTime = Duration.milliseconds(500)

    let driver: any RuntimeDriver
    let target: ExecTarget
    /// Groups of execs that have ended while something of theirs went on.
    private let leftover = Mutex<[ExecGroup]>([])

    /// A runner for a sandbox.
    package init(driver: any RuntimeDriver, target: ExecTarget) {
        self.driver = driver
        self.target = target
    }

    /// Runs a program and waits for its end, its deadline, or the task's cancellation, which ends it as the
    /// deadline does.
    /// - Parameter onOutput: Called with each piece within the limit, in order, one at a time; while it waits
    ///   the program's output waits.
    /// - Throws: `notFound` when there is no such program or folder; `conflict` when the sandbox has ended;
    ///   `unsupported` when it cannot be ended apart from the sandbox, with nothing of the client's having
    ///   run; `failed`, `timedOut`, `exhausted` as the engine and the host answer. A program that was started
    ///   and could not be ended is a `failed` with operation `end exec`: the sandbox must be ended.
    package func run(
        _ request: ExecRequest, onOutput: (@Sendable (ExecOutput) async -> Void)? = nil
    ) async throws(RuntimeError) -> ExecResult {
        await sweep()
        let prepared = try await HostWork.run("exec") { [target] () throws(RuntimeError) in
            try PreparedExec(request, target: target)
        }
        let result: Result<ExecResult, RuntimeError>
        do throws(RuntimeError) {
            result = .success(try await run(prepared, request, onOutput))
        } catch {
            result = .failure(error)
        }
        await finish(prepared)
        return try result.get()
    }

    private func run(
        _ prepared: PreparedExec, _ request: ExecRequest, _ onOutput: (@Sendable (ExecOutput) async -> Void)?
    ) async throws(RuntimeError) -> ExecResult {
        let process = ExecProcess(
            arguments: [
                SandboxPlan.holderProgram, "gate", "\(SandboxPlan.holderFolder)/\(prepared.pipe)",
                prepared.program,
            ] + request.arguments,
            environment: ExecEnvironment.variables(request.environment, policy: target.policy),
            workingDirectory: request.workingDirectory, user: target.user, hasInput: request.stdin != nil)
        let handle = try await driver.exec(target.engineID, process)
        do throws(RuntimeError) {
            let pid = try await handle.hostPID()
            try await open(prepared, pid: pid)
        } catch {
            // Nothing of the client's has run: the gate's process is all there is to end.
            await abandon(prepared, handle)
            throw await explained(error, prepared)
        }
        let session = ExecSession(handle: handle, group: prepared.group, request: request, onOutput: onOutput)
        var result = try await session.run()
        if result.causeOfDeath == nil, result.exitCode == 137,
            try await counts(prepared).hasKilled(since: prepared.counts)
        {
            result.causeOfDeath = .oomKilled
        }
        return result
    }

    private func counts(_ prepared: PreparedExec) async throws(RuntimeError) -> ExecCounts {
        try await HostWork.run("exec") { () throws(RuntimeError) in try ExecCounts(prepared.sandboxPlace) }
    }

    /// A start that failed because the sandbox has as many processes as it may says so: what the engine says
    /// of it is any of a dozen texts.
    private func explained(_ error: RuntimeError, _ prepared: PreparedExec) async -> RuntimeError {
        guard [.failed, .conflict, .timedOut].contains(error.code) else { return error }
        do throws(RuntimeError) {
            guard try await counts(prepared).hasRefused(since: prepared.counts) else { return error }
        } catch let other {
            return RuntimeError(error.code, operation: error.operation, detail: "\(error.detail); \(other)")
        }
        return RuntimeError(
            .exhausted, operation: "exec",
            detail: "the sandbox has as many processes as max_processes allows (\(error.detail))")
    }

    /// Puts the waiting process into its group and lets it become the client's program.
    private func open(_ prepared: PreparedExec, pid: Int32) async throws(RuntimeError) {
        let gate = GateFolder(path: target.gatePath)
        try await HostWork.run("exec") { () throws(RuntimeError) in try prepared.group.adopt(pid) }
        let deadline = MonotonicInstant.now().advanced(by: Self.startDeadline)
        var pause = Duration.milliseconds(1)
        while true {
            let isOpen = try await HostWork.run("open gate") { () throws(RuntimeError) in
                guard let pipe = try gate.openPipe(prepared.pipe) else {
                    guard try !prepared.group.hasEnded() else {
                        throw RuntimeError(
                            .conflict, operation: "exec", detail: "it ended before it could begin")
                    }
                    return false
                }
                try HostWork.calls("open gate") { () throws(SystemError) in try pipe.writeAll("\n") }
                return true
            }
            if isOpen { return }
            guard MonotonicInstant.now() < deadline else {
                throw RuntimeError(.timedOut, operation: "open gate", detail: "nothing waits behind it")
            }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw RuntimeError(.failed, operation: "exec", detail: "cancelled while starting")
            }
            pause = min(pause * 2, .milliseconds(10))
        }
    }

    /// Ends what waits behind the gate, as far as it can be reached.
    private func abandon(_ prepared: PreparedExec, _ handle: any ExecHandle) async {
        let deadline = MonotonicInstant.now().advanced(by: Self.killDeadline)
        do throws(RuntimeError) {
            try await HostWork.end("end exec") { () throws(RuntimeError) in
                try prepared.group.killAll(until: deadline)
            }
        } catch {
            // The first error is the one to tell; a gate that is never opened runs nothing of the client's.
        }
        await handle.cancel()
    }

    /// Takes away what the exec needed; its group as soon as it is empty. The result matters more than a
    /// failure here: what cannot be removed goes with the sandbox at the latest.
    private func finish(_ prepared: PreparedExec) async {
        let gate = GateFolder(path: target.gatePath)
        var isGone = false
        do throws(RuntimeError) {
            isGone = try await HostWork.run("exec") { () throws(RuntimeError) in
                try gate.removePipe(prepared.pipe)
                return try prepared.group.removeIfEmpty()
            }
        } catch {
            isGone = false
        }
        if !isGone { leftover.withLock { $0.append(prepared.group) } }
    }

    /// Removes groups of earlier execs that have become empty. What cannot be removed now is tried again.
    private func sweep() async {
        let groups = leftover.withLock { groups in
            defer { groups = [] }
            return groups
        }
        guard !groups.isEmpty else { return }
        var kept = groups
        do throws(RuntimeError) {
            kept = try await HostWork.run("exec") { () throws(RuntimeError) in
                var kept: [ExecGroup] = []
                for group in groups where try !group.removeIfEmpty() { kept.append(group) }
                return kept
            }
        } catch {
            // The groups go with the sandbox at the latest.
        }
        let remaining = kept
        leftover.withLock { $0 += remaining }
    }
}

/// What is found and made for one exec before the engine is asked.
struct PreparedExec: Sendable {
    /// Absolute inside the sandbox.
    let program: String
    /// Name of the pipe in the gate folder.
    let pipe: String
    let group: ExecGroup
    let sandboxPlace: CgroupPlace
    let counts: ExecCounts

    /// Looks up the program, makes the group and the pipe. Blocks.
    init(_ request: ExecRequest, target: ExecTarget) throws(RuntimeError) {
        guard let first = request.arguments.first else {
            throw RuntimeError(.invalid, operation: "exec", detail: "no program")
        }
        try Self.check(request)
        guard try GateFolder(path: target.gatePath).exists() else {
            throw RuntimeError(
                .conflict, operation: "exec", detail: "it was not made by this program and has no gate for commands")
        }
        let holder = target.holder
        let sandbox = try Self.groups(of: holder)
        program = try Self.lookUp(first, request.workingDirectory, holder)
        sandboxPlace = sandbox.place
        counts = try ExecCounts(sandbox.place)
        var generator = SystemRandomNumberGenerator()
        let suffix = randomAlphanumerics(12, using: &generator)
        pipe = "x-\(suffix)"
        group = try ExecGroup(name: ExecGroup.prefix + suffix, below: sandbox.place, layout: sandbox.layout)
        do throws(RuntimeError) {
            try GateFolder(path: target.gatePath).makePipe(pipe)
        } catch {
            // The group is empty; if it cannot be removed it goes with the sandbox.
            _ = try group.removeIfEmpty()
            throw error
        }
    }

    /// The longest single text that execve(2) takes, with its terminator.
    private static let textLimit = 128 << 10
    /// The most that all texts together may take: the kernel's usual bound is a quarter of an 8 MiB stack.
    private static let textsLimit = 1 << 20

    /// What the kernel could not take is said before anything is made.
    private static func check(_ request: ExecRequest) throws(RuntimeError) {
        let pairs = request.environment.map { "\($0.key)=\($0.value)" }
        let hasName = request.environment.keys.allSatisfy { !$0.isEmpty && !$0.utf8.contains(0x3d) }
        let texts = request.arguments + pairs + [request.workingDirectory]
        guard hasName, !texts.contains(where: { $0.utf8.contains(0) }) else {
            throw RuntimeError(
                .invalid, operation: "exec", detail: "a NUL byte, or a variable without a name")
        }
        let sizes = texts.map(\.utf8.count)
        guard sizes.allSatisfy({ $0 < textLimit }), sizes.reduce(0, +) <= textsLimit else {
            throw RuntimeError(
                .tooLarge, operation: "exec",
                detail: "an argument or a variable of \(textLimit) bytes, or \(textsLimit) together")
        }
    }

    /// The holder's groups, the holder being checked to be the one meant.
    private static func groups(
        of holder: HolderProcess
    ) throws(RuntimeError) -> (place: CgroupPlace, layout: CgroupLayout) {
        do throws(SystemError) {
            let process = try ProcessDirectory(pid: holder.pid)
            guard try process.stat().startTicks == holder.startTicks else {
                throw SystemError(errno: ESRCH, operation: "exec")
            }
            let layout = try CgroupLayout.detect()
            return (layout.place(of: try process.controlGroups()), layout)
        } catch {
            throw Self.ended(error)
        }
    }

    private static func lookUp(
        _ program: String, _ workingDirectory: String, _ holder: HolderProcess
    ) throws(RuntimeError) -> String {
        let root: Descriptor
        do throws(SystemError) {
            root = try ProcessDirectory(pid: holder.pid).openRoot()
        } catch {
            throw ended(error)
        }
        guard workingDirectory.hasPrefix("/"), try ProgramLookup.isFolder(workingDirectory, below: root)
        else {
            throw RuntimeError(
                .notFound, operation: "exec",
                detail: "no folder \(ForeignText.printable(workingDirectory.utf8))")
        }
        return try ProgramLookup.resolve(program, workingDirectory: workingDirectory, below: root)
    }

    private static func ended(_ error: SystemError) -> RuntimeError {
        guard error.errno == ESRCH || error.errno == ENOENT else {
            return RuntimeError(error, operation: "exec")
        }
        return RuntimeError(.conflict, operation: "exec", detail: "the sandbox has ended", errno: error.errno)
    }
}
