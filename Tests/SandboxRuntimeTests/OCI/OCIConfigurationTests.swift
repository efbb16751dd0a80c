import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

@Suite struct OCIConfigurationTests {
    private func plan(
        _ change: (inout Policy) -> Void = { _ in }, uid: UInt32 = 231_072
    ) throws -> SandboxPlan {
        var policy = Policy(name: try #require(PolicyName(rawValue: "p")))
        change(&policy)
        return SandboxPlan(
            id: try #require(SandboxID(rawValue: "sb-0123456789")), instanceID: "i", policy: policy,
            policyVersion: 1, image: nil, user: SandboxUser(uid: uid, gid: uid), labels: ["a": "b"],
            directory: "/d/sb-0123456789", workspacePath: "/d/sb-0123456789/work",
            gatePath: "/d/sb-0123456789/gate", resolverText: nil, hostname: "h")
    }

    private let facts = OCIHostFacts(
        openFilesHardLimit: 4096, canRaiseLimits: false, accountsSwap: true, isUnified: true)
    private let root = OCIRoot(path: "/r", mounts: [], maskedPaths: ["/usr/local"])

    private func configuration(_ plan: SandboxPlan, _ facts: OCIHostFacts? = nil) -> JSONValue {
        OCIConfiguration.value(plan, root: root, controlGroup: "/g/x", facts: facts ?? self.facts)
    }

    @Test func nothingIsInheritedOrGranted() throws {
        let process = try #require(configuration(try plan())["process"])
        for set in ["bounding", "effective", "permitted", "inheritable", "ambient"] {
            #expect(process["capabilities"]?[set] == .array([]), "\(set)")
        }
        #expect(process["noNewPrivileges"] == .bool(true))
        #expect(process["user"]?["additionalGids"] == .array([]))
        #expect(process["args"] == ["/.sandwarden/init", "hold"])
    }

    @Test func grantedCapabilitiesReachWhoeverRuns() throws {
        let names = ["CAP_NET_BIND_SERVICE"]
        let user = configuration(try plan { $0.privileges.capabilities = names })["process"]?["capabilities"]
        #expect(user?["ambient"] == .strings(names))
        #expect(user?["inheritable"] == .strings(names))
        let root = configuration(try plan({ $0.privileges.capabilities = names }, uid: 0))["process"]?[
            "capabilities"]
        #expect(root?["effective"] == .strings(names))
        #expect(root?["ambient"] == .array([]))
    }

    @Test func limitsAreWhatTheHostAllows() throws {
        func openFiles(_ wanted: Int, _ facts: OCIHostFacts) throws -> Int64? {
            let limits = configuration(try plan { $0.resourceLimits.maxOpenFiles = wanted }, facts)[
                "process"]?["rlimits"]
            return limits?.array?.first { $0["type"]?.string == "RLIMIT_NOFILE" }?["hard"]?.integer
        }
        #expect(try openFiles(100, facts) == 100)
        #expect(try openFiles(10_000, facts) == 4096)
        var mighty = facts
        mighty.canRaiseLimits = true
        #expect(try openFiles(10_000, mighty) == 10_000)
    }

    @Test func resourcesAreThePolicys() throws {
        var limits = ResourceLimits()
        limits.memoryMB = 100
        limits.cpuPercent = 12.5
        limits.maxProcesses = 7
        let resources = OCIConfiguration.resources(limits, facts: facts)
        #expect(resources["memory"]?["limit"]?.integer == 100 << 20)
        #expect(resources["memory"]?["swap"]?.integer == 100 << 20)
        #expect(resources["cpu"]?["quota"]?.integer == 12_500)
        #expect(resources["pids"]?["limit"]?.integer == 7)
        var uncounted = facts
        uncounted.accountsSwap = false
        #expect(OCIConfiguration.resources(limits, facts: uncounted)["memory"]?["swap"] == nil)
        for (percent, quota) in [(0.1, 1000), (-1, 1000), (.nan, 1000), (.infinity, 1000), (800, 800_000)] {
            #expect(OCIConfiguration.cpuQuota(percent: percent) == Int64(quota))
        }
    }

    @Test func theWorkspaceIsMountedLastAndOnce() throws {
        for workspace in ["/work", "/tmp", "/run/a"] {
            let mounts = OCIConfiguration.mounts(
                try plan { $0.workspace = workspace }, root: root, facts: facts)
            #expect(mounts.last?.destination == workspace)
            #expect(mounts.count { $0.destination == workspace } == 1)
            for mount in mounts where mount.destination != workspace && mount.type == "bind" {
                #expect(mount.options.contains("ro"))
            }
            for mount in mounts where mount.destination != "/dev" && mount.destination != "/dev/pts" {
                #expect(mount.options.contains("nodev"), "\(mount.destination)")
            }
            for mount in mounts { #expect(mount.options.contains("nosuid"), "\(mount.destination)") }
        }
    }

    @Test func memoryFileSystemsAreSmall() {
        let sizes = [(1, 1), (16, 2), (64, 8), (512, 64), (100_000, 64)]
        for (memory, size) in sizes { #expect(OCIMount.temporarySizeMB(memoryMB: memory) == size) }
    }

    @Test func aPlaceForTheWorkspace() throws {
        let shown = ["/usr", "/etc/ssl/certs"]
        for (path, place) in [
            ("/work", "work"), ("/home/a/b", "home/a/b"), ("/tmp/x", nil), ("/usrx", "usrx"),
        ] {
            #expect(try OCIRoot.placeForWorkspace(path, below: shown) == place)
        }
        for path in [
            "/", "", "work", "/usr", "/usr/share", "/proc/x", "/dev", "/sys", "/etc/x", "/.sandwarden/x",
            "/a/../b",
            "/a//b", "/a/", "/a\0b", "/./a",
        ] {
            let failure = #expect(throws: RuntimeError.self) {
                _ = try OCIRoot.placeForWorkspace(path, below: shown)
            }
            #expect(failure?.code == .invalid, "\(path)")
        }
    }

    @Test func anExecsProcessIsTheHoldersWithAnotherProgram() throws {
        let holder = OCIProcess.holder(try plan(), facts: facts)
        let process = ExecProcess(
            arguments: ["/x", "y"], environment: ["B": "2", "A": "1"], workingDirectory: "/w",
            user: SandboxUser(uid: 5, gid: 6), hasInput: false)
        let exec = OCIProcess.exec(process, like: holder)
        #expect(exec["args"] == ["/x", "y"])
        #expect(exec["env"] == ["A=1", "B=2"])
        #expect(exec["cwd"] == "/w")
        #expect(exec["user"]?["uid"]?.integer == 5)
        for same in ["capabilities", "noNewPrivileges", "rlimits", "oomScoreAdj", "terminal"] {
            #expect(exec[same] == holder[same])
        }
        let fewer = OCIProcess.withOpenFiles(9, facts: facts, in: holder)
        let limits = fewer["rlimits"]?.array ?? []
        #expect(limits.first { $0["type"]?.string == "RLIMIT_NOFILE" }?["soft"]?.integer == 9)
        #expect(limits.count == holder["rlimits"]?.array?.count)
    }

    @Test func theFilterIsThereUnlessThePolicySaysOtherwise() throws {
        #expect(configuration(try plan())["linux"]?["seccomp"]?["defaultAction"] == "SCMP_ACT_ERRNO")
        #expect(configuration(try plan { $0.privileges.seccomp = .unconfined })["linux"]?["seccomp"] == nil)
    }

    @Test func statesAreReadOrRefused() throws {
        let text = """
            {"ociVersion":"1.0.2","id":"sb-0123456789","pid":7,"status":"running","bundle":"/b",
             "annotations":{"org.sandwarden.image":"i","org.sandwarden.label.a":"b","x":"y"}}
            """
        let state = try OCIState.parse(Array(text.utf8))
        #expect(state.container.state == .running)
        #expect(state.container.pid == 7)
        #expect(state.container.labels == ["a": "b"])
        #expect(state.container.image == "i")
        #expect(!state.container.adoptionObstacles.isEmpty)
        for bad in [
            "", "[]", "{}", text.replacing("running", with: "dancing"),
            text.replacing("sb-0123456789", with: "../x"),
        ] {
            #expect(throws: RuntimeError.self) { _ = try OCIState.parse(Array(bad.utf8)) }
        }
        #expect(try OCIState.parse(Array(text.replacing("running", with: "stopped").utf8)).pid == nil)
    }
}

@Suite struct SeccompConfigurationTests {
    private func names(_ value: JSONValue, unconditional: Bool = true) -> Set<String> {
        var names: Set<String> = []
        for rule in value["syscalls"]?.array ?? [] {
            guard rule["action"]?.string == "SCMP_ACT_ALLOW", (rule["args"] == nil) == unconditional else {
                continue
            }
            for name in rule["names"]?.array ?? [] { names.insert(name.string ?? "") }
        }
        return names
    }

    @Test func whatIsDangerousIsNotAllowed() {
        let allowed = names(SeccompConfiguration.value(capabilities: [], architecture: .x86_64))
        for name in [
            "mount", "unshare", "setns", "clone3", "bpf", "keyctl", "add_key", "request_key",
            "io_uring_setup",
            "userfaultfd", "perf_event_open", "open_by_handle_at", "init_module", "kexec_load", "reboot",
            "swapon",
            "pivot_root", "chroot", "iopl", "socketcall", "socket", "personality", "clone", "",
        ] { #expect(!allowed.contains(name), "\(name)") }
        #expect(allowed.isSuperset(of: ["read", "execve", "futex", "openat2", "arch_prctl", "statx"]))
    }

    @Test func noNameStandsTwice() {
        #expect(Set(SeccompTable.always).count == SeccompTable.always.count)
    }

    @Test func capabilitiesOpenWhatTheyAreFor() {
        let admin = SeccompConfiguration.value(capabilities: ["CAP_SYS_ADMIN"], architecture: .aarch64)
        #expect(names(admin).isSuperset(of: ["mount", "clone", "clone3", "setns", "sync_file_range2"]))
        #expect(!names(admin).contains("arch_prctl"))
        let raw = SeccompConfiguration.value(capabilities: ["CAP_NET_RAW"], architecture: .x86_64)
        let families = (raw["syscalls"]?.array ?? []).filter { $0["names"] == ["socket"] }
            .compactMap { $0["args"]?.array?.first?["valueTwo"]?.integer }
        #expect(families == [1, 2, 10, 16, 17])
    }

    @Test func oneConditionAnArgument() {
        let value = SeccompConfiguration.value(capabilities: [], architecture: .x86_64)
        for rule in value["syscalls"]?.array ?? [] { #expect(rule["args"]?.array?.count ?? 1 == 1) }
    }
}
