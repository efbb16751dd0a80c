import Glibc
import LinuxSystem
import Testing

private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

@Suite(.timeLimit(.minutes(2))) struct CgroupTests {
    @Test func membershipIsRead() {
        let membership = CgroupMembership.parse(
            bytes(
                """
                12:name=systemd:/docker/x
                8:pids:/a:b/c
                7:cpu,cpuacct:/docker/y (deleted)
                0::/docker/z
                0::/later
                x:memory:/no
                3:memory:relative
                short

                """))
        #expect(membership.unified == "/docker/z")
        #expect(
            membership.legacy == [
                "name=systemd": "/docker/x", "pids": "/a:b/c", "cpu": "/docker/y (deleted)",
                "cpuacct": "/docker/y (deleted)",
            ])
        #expect(CgroupMembership.parse([]) == CgroupMembership.parse(bytes("\n:\n::\n")))
    }

    private func layout(_ mountinfo: String) -> CgroupLayout {
        CgroupLayout(mounts: MountTable.parse(bytes(mountinfo)).entries)
    }

    @Test func layoutsAreToldApart() {
        let unified = layout("30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n")
        #expect(unified.kind == .unified && unified.unified?.point == "/sys/fs/cgroup")
        let hybrid = layout(
            """
            33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
            35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory,release_agent=/x
            40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            42 31 0:38 / /elsewhere rw - cgroup2 cgroup2 rw

            """)
        #expect(
            hybrid.kind == .hybrid && Set(hybrid.legacy.keys) == ["cpu", "cpuacct", "memory", "name=systemd"])
        #expect(hybrid.unified?.point == "/sys/fs/cgroup/unified")
        let place = hybrid.place(
            of: CgroupMembership.parse(bytes("4:memory:/d/x\n3:cpu,cpuacct:/d/y\n0::/\n")))
        #expect(place.legacy["memory"] == "/sys/fs/cgroup/memory/d/x")
        #expect(place.unified == "/sys/fs/cgroup/unified" && place.legacy["name=systemd"] == nil)
        #expect(place.directories.count == 3)
        #expect(place.withoutRoots(of: hybrid).unified == nil)
        #expect(place.withoutRoots(of: hybrid).directories.count == 2)
        #expect(layout("").kind == .none)
        #expect(layout("35 31 0:32 / /m rw - cgroup cgroup rw,memory\n").kind == .legacy)
    }

    @Test func pathsOutsideOfAMountHaveNoDirectory() {
        let inner = CgroupMount(point: "/sys/fs/cgroup", root: "/docker/me")
        #expect(inner.directory(of: "/docker/me/x") == "/sys/fs/cgroup/x")
        #expect(inner.directory(of: "/docker/me") == "/sys/fs/cgroup")
        #expect(inner.directory(of: "/docker/meow") == nil && inner.directory(of: "/") == nil)
        let outer = CgroupMount(point: "/c", root: "/")
        #expect(outer.directory(of: "/") == "/c" && outer.directory(of: "/a") == "/c/a")
        for path in ["/../x", "/a/../b", "/..", "a", "", "/a\0"] { #expect(outer.directory(of: path) == nil) }
        #expect(outer.directory(of: "/a..b") == "/c/a..b")
    }

    @Test func coveringIsByWholeComponents() {
        let place = CgroupPlace(unified: "/u/a", legacy: ["pids": "/p/a"])
        #expect(place.covers(CgroupPlace(unified: "/u/a/b")) && place.covers(place))
        #expect(!place.covers(CgroupPlace(unified: "/u/ab", legacy: ["pids": "/p/ab", "cpu": "/p/a"])))
        #expect(place.covers(CgroupPlace(unified: "/u", legacy: ["pids": "/p/a/x"])))
        #expect(!CgroupPlace().covers(place))
    }

    @Test func limitsAreReadInBothForms() {
        #expect(
            CgroupLimits.legacyQuota(bytes("-1")) == .unlimited
                && CgroupLimits.legacyQuota(bytes("5")) == .value(5))
        #expect(CgroupLimits.legacyBytes(bytes("9223372036854771712")) == .unlimited)
        #expect(CgroupLimits.legacyBytes(bytes("268435456")) == .value(268_435_456))
        #expect(CgroupLimits.unifiedQuota(bytes("max 100000")) == (.unlimited, 100_000))
        #expect(CgroupLimits.unifiedQuota(bytes("25000 100000")) == (.value(25_000), 100_000))
        #expect(CgroupLimits.unifiedQuota(bytes("25000")) == (nil, nil))
        var limits = CgroupLimits()
        #expect(limits.cpuPercent == nil && limits.allowsSwap == nil)
        limits.cpuQuotaMicroseconds = .value(25_000)
        limits.cpuPeriodMicroseconds = 100_000
        #expect(limits.cpuPercent == 25)
        limits.memoryBytes = .value(10)
        limits.memoryAndSwapBytes = .value(10)
        #expect(limits.allowsSwap == false)
        limits.memoryAndSwapBytes = .unlimited
        #expect(limits.allowsSwap == true)
        limits.swapBytes = .value(0)
        #expect(limits.allowsSwap == false)
    }

    @Test func transfersAreSummedOverDevices() {
        let legacy = CgroupReader.legacyIO(
            bytes("8:0 Read 5\n8:0 Write 7\n8:0 Total 12\n8:16 Read 1\nTotal 13\n"))
        #expect(legacy == (6, 7))
        let unified = CgroupReader.unifiedIO(bytes("8:0 rbytes=5 wbytes=7 rios=1\n8:16 rbytes=1 wbytes=x\n"))
        #expect(unified == (6, 7))
        #expect(CgroupPlace.parseProcesses(bytes("1\n0\nx\n-5\n4294967296\n77\n")) == [1, 77])
    }

    // MARK: With the kernel

    /// A group of this test in every hierarchy but the cpuset one, removed at the end.
    private func withGroup(_ body: (CgroupPlace, CgroupLayout) async throws -> Void) async throws {
        let layout = try CgroupLayout.detect()
        let name = "linux-system-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        var place = layout.place(of: "/").child(name)
        place.legacy = place.legacy.filter { !$0.key.hasPrefix("name=") }
        try place.create()
        do {
            try await body(place, layout)
        } catch {
            try remove(place, layout)
            throw error
        }
        try remove(place, layout)
        for directory in place.directories {
            #expect(
                errnoOf { () throws(SystemError) in _ = try HostFiles.status(RawPath(directory)) } == ENOENT)
        }
    }

    private func remove(_ place: CgroupPlace, _ layout: CgroupLayout) throws {
        // From now, not from the beginning of the test, which may have used up its time.
        let soon = MonotonicInstant.now().advanced(by: .seconds(20))
        try CgroupKill.killAll(place, layout: layout, until: soon)
        try place.remove(recursively: true, until: soon)
    }

    private static let canMakeGroups: Bool = {
        guard Host.isRoot else { return false }
        do throws(SystemError) {
            let layout = try CgroupLayout.detect()
            guard layout.kind != .none else { return false }
            let place = layout.place(of: "/").child("linux-system-probe-\(getpid())")
            try place.create()
            try place.remove(until: .now().advanced(by: .seconds(5)))
            return true
        } catch {
            return false
        }
    }()

    @Test(.enabled(if: canMakeGroups, "needs root and writable control groups"))
    func aGroupIsMeasuredFrozenAndKilled() async throws {
        try await withGroup { place, layout in
            let script = "while :; do :; done"
            let child = try await ChildProcess.spawn(
                ChildCommand("/bin/sh", ["-c", "read x; \(script) & \(script)"], input: .stream))
            try place.add(pid: child.pid)
            #expect(
                layout.place(of: try CgroupMembership.of(pid: child.pid)).directories.contains(
                    place.directories[0]))
            try await child.write([0x0a])
            let reader = try CgroupReader(place)
            var scratch: [UInt8] = []
            let limit = MonotonicInstant.now().advanced(by: .seconds(30))
            var sample = try reader.sample(scratch: &scratch)
            while sample.cpuNanoseconds ?? 0 < 5_000_000 || sample.tasks ?? 2 < 2,
                MonotonicInstant.now() < limit
            {
                await Task.yield()
                sample = try reader.sample(scratch: &scratch)
            }
            #expect(sample.cpuNanoseconds ?? 0 >= 5_000_000)
            if place.legacy["pids"] != nil { #expect(sample.tasks == 2 && sample.taskLimit == .unlimited) }
            if place.legacy["memory"] != nil {
                #expect(
                    sample.memoryBytes != nil && sample.outOfMemoryKills == 0 && sample.workingSetBytes != nil
                )
            }
            #expect(try place.processes(recursively: false).count == 2)

            try CgroupFreezer.freeze(place, until: limit)
            #expect(try CgroupFreezer.isFrozen(place))
            let held = try reader.sample(scratch: &scratch).cpuNanoseconds
            for _ in 0..<1000 { await Task.yield() }
            #expect(try reader.sample(scratch: &scratch).cpuNanoseconds == held)
            try CgroupFreezer.thaw(place)
            #expect(try !CgroupFreezer.isFrozen(place))

            try CgroupKill.killAll(place, layout: layout, until: limit)
            #expect(try place.isEmpty())
            #expect(await child.wait() == .signal(SIGKILL))
            try CgroupKill.killAll(place, layout: layout, until: limit)
        }
    }

    @Test(.enabled(if: canMakeGroups, "needs root and writable control groups"), arguments: [true, false])
    func aForkingGroupIsKilledToTheLast(_ usesKillFile: Bool) async throws {
        try await withGroup { place, layout in
            // Without the version 2 directory, only the freezer and signals are left.
            var group = place
            if !usesKillFile, !place.legacy.isEmpty { group.unified = nil }
            if let pids = group.legacy["pids"] {
                try HostFiles.writeControl(RawPath("\(pids)/pids.max"), "40")
            }
            let nested = group.child("inner", controllers: ["pids", "freezer"])
            try nested.create()
            // Fifteen loops that fork without end: whoever is listed has other children a moment later.
            let bomb = """
                read x; n=0
                while [ $n -lt 15 ]; do n=$((n+1)); (while :; do /bin/true; done) & done
                wait
                """
            let child = try await ChildProcess.spawn(ChildCommand("/bin/sh", ["-c", bomb], input: .stream))
            try group.add(pid: child.pid)
            let inner = try await ChildProcess.spawn(ChildCommand("/bin/sleep", ["300"]))
            try nested.add(pid: inner.pid)
            try await child.write([0x0a])
            let limit = MonotonicInstant.now().advanced(by: .seconds(60))
            while try group.processes(recursively: true).count < 16, MonotonicInstant.now() < limit {
                await Task.yield()
            }
            #expect(try group.processes(recursively: true).count >= 16)
            try CgroupKill.killAll(group, layout: layout, until: limit)
            #expect(try group.processes(recursively: true).isEmpty)
            child.closeOutput()
            _ = await child.wait()
            #expect(await inner.wait() == .signal(SIGKILL))
        }
    }

    @Test(.enabled(if: canMakeGroups, "needs root and writable control groups"))
    func limitsAreReadBack() async throws {
        try await withGroup { place, layout in
            guard let memory = place.legacy["memory"], let cpu = place.legacy["cpu"],
                let pids = place.legacy["pids"]
            else { return }
            #expect(try CgroupLimits.read(place).memoryBytes == .unlimited)
            try HostFiles.writeControl(RawPath("\(memory)/memory.limit_in_bytes"), "\(64 << 20)")
            try HostFiles.writeControl(RawPath("\(cpu)/cpu.cfs_quota_us"), "25000")
            try HostFiles.writeControl(RawPath("\(pids)/pids.max"), "10")
            let limits = try CgroupLimits.read(place)
            #expect(
                limits.memoryBytes == .value(64 << 20) && limits.cpuPercent == 25
                    && limits.tasks == .value(10))
        }
    }

    @Test(.enabled(if: canMakeGroups, "needs root and writable control groups"))
    func aRemovedGroupIsGoneForItsReader() async throws {
        let layout = try CgroupLayout.detect()
        let place = layout.place(of: "/").child("linux-system-gone-\(getpid())")
        let soon = MonotonicInstant.now().advanced(by: .seconds(20))
        try place.create()
        let reader = try CgroupReader(place)
        var scratch: [UInt8] = []
        _ = try reader.sample(scratch: &scratch)
        try place.remove(until: soon)
        try place.create()
        #expect(errnoOf { () throws(SystemError) in _ = try reader.sample(scratch: &scratch) } == ENODEV)
        try place.remove(until: soon)
        try place.remove(until: soon)
        #expect(errnoOf { () throws(SystemError) in _ = try CgroupReader(place) } == ENOENT)
    }

    @Test func rootsAndOurOwnGroupAreNotKilled() throws {
        let layout = try CgroupLayout.detect()
        let soon = MonotonicInstant.now().advanced(by: .seconds(1))
        #expect(
            errnoOf { () throws(SystemError) in
                try CgroupKill.killAll(layout.place(of: "/"), layout: layout, until: soon)
            } == EINVAL)
        let own = layout.place(of: try CgroupMembership.of(pid: getpid()))
        #expect(
            errnoOf { () throws(SystemError) in
                try CgroupKill.killAll(own, layout: layout, until: soon)
            } == EINVAL)
        #expect(
            errnoOf { () throws(SystemError) in
                try CgroupKill.killAll(CgroupPlace(), layout: layout, until: soon)
            } == EINVAL)
    }
}
