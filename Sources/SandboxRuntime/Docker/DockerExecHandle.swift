import HTTP
import LinuxSystem
package import SandboxModel
import Synchronization

extension DockerDriver {
    package func exec(
        _ engineID: EngineID, _ process: ExecProcess
    ) async throws(RuntimeError) -> any ExecHandle {
        let body = try DockerExecBody.json(process)
        let reply = try await engine.call(
            .post, "/containers/\(engineID)/exec", body: body, accept: [201], operation: "exec")
        guard let id = try reply.json("exec")["Id"]?.string.flatMap(EngineID.init(rawValue:)) else {
            throw RuntimeError(.failed, operation: "exec", detail: "the engine's reply has no usable Id")
        }
        let connection = try await engine.hijack(
            "/exec/\(id)/start", body: ["Detach": false, "Tty": false], operation: "exec")
        return DockerExecHandle(id: id, engine: engine, connection: connection)
    }
}

/// The body of `POST /containers/{id}/exec`. Pure.
enum DockerExecBody {
    /// - Throws: `invalid` for text that cannot be an argument or a variable.
    static func json(_ process: ExecProcess) throws(RuntimeError) -> JSONValue {
        func refuse(_ detail: String) -> RuntimeError {
            RuntimeError(.invalid, operation: "exec", detail: detail)
        }
        guard let program = process.arguments.first, program.hasPrefix("/") else {
            throw refuse("the program is not named by an absolute path")
        }
        guard process.arguments.allSatisfy({ !$0.utf8.contains(0) }) else {
            throw refuse("an argument holds a NUL byte")
        }
        guard process.workingDirectory.hasPrefix("/"), !process.workingDirectory.utf8.contains(0) else {
            throw refuse("the working folder is not an absolute path")
        }
        // The engine would add the container's name; a variable named without a value is taken out.
        var environment = process.environment["HOSTNAME"] == nil ? ["HOSTNAME"] : []
        for (name, value) in process.environment.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")), !name.utf8.contains(0),
                !value.utf8.contains(0)
            else { throw refuse("\(excerpt(name, limit: 32)) cannot be a variable") }
            environment.append("\(name)=\(value)")
        }
        return [
            "AttachStdin": .bool(process.hasInput), "AttachStdout": true, "AttachStderr": true, "Tty": false,
            "Privileged": false, "User": .string("\(process.user.uid):\(process.user.gid)"),
            "WorkingDir": .string(process.workingDirectory), "Env": .strings(environment),
            "Cmd": .strings(process.arguments),
        ]
    }
}

/// What `GET /exec/{id}/json` says.
struct DockerExecState: Sendable, Hashable {
    var isRunning: Bool
    var exitCode: Int?
    /// Host pid; `nil` before the start, and of what could not be started.
    var pid: Int32?

    /// - Throws: `failed` for a reply that does not say whether it runs.
    init(_ reply: DocumentNode) throws(RuntimeError) {
        guard let isRunning = reply["Running"]?.bool else {
            throw RuntimeError(.failed, operation: "exec", detail: "the engine does not say whether it runs")
        }
        self.isRunning = isRunning
        exitCode = reply["ExitCode"]?.integer.flatMap { Int(exactly: $0) }
        pid = reply["Pid"]?.integer.flatMap { Int32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
    }
}

/// One exec in a Docker engine: a raw connection for the streams, questions for the rest.
final class DockerExecHandle: ExecHandle {
    /// How long the engine may take to start a program on a host that is very busy.
    static let startTime = Duration.seconds(30)
    /// How long it may take to notice an end that the kernel has told.
    static let endTime = Duration.seconds(30)

    private struct State {
        var reader = DockerFrameReader()
        /// Pieces of one read that were not handed on yet.
        var pending: [DockerFrameReader.Element] = []
        var pid: Int32?
        var hasEnded = false
        var isCancelled = false
    }

    private let id: EngineID
    private let engine: DockerEngine
    private let connection: HTTPRawConnection
    private let state = Mutex(State())

    init(id: EngineID, engine: DockerEngine, connection: HTTPRawConnection) {
        self.id = id
        self.engine = engine
        self.connection = connection
    }

    private func look() async throws(RuntimeError) -> DockerExecState {
        let reply = try await engine.call(.get, "/exec/\(id)/json", accept: [200], operation: "exec")
        return try DockerExecState(try reply.json("exec"))
    }

    private func fault(_ code: RuntimeError.Code, _ detail: String) -> RuntimeError {
        RuntimeError(code, operation: "exec", detail: detail)
    }

    private func wait(_ duration: Duration) async throws(RuntimeError) {
        guard !state.withLock({ $0.isCancelled }) else { throw fault(.failed, "let go of") }
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw fault(.failed, "cancelled")
        }
    }

    // MARK: Process

    func hostPID() async throws(RuntimeError) -> Int32 {
        if let pid = state.withLock({ $0.pid }) { return pid }
        let deadline = MonotonicInstant.now().advanced(by: Self.startTime)
        var interval = Duration.milliseconds(1)
        while true {
            let hadEnded = state.withLock { $0.hasEnded }
            let now = try await look()
            if let pid = now.pid {
                state.withLock { $0.pid = pid }
                return pid
            }
            // Podman says 0 of what has not begun yet: only an ended stream makes that an exit code.
            if !now.isRunning, let code = now.exitCode, code != 0 || hadEnded {
                throw fault(.conflict, "the engine could not start it (exit code \(code))")
            }
            guard MonotonicInstant.now() < deadline else { throw fault(.timedOut, "the engine has not started it") }
            try await wait(interval)
            interval = min(interval * 2, .milliseconds(25))
        }
    }

    func exitCode() async throws(RuntimeError) -> Int {
        let process = ExecWatch(pid: try await hostPID())
        var nextLook = MonotonicInstant.now().advanced(by: .seconds(1))
        var interval = Duration.milliseconds(1)
        // The kernel tells the end at once and costs nothing to ask; the engine is asked now and then, for the case
        // that the number had gone to somebody else before it was opened.
        while !process.hasEnded {
            if MonotonicInstant.now() >= nextLook {
                if let code = try await finalCode() { return code }
                nextLook = MonotonicInstant.now().advanced(by: .seconds(1))
            }
            try await wait(interval)
            interval = min(interval * 2, .milliseconds(10))
        }
        let deadline = MonotonicInstant.now().advanced(by: Self.endTime)
        interval = .milliseconds(1)
        while true {
            if let code = try await finalCode() { return code }
            guard MonotonicInstant.now() < deadline else {
                throw fault(.timedOut, "the engine does not tell how it ended")
            }
            try await wait(interval)
            interval = min(interval * 2, .milliseconds(50))
        }
    }

    private func finalCode() async throws(RuntimeError) -> Int? {
        let now = try await look()
        return now.isRunning ? nil : now.exitCode
    }

    // MARK: Streams

    func nextOutput() async throws(RuntimeError) -> ExecOutput? {
        while true {
            let element = state.withLock { $0.pending.isEmpty ? nil : $0.pending.removeFirst() }
            switch element {
            case .output(let output): return output
            case .engineFailure(let text): throw fault(.failed, ForeignText.printable(text))
            case nil: break
            }
            guard try await readOn() else { return nil }
        }
    }

    /// Reads the next bytes into pieces.
    /// - Returns: `false` at the end of both streams.
    private func readOn() async throws(RuntimeError) -> Bool {
        let bytes: [UInt8]?
        do throws(HTTPClientError) {
            bytes = try await connection.read()
        } catch {
            let isCancelled = state.withLock { state in
                state.hasEnded = true
                return state.isCancelled
            }
            if isCancelled { return false }
            throw fault(.failed, "the streams broke off: \(error)")
        }
        do throws(DockerFrameReader.Fault) {
            return try take(bytes)
        } catch {
            connection.close()
            throw fault(.failed, "the engine's stream is not one of frames: \(error)")
        }
    }

    private func take(_ bytes: [UInt8]?) throws(DockerFrameReader.Fault) -> Bool {
        let outcome = state.withLock { state -> Result<Bool, DockerFrameReader.Fault> in
            do throws(DockerFrameReader.Fault) {
                guard let bytes else {
                    state.hasEnded = true
                    if !state.isCancelled { try state.reader.end() }
                    return .success(false)
                }
                state.pending = try state.reader.read(bytes[...])
                return .success(true)
            } catch {
                state.hasEnded = true
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    func write(_ bytes: [UInt8]) async throws(RuntimeError) {
        do throws(HTTPClientError) {
            try await connection.write(bytes)
        } catch {
            throw RuntimeError(.conflict, operation: "write input", detail: "the program takes no input any more")
        }
    }

    func closeInput() async { connection.finishWriting() }

    func cancel() async {
        state.withLock { $0.isCancelled = true }
        connection.close()
    }
}

/// A process that is watched through the kernel's own handle of it.
private struct ExecWatch: Sendable {
    private final class Holder: Sendable {
        let process: ProcessHandle

        init(_ process: consuming ProcessHandle) { self.process = process }
    }

    private let holder: Holder?

    /// Opens the handle; a process that cannot be opened counts as ended, and the engine has to tell.
    init(pid: Int32) {
        do throws(SystemError) {
            holder = Holder(try ProcessHandle(pid: pid))
        } catch {
            holder = nil
        }
    }

    /// Whether it has ended, or cannot be watched.
    var hasEnded: Bool {
        guard let holder else { return true }
        do throws(SystemError) {
            return try holder.process.hasEnded()
        } catch {
            return true
        }
    }
}
