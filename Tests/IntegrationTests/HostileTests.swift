import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// Hostile programs are caught, answered and told of.
    @Suite(.serialized, Integration.needsRoot, .timeLimit(.minutes(5)))
    struct HostileTests {
        @Test("a memory hog is killed and the neighbour is untouched", arguments: TestHost.runtimes)
        func memory(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let hog = try await daemon.create("hog")
                let neighbour = try await daemon.create("hog", [JSONMember("command", "sleep 300")])
                let before = try await eventually("the neighbour's program") { () async throws -> Int64? in
                    try await neighbour.processes().first { $0.name == "sleep" }?.host
                }
                let reply = try await hog.run("s=x; while :; do s=$s$s; done")
                #expect(reply["cause_of_death"].string == "oom_killed", "\(reply.text)")
                let found = try await hog.violation("memory_oom")
                #expect(found["violation_type"]?.string == "resource_limit_exceeded")
                #expect(found["severity"]?.string == "high")
                let after = try await neighbour.processes().first { $0.name == "sleep" }?.host
                #expect(after == before, "the very same process lives")
                #expect(try await neighbour.get("/violations")["violations"].array?.isEmpty == true)
            }
        }

        @Test("a fork bomb is held, and its sandbox ended by policy", arguments: TestHost.runtimes)
        func forks(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create(
                    "mortal", [JSONMember("command", "bomb() { bomb | bomb & }; bomb; sleep 300")])
                #expect(sandbox.hostProcesses().count <= 21, "20 processes, and what starts them")
                let found = try await sandbox.violation("pids_refused")
                #expect(found["severity"]?.string == "medium")
                #expect(found["action_taken"]?.string == "terminate")
                let ended = try await sandbox.reach("terminated")
                #expect(ended["cause_of_death"].string == "policy_violation")
                #expect(sandbox.hostProcesses().isEmpty)
            }
        }

        @Test("a blocked program that runs under cover is found", arguments: TestHost.runtimes)
        func blocked(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                // A script of that name, executable as its model is; what starts it stands in a file.
                let script = "cp /bin/sleep /work/kill\nprintf '#!/bin/sh\\nsleep 20; :\\n' > /work/kill\n/work/kill\n"
                let put = try await daemon.ask("PUT", sandbox.file("/work/notes.txt"), raw: script)
                try #require(put.status == 201)
                let reply = try await sandbox.run("sh /work/notes.txt &")
                #expect(reply["verdict"]["undecidable"]?.bool == true)
                let found = try await sandbox.violation("blocked_process")
                #expect(found["severity"]?.string == "high")
                #expect(found["details"]?["program"]?.string == "kill")
            }
        }

        @Test("a full disk stops the writer and is told of", arguments: TestHost.runtimes)
        func disk(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let reply = try await sandbox.run("yes fill > /work/f.txt")
                #expect(reply["exit_code"].integer != 0)
                let found = try await sandbox.violation("disk_full")
                #expect(found["severity"]?.string == "low")
                let size = try await sandbox.run("wc -c < /work/f.txt")
                let bytes = try #require(size["stdout"].string?.split(separator: "\n").first.flatMap { Int($0) })
                #expect(bytes <= 32 << 20)
            }
        }
    }
}
