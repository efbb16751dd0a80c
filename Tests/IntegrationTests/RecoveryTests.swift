import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// A crash loses no sandbox and no acknowledged record.
    @Suite(.serialized, Integration.needsRoot, .timeLimit(.minutes(5)))
    struct RecoveryTests {
        @Test("after kill -9 under load everything is found again", arguments: TestHost.runtimes)
        func crash(_ runtime: String) async throws {
            let folder = try await TestFolder.make()
            let first = try await TestDaemon.start(runtime, in: folder)
            let sandboxes = [
                try await first.create("hog", [JSONMember("command", "sleep 300")]), try await first.create("closed"),
            ]
            _ = try await sandboxes[1].run("echo kept > /work/kept.txt")
            // The load: denials, each acknowledged by its 403, until the daemon is gone.
            let load = Task {
                await withTaskGroup(of: [String].self) { group in
                    for lane in 0..<3 {
                        let sandbox = sandboxes[lane % 2]
                        group.addTask { await RecoveryTests.denials(in: sandbox, lane: lane) }
                    }
                    return await group.reduce(into: [String]()) { $0 += $1 }
                }
            }
            _ = try await sandboxes[0].violation("denied_exec")
            _ = try await sandboxes[1].violation("denied_exec")
            await first.crash()
            let acknowledged = await load.value
            try #require(!acknowledged.isEmpty)

            let second = try await TestDaemon.start(runtime, in: folder)
            for sandbox in sandboxes.map({ $0.behind(second) }) {
                let found = try await sandbox.get()
                #expect(found["state"].string == "running", "\(found.text)")
                #expect(found["engine_id"].string == sandbox.engineID)
                #expect(try await sandbox.run("echo again")["stdout"].string == "again\n")
                #expect(try await sandbox.exec("rm x").status == 403)
            }
            #expect(try await second.ask("GET", sandboxes[1].file("/work/kept.txt")).text == "kept\n")
            let same = try await sandboxes[0].behind(second).processes().contains { $0.name == "sleep" }
            #expect(same, "the program of before still runs")

            let query = try await TestHost.sandwarden(
                "journal", "query", "--data", second.data, "--limit", "10000", "--json")
            for command in acknowledged {
                #expect(query.stdoutText.contains("\"\(command)\""), "acknowledged, and not in the journal: \(command)")
            }
            try await second.verifyJournal()
            await second.stop()
            #expect(sandboxes.allSatisfy { $0.hostProcesses().isEmpty })
            try await folder.remove()
        }

        /// Runs denied commands until the daemon answers no more.
        /// - Returns: Those that were answered.
        private static func denials(in sandbox: LiveSandbox, lane: Int) async -> [String] {
            var answered: [String] = []
            while answered.count < 1000 {
                let command = "rm lane-\(lane)-\(answered.count)"
                do {
                    guard try await sandbox.exec(command).status == 403 else { return answered }
                    answered.append(command)
                } catch {
                    return answered
                }
            }
            return answered
        }
    }
}
