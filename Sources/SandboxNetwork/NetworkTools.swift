internal import LinuxSystem

/// The programs that set networks, and where they run.
///
/// Arguments are lists and scripts go through standard input; no shell is involved. A run is never cut short
/// by the caller's cancellation, since half a change is worse than a late one: its deadline bounds it.
struct NetworkTools: Sendable {
    /// Where a program runs.
    enum Place: Sendable {
        case host
        case namespace(SharedDescriptor)
    }

    /// Absolute paths; `nil` when not installed.
    let ip: String?
    let nft: String?
    /// The host's namespace; `nil` is ours.
    let hostNamespace: SharedDescriptor?
    let deadline: Duration

    /// Blocking calls into namespaces.
    private static let queue = BlockingQueue(label: "sandwarden.network", width: 4, waitingLimit: 1024)

    init(_ configuration: NetworkConfiguration) throws(NetworkError) {
        ip = ChildCommand.locate("ip")
        nft = ChildCommand.locate("nft")
        deadline = configuration.toolTimeout
        guard let path = configuration.hostNamespacePath else {
            hostNamespace = nil
            return
        }
        do throws(SystemError) {
            hostNamespace = SharedDescriptor(try Descriptor.openAbsolute(RawPath(path)))
        } catch {
            throw NetworkError(error, operation: "host_namespace")
        }
    }

    // MARK: Programs

    /// Runs a program to its end.
    /// - Throws: `unavailable` without the program, `timedOut`; a failure of the program is a result.
    func run(
        _ program: String?, _ arguments: [String], input: String? = nil, in place: Place, name: String
    ) async throws(NetworkError) -> ChildResult {
        guard let program else {
            throw NetworkError(.unavailable, operation: name, detail: "\(name) is not installed")
        }
        let namespace: SharedDescriptor?
        switch place {
        case .host: namespace = hostNamespace
        case .namespace(let descriptor): namespace = descriptor
        }
        let command = ChildCommand(
            program, arguments, workingDirectory: "/",
            input: input.map { .bytes(Array($0.utf8)) } ?? .nothing,
            networkNamespace: namespace, deadline: deadline)
        // A task of its own, which the caller's cancellation does not reach.
        let task = Task { () -> Result<ChildResult, SystemError> in
            do throws(SystemError) {
                return .success(try await ChildProcess.run(command, outputLimit: 4 << 20))
            } catch {
                return .failure(error)
            }
        }
        switch await task.value {
        case .failure(let error):
            throw NetworkError(error, operation: name)
        case .success(let result):
            guard !result.isTimedOut else {
                throw NetworkError(.timedOut, operation: name, detail: "no end after \(deadline)")
            }
            guard !result.isTruncated else {
                throw NetworkError(.failed, operation: name, detail: "more than 4 MiB of output")
            }
            return result
        }
    }

    /// Runs a program that has to succeed.
    /// - Returns: What it printed.
    /// - Throws: `failed` with the first line of its complaint.
    @discardableResult
    func demand(
        _ program: String?, _ arguments: [String], input: String? = nil, in place: Place, name: String
    ) async throws(NetworkError) -> [UInt8] {
        let result = try await run(program, arguments, input: input, in: place, name: name)
        guard result.exit.isSuccess else { throw NetworkTools.failure(result, name) }
        return result.stdout
    }

    /// The error that a failed run stands for.
    static func failure(_ result: ChildResult, _ name: String) -> NetworkError {
        let complaint = result.stderrText.split(separator: "\n", maxSplits: 1).first.map(String.init)
        let detail = complaint ?? "ended with \(result.exit) and said nothing"
        return NetworkError(
            detail.contains("File exists") ? .conflict : .failed, operation: name, detail: detail)
    }

    /// Runs an nft script; either all of it holds afterwards or nothing.
    func nft(_ script: String, in place: Place) async throws(NetworkError) {
        try await demand(nft, ["-f", "-"], input: script, in: place, name: "nft")
    }

    /// What nft prints of a table, without counters; `nil` when there is no such table.
    func listTable(_ table: String, in place: Place) async throws(NetworkError) -> String? {
        let arguments = ["-s", "list", "table"] + table.split(separator: " ").map(String.init)
        let result = try await run(nft, arguments, in: place, name: "nft")
        if result.exit.isSuccess { return result.stdoutText }
        if result.stderrText.contains("No such file") { return nil }
        throw NetworkTools.failure(result, "nft")
    }

    /// Runs `ip` commands one after another, up to the first that fails.
    func ip(_ commands: [String], in place: Place) async throws(NetworkError) {
        let script = commands.joined(separator: "\n") + "\n"
        try await demand(ip, ["-batch", "-"], input: script, in: place, name: "ip")
    }

    // MARK: Namespaces

    /// Opens a process's network namespace.
    /// - Throws: `gone` when there is no such process; `conflict` when it is in the host's own namespace,
    ///   whose rules would be the host's.
    func openNamespace(of pid: Int32) async throws(NetworkError) -> SharedDescriptor {
        try await blocking("open_namespace") { () throws(SystemError) in
            let namespace = SharedDescriptor(try Namespaces.open(.network, of: pid))
            let identity = try namespace.descriptor.status().inode
            var forbidden = [try Namespaces.ownIdentity(.network)]
            if let host = hostNamespace { forbidden.append(try host.descriptor.status().inode) }
            guard !forbidden.contains(identity) else {
                throw SystemError(
                    errno: 17, operation: "open_namespace", detail: "pid \(pid) is in the host's")
            }
            return namespace
        }
    }

    /// A fresh, empty namespace that goes when the last owner of the descriptor does.
    func makeNamespace() async throws(NetworkError) -> SharedDescriptor {
        try await blocking("make_namespace") { () throws(SystemError) in
            try NamespaceThread.runInNew([.network]) { () throws(SystemError) in
                SharedDescriptor(try Descriptor.openAbsolute("/proc/thread-self/ns/net"))
            }
        }
    }

    /// Path under which a program in any namespace of this pid namespace finds the host's network namespace.
    func hostNamespacePath() async throws(NetworkError) -> String {
        let descriptor = hostNamespace
        return try await blocking("host_namespace") { () throws(SystemError) in
            let pid = String(decoding: try HostFiles.readLink("/proc/self"), as: UTF8.self)
            guard let descriptor else { return "/proc/\(pid)/ns/net" }
            return "/proc/\(pid)/fd/\(descriptor.descriptor.rawValue)"
        }
    }

    /// Reads a file below `/proc` as a thread in that place sees it, without the last line's end; `nil`
    /// without the file. Files of `/proc/net` go by `/proc/thread-self/net`: the link leads to the process's
    /// main thread.
    func readControl(_ path: String, in place: Place) async throws(NetworkError) -> String? {
        try await inside(place) { () throws(SystemError) -> String? in
            do throws(SystemError) {
                let text = try HostFiles.read(RawPath(path), limit: 65536)
                return String(decoding: text.last == 0x0A ? text.dropLast() : text[...], as: UTF8.self)
            } catch {
                guard error.errno == 2 else { throw error }
                return nil
            }
        }
    }

    /// Writes files below `/proc/sys` as a thread in that place sees them; those that are missing are passed
    /// over.
    func writeControls(_ values: [(path: String, value: String)], in place: Place) async throws(NetworkError) {
        try await inside(place) { () throws(SystemError) in
            for (path, value) in values {
                do throws(SystemError) {
                    try HostFiles.writeControl(RawPath(path), value)
                } catch {
                    // A kernel without IPv6 has no switch for it.
                    guard error.errno == 2 else { throw error }
                }
            }
        }
    }

    /// Runs a closure on a thread that is in that place.
    func inside<Value: Sendable>(
        _ place: Place, _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(NetworkError) -> Value {
        let namespace: SharedDescriptor?
        switch place {
        case .host: namespace = hostNamespace
        case .namespace(let descriptor): namespace = descriptor
        }
        return try await blocking("namespace") { () throws(SystemError) in
            guard let namespace else { return try body() }
            return try NamespaceThread.run(in: namespace, kind: .network, body)
        }
    }

    /// Binds the nflog group of refused packets in a namespace.
    func openLog(in namespace: SharedDescriptor) async throws(NetworkError) -> RefusalLog {
        try await blocking("nflog") { () throws(SystemError) in
            RefusalLog(
                try PacketLog(
                    in: namespace, group: NamespaceRuleset.logGroup, bufferBytes: RefusalLog.bufferBytes))
        }
    }

    /// Ends TCP connections of a namespace as if their peers had reset them; loopback and listeners are left
    /// alone.
    /// - Parameter mayStay: Whether a connection to that address and port may go on.
    /// - Returns: How many were ended.
    @discardableResult
    func endConnections(
        in namespace: SharedDescriptor, unless mayStay: @escaping @Sendable (InternetAddress, UInt16) -> Bool
    ) async throws(NetworkError) -> Int {
        try await blocking("sock_diag") { () throws(SystemError) in
            var diagnostics = try SocketDiagnostics(in: namespace)
            let open = Set<SocketState>([
                .established, .synSent, .synReceived, .finWait1, .finWait2, .closeWait, .lastAck, .closing,
            ])
            let list = try diagnostics.list(.tcp, states: open, limit: 65536)
            var ended = 0
            for entry in list.entries where !entry.remoteAddress.isLoopback {
                guard !mayStay(entry.remoteAddress.unmapped, entry.remotePort) else { continue }
                do throws(SystemError) {
                    try diagnostics.destroy(entry)
                    ended += 1
                } catch {
                    // Gone by itself in between; anything else is a refusal that the caller should know of.
                    guard error.errno == 2 else { throw error }
                }
            }
            return ended
        }
    }

    private func blocking<Value: Sendable>(
        _ operation: String, _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(NetworkError) -> Value {
        do throws(SystemError) {
            return try await Blocking.run(on: NetworkTools.queue, body)
        } catch {
            switch error.errno {
            case 2, 3: throw NetworkError(.gone, operation: operation, detail: error.description)
            case 17: throw NetworkError(.conflict, operation: operation, detail: error.description)
            case 11: throw NetworkError(.exhausted, operation: operation, detail: error.description)
            default: throw NetworkError(error, operation: operation)
            }
        }
    }
}
