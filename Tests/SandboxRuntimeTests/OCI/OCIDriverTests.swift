import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

@Suite(.timeLimit(.minutes(3)), .enabled(if: OCIHost.canRun, Comment(rawValue: OCIHost.missing)))
struct OCIDriverTests {
    @Test func theEngineIsFound() async throws {
        let probe = try await OCIBase.with { base in await base.driver.probe() }
        #expect(probe.isAvailable)
        #expect(probe.detail.contains("runc"))
    }

    @Test func aMissingRuntimeIsSaidWithItsRemedy() async throws {
        let driver = OCIDriver(
            configuration: OCIDriverConfiguration(
                program: "no-such-runtime", stateDirectory: "/tmp/none", sandboxesDirectory: "/tmp/none",
                imagesDirectory: nil, instanceID: "x"))
        let probe = await driver.probe()
        #expect(!probe.isAvailable)
        #expect(probe.detail.contains("install"))
    }

    @Test func theHolderHasOnlyWhatThePolicyGives() async throws {
        try await OCIBase.withSandbox { sandbox in
            let process = try ProcessDirectory(pid: sandbox.holder.pid)
            let status = try process.status()
            #expect(status.capabilities == CapabilitySets())
            #expect(status.hasNoNewPrivileges == true)
            #expect(status.seccompMode == 2)
            #expect(status.uids.isAll(sandbox.plan.user.uid))
            #expect(status.gids.isAll(sandbox.plan.user.gid))
            #expect(status.groups.isEmpty)
            let limits = try process.limits()
            #expect(limits.openFiles?.soft == .value(1024))
            #expect(limits.openFiles?.hard == .value(1024))
            #expect(limits.coreFileBytes?.hard == .value(0))
            #expect(limits.fileSizeBytes?.hard == .value(16 << 20))
            for kind in [NamespaceKind.network, .mount, .controlGroup, .uts, .ipc] {
                let theirs = try Namespaces.identity(kind, of: sandbox.holder.pid)
                #expect(try theirs != Namespaces.ownIdentity(kind), "\(kind)")
            }
            #expect(try process.arguments().first == Array(SandboxPlan.holderProgram.utf8))
        }
    }

    @Test func theKernelHoldsTheLimits() async throws {
        try await OCIBase.withSandbox { policy in
            policy.resourceLimits.memoryMB = 96
            policy.resourceLimits.cpuPercent = 25
            policy.resourceLimits.maxProcesses = 40
        } _: { sandbox in
            func limits() throws -> CgroupLimits {
                let layout = try CgroupLayout.detect()
                return try CgroupLimits.read(
                    layout.place(of: try CgroupMembership.of(pid: sandbox.holder.pid)))
            }
            var found = try limits()
            #expect(found.memoryBytes == .value(96 << 20))
            #expect(found.allowsSwap == false)
            #expect(found.cpuPercent == 25)
            #expect(found.tasks == .value(40))
            var changed = sandbox.plan.policy.resourceLimits
            changed.memoryMB = 128
            changed.cpuPercent = 75.5
            changed.maxProcesses = 33
            changed.maxOpenFiles = 77
            try await sandbox.driver.update(sandbox.engineID, limits: changed)
            found = try limits()
            #expect(found.memoryBytes == .value(128 << 20))
            #expect(found.allowsSwap == false)
            #expect(found.cpuPercent == 75.5)
            #expect(found.tasks == .value(33))
            let files = try await sandbox.sh("ulimit -n; ulimit -Hn")
            #expect(String(decoding: files.stdout, as: UTF8.self) == "77\n77\n")
        }
    }

    @Test func theRootIsReadOnlyAndHoldsNoneOfTheHostsSecrets() async throws {
        try await OCIBase.withSandbox { sandbox in
            let result = try await sandbox.sh(
                """
                for f in /x /etc/x /usr/x /root/x /home/x /var/x /opt/x /dev/x /sys/x /proc/sys/kernel/hostname; do
                    (echo a > $f) 2>/dev/null && echo "wrote $f"
                done
                for f in /etc/shadow /etc/ssh /etc/sudoers /root/.bashrc /etc/docker /.dockerenv; do
                    test -e $f && echo "found $f"
                done
                for p in docker runc nft dockerd; do command -v $p && test -s $(command -v $p) && echo "found $p"; done
                ls -A /usr/local /home /root
                cat /etc/passwd | wc -l; id -un; hostname; echo $HOME; pwd
                test -w /work && test -w /tmp && test -w /run && test -w /dev/shm && echo writable
                cp /bin/true /work/t && /work/t && cp /bin/true /tmp/t && /tmp/t && echo runs
                cp /bin/true /run/t && /run/t 2>/dev/null && echo "ran from /run"
                exit 0
                """)
            let lines = String(decoding: result.stdout, as: UTF8.self).split(separator: "\n").map(String.init)
            #expect(!lines.contains { $0.hasPrefix("wrote") || $0.hasPrefix("found") || $0.hasPrefix("ran") })
            #expect(
                lines == [
                    "/home:", "/root:", "/usr/local:", "3", "sandbox", "box", "/work", "/work", "writable",
                    "runs",
                ])
            #expect(result.exitCode == 0)
        }
    }

    @Test func everyMountIsBoundedAndHasNoSetuidFiles() async throws {
        try await OCIBase.withSandbox { sandbox in
            let mounts = try MountTable.read(pid: sandbox.holder.pid)
            let writable = mounts.filter { !$0.isReadOnly }.map { "\($0.point)" }
            let expected: Set = ["/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/tmp", "/run", "/work"]
            // Masks of single files are the null device on the sandbox's own /dev.
            let masks = Set(mounts.filter { $0.root == "/null" }.map { "\($0.point)" })
            #expect(Set(writable).subtracting(masks) == expected)
            for mount in mounts where "\(mount.point)" != "/" && !masks.contains("\(mount.point)") {
                if mount.type == "tmpfs", mount.options.contains("ro") { continue }
                #expect(mount.options.contains("nosuid"), "\(mount.point)")
            }
            let devices = CgroupPlace(
                legacy: try CgroupLayout.detect().place(
                    of: try CgroupMembership.of(pid: sandbox.holder.pid)
                ).legacy.filter { $0.key == "devices" })
            for directory in devices.directories {
                let list = String(
                    decoding: try HostFiles.read(RawPath("\(directory)/devices.list"), limit: 4096),
                    as: UTF8.self)
                #expect(!list.contains("10:200"))
                #expect(list.contains("c 1:3 rwm"))
            }
            let usr = try #require(mounts.first { $0.point == "/usr" })
            #expect(usr.options.isSuperset(of: ["ro", "nosuid", "nodev"]))
            let masked = Set(mounts.map { "\($0.point)" })
            for path in ["/proc/kcore", "/proc/keys", "/sys/firmware", "/usr/local"] {
                let isThere = try HostPath.status(path) != nil
                #expect(masked.contains(path) == isThere, "\(path)")
            }
        }
    }

    @Test func theWorkspaceIsOfTheSizeAskedForAndFull() async throws {
        try await OCIBase.withSandbox { sandbox in
            let result = try await sandbox.sh(
                "head -c 40000000 /dev/zero > /work/big; ls -s /work/big; df -k /work")
            #expect(result.exitCode == 0)
            let space = try sandbox.workspace.space()
            #expect(space.totalBytes <= 16 << 20)
            #expect(space.totalBytes > 14 << 20)
            #expect(space.availableBytes < 1 << 20)
        }
    }

    @Test func pausedMeansHeld() async throws {
        try await OCIBase.withSandbox { sandbox in
            try await sandbox.driver.pause(sandbox.engineID)
            #expect(try await sandbox.driver.inspect(sandbox.engineID)?.state == .paused)
            try await sandbox.driver.pause(sandbox.engineID)
            try await sandbox.driver.resume(sandbox.engineID)
            #expect(try await sandbox.driver.inspect(sandbox.engineID)?.state == .running)
            try await sandbox.driver.pause(sandbox.engineID)
            try await sandbox.driver.kill(sandbox.engineID)
            #expect(try await sandbox.driver.inspect(sandbox.engineID)?.pid == nil)
        }
    }

    @Test func whatAContainerIsCanBeAskedAtEveryStep() async throws {
        try await OCIBase.with { base in
            let (plan, _, _) = try await base.makePlan { _ in }
            let driver = base.driver
            let unknown = try #require(EngineID(rawValue: "sb-0000000000"))
            #expect(try await driver.inspect(unknown) == nil)
            let engineID = try await driver.prepare(plan)
            #expect(try await driver.inspect(engineID)?.state == .created)
            let holder = try await driver.start(engineID, plan: plan)
            let running = try #require(try await driver.inspect(engineID))
            #expect(running.state == .running)
            #expect(running.pid == holder.pid)
            #expect(running.labels == ["team": "red"])
            #expect(try await driver.listLabelled(instanceID: base.instanceID).map(\.engineID) == [engineID])
            #expect(try await driver.listLabelled(instanceID: "other").isEmpty)
            try await driver.kill(engineID)
            #expect(try await driver.inspect(engineID)?.state == .exited(code: nil, wasOOMKilled: false))
            try await driver.remove(engineID)
            #expect(try await driver.inspect(engineID) == nil)
            try await driver.remove(engineID)
            try await driver.kill(engineID)
        }
    }

    @Test func aHoldersDeathIsTold() async throws {
        try await OCIBase.withSandbox { sandbox in
            let stream = sandbox.driver.events()
            Glibc.kill(sandbox.holder.pid, SIGKILL)
            for await event in stream {
                #expect(event == EngineEvent(engineID: sandbox.engineID, kind: .died(exitCode: nil)))
                break
            }
            let probe = await #expect(throws: RuntimeError.self) { _ = try await sandbox.sh("true") }
            #expect(probe?.code == .conflict)
        }
    }

    @Test func aCrashBetweenTheStepsLeavesNothingAfterRemoval() async throws {
        try await OCIBase.with { base in
            let (plan, workspace, gate) = try await base.makePlan { _ in }
            let engineID = try await base.driver.prepare(plan)
            // A new process with the same configuration knows nothing but the names.
            let other = OCIDriver(configuration: base.driver.configuration)
            try await other.remove(engineID)
            _ = try await other.prepare(plan)
            _ = try await other.start(engineID, plan: plan)
            try await base.driver.remove(engineID)
            try gate.remove()
            try await workspace.remove()
            #expect(try HostTraces(of: base).isEmpty)
        }
    }

    @Test func twentyLivesLeaveNothing() async throws {
        try await OCIBase.with { base in
            for round in 0..<20 {
                let sandbox = try await OCISandbox.start(in: base)
                let result = try await sandbox.sh("echo \(round) > f; cat f; sleep 100 & sleep 0")
                #expect(result.stdout == Array("\(round)\n".utf8))
                try await sandbox.remove()
                #expect(try HostTraces(of: base).isEmpty, "round \(round)")
            }
            let listing = try Descriptor.openDirectory(RawPath("\(base.path)/s")).list(limit: 100)
            #expect(listing.entries.isEmpty)
            #expect(
                try Descriptor.openDirectory(RawPath("\(base.path)/run")).list(limit: 100).entries.isEmpty)
        }
    }
}
