import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy
import Synchronization
import Testing

@testable import SandboxRuntime

@Suite(.timeLimit(.minutes(3)), .enabled(if: OCIHost.canRun, Comment(rawValue: OCIHost.missing)))
struct ExecRunnerTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Processes of a sandbox beside its holder.
    private func others(_ sandbox: OCISandbox) throws -> Set<Int32> {
        let layout = try CgroupLayout.detect()
        let place = layout.place(of: sandbox.driver.controlGroup(sandbox.engineID))
        return try place.processes(recursively: true).subtracting([sandbox.holder.pid])
    }

    @Test func codesAndStreamsComeBack() async throws {
        try await OCIBase.withSandbox { sandbox in
            var result = try await sandbox.sh("echo out; echo err >&2; exit 7")
            #expect(result.exitCode == 7)
            #expect(text(result.stdout) == "out\n")
            #expect(text(result.stderr) == "err\n")
            #expect(!result.timedOut && !result.truncated && result.causeOfDeath == nil)
            result = try await sandbox.sh("cat; cat", stdin: Array("hello".utf8))
            #expect(text(result.stdout) == "hello")
            result = try await sandbox.sh("cat")
            #expect(result.stdout.isEmpty && result.exitCode == 0)
            result = try await sandbox.sh("kill -TERM $$")
            #expect(result.exitCode == 143)
            result = try await sandbox.sh("exec 3>&- ; ls /proc/self/fd | wc -l")
            #expect(text(result.stdout) == "4\n")
            #expect(try others(sandbox).isEmpty)
        }
    }

    @Test func theEnvironmentIsTheFixedOneAndWhatIsAdded() async throws {
        try await OCIBase.withSandbox { sandbox in
            let result = try await sandbox.sh("env | sort", environment: ["A": "b c", "LANG": "x"])
            #expect(
                text(result.stdout)
                    == "A=b c\nHOME=/work\nLANG=x\nPATH=\(ExecEnvironment.path)\nPWD=/work\nTERM=dumb\n")
        }
    }

    @Test func anExecIsUnderTheSameRestrictions() async throws {
        try await OCIBase.withSandbox { sandbox in
            let result = try await sandbox.sh("cat /proc/self/status; unshare -U true; mount -t tmpfs x /tmp")
            let status = try #require(ProcessStatus.parse(result.stdout[...]))
            #expect(status.capabilities == CapabilitySets())
            #expect(status.hasNoNewPrivileges == true)
            #expect(status.seccompMode == 2)
            #expect(status.uids.isAll(sandbox.plan.user.uid))
            #expect(status.groups.isEmpty)
            #expect(result.exitCode != 0)
        }
    }

    @Test func whatIsNotThereIsSaidBeforeAnythingRuns() async throws {
        try await OCIBase.withSandbox { sandbox in
            func code(_ arguments: [String], _ folder: String = "/work") async -> RuntimeError.Code? {
                let request = ExecRequest(
                    arguments: arguments, workingDirectory: folder, timeout: .seconds(5), outputLimit: 100)
                do {
                    _ = try await sandbox.runner.run(request)
                    return nil
                } catch {
                    return error.code
                }
            }
            #expect(await code(["no-such-program"]) == .notFound)
            #expect(await code(["/etc/passwd"]) == .notFound)
            #expect(await code(["/bin"]) == .notFound)
            #expect(await code(["true"], "/nowhere") == .notFound)
            #expect(await code(["true"], "work") == .notFound)
            #expect(await code([]) == .invalid)
            #expect(await code([""]) == .invalid)
            #expect(await code(["true", "a\0b"]) == .invalid)
            #expect(await code(["true", String(repeating: "a", count: 128 << 10)]) == .tooLarge)
            #expect(await code(["true", String(repeating: "a", count: (128 << 10) - 1)]) == nil)
            #expect(await code(["true"]) == nil)
            #expect(await code(["./x"]) == .notFound)
            _ = try await sandbox.sh("cp /bin/true x; ln -s /proc/self/exe y")
            #expect(await code(["./x"]) == nil)
            #expect(await code(["./y"]) == .notFound)
        }
    }

    @Test func withoutAGateNothingRuns() async throws {
        try await OCIBase.withSandbox { sandbox in
            var target = sandbox.runner.target
            target.gatePath += "/none"
            let runner = ExecRunner(driver: sandbox.driver, target: target)
            let failure = await #expect(throws: RuntimeError.self) {
                _ = try await runner.run(
                    ExecRequest(
                        arguments: ["true"], workingDirectory: "/work", timeout: .seconds(5), outputLimit: 1))
            }
            #expect(failure?.code == .conflict)
            let found = try HostPath.status(target.gatePath)
            #expect(found == nil)
        }
    }

    @Test func outputBeyondTheLimitIsDropped() async throws {
        try await OCIBase.withSandbox { sandbox in
            let seen = Mutex(0)
            let result = try await sandbox.sh(
                "head -c 5000000 /dev/zero; echo done >&2", outputLimit: 100_000
            ) { piece in seen.withLock { $0 += piece.bytes.count } }
            #expect(result.exitCode == 0)
            #expect(result.stdout.count == 100_000)
            #expect(text(result.stderr) == "done\n")
            #expect(result.truncated)
            #expect(seen.withLock { $0 } == 100_005)
        }
    }

    @Test func aTimeoutEndsEverythingThatWasStarted() async throws {
        try await OCIBase.withSandbox { sandbox in
            let result = try await sandbox.sh(
                """
                echo begun
                setsid sh -c 'sleep 1000' &
                (setsid sh -c 'sleep 1001 & sleep 1002' >/dev/null 2>&1 &)
                sh -c 'trap "" TERM INT HUP; (sleep 1003 &) ; sleep 1004'
                """, timeout: .seconds(1))
            #expect(result.exitCode == nil)
            #expect(result.timedOut)
            #expect(result.causeOfDeath == .execTimeout)
            #expect(text(result.stdout) == "begun\n")
            #expect(try others(sandbox).isEmpty)
            #expect(text(try await sandbox.sh("echo alive").stdout) == "alive\n")
        }
    }

    @Test func aTimeoutEndsNothingElse() async throws {
        try await OCIBase.withSandbox { sandbox in
            let first = try await sandbox.sh("sleep 1000 >/dev/null 2>&1 & echo started")
            #expect(text(first.stdout) == "started\n")
            let left = try others(sandbox)
            #expect(left.count == 1)
            #expect(try await sandbox.sh("sleep 1001", timeout: .milliseconds(200)).timedOut)
            #expect(try others(sandbox) == left)
        }
    }

    @Test func whatIsLeftRunningDoesNotHoldTheAnswerUp() async throws {
        try await OCIBase.withSandbox { sandbox in
            let result = try await sandbox.sh("sleep 1000 & echo now; exit 3")
            #expect(result.exitCode == 3)
            #expect(text(result.stdout) == "now\n")
            #expect(!result.timedOut)
            #expect(result.duration < .seconds(60))
        }
    }

    @Test func aForkBombIsHeldAndEnded() async throws {
        try await OCIBase.withSandbox { policy in
            policy.resourceLimits.maxProcesses = 50
        } _: { sandbox in
            let result = try await sandbox.sh("b() { b | b & }; b; sleep 1000", timeout: .seconds(2))
            #expect(result.timedOut || result.exitCode != 0)
            try await sandbox.driver.kill(sandbox.engineID)
            #expect(try others(sandbox).isEmpty)
        }
    }

    @Test func aKillForMemoryIsNamed() async throws {
        try await OCIBase.withSandbox { policy in
            policy.resourceLimits.memoryMB = 64
        } _: { sandbox in
            let result = try await sandbox.sh("exec tail /dev/zero")
            #expect(result.exitCode == 137)
            #expect(result.causeOfDeath == .oomKilled)
            let other = try await sandbox.sh("kill -9 $$")
            #expect(other.exitCode == 137)
            #expect(other.causeOfDeath == nil)
        }
    }

    @Test func whoGoesAwayEndsItsExec() async throws {
        try await OCIBase.withSandbox { sandbox in
            let begun = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                try await sandbox.sh("echo begun; (setsid sleep 1000 &); sleep 1001", timeout: .seconds(100)) { _ in
                    begun.continuation.yield()
                }
            }
            for await _ in begun.stream { break }
            task.cancel()
            let result = try await task.value
            #expect(result.exitCode == nil)
            #expect(!result.timedOut)
            #expect(try others(sandbox).isEmpty)
        }
    }

    @Test func manyAtATime() async throws {
        try await OCIBase.withSandbox { policy in
            policy.resourceLimits.maxProcesses = 400
        } _: { sandbox in
            let results = try await withThrowingTaskGroup(of: (Int, ExecResult).self) { group in
                for number in 0..<24 {
                    group.addTask { (number, try await sandbox.sh("echo \(number); exit \(number)")) }
                }
                return try await group.reduce(into: [Int: ExecResult]()) { $0[$1.0] = $1.1 }
            }
            #expect(results.count == 24)
            for (number, result) in results {
                #expect(result.exitCode == number)
                #expect(text(result.stdout) == "\(number)\n")
            }
            #expect(try others(sandbox).isEmpty)
            let gate = try Descriptor.openDirectory(RawPath(sandbox.gate.path)).list(limit: 100)
            #expect(Set(gate.entries.map { String(decoding: $0.name, as: UTF8.self) }) == ["init", "stdio"])
            let bundle = try Descriptor.openDirectory(RawPath("\(sandbox.plan.directory)/bundle")).list(
                limit: 100)
            #expect(!bundle.entries.contains { String(decoding: $0.name, as: UTF8.self).hasPrefix("exec-") })
        }
    }

    @Test func aFullSandboxSaysSo() async throws {
        try await OCIBase.withSandbox { policy in
            policy.resourceLimits.maxProcesses = 20
        } _: { sandbox in
            let full = AsyncStream.makeStream(of: Void.self)
            // The inner shell takes all places and dies of the first that is refused; the last goes to the
            // outer one's.
            let filler = Task {
                try await sandbox.sh(
                    "(while true; do sleep 1000 & done) 2>/dev/null; sleep 1001 & echo full; exec sleep 1002",
                    timeout: .seconds(100)
                ) { _ in full.continuation.yield() }
            }
            for await _ in full.stream { break }
            // The runtime's first thread enters without being counted; whether it needs more is a matter of
            // timing.
            var failure: RuntimeError?
            for _ in 0..<40 where failure == nil {
                do { _ = try await sandbox.sh("true") } catch { failure = error as? RuntimeError }
            }
            #expect(failure?.code == .exhausted, "\(failure.debugDescription)")
            filler.cancel()
            _ = try await filler.value
            #expect(try others(sandbox).isEmpty)
            #expect(try await sandbox.sh("true").exitCode == 0)
        }
    }
}

@Suite(.timeLimit(.minutes(1)), .enabled(if: OCIHost.canRun, Comment(rawValue: OCIHost.missing)))
struct ExecGroupTests {
    /// Runs a test with a group below one of its own, in the hierarchies that `choose` keeps.
    private func withGroup(
        _ choose: (CgroupPlace) -> CgroupPlace, _ body: (ExecGroup) async throws -> Void
    ) async throws {
        let layout = try CgroupLayout.detect()
        let place = choose(layout.place(of: "/sandwarden-g\(UInt32.random(in: 0...UInt32.max))"))
        guard !place.directories.isEmpty else { return }
        try place.create()
        let result: Result<Void, any Error>
        do {
            try await body(try ExecGroup(name: "sw-exec-1", below: place, layout: layout))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try CgroupKill.killAll(place, layout: layout, until: .now().advanced(by: .seconds(10)))
        try place.remove(recursively: true, until: .now().advanced(by: .seconds(10)))
        try result.get()
    }

    @Test(arguments: [true, false]) func everythingInItCanBeEnded(isUnified: Bool) async throws {
        try await withGroup { place in
            isUnified
                ? CgroupPlace(unified: place.unified)
                : CgroupPlace(legacy: place.legacy.filter { $0.key == "freezer" || $0.key == "pids" })
        } _: { group in
            #expect(group.place.directories.count == 1)
            let child = try await ChildProcess.spawn(
                ChildCommand("/bin/sh", ["-c", "read x; (setsid sleep 1000 &) ; sleep 1001"], input: .stream))
            try group.adopt(child.pid)
            #expect(try !group.hasEnded())
            #expect(try !group.removeIfEmpty())
            try await child.write(Array("go\n".utf8))
            while try group.place.processes(recursively: true).count < 3 { await Task.yield() }
            try group.killAll(until: .now().advanced(by: .seconds(20)))
            #expect(try group.hasEnded())
            #expect(await child.wait() == .signal(SIGKILL))
            let late = #expect(throws: RuntimeError.self) { try group.adopt(child.pid) }
            #expect(late?.code == .conflict)
            #expect(try group.removeIfEmpty())
        }
    }

    @Test func withoutAGroupOfItsOwnThereIsNone() throws {
        let layout = try CgroupLayout.detect()
        for place in [CgroupPlace(), layout.place(of: "/"), CgroupPlace(unified: "/no/such/folder")] {
            let failure = #expect(throws: RuntimeError.self) {
                _ = try ExecGroup(name: "sw-exec-1", below: place, layout: layout)
            }
            #expect(failure?.code == .unsupported)
        }
    }
}
