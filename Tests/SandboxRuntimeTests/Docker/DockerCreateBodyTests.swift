import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

@Suite struct DockerCreateBodyTests {
    static func policy(_ change: (inout Policy) -> Void = { _ in }) throws -> Policy {
        var policy = Policy(name: try #require(PolicyName(rawValue: "strict")))
        policy.resourceLimits.memoryMB = 256
        policy.resourceLimits.cpuPercent = 25
        policy.resourceLimits.maxProcesses = 10
        policy.resourceLimits.maxOpenFiles = 256
        policy.resourceLimits.diskMB = 64
        change(&policy)
        return policy
    }

    static func plan(_ policy: Policy) throws -> SandboxPlan {
        SandboxPlan(
            id: try #require(SandboxID(rawValue: "sb-abcdefghij")), instanceID: "inst-1", policy: policy,
            policyVersion: 1,
            image: "box:t", user: SandboxUser(uid: 70_001, gid: 70_002), labels: ["team": "a"], directory: "/d",
            workspacePath: "/d/work", gatePath: "/d/gate", resolverText: nil, hostname: "sandbox")
    }

    static func facts(
        _ info: String = #"{"SecurityOptions":["name=seccomp,profile=default"],"CgroupVersion":"1"}"#
    )
        throws -> DockerEngineFacts
    {
        DockerEngineFacts(
            version: DockerAPIVersion(1, 41), isPodman: false, info: try JSONParser.parse(Array(info.utf8)))
    }

    static func image(_ configuration: String = "{}") throws -> DockerImage {
        let text = #"{"Id":"sha256:abc","Config":\#(configuration)}"#
        return try DockerImage(reply: try JSONParser.parse(Array(text.utf8)))
    }

    private func body(
        _ policy: Policy, image: String = "{}", facts: DockerEngineFacts? = nil, cgroupParent: String? = nil
    ) throws -> JSONValue {
        try DockerCreateBody(
            plan: try Self.plan(policy), image: try Self.image(image), facts: try facts ?? Self.facts(),
            resolverPath: "/d/resolv.conf", cgroupParent: cgroupParent
        ).json()
    }

    @Test func theWholePolicyIsSaid() throws {
        let body = try body(try Self.policy())
        let host = try #require(body["HostConfig"])
        #expect(body["User"]?.string == "70001:70002")
        #expect(body["Entrypoint"] == ["/.sandwarden/init"])
        #expect(body["Cmd"] == ["hold"])
        #expect(body["Healthcheck"] == ["Test": ["NONE"]])
        #expect(body["Image"]?.string == "sha256:abc")
        #expect(host["Memory"]?.integer == 256 << 20)
        #expect(host["MemorySwap"]?.integer == 256 << 20)
        #expect(host["CpuPeriod"]?.integer == 100_000)
        #expect(host["CpuQuota"]?.integer == 25_000)
        #expect(host["PidsLimit"]?.integer == 10)
        #expect(host["OomKillDisable"]?.bool == false)
        #expect(host["Privileged"]?.bool == false)
        #expect(host["ReadonlyRootfs"]?.bool == true)
        #expect(host["CapDrop"] == ["ALL"])
        #expect(host["CapAdd"] == [])
        #expect(host["SecurityOpt"] == ["no-new-privileges"])
        #expect(host["NetworkMode"]?.string == "none")
        #expect(host["IpcMode"]?.string == "private")
        #expect(host["CgroupnsMode"]?.string == "private")
        #expect(host["RestartPolicy"]?["Name"]?.string == "no")
        #expect(host["LogConfig"]?["Type"]?.string == "none")
        #expect(host["MaskedPaths"]?.array?.count == AttestationPaths.masked.count)
        #expect(host["ReadonlyPaths"]?.array?.count == AttestationPaths.readOnly.count)
        #expect(host["Runtime"] == nil)
        #expect(host["CgroupParent"] == nil)
        #expect(
            host["Ulimits"] == [
                ["Name": "nofile", "Soft": 256, "Hard": 256], ["Name": "nproc", "Soft": 84, "Hard": 84],
                ["Name": "core", "Soft": 0, "Hard": 0],
                ["Name": "fsize", "Soft": .integer(64 << 20), "Hard": .integer(64 << 20)],
            ])
        #expect(
            body["Labels"] == [
                "org.sandwarden.instance": "inst-1", "org.sandwarden.sandbox": "sb-abcdefghij",
                "org.sandwarden.policy": "strict",
            ])
    }

    @Test func mountsAreTheWorkspaceTheHolderAndTheResolver() throws {
        let mounts = try #require(try body(try Self.policy())["HostConfig"]?["Mounts"]?.array)
        let told = mounts.map { mount in
            [mount["Source"]?.string, mount["Target"]?.string, mount["ReadOnly"]?.bool.map { "\($0)" }]
        }
        #expect(
            told == [
                ["/d/work", "/work", "false"], ["/d/gate", "/.sandwarden", "true"],
                ["/d/resolv.conf", "/etc/resolv.conf", "true"],
            ])
    }

    @Test func optionsOfThePolicyAreCarriedOver() throws {
        let policy = try Self.policy {
            $0.privileges.capabilities = ["CAP_NET_BIND_SERVICE"]
            $0.privileges.noNewPrivileges = false
            $0.privileges.readOnlyRoot = false
            $0.privileges.seccomp = .unconfined
            $0.privileges.user = .uid(1234)
        }
        let host = try #require(try body(policy, cgroupParent: "/box")["HostConfig"])
        #expect(host["CapAdd"] == ["CAP_NET_BIND_SERVICE"])
        #expect(host["SecurityOpt"] == ["seccomp=unconfined"])
        #expect(host["ReadonlyRootfs"]?.bool == false)
        #expect(host["CgroupParent"]?.string == "/box")
        #expect(host["Ulimits"]?.array?[1]["Hard"]?.integer == 65_536)
    }

    @Test func whatTheImageBringsIsTakenOut() throws {
        let image =
            #"{"Env":["LD_PRELOAD=/x","FOO=a=b","PATH=/evil","FOO=c","=x"],"Volumes":{"/data/":{},"/work":{},"/tmp":{}}}"#
        let body = try body(try Self.policy(), image: image)
        #expect(body["Env"] == [.string("PATH=" + DockerCreateBody.path), "LD_PRELOAD", "FOO"])
        let folders = try #require(body["HostConfig"]?["Tmpfs"]?.members)
        #expect(folders.map(\.key) == ["/tmp", "/run", "/data"])
        for folder in folders {
            let options = try #require(folder.value.string)
            #expect(options.contains("nosuid,nodev"))
            #expect(options.contains(folder.key == "/tmp" ? ",exec," : ",noexec,"))
            #expect(options.contains("size=\(32 << 20),"))
        }
    }

    @Test(arguments: [1, 8, 100, 4096])
    func foldersInMemoryFitIntoIt(_ memoryMB: Int) throws {
        let policy = try Self.policy { $0.resourceLimits.memoryMB = memoryMB }
        let size = try #require(try body(policy)["HostConfig"]?["ShmSize"]?.integer)
        #expect(size >= 1 << 20)
        #expect(size <= max(1 << 20, Int64(memoryMB) << 17))
        #expect(size <= 64 << 20)
    }

    @Test(arguments: [
        "/", "work", "", "//work", "/work/", "/a/../b", "/proc/x", "/sys", "/dev/shm", "/.sandwarden/x", "/a\nb",
        "/" + String(repeating: "a", count: 1100),
    ])
    func aWorkspaceCannotCoverTheKernelsFiles(_ path: String) throws {
        let policy = try Self.policy { $0.workspace = path }
        #expect(throws: RuntimeError.self) { try body(policy) }
    }

    @Test func aVolumeCannotCoverTheKernelsFiles() throws {
        #expect(throws: RuntimeError.self) { try body(try Self.policy(), image: #"{"Volumes":{"/proc":{}}}"#) }
        #expect(throws: RuntimeError.self) { try body(try Self.policy(), image: #"{"Volumes":{"/":{}}}"#) }
    }

    @Test func tooManyVolumesAreRefused() throws {
        let volumes = (0...DockerCreateBody.maximumVolumes).map { "\"/v\($0)\":{}" }.joined(separator: ",")
        let error = #expect(throws: RuntimeError.self) {
            try body(try Self.policy(), image: "{\"Volumes\":{\(volumes)}}")
        }
        #expect(error?.code == .unsupported)
    }

    @Test func gVisorIsAskedForOnlyWhereItIs() throws {
        let policy = try Self.policy { $0.isolation = .gvisor }
        let error = #expect(throws: RuntimeError.self) { try body(policy) }
        #expect(error?.code == .unsupported)
        let facts = try Self.facts(#"{"Runtimes":{"runc":{},"runsc":{}},"SecurityOptions":["name=seccomp"]}"#)
        #expect(try body(policy, facts: facts)["HostConfig"]?["Runtime"]?.string == "runsc")
    }

    @Test(arguments: [
        #"{"SecurityOptions":[]}"#, #"{"SecurityOptions":["name=seccomp,profile=unconfined"]}"#,
        #"{"SecurityOptions":["name=seccomp"],"MemoryLimit":false}"#,
        #"{"SecurityOptions":["name=seccomp"],"PidsLimit":false}"#,
        #"{"SecurityOptions":["name=seccomp"],"CpuCfsQuota":false}"#,
    ])
    func anEngineThatCannotHoldAControlIsRefused(_ info: String) throws {
        let error = #expect(throws: RuntimeError.self) { try body(try Self.policy(), facts: try Self.facts(info)) }
        #expect(error?.code == .unsupported)
    }

    @Test func swapAloneIsLeftToTheAttestation() throws {
        let facts = try Self.facts(#"{"SecurityOptions":["name=seccomp"],"SwapLimit":false}"#)
        #expect(throws: Never.self) { try body(try Self.policy(), facts: facts) }
    }
}

@Suite struct DockerLimitsTests {
    @Test(arguments: [
        (25.0, 100_000, 25_000), (0.5, 1_000_000, 5_000), (0.1, 1_000_000, 1_000), (1.0, 100_000, 1_000),
        (33.333, 100_000, 33_333), (800, 100_000, 800_000),
    ])
    func aShareOfACoreBecomesAQuota(_ percent: Double, _ period: Int64, _ quota: Int64) throws {
        var limits = ResourceLimits()
        limits.cpuPercent = percent
        let found = try DockerLimits(limits)
        #expect(found.cpuPeriodMicroseconds == period)
        #expect(found.cpuQuotaMicroseconds == quota)
    }

    @Test(arguments: [0.0, 0.05, -1, .infinity, .nan])
    func aShareThatNoPeriodCanExpressIsUnsupported(_ percent: Double) {
        var limits = ResourceLimits()
        limits.cpuPercent = percent
        #expect(throws: RuntimeError.self) { try DockerLimits(limits) }
    }

    @Test func aSizeBeyond64BitsIsUnsupported() {
        var limits = ResourceLimits()
        limits.memoryMB = .max
        #expect(throws: RuntimeError.self) { try DockerLimits(limits) }
    }
}

@Suite struct DockerImageNameTests {
    @Test(arguments: [
        "box", "box:t", "library/alpine:3.20", "registry.example.org:5000/a/b@sha256:abc", "A_b-c.d",
        "sha256:6a6852",
    ])
    func acceptsReferences(_ name: String) { #expect(DockerImageName(name) != nil) }

    @Test(arguments: [
        "", "/etc/passwd", "-x", "a//b", "a/../b", "a/./b", "a b", "a?b", "a%2e", "a#b", "ä", ".", "..", "a/",
        String(repeating: "a", count: 256),
    ])
    func refusesPathsAndEverythingElse(_ name: String) { #expect(DockerImageName(name) == nil) }
}
