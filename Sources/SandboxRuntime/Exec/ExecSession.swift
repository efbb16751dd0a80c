internal import LinuxSystem
internal import SandboxModel

/// One program from the opening of its gate to its end: output, input, deadline.
struct ExecSession: Sendable {
    let handle: any ExecHandle
    let group: ExecGroup
    let request: ExecRequest
    let onOutput: (@Sendable (ExecOutput) async -> Void)?

    /// What the parts of a session tell.
    private enum Event: Sendable {
        case outputEnded
        case inputEnded
        case exited(Result<Int, RuntimeError>)
        case deadline
        case cancelled
        /// The time for the last output is over.
        case drained
    }

    /// Why the daemon ended the program.
    private enum Ending: Sendable { case timeout, cancellation }

    /// Waits for the end.
    /// - Throws: `failed` with operation `end exec` when what was started could not be ended; as the handle
    ///   says.
    func run() async throws(RuntimeError) -> ExecResult {
        let start = MonotonicInstant.now()
        let keeper = ExecOutputKeeper(limit: request.outputLimit)
        let outcome = await withTaskGroup(of: Event.self) { tasks in
            addParts(to: &tasks, keeper)
            let outcome = await follow(&tasks)
            // Before the group is left, which waits for its parts: whatever still waits returns.
            await handle.cancel()
            tasks.cancelAll()
            return outcome
        }
        if let failure = outcome.killFailure { throw failure }
        let content = keeper.content
        var result = ExecResult(
            exitCode: nil, stdout: content.stdout, stderr: content.stderr,
            duration: start.duration(to: .now()), timedOut: outcome.ending == .timeout,
            truncated: content.isTruncated, causeOfDeath: nil)
        switch outcome.ending {
        case .timeout: result.causeOfDeath = .execTimeout
        case .cancellation: result.causeOfDeath = .operator
        case nil: result.exitCode = try outcome.exit.get()
        }
        return result
    }

    private struct Outcome: Sendable {
        var exit: Result<Int, RuntimeError> = .failure(
            RuntimeError(.failed, operation: "exec", detail: "its end was not seen"))
        var ending: Ending?
        var killFailure: RuntimeError?
    }

    private func addParts(to tasks: inout TaskGroup<Event>, _ keeper: ExecOutputKeeper) {
        tasks.addTask { await pumpOutput(keeper) }
        if let input = request.stdin { tasks.addTask { await pumpInput(input) } }
        tasks.addTask { await .exited(exitCode()) }
        tasks.addTask {
            do {
                try await Task.sleep(for: request.timeout)
                return .deadline
            } catch {
                return .cancelled
            }
        }
    }

    /// Takes the events in their order until the program and its output have ended.
    private func follow(_ tasks: inout TaskGroup<Event>) async -> Outcome {
        var outcome = Outcome()
        var hasExited = false
        var hasOutput = true
        while hasOutput || !hasExited, let event = await tasks.next() {
            switch event {
            case .outputEnded:
                hasOutput = false
            case .inputEnded:
                continue
            case .exited(let exit):
                hasExited = true
                outcome.exit = exit
                // What the program left running may hold its streams for ever.
                if hasOutput { tasks.addTask { await Self.timer(ExecRunner.drainTime) } }
            case .deadline, .cancelled:
                guard !hasExited, outcome.ending == nil else { continue }
                outcome.ending = if case .deadline = event { .timeout } else { .cancellation }
                outcome.killFailure = await endAll()
                // With everything killed both ends follow at once; where they do not, nothing is waited for.
                tasks.addTask { await Self.timer(.seconds(10)) }
            case .drained:
                await handle.cancel()
                if outcome.ending != nil { return outcome }
                hasOutput = false
            }
        }
        return outcome
    }

    /// A timer whose cancellation ends it at once.
    private static func timer(_ duration: Duration) async -> Event {
        do {
            try await Task.sleep(for: duration)
        } catch {
            // Cancelled: over as well.
        }
        return .drained
    }

    /// Kills everything that the exec has started, also when this task is cancelled.
    private func endAll() async -> RuntimeError? {
        let group = group
        let deadline = MonotonicInstant.now().advanced(by: ExecRunner.killDeadline)
        do throws(RuntimeError) {
            try await HostWork.end("end exec") { () throws(RuntimeError) in try group.killAll(until: deadline)
            }
            return nil
        } catch {
            return RuntimeError(.failed, operation: "end exec", detail: error.detail, errno: error.errno)
        }
    }

    private func pumpOutput(_ keeper: ExecOutputKeeper) async -> Event {
        do throws(RuntimeError) {
            while let piece = try await handle.nextOutput() {
                if let kept = keeper.take(piece) { await onOutput?(kept) }
            }
        } catch {
            // The engine's stream broke: what came is kept, the exit code tells the rest.
        }
        return .outputEnded
    }

    private func pumpInput(_ input: [UInt8]) async -> Event {
        do throws(RuntimeError) {
            try await handle.write(input)
        } catch {
            // A program need not read its input to the end.
        }
        await handle.closeInput()
        return .inputEnded
    }

    private func exitCode() async -> Result<Int, RuntimeError> {
        do throws(RuntimeError) {
            return .success(try await handle.exitCode())
        } catch {
            return .failure(error)
        }
    }
}
