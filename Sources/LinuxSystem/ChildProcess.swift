internal import Glibc
internal import Synchronization

/// A running program, its output as it comes, its input, its end.
///
/// The pipes of all children are served by one loop on one thread. Output that nobody takes is not read
/// beyond ``outputWindow``: the program then waits in its own write, as it would before a slow terminal.
/// A child is always waited for, whether its `ChildProcess` is still held or not; letting go of it does not
/// end the program.
package final class ChildProcess: Sendable {
    /// Bytes of output that may wait to be taken, of both streams together, before reading stops.
    package static let outputWindow = 256 * 1024

    private struct State {
        var output: [ChildOutput] = []
        /// Index of the first piece that has not been taken.
        var first = 0
        var waitingBytes = 0
        var openStreams = 2
        var isPaused = false
        var reader: CheckedContinuation<Void, Never>?
        var exit: ChildExit?
        var isTimedOut = false
        var exitWaiters: [CheckedContinuation<Void, Never>] = []
        var writer: CheckedContinuation<SystemError?, Never>?
    }

    /// Process id in our pid namespace. It may be reused once ``wait()`` has returned; use ``kill(_:)``.
    package var pid: Int32 { handle.pid }
    /// The process itself, for polling or signals; valid for the life of this object.
    package let handle: ProcessHandle
    private let leadsGroup: Bool
    private let state = Mutex(State())

    fileprivate init(_ handle: consuming ProcessHandle, leadsGroup: Bool) {
        self.handle = handle
        self.leadsGroup = leadsGroup
    }

    // MARK: Starting

    /// Where programs are started: posix_spawn(3) blocks until the child has replaced itself.
    private static let starters = BlockingQueue(label: "sandwarden.spawn", width: 4, waitingLimit: 1024)

    /// Starts a program.
    /// - Throws: as execve(2) says of the program, `EAGAIN` when too many starts wait already.
    package static func spawn(_ command: ChildCommand) async throws(SystemError) -> ChildProcess {
        let loop = try ChildLoop.shared()
        return try await Blocking.run(on: starters) { () throws(SystemError) in
            let spawned = try Spawn.start(command)
            return try loop.adopt(spawned, command)
        }
    }

    /// Runs a program to its end.
    /// - Parameters:
    ///   - outputLimit: Bytes kept of each of the two streams; the rest is read and thrown away.
    ///   - command: Its deadline, if it has one, ends everything; the result says so. Cancelling the task kills
    ///     it too.
    /// - Throws: when it could not be started. A program that fails is a result.
    package static func run(
        _ command: ChildCommand, outputLimit: Int = 1 << 20
    ) async throws(SystemError) -> ChildResult {
        let child = try await spawn(command)
        return await withTaskCancellationHandler {
            await child.collect(outputLimit)
        } onCancel: {
            child.kill(SIGKILL)
        }
    }

    private func collect(_ outputLimit: Int) async -> ChildResult {
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        var isTruncated = false
        while let piece = await nextOutput() {
            let room: Int
            switch piece.stream {
            case .stdout:
                room = outputLimit - stdout.count
                stdout += piece.bytes.prefix(max(0, room))
            case .stderr:
                room = outputLimit - stderr.count
                stderr += piece.bytes.prefix(max(0, room))
            }
            if piece.bytes.count > room { isTruncated = true }
        }
        let exit = await wait()
        return ChildResult(
            exit: exit, stdout: stdout, stderr: stderr, isTruncated: isTruncated, isTimedOut: isTimedOut)
    }

    /// Runs a program to its end, from its parts.
    /// - SeeAlso: ``run(_:outputLimit:)``, ``ChildCommand``.
    package static func run(
        executable: String, arguments: [String], environment: [String: String]? = nil,
        workingDirectory: String? = nil, stdin: [UInt8]? = nil, outputLimit: Int = 1 << 20,
        deadline: Duration
    ) async throws(SystemError) -> ChildResult {
        let command = ChildCommand(
            executable, arguments, environment: environment, workingDirectory: workingDirectory,
            input: stdin.map { .bytes($0) } ?? .nothing, deadline: deadline)
        return try await run(command, outputLimit: outputLimit)
    }

    // MARK: Output

    /// The next piece of output.
    ///
    /// One reader at a time. When the task is cancelled the wait ends, and nothing is lost.
    /// - Returns: `nil` when both streams have ended, or the task is cancelled.
    package func nextOutput() async -> ChildOutput? {
        while true {
            let step = state.withLock { state -> (piece: ChildOutput?, ended: Bool, resumes: Bool) in
                guard state.first < state.output.count else {
                    return (nil, state.openStreams == 0, false)
                }
                let piece = state.output[state.first]
                state.first += 1
                if state.first == state.output.count {
                    state.output.removeAll(keepingCapacity: true)
                    state.first = 0
                }
                state.waitingBytes -= piece.bytes.count
                let resumes = state.isPaused && state.waitingBytes <= Self.outputWindow / 2
                if resumes { state.isPaused = false }
                return (piece, false, resumes)
            }
            if step.resumes { ChildLoop.resumeReading(of: self) }
            if let piece = step.piece { return piece }
            if step.ended || Task.isCancelled { return nil }
            await waitForOutput()
        }
    }

    private func waitForOutput() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isIdle = state.withLock { state in
                    precondition(state.reader == nil, "a child's output has one reader at a time")
                    let isIdle = state.first == state.output.count && state.openStreams > 0
                    guard isIdle, !Task.isCancelled else { return false }
                    state.reader = continuation
                    return true
                }
                if !isIdle { continuation.resume() }
            }
        } onCancel: {
            takeReader()?.resume()
        }
    }

    private func takeReader() -> CheckedContinuation<Void, Never>? {
        state.withLock { $0.reader.take() }
    }

    // MARK: End

    /// Waits for the end of the program; its output may still hold pieces then.
    package func wait() async -> ChildExit {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if state.exit == nil { state.exitWaiters.append(continuation) }
                return state.exit != nil
            }
            if hasEnded { continuation.resume() }
        }
        return state.withLock { $0.exit } ?? .unknown
    }

    /// How the program ended; `nil` while it runs.
    package var exit: ChildExit? { state.withLock { $0.exit } }

    /// Whether its deadline ended it.
    package var isTimedOut: Bool { state.withLock { $0.isTimedOut } }

    /// Sends a signal to the program and, where it leads a session, to its process group.
    ///
    /// A program that has ended is left in peace: its number may be somebody else's.
    package func kill(_ signal: Int32) {
        // Under the lock, so that the loop cannot wait for the child, and free its number, in between.
        state.withLock { state in
            guard state.exit == nil else { return }
            if leadsGroup { _ = Glibc.kill(-pid, signal) }
            do throws(SystemError) {
                try handle.send(signal: signal)
            } catch {
                // ESRCH: ended, and about to be waited for. EPERM: it has become another user's; nothing to
                // do.
            }
        }
    }

    // MARK: Input

    /// Hands bytes to the program's input, waiting until the pipe has taken them all.
    ///
    /// One writer at a time. The wait ends with the program at the latest.
    /// - Throws: `EPIPE` when the program reads no more, `EBUSY` while another write waits, `EBADF` when the
    ///   input is not a stream or has been closed.
    package func write(_ bytes: [UInt8]) async throws(SystemError) {
        guard !bytes.isEmpty else { return }
        let failure = await withCheckedContinuation {
            (continuation: CheckedContinuation<SystemError?, Never>) in
            let refusal = state.withLock { state -> SystemError? in
                if state.exit != nil { return SystemError(errno: EPIPE, operation: "write", detail: "stdin") }
                guard state.writer == nil else {
                    return SystemError(errno: EBUSY, operation: "write", detail: "stdin")
                }
                state.writer = continuation
                return nil
            }
            if let refusal {
                continuation.resume(returning: refusal)
            } else {
                ChildLoop.write(bytes, to: self)
            }
        }
        if let failure { throw failure }
    }

    /// Ends the program's input, after what has been written.
    package func closeInput() {
        ChildLoop.closeInput(of: self)
    }

    /// Closes our ends of the output pipes: what the program still writes gets it `SIGPIPE`.
    package func closeOutput() {
        ChildLoop.closeOutput(of: self)
    }
}

// What the loop tells.
extension ChildProcess {
    static func adopted(_ handle: consuming ProcessHandle, leadsGroup: Bool) -> ChildProcess {
        ChildProcess(handle, leadsGroup: leadsGroup)
    }

    /// Keeps a piece of output. Returns whether reading may go on.
    func received(_ piece: ChildOutput) -> Bool {
        let (reader, goesOn) = state.withLock { state in
            state.output.append(piece)
            state.waitingBytes += piece.bytes.count
            state.isPaused = state.waitingBytes >= Self.outputWindow
            return (state.reader.take(), !state.isPaused)
        }
        reader?.resume()
        return goesOn
    }

    func streamEnded() {
        let reader = state.withLock { state in
            state.openStreams -= 1
            return state.openStreams == 0 ? state.reader.take() : nil
        }
        reader?.resume()
    }

    func writeEnded(_ failure: SystemError?) {
        state.withLock { $0.writer.take() }?.resume(returning: failure)
    }

    /// Waits for the ended process and keeps the answer. Returns `false` if it has not ended after all.
    func reap() -> Bool {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            var status: Int32 = 0
            // SAFETY: waitpid fills the one number.
            let result = unsafe waitpid(pid, &status, WNOHANG)
            if result == 0 || (result < 0 && errno == EINTR) { return nil }
            state.exit = result == pid ? ChildExit(waitStatus: status) : .unknown
            defer { state.exitWaiters = [] }
            return state.exitWaiters
        }
        guard let waiters else { return false }
        for waiter in waiters { waiter.resume() }
        return true
    }

    func timedOut() {
        state.withLock { state in
            if state.exit == nil { state.isTimedOut = true }
        }
        kill(SIGKILL)
    }
}

extension ChildExit {
    /// From the status of wait(2).
    init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }
}
