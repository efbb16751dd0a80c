internal import Glibc
internal import LinuxSystem
internal import Synchronization

/// One exec that an OCI runtime started: the runtime's own process stands for the program's end and exit
/// code, the streams go past it.
final class OCIExecHandle: ExecHandle {
    /// How long the runtime may take to start a program on a host that is very busy.
    static let startDeadline = Duration.seconds(30)

    private struct State {
        var pid: Int32?
        var isCancelled = false
        var isClean = false
    }

    private let child: ChildProcess
    private let bundle: OCIBundle
    private let name: String
    private let state = Mutex(State())

    /// - Parameter name: Prefix of the exec's files in the bundle.
    init(child: ChildProcess, bundle: OCIBundle, name: String) {
        self.child = child
        self.bundle = bundle
        self.name = name
    }

    static func processFile(_ name: String) -> String { "\(name).json" }
    static func pidFile(_ name: String) -> String { "\(name).pid" }
    static func logFile(_ name: String) -> String { "\(name).log" }

    func hostPID() async throws(RuntimeError) -> Int32 {
        if let pid = state.withLock({ $0.pid }) { return pid }
        let path = "\(bundle.path)/\(Self.pidFile(name))"
        let deadline = MonotonicInstant.now().advanced(by: Self.startDeadline)
        var pause = Duration.milliseconds(1)
        while true {
            let hasEnded = child.exit != nil
            if let pid = try await readPID(path) {
                state.withLock { $0.pid = pid }
                return pid
            }
            if hasEnded { throw try await failure() }
            guard !state.withLock({ $0.isCancelled }), MonotonicInstant.now() < deadline else {
                throw RuntimeError(.timedOut, operation: "exec", detail: "the runtime has not started it")
            }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw RuntimeError(.failed, operation: "exec", detail: "cancelled while starting")
            }
            pause = min(pause * 2, .milliseconds(16))
        }
    }

    /// The pid file appears whole, under its name by rename.
    private func readPID(_ path: String) async throws(RuntimeError) -> Int32? {
        try await HostWork.run("exec") { () throws(RuntimeError) in
            do throws(SystemError) {
                let bytes = try HostFiles.read(RawPath(path), limit: 32)
                return KernelText.unsigned(KernelText.trimmed(bytes[...])).flatMap { Int32(exactly: $0) }
            } catch {
                if error.errno == ENOENT { return nil }
                throw RuntimeError(error, operation: "exec")
            }
        }
    }

    /// Why the runtime ended without having started the program.
    private func failure() async throws(RuntimeError) -> RuntimeError {
        let log = "\(bundle.path)/\(Self.logFile(name))"
        let exit = await child.wait()
        let error = try await HostWork.run("exec") { () throws(RuntimeError) in
            let said = OCIRuntimeProgram.lastMessage(inLog: log)
            let detail = said.isEmpty ? "the runtime ended: \(exit)" : said
            return RuntimeError(
                .failed, operation: "exec", detail: ForeignText.printable(detail.utf8, limit: 512))
        }
        try await clean()
        return error
    }

    func nextOutput() async throws(RuntimeError) -> ExecOutput? {
        guard let piece = await child.nextOutput() else { return nil }
        return ExecOutput(stream: piece.stream == .stdout ? .stdout : .stderr, bytes: piece.bytes)
    }

    func write(_ bytes: [UInt8]) async throws(RuntimeError) {
        do throws(SystemError) {
            try await child.write(bytes)
        } catch {
            throw RuntimeError(error, operation: "write input", code: error.errno == EPIPE ? .conflict : nil)
        }
    }

    func closeInput() async { child.closeInput() }

    func exitCode() async throws(RuntimeError) -> Int {
        let exit = await child.wait()
        try await clean()
        guard !state.withLock({ $0.isCancelled }), let code = exit.shellCode else {
            throw RuntimeError(.failed, operation: "exec", detail: "how it ended is not known")
        }
        return Int(code)
    }

    func cancel() async {
        state.withLock { $0.isCancelled = true }
        child.closeInput()
        child.closeOutput()
        // The runtime's process alone, so that a wait for it ends: the program is in a session of its own.
        child.kill(SIGKILL)
    }

    private func clean() async throws(RuntimeError) {
        let isFirst = state.withLock { state in
            defer { state.isClean = true }
            return !state.isClean
        }
        guard isFirst else { return }
        let (bundle, name) = (self.bundle, self.name)
        try await HostWork.run("exec") { () throws(RuntimeError) in
            try bundle.remove([Self.processFile(name), Self.pidFile(name), Self.logFile(name)])
        }
    }
}
