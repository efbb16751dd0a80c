import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

/// The driver against a real engine.
@Suite(
    .engine, .enabled(if: DockerHost.canRun, Comment(rawValue: DockerHost.missing)), .timeLimit(.minutes(5)))
struct DockerDriverTests {
    @Test func anEngineIsFound() async throws {
        let driver = try DockerSandbox.driver()
        let probe = await driver.probe()
        #expect(probe.isAvailable, "\(probe.detail)")
        #expect(probe.detail.contains(driver.settings.socketPath))
        #expect(try await driver.hasImage(nil))
        #expect(try await driver.hasImage(DockerTestEngine.plain))
        #expect(try await !driver.hasImage("no-such-image:1"))
        #expect(try await !driver.hasImage("/etc/passwd"))
        let error = await #expect(throws: RuntimeError.self) { try await driver.image("no-such-image:1") }
        #expect(error?.code == .notFound)
    }

    @Test func everyControlIsHeldAndReadBack() async throws {
        try await DockerSandbox.with { sandbox in
            #expect(try await sandbox.weakControls() == [])
            let container = try #require(try await sandbox.driver.inspect(sandbox.engineID))
            #expect(container.state == .running)
            #expect(container.pid == sandbox.holder.pid)
            #expect(container.labels[DockerCreateBody.sandboxLabel] == sandbox.plan.id.rawValue)
            #expect(container.adoptionObstacles == [])
        }
    }

    @Test func theImageAddsNothing() async throws {
        try await DockerSandbox.with(image: DockerTestEngine.hostile) { sandbox in
            #expect(try await sandbox.weakControls() == [])
            let environment = try await sandbox.text("env | sort")
            #expect(!environment.contains("LD_PRELOAD"))
            #expect(!environment.contains("BASH_ENV"))
            #expect(!environment.contains("HOSTNAME"))
            let mounts = try MountTable.read(pid: sandbox.holder.pid)
            for point in ["/data", "/work/inner"] {
                let mount = try #require(mounts.last { $0.point == RawPath(point) })
                #expect(mount.type == "tmpfs", "\(point)")
                #expect(mount.options.isSuperset(of: ["nosuid", "nodev", "noexec"]), "\(point)")
            }
            let reply = try #require(try await sandbox.driver.description(sandbox.engineID))
            #expect(reply["State"]?["Health"] == nil)
            let types = (reply["Mounts"]?.array ?? []).compactMap { $0["Type"]?.string }
            #expect(!types.contains("volume"))
            #expect(try await sandbox.text("cat /etc/resolv.conf") == "nameserver 192.0.2.1\n")
        }
    }

    @Test func programsRunUnderTheSameRestrictions() async throws {
        try await DockerSandbox.with { sandbox in
            let status = try await sandbox.text("cat /proc/self/status")
            let user = sandbox.plan.user
            #expect(status.contains("Uid:\t\(user.uid)\t\(user.uid)\t\(user.uid)\t\(user.uid)\n"))
            #expect(status.contains("CapBnd:\t0000000000000000\n"))
            #expect(status.contains("NoNewPrivs:\t1\n"))
            #expect(status.contains("Seccomp:\t2\n"))
            let limits = try #require(
                ProcessLimits.parse(Array(try await sandbox.text("cat /proc/self/limits").utf8)[...]))
            #expect(limits.openFiles?.hard == .value(256))
            #expect(limits.coreFileBytes?.hard == .value(0))
            #expect(limits.fileSizeBytes?.hard == .value(16 << 20))
            for command in ["touch /x", "touch /etc/x", "mount -t tmpfs x /tmp", "cat /etc/shadow", "cat /proc/kcore"] {
                let result = try await sandbox.sh(command)
                #expect(result.exitCode != 0, "\(command)")
            }
            for place in ["/work", "/tmp", "/run", "/dev/shm"] {
                #expect(try await sandbox.sh("touch \(place)/x").exitCode == 0, "\(place)")
            }
        }
    }

    @Test func streamsCodesAndInputComeBack() async throws {
        try await DockerSandbox.with { sandbox in
            var result = try await sandbox.sh("echo out; echo err >&2; exit 3")
            #expect(result.exitCode == 3)
            #expect(String(decoding: result.stdout, as: UTF8.self) == "out\n")
            #expect(String(decoding: result.stderr, as: UTF8.self) == "err\n")
            let input = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
            result = try await sandbox.sh("cat", stdin: input)
            #expect(result.stdout == input)
            #expect(result.exitCode == 0)
            result = try await sandbox.sh("kill -9 $$")
            #expect(result.exitCode == 137)
            result = try await sandbox.sh("dd if=/dev/zero bs=1000 count=5000 2>/dev/null", outputLimit: 1000)
            #expect(result.stdout.count == 1000)
            #expect(result.truncated)
            result = try await sandbox.sh("cat; echo done")
            #expect(String(decoding: result.stdout, as: UTF8.self) == "done\n")
            result = try await sandbox.sh("exit 0", stdin: input)
            #expect(result.exitCode == 0)
        }
    }

    @Test func aTimeoutEndsWhatWasStartedAndReturnsWhatWasPrinted() async throws {
        try await DockerSandbox.with { sandbox in
            let result = try await sandbox.sh(
                "echo before; (setsid sleep 100 &) ; sleep 100", timeout: .seconds(2))
            #expect(result.timedOut)
            #expect(result.exitCode == nil)
            #expect(String(decoding: result.stdout, as: UTF8.self) == "before\n")
            let place = try #require(try DockerGroups.place(of: sandbox.holder.pid, sandbox.engineID))
            #expect(try place.processes(recursively: true) == [sandbox.holder.pid])
        }
    }

    @Test func limitsChangeLive() async throws {
        try await DockerSandbox.with { sandbox in
            var limits = sandbox.plan.policy.resourceLimits
            limits.memoryMB = 128
            limits.cpuPercent = 60
            limits.maxProcesses = 15
            try await sandbox.driver.update(sandbox.engineID, limits: limits)
            let facts = try sandbox.facts()
            let controls = AttestationResources.controls(limits, facts)
            #expect(controls.filter { $0.status == .degraded } == [])
            #expect(try await sandbox.weakControls().map(\.control) == ["memory", "cpu", "processes"])
            limits.cpuPercent = 0.01
            let error = await #expect(throws: RuntimeError.self) {
                try await sandbox.driver.update(sandbox.engineID, limits: limits)
            }
            #expect(error?.code == .unsupported)
        }
    }

    @Test func pausingTwiceIsFine() async throws {
        try await DockerSandbox.with { sandbox in
            let driver = sandbox.driver
            for _ in 0..<2 {
                try await driver.pause(sandbox.engineID)
                #expect(try await driver.inspect(sandbox.engineID)?.state == .paused)
            }
            let exec = await #expect(throws: RuntimeError.self) { try await sandbox.sh("true") }
            #expect(exec?.code == .conflict)
            for _ in 0..<2 {
                try await driver.resume(sandbox.engineID)
                #expect(try await driver.inspect(sandbox.engineID)?.state == .running)
            }
            #expect(try await sandbox.sh("true").exitCode == 0)
        }
    }

    @Test func aForkBombAndAPausedContainerAreKilled() async throws {
        try await DockerSandbox.with { sandbox in
            let driver = sandbox.driver
            async let bomb = sandbox.sh("b() { b | b & }; b; sleep 60", timeout: .seconds(60))
            let place = try #require(try DockerGroups.place(of: sandbox.holder.pid, sandbox.engineID))
            while try place.processes(recursively: true).count < 15 { await Task.yield() }
            try await driver.pause(sandbox.engineID)
            try await driver.kill(sandbox.engineID)
            #expect(try place.processes(recursively: true).isEmpty)
            guard case .exited(let code, _)? = try await driver.inspect(sandbox.engineID)?.state else {
                Issue.record("it is still there")
                return
            }
            #expect(code == 137)
            try await driver.kill(sandbox.engineID)
            do { _ = try await bomb } catch { #expect(error is RuntimeError) }
            let files = SandboxFiles()
            let gone = await #expect(throws: RuntimeError.self) {
                try await files.root(of: sandbox.holder, user: sandbox.plan.user)
            }
            #expect(gone?.code == .conflict)
            for _ in 0..<2 {
                try await driver.remove(sandbox.engineID)
                #expect(try await driver.inspect(sandbox.engineID) == nil)
            }
        }
    }

    @Test func anAttemptThatACrashCutShortIsTakenUpAgain() async throws {
        let driver = try DockerSandbox.driver()
        let (plan, workspace) = try await DockerSandbox.makePlan(driver)
        let first = try await driver.prepare(plan)
        let second = try await driver.prepare(plan)
        #expect(first != second)
        #expect(try await driver.inspect(first) == nil)
        _ = try await driver.start(second, plan: plan)
        // What runs is no leftover.
        let running = await #expect(throws: RuntimeError.self) { try await driver.prepare(plan) }
        #expect(running?.code == .conflict)
        #expect(try await driver.inspect(second)?.state == .running)
        var foreign = plan
        foreign.instanceID = "another"
        let other = await #expect(throws: RuntimeError.self) { try await driver.prepare(foreign) }
        #expect(other?.code == .conflict)
        try await DockerSandbox.clean(driver, plan, workspace)
    }

    @Test func onlyTheInstallationsContainersAreListed() async throws {
        try await DockerSandbox.with { first in
            try await DockerSandbox.with(image: DockerTestEngine.hostile) { second in
                for sandbox in [first, second] {
                    let list = try await sandbox.driver.listLabelled(instanceID: sandbox.plan.instanceID)
                    #expect(list.map(\.engineID) == [sandbox.engineID])
                    #expect(list.first?.pid == sandbox.holder.pid)
                }
                let forged = try await first.driver.listLabelled(instanceID: "forged")
                #expect(forged == [])
            }
        }
    }

    @Test func eventsTellWhatIsDone() async throws {
        try await DockerSandbox.with { sandbox in
            let (id, driver) = (sandbox.engineID, sandbox.driver)
            let events = driver.events()
            let reader = Task { () -> [EngineEvent.Kind] in
                var kinds: [EngineEvent.Kind] = []
                for await event in events where event.engineID == id {
                    kinds.append(event.kind)
                    if event.kind == .removed { break }
                }
                return kinds
            }
            // The stream may take a moment to be there: what is done is done again until the reader has ended.
            let actor = Task {
                try await Task.sleep(for: .milliseconds(500))
                try await driver.pause(id)
                try await driver.resume(id)
                try await driver.update(id, limits: sandbox.plan.policy.resourceLimits)
                try await driver.kill(id)
                try await driver.remove(id)
            }
            let kinds = await reader.value
            try await actor.value
            #expect(kinds == [.paused, .resumed, .updated, .died(exitCode: 137), .removed])
        }
    }

    @Test func eventsEndWithTheirReader() async throws {
        let driver = try DockerSandbox.driver()
        let reader = Task { () -> Int in
            var count = 0
            for await _ in driver.events() { count += 1 }
            return count
        }
        reader.cancel()
        _ = await reader.value
        // A stream that nobody reads is no leak either.
        _ = driver.events()
    }

    @Test func aMemoryHogIsKilledAndToldOf() async throws {
        try await DockerSandbox.with({ $0.resourceLimits.memoryMB = 32 }) { sandbox in
            let events = sandbox.driver.events()
            let reader = Task { () -> Bool in
                for await event in events where event.engineID == sandbox.engineID {
                    if event.kind == .outOfMemory { return true }
                }
                return false
            }
            let result = try await sandbox.sh("dd if=/dev/zero of=/dev/null bs=100000000 count=1")
            #expect(result.exitCode == 137)
            #expect(result.causeOfDeath == .oomKilled)
            // Told at the latest with the next one: the stream may have opened after the first.
            let again = Task {
                while !Task.isCancelled {
                    _ = try await sandbox.sh("dd if=/dev/zero of=/dev/null bs=100000000 count=1")
                }
            }
            #expect(await reader.value)
            again.cancel()
            _ = await again.result
        }
    }

    @Test func twentySandboxesLeaveNothing() async throws {
        let before = try Traces.now()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<5 {
                        try await DockerSandbox.with { sandbox in
                            let result = try await sandbox.sh("echo x > f")
                            #expect(result.exitCode == 0)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try Traces.now().mounts.subtracting(before.mounts).filter { $0.contains("/swd-sb-") } == [])
    }

    private struct Traces {
        var mounts: Set<String>

        static func now() throws -> Traces {
            Traces(mounts: Set(try MountTable.readOwn().map { "\($0.point)" }))
        }
    }
}
