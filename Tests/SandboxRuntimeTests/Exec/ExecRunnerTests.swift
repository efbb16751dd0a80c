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
            #expect(await code(["true"]) == nil)
            #expect(await code(["./x"]) == .notFound)
            _ = try await sandbox.sh("cp /bin/true x; ln -s /proc/self/exe y")
            #expect(await code(["./x"]) == nil)
            #expect(await code(["./y"]) == .notFound)
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
                try await sandbox.sh("echo begun; (setsid sleep 1000 &); sleep 1001", timeout: .seconds(100))
                { _ in
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
}
