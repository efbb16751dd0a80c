import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// Commands: what they print, how they end, what is refused.
    @Suite(.serialized, Integration.needsRoot, .timeLimit(.minutes(5)))
    struct ExecTests {
        @Test("streams, exit code, input, bounds", arguments: TestHost.runtimes)
        func results(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let plain = try await sandbox.run("echo out; echo err >&2; exit 7")
                #expect(plain["stdout"].string == "out\n")
                #expect(plain["stderr"].string == "err\n")
                #expect(plain["exit_code"].integer == 7)
                #expect(plain["timed_out"].bool == false)
                #expect(plain["truncated"].bool == false)

                let fed = try await sandbox.run("cat", [JSONMember("stdin", "fed ü\n")])
                #expect(fed["stdout"].string == "fed ü\n")

                let long = try await sandbox.run("head -c 3000000 /dev/zero | tr '\\0' x")
                #expect(long["truncated"].bool == true)
                #expect(long["stdout"].string?.utf8.count == 1 << 20)

                let raw = try await sandbox.run("printf '\\377\\376'")
                #expect(raw["stdout_base64"].string == "//4=")

                let words = try await daemon.ask(
                    "POST", "/sandboxes/\(sandbox.id)/exec",
                    ["argv": ["printf", "%s|", "a b", "$HOME"], "cwd": "/work", "env": ["X": "1"]])
                #expect(words["stdout"].string == "a b|$HOME|", "\(words.text)")

                let signalled = try await sandbox.run("sh -c 'ulimit -t 1; while :; do :; done'")
                let code = try #require(signalled["exit_code"].integer, "\(signalled.text)")
                #expect(code > 128, "128 and the signal's number")

                let late = try await sandbox.exec("echo", [JSONMember("timeout_seconds", 61)])
                #expect(late.status == 400)
                let unknown = try await sandbox.exec("echo", [JSONMember("colour", "red")])
                #expect(unknown.status == 400)
            }
        }

        @Test("output is streamed as JSON lines and ends with the result", arguments: TestHost.runtimes)
        func streamed(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let reply = try await sandbox.exec(
                    "echo a; echo b >&2; exit 3", headers: ["Accept: application/x-ndjson"])
                #expect(reply.status == 200)
                #expect(reply.headers["content-type"]?.hasPrefix("application/x-ndjson") == true)
                let lines = reply.text.split(separator: "\n").map { TestDaemon.json(Array($0.utf8)) }
                let pieces = lines.dropLast()
                func text(_ stream: String) -> String {
                    pieces.filter { $0["stream"]?.string == stream }.compactMap { $0["data"]?.string }.joined()
                }
                #expect(text("stdout") == "a\n")
                #expect(text("stderr") == "b\n")
                #expect(lines.last?["exit_code"]?.integer == 3)
            }
        }

        @Test("a timeout ends children that left their session and their parent", arguments: TestHost.runtimes)
        func timeout(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let before = sandbox.hostProcesses().count
                let reply = try await sandbox.run(
                    "(setsid sleep 310 &); setsid sh -c '(sleep 311 &) ; sleep 312' & echo begun; sleep 313",
                    [JSONMember("timeout_seconds", 2)])
                #expect(reply["timed_out"].bool == true)
                #expect(reply["stdout"].string == "begun\n")
                #expect(reply["exit_code"] == .null)
                let left = try await sandbox.processes().filter { $0.name == "sleep" || $0.name == "sh" }
                #expect(left.isEmpty, "\(left)")
                #expect(sandbox.hostProcesses().count <= before)
                let after = try await sandbox.run("echo alive")
                #expect(after["stdout"].string == "alive\n")
            }
        }

        @Test("a denied command never runs and is a violation on disk before the reply", arguments: TestHost.runtimes)
        func denied(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let reply = try await sandbox.exec("echo made > /work/made.txt; r''m -rf /work")
                #expect(reply.status == 403)
                #expect(reply.headers["content-type"] == "application/problem+json")
                #expect(reply["code"].string == "denied")
                let reason = try #require(reply["verdict"]["reasons"]?.array?.first)
                #expect(reason["rule"]?.string == "blocked_commands")
                #expect(reason["match"]?.string == "rm")
                let listing = try await daemon.ask("GET", sandbox.file("/work"))
                #expect(listing["entries"].array?.isEmpty == true)
                let found = try await sandbox.violation("denied_exec")
                #expect(found["violation_type"]?.string == "process_violation")
                #expect(found["severity"]?.string == "medium")
                let query = try await TestHost.sandwarden(
                    "journal", "query", "--data", daemon.data, "--sandbox", sandbox.id, "--json")
                #expect(query.stdoutText.contains(try #require(found["violation_id"]?.string)))
            }
        }
    }
}
