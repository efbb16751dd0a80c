import LinuxSystem
import SandboxModel
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A reply of the daemon.
struct Reply {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var text: String
    /// The body as JSON; `null` when it is not.
    var json: JSONValue

    subscript(name: String) -> JSONValue { json[name] ?? .null }
}

/// The built program as a daemon with a data folder and a port of its own.
struct TestDaemon {
    let process: ChildProcess
    let address: String
    let folder: TestFolder
    let runtime: String
    /// Everything that it wrote is read, so that it never waits for us.
    private let drain: Task<Void, Never>

    var data: String { folder.path + "/data" }

    /// Policies that the tests use, beside the built-in ones.
    private static let policies = [
        "hog.yaml": """
        name: hog
        resource_limits: {memory_mb: 64, cpu_percent: 100, disk_mb: 32, max_processes: 20, execution_timeout: 60}
        undecidable_commands: allow
        blocked_file_patterns: []
        auto_terminate_on_violation: false
        violation_threshold: 1000
        monitoring_interval_ms: 250

        """,
        "mortal.yaml": "name: mortal\nextends: hog\non_violation: {medium: terminate}\n",
        "closed.yaml": "name: closed\nextends: hog\nnetwork_policy: restricted\n",
    ]

    /// Starts the daemon and waits for its address.
    static func start(
        _ runtime: String, in folder: TestFolder, environment: [String: String] = [:], program: [String] = []
    ) async throws -> TestDaemon {
        for (name, text) in policies { try await folder.write(text, to: "policies/" + name) }
        var variables = ChildCommand.minimalEnvironment
        variables["SANDWARDEN_ON_SHUTDOWN"] = "terminate"
        variables["SANDWARDEN_POLICIES_DIR"] = folder.path + "/policies"
        variables["SANDWARDEN_DOCKER_SOCKET"] = TestHost.dockerAddress ?? folder.path + "/no-engine.sock"
        variables.merge(environment) { $1 }
        var words = program.isEmpty ? [TestHost.binary] : program
        words += ["serve", "--listen", "127.0.0.1:0", "--data", folder.path + "/data"]
        let process = try await ChildProcess.spawn(
            ChildCommand(words[0], Array(words.dropFirst()), environment: variables))
        var said = ""
        while let piece = await process.nextOutput() {
            said += String(decoding: piece.bytes, as: UTF8.self)
            guard let line = said.split(separator: "\n").first(where: { $0.contains("  listening") }),
                said.contains("Try:")
            else { continue }
            let address = try #require(line.split(separator: " ").last)
            let drain = Task { while await process.nextOutput() != nil {} }
            return TestDaemon(
                process: process, address: "http://" + address, folder: folder, runtime: runtime, drain: drain)
        }
        throw Failure("the daemon did not start: \(said)")
    }

    /// Starts a daemon, lets the body use it, and stops it and removes its folder whatever happened.
    static func with(
        _ runtime: String, environment: [String: String] = [:], _ body: (TestDaemon) async throws -> Void
    ) async throws {
        let folder = try await TestFolder.make()
        let daemon = try await start(runtime, in: folder, environment: environment)
        do {
            try await body(daemon)
        } catch {
            await daemon.stop()
            try await folder.remove()
            throw error
        }
        let exit = await daemon.stop()
        #expect(exit == .code(0), "SIGTERM ends the daemon with 0")
        try await folder.remove()
    }

    /// Ends the daemon as an operator would.
    @discardableResult
    func stop() async -> ChildExit {
        // To the daemon alone, and once: a second signal means that its user will not wait.
        kill(process.pid, SIGTERM)
        let exit = await process.wait()
        await drain.value
        return exit
    }

    /// Ends the daemon as a crash would.
    func crash() async {
        process.kill(SIGKILL)
        _ = await process.wait()
        await drain.value
    }

    /// Asks the daemon. A reply is waited for so long that only a hang is a failure.
    func ask(
        _ method: String, _ path: String, _ body: JSONValue? = nil, raw: String? = nil, headers: [String] = []
    ) async throws -> Reply {
        var arguments = ["-sS", "-i", "-N", "--max-time", "90", "-X", method, "-H", "Expect:"]
        for header in headers { arguments += ["-H", header] }
        let input = raw ?? body?.text
        if body != nil { arguments += ["-H", "Content-Type: application/json"] }
        if raw != nil { arguments += ["-H", "Content-Type: application/octet-stream"] }
        if input != nil { arguments += ["--data-binary", "@-"] }
        let result = try await TestHost.run("curl", arguments + [address + path], input: input, seconds: 120)
        guard result.exit.isSuccess else { throw Failure("\(method) \(path): \(result.stderrText)") }
        return try Self.reply(result.stdout)
    }

    private static func reply(_ bytes: [UInt8]) throws -> Reply {
        var end = 0
        while end + 3 < bytes.count, bytes[end..<end + 4] != [13, 10, 13, 10] { end += 1 }
        let head = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let body = Array(bytes.dropFirst(end + 4))
        let status = try #require(head.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var headers: [String: String] = [:]
        for line in head.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].drop { $0 == " " }.description
        }
        return Reply(
            status: status, headers: headers, text: String(decoding: body, as: UTF8.self), json: TestDaemon.json(body))
    }

    /// Bytes as JSON; `null` when they are not.
    static func json(_ bytes: [UInt8]) -> JSONValue {
        do throws(JSONSyntaxError) {
            return try JSONParser.parse(bytes).json
        } catch {
            return .null
        }
    }

    // MARK: Sandboxes

    /// The body that makes a sandbox on this daemon's runtime.
    func request(_ policy: String, _ more: [JSONMember] = []) -> JSONValue {
        var members = [JSONMember("policy", .string(policy)), JSONMember("runtime", .string(runtime))]
        if runtime == "docker" { members.append(JSONMember("image", "sandwarden-test:busybox")) }
        return .object(members + more)
    }

    /// Makes a sandbox.
    func create(_ policy: String, _ more: [JSONMember] = []) async throws -> LiveSandbox {
        let reply = try await ask("POST", "/sandboxes", request(policy, more))
        try #require(reply.status == 201, "\(reply.text)")
        return LiveSandbox(
            id: try #require(reply["id"].string), engineID: try #require(reply["engine_id"].string), created: reply,
            daemon: self)
    }

    /// Whether the journal on disk is whole, by the program's own look at it.
    func verifyJournal() async throws {
        let result = try await TestHost.sandwarden("journal", "verify", "--data", data)
        #expect(result.exit.isSuccess, "\(result.stdoutText)\(result.stderrText)")
    }
}

/// Why a test cannot go on.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
