import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

@Suite struct AttestationTests {
    private static let mountText = """
        72 48 0:39 / / ro - overlay overlay rw
        73 72 0:42 / /proc rw,nosuid,nodev,noexec - proc proc rw
        49 73 0:42 /sys /proc/sys ro,nosuid,nodev,noexec - proc proc rw
        50 73 0:51 / /proc/kcore ro - tmpfs tmpfs ro
        76 72 0:45 / /sys ro,nosuid,nodev,noexec - sysfs sysfs ro
        89 72 7:1 / /work rw,nosuid,nodev - ext4 /dev/loop1 rw

        """
    private static let statusText = """
        Name:\tinit
        State:\tS (sleeping)
        Pid:\t100
        PPid:\t1
        Uid:\t70001\t70001\t70001\t70001
        Gid:\t70001\t70001\t70001\t70001
        Groups:\t70001 
        CapInh:\t0000000000000000
        CapPrm:\t0000000000000000
        CapEff:\t0000000000000000
        CapBnd:\t0000000000000000
        CapAmb:\t0000000000000000
        NoNewPrivs:\t1
        Seccomp:\t2

        """
    private static let user = SandboxUser(uid: 70_001, gid: 70_001)

    private static func found<Value>(_ value: Value) -> AttestationReading<Value> { .found(value, evidence: "file") }

    private static func facts(mounts: String = mountText, status: String = statusText) throws -> AttestationFacts {
        let limits = "Max open files            256                  256                  files     \n"
        let pair = try #require(ProcessLimits.parse(Array(limits.utf8)[...])?.openFiles)
        let names = AttestationPrivileges.namespaceNames
        return AttestationFacts(
            memoryLimit: found(.value(256 << 20)), swap: found(.limited(beyondMemory: .value(0))),
            cpu: found(AttestationCPU(quota: .value(25_000), period: 100_000)), processLimit: found(.value(10)),
            openFiles: found(pair),
            credentials: found(try #require(ProcessStatus.parse(Array(status.utf8)[...]))),
            mounts: found(MountTable.parse(Array(mounts.utf8)[...]).entries),
            workspace: found(AttestationWorkspace(isTheHosts: true, isOwnFileSystem: true, sizeBytes: 64 << 20)),
            presentKernelPaths: ["/proc/kcore", "/proc/sys"],
            separateNamespaces: found(Dictionary(uniqueKeysWithValues: names.map { ($0, true) })),
            devices: found(AttestationDevices(nodes: ["c 1:3", "c 136:0"], allowed: ["c 1:3 rwm", "c *:* m"])))
    }

    private static func weak(
        _ facts: AttestationFacts, _ change: (inout Policy) -> Void = { _ in }
    ) throws -> [String] {
        let network = AppliedControl("network", .enforced, wanted: "none", found: "none", evidence: "")
        return Attestation.controls(
            policy: try DockerCreateBodyTests.policy(change), user: user, facts: facts,
            guards: Attestation.Guards(hasExecGroups: true, isMonitored: true), others: [network]
        ).filter { $0.status == .degraded }.map(\.control)
    }

    @Test func whatIsAsThePolicySaysIsHeld() throws { #expect(try Self.weak(try Self.facts()) == []) }

    @Test func eachDifferenceIsDegraded() throws {
        let cases: [(String, (inout AttestationFacts) -> Void)] = [
            ("memory", { $0.memoryLimit = Self.found(.unlimited) }),
            ("swap", { $0.swap = Self.found(.limited(beyondMemory: .value(4096))) }),
            ("swap", { $0.swap = Self.found(.notCounted(hostHasSwap: true)) }),
            ("cpu", { $0.cpu = Self.found(AttestationCPU(quota: .unlimited, period: 100_000)) }),
            ("cpu", { $0.cpu = Self.found(AttestationCPU(quota: .value(25_002), period: 100_000)) }),
            ("cpu", { $0.cpu = Self.found(AttestationCPU(quota: .value(1), period: 0)) }),
            ("processes", { $0.processLimit = Self.found(.value(11)) }),
            ("open_files", { $0.openFiles = .unknown("gone") }),
            ("namespaces", { $0.separateNamespaces = Self.found(["pid": true]) }),
            ("devices", { $0.devices = Self.found(AttestationDevices(nodes: ["b 8:0"], allowed: [])) }),
            ("devices", { $0.devices = Self.found(AttestationDevices(nodes: [], allowed: ["a *:* rwm"])) }),
        ]
        for (control, change) in cases {
            var facts = try Self.facts()
            change(&facts)
            #expect(try Self.weak(facts) == [control])
        }
    }

    @Test(arguments: [
        ("CapBnd:\t0000000000000000", "CapBnd:\t0000000000200000", "capabilities"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "no_new_privileges"), ("Seccomp:\t2", "Seccomp:\t0", "seccomp"),
        ("Uid:\t70001\t70001", "Uid:\t70001\t0", "user"), ("Groups:\t70001", "Groups:\t0", "user"),
    ])
    func eachRightTooMuchIsDegraded(_ old: String, _ new: String, _ control: String) throws {
        let status = Self.statusText.replacing(old, with: new)
        #expect(try Self.weak(try Self.facts(status: status)) == [control])
    }

    @Test(arguments: [
        ("/ / ro - overlay", "/ / rw - overlay", "read_only_root"),
        ("50 73 0:51 / /proc/kcore", "50 73 0:51 / /elsewhere", "masked_paths"),
        ("/sys /proc/sys ro", "/sys /proc/sys rw", "readonly_paths"),
        ("/ /work rw,nosuid,nodev", "/ /work rw,nodev", "workspace"),
        ("/ /work rw,nosuid,nodev", "/ /work ro,nosuid,nodev", "workspace"),
    ])
    func eachMountThatDiffersIsDegraded(_ old: String, _ new: String, _ control: String) throws {
        let mounts = Self.mountText.replacing(old, with: new)
        #expect(try Self.weak(try Self.facts(mounts: mounts)) == [control])
    }

    @Test func theWeakestWordStandsAndAllAreQuoted() throws {
        let strong = AppliedControl("cpu", .enforced, wanted: "1", found: "1", evidence: "a")
        let weak = AppliedControl("cpu", .degraded, wanted: "1", found: "2", evidence: "b")
        for order in [[strong, weak], [weak, strong]] {
            let merged = Attestation.merge(order, defaults: [strong])
            #expect(merged.map(\.status) == [.degraded])
            #expect(merged.first?.evidence == "b; a")
        }
    }

    @Test func aSandboxIsRefusedForWhatDoesNotHold() {
        let controls = [
            AppliedControl("memory", .enforced, wanted: "", found: "", evidence: ""),
            AppliedControl("extensions", .observed, wanted: "", found: "", evidence: ""),
            AppliedControl("disk", .degraded, wanted: "", found: "", evidence: ""),
            AppliedControl("isolation", .unsupported, wanted: "", found: "", evidence: ""),
        ]
        func faults(_ required: [String], _ allow: Bool = false) -> [String] {
            Attestation.requirementFaults(controls, requireKernel: required, allowDegraded: allow).map(\.control)
        }
        #expect(faults([]) == ["disk", "isolation"])
        #expect(faults(["memory", "extensions"]) == ["extensions", "disk", "isolation"])
        #expect(faults(["nothing"]) == ["disk", "isolation", "nothing"])
        #expect(faults(["extensions", "nothing"], true) == [])
    }
}
