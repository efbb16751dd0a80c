import Foundation
import Logging
import SandboxModel
import SandboxPolicy
import SandboxSecurity
import Testing

// The code of docs/embedding.md, word for word: the test below holds the two together, and runs it.
// embedding begins
func reportOfOneSandbox(dataDirectory: String) async throws -> SandboxReport? {
    let (manager, _) = try await SandboxSecurityManager.start(
        SecurityConfiguration(dataDirectory: dataDirectory), logger: Logger(label: "embedding"))

    guard let name = PolicyName(rawValue: "student") else { return nil }
    var policy = Policy(name: name)
    policy.resourceLimits.memoryMB = 256
    policy.resourceLimits.cpuPercent = 25
    policy.resourceLimits.maxProcesses = 10
    policy.networkPolicy = .none
    policy.blockedCommands = ["rm", "sudo", "kill"]
    policy.enableMonitoring = true
    policy.violationThreshold = 3

    let me = Principal(name: "backend", role: .admin)
    try await manager.define(policy, by: me)

    let command = try manager.validate(command: "find . -exec rm {} +", policy: name)
    print(command.decision, command.reasons.map(\.detail))  // deny: rm is blocked
    let file = try manager.validate(path: "/work/notes.txt", operation: .write, policy: name)
    print(file.decision)  // allow

    let id = try await manager.create(SandboxRequest(policy: name), by: me).id
    let report = try await manager.report(on: id)
    print(report.totalViolations, report.causeOfDeath ?? "alive")

    try await manager.delete(id, by: me)
    await manager.shutdown()
    return report
}
// embedding ends

/// What docs/embedding.md shows, in Swift and as calls with curl, is compiled and run here.
@Suite(.serialized) struct EmbeddingTests {
    static let root: URL = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url
    }()

    static var canMakeSandboxes: Bool {
        geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/sbin/runc")
    }

    static func document() throws -> String {
        try String(contentsOf: root.appendingPathComponent("docs/embedding.md"), encoding: .utf8)
    }

    static func folder() throws -> String {
        let path = "/tmp/swem-" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func theDocumentShowsTheCodeThatIsCompiled() throws {
        let source = try String(contentsOfFile: #filePath, encoding: .utf8)
        let parts = source.components(separatedBy: "// embedding begins\n")
        let code = try #require(parts.last?.components(separatedBy: "// embedding ends").first)
        #expect(code.contains("func reportOfOneSandbox"))
        #expect(try Self.document().contains(code))
    }

    @Test(.timeLimit(.minutes(2)), .enabled(if: canMakeSandboxes, "root and runc are needed"))
    func theSwiftRuns() async throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let report = try #require(try await reportOfOneSandbox(dataDirectory: folder))
        #expect(report.isKnown && report.totalViolations == 0 && report.state == "running")
        #expect(report.policySummary["blocked_commands"]?.array?.count == 3)
    }

    @Test(.timeLimit(.minutes(2)), .enabled(if: canMakeSandboxes, "root and runc are needed"))
    func theCurlCallsRun() throws {
        let parts = try Self.document().components(separatedBy: "```bash\n")
        let calls = try #require(parts.last?.components(separatedBy: "```").first)
        let binary =
            ProcessInfo.processInfo.environment["SANDWARDEN_BINARY"]
            ?? Self.root.appendingPathComponent(".build/debug/sandwarden").path
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = """
            set -euo pipefail
            cd \(folder)
            made=$("$BINARY" token new --name doc --role admin)
            TOKEN=$(sed -n 's/^secret (shown once): //p' <<<"$made")
            { echo 'tokens:'; grep sha256 <<<"$made"; } >tokens; chmod 600 tokens
            SANDWARDEN_ON_SHUTDOWN=terminate SANDWARDEN_TOKENS_FILE=$PWD/tokens \\
                "$BINARY" serve --listen 127.0.0.1:0 --data "$PWD/data" >log 2>&1 &
            daemon=$!
            trap 'kill $daemon; wait $daemon || true' EXIT
            for _ in $(seq 100); do grep -q listening log && break; sleep 0.1; done
            URL=http://$(sed -n 's/^ *listening *//p' log)
            curl() { command curl -s --fail-with-body -H "Authorization: Bearer $TOKEN" "$@"; echo; }
            \(calls)
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script]
        var environment = ProcessInfo.processInfo.environment
        environment["BINARY"] = binary
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
        #expect(output.contains("\"decision\":\"deny\"") && output.contains("\"total_violations\":0"), "\(output)")
    }
}
