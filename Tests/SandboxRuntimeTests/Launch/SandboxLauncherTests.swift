import Glibc
import LinuxSystem
import Logging
import Metrics
import SandboxModel
import SandboxPolicy
import Synchronization
import Testing

@testable import SandboxNetwork
@testable import SandboxRuntime

@Suite(.timeLimit(.minutes(3)), .enabled(if: OCIHost.canRun, Comment(rawValue: OCIHost.missing)))
struct SandboxLauncherTests {
    private func order(_ change: (inout Policy) -> Void = { _ in }) throws -> LaunchOrder {
        var policy = Policy(name: try #require(PolicyName(rawValue: "test")))
        policy.resourceLimits.diskMB = 8
        change(&policy)
        var generator = SystemRandomNumberGenerator()
        let user = try OCIBase.users.allocate()
        return LaunchOrder(
            id: SandboxID(using: &generator), policy: policy, policyVersion: 1, image: nil, user: user,
            labels: [:],
            isMonitored: true)
    }

    @Test func everyControlOfADefaultPolicyHolds() async throws {
        guard ChildCommand.locate("ip") != nil, ChildCommand.locate("nft") != nil else { return }
        try await OCIBase.with { base in
            let network = try NetworkController(
                configuration: NetworkConfiguration(), instanceID: base.instanceID,
                logger: Logger(label: "test"), metrics: MetricsRegistry())
            let launcher = SandboxLauncher(
                sandboxesDirectory: "\(base.path)/s", instanceID: base.instanceID, network: network)
            let order = try order()
            let launched = try await launcher.launch(order, with: base.driver)
            let faults = Attestation.requirementFaults(
                launched.controls, requireKernel: [], allowDegraded: false)
            #expect(faults.isEmpty, "\(faults)")
            let enforced = Set(launched.controls.filter { $0.status == .enforced }.map(\.control))
            #expect(
                enforced.isSuperset(of: [
                    "memory", "cpu", "processes", "open_files", "disk", "capabilities", "no_new_privileges",
                    "seccomp",
                    "user", "read_only_root", "masked_paths", "readonly_paths", "workspace", "namespaces",
                    "devices",
                    "network", "execution_timeout", "isolation", "image",
                ]), "\(launched.controls.filter { $0.status != .enforced })")
            let result = try await launcher.exec(
                ExecRequest(
                    arguments: ["sh", "-c", "echo $0; ls /sys/class/net"], workingDirectory: "/work",
                    timeout: .seconds(20), outputLimit: 1000),
                in: order, engineID: launched.engineID, holder: launched.holder, with: base.driver)
            #expect(String(decoding: result.stdout, as: UTF8.self) == "sh\nlo\n")
            let remains = SandboxRemains(id: order.id, engineID: launched.engineID, network: launched.network)
            try await launcher.teardown(remains, with: base.driver)
            try await launcher.teardown(remains, with: base.driver)
            #expect(try HostTraces(of: base).isEmpty)
        }
    }

    @Test(arguments: ["prepare", "start", "network"]) func aFailedStepTakesBackAllThatWasMade(
        step: String
    ) async throws {
        try await OCIBase.with { base in
            let driver = FaultyDriver(base: base.driver, failing: step)
            let network = FakeNetwork(fails: step == "network")
            let launcher = SandboxLauncher(
                sandboxesDirectory: "\(base.path)/s", instanceID: base.instanceID, network: network)
            let order = try order()
            let failure = await #expect(throws: RuntimeError.self) {
                _ = try await launcher.launch(order, with: driver)
            }
            #expect(failure?.detail.contains("on purpose") == true)
            #expect(try HostTraces(of: base).isEmpty)
            #expect(try HostPath.status(launcher.directory(order.id)) == nil)
            #expect(try await base.driver.inspect(try #require(EngineID(rawValue: order.id.rawValue))) == nil)
        }
    }

    @Test func aPolicyThatCannotBeHeldLeavesNothing() async throws {
        try await OCIBase.with { base in
            let launcher = SandboxLauncher(
                sandboxesDirectory: "\(base.path)/s", instanceID: base.instanceID, network: FakeNetwork())
            for (code, change) in [
                (RuntimeError.Code.unsupported, { (policy: inout Policy) in policy.isolation = .gvisor }),
                (.invalid, { $0.workspace = "/usr/share" }), (.invalid, { $0.resourceLimits.diskMB = 0 }),
            ] {
                let order = try order(change)
                let failure = await #expect(throws: RuntimeError.self) {
                    _ = try await launcher.launch(order, with: base.driver)
                }
                #expect(failure?.code == code)
                #expect(try HostPath.status(launcher.directory(order.id)) == nil)
            }
            #expect(try HostTraces(of: base).isEmpty)
        }
    }

    @Test func anIdentifierInUseIsNotTouched() async throws {
        try await OCIBase.with { base in
            let network = FakeNetwork()
            let launcher = SandboxLauncher(
                sandboxesDirectory: "\(base.path)/s", instanceID: base.instanceID, network: network)
            let order = try order()
            let launched = try await launcher.launch(order, with: base.driver)
            let failure = await #expect(throws: RuntimeError.self) {
                _ = try await launcher.launch(order, with: base.driver)
            }
            #expect(failure?.code == .conflict)
            #expect(try await base.driver.inspect(launched.engineID)?.pid == launched.holder.pid)
            try await launcher.teardown(
                SandboxRemains(id: order.id, engineID: nil, network: launched.network), with: base.driver)
            #expect(network.attached == 0)
        }
    }

    @Test func aLaunchGoesOnWithoutItsCaller() async throws {
        try await OCIBase.with { base in
            let network = FakeNetwork()
            let launcher = SandboxLauncher(
                sandboxesDirectory: "\(base.path)/s", instanceID: base.instanceID, network: network)
            let order = try order()
            let task = Task { try await launcher.launch(order, with: base.driver) }
            task.cancel()
            let launched = try await task.value
            let end = Task {
                try await launcher.teardown(
                    SandboxRemains(id: order.id, engineID: launched.engineID, network: launched.network),
                    with: base.driver)
            }
            end.cancel()
            try await end.value
            #expect(try HostTraces(of: base).isEmpty)
        }
    }

    @Test func strayFoldersAreFoundAndRemoved() async throws {
        try await OCIBase.with { base in
            let launcher = SandboxLauncher(
                sandboxesDirectory: "\(base.path)/s", instanceID: base.instanceID, network: FakeNetwork())
            let kept = try order()
            let stray = try order()
            let launched = try await launcher.launch(kept, with: base.driver)
            _ = try await launcher.launch(stray, with: base.driver)
            let bare = try order()
            try HostFiles.makeDirectory(RawPath(launcher.directory(bare.id)), mode: 0o700)
            let report = await launcher.removeStrays(known: [kept.id], drivers: [base.driver])
            #expect(Set(report) == Set([stray.id, bare.id].map { "\($0) had no record and was removed" }))
            #expect(try await base.driver.inspect(launched.engineID)?.state == .running)
            #expect(try HostPath.status(launcher.directory(stray.id)) == nil)
        }
    }
}

/// A network that only keeps count.
final class FakeNetwork: NetworkArming {
    private let fails: Bool
    private let count = Mutex(0)

    init(fails: Bool = false) { self.fails = fails }

    var attached: Int { count.withLock { $0 } }

    func resolverText(for policy: NetworkPolicy) -> String? { nil }

    func attach(_ attachment: NetworkAttachment) async throws(NetworkError) -> NetworkHandle {
        guard !fails else { throw NetworkError(.failed, operation: "attach", detail: "on purpose") }
        count.withLock { $0 += 1 }
        return NetworkHandle(none: attachment)
    }

    func verify(_ handle: NetworkHandle, _ attachment: NetworkAttachment) async -> [AppliedControl] { [] }

    func detach(_ handle: NetworkHandle) async throws(NetworkError) { count.withLock { $0 -= 1 } }
}

/// A driver whose named step fails after it has been done, as when the daemon dies right behind it.
struct FaultyDriver: RuntimeDriver {
    let base: OCIDriver
    let failing: String

    var kind: RuntimeKind { base.kind }

    private func check(_ step: String) throws(RuntimeError) {
        if step == failing { throw RuntimeError(.failed, operation: step, detail: "on purpose") }
    }

    func prepare(_ plan: SandboxPlan) async throws(RuntimeError) -> EngineID {
        let engineID = try await base.prepare(plan)
        try check("prepare")
        return engineID
    }

    func start(_ engineID: EngineID, plan: SandboxPlan) async throws(RuntimeError) -> HolderProcess {
        let holder = try await base.start(engineID, plan: plan)
        try check("start")
        return holder
    }

    func probe() async -> RuntimeProbe { await base.probe() }
    func hasImage(_ image: String?) async throws(RuntimeError) -> Bool { try await base.hasImage(image) }
    func driverControls(
        _ engineID: EngineID, plan: SandboxPlan
    ) async throws(RuntimeError) -> [AppliedControl] {
        try await base.driverControls(engineID, plan: plan)
    }
    func exec(_ engineID: EngineID, _ process: ExecProcess) async throws(RuntimeError) -> any ExecHandle {
        try await base.exec(engineID, process)
    }
    func update(_ engineID: EngineID, limits: ResourceLimits) async throws(RuntimeError) {
        try await base.update(engineID, limits: limits)
    }
    func pause(_ engineID: EngineID) async throws(RuntimeError) { try await base.pause(engineID) }
    func resume(_ engineID: EngineID) async throws(RuntimeError) { try await base.resume(engineID) }
    func kill(_ engineID: EngineID) async throws(RuntimeError) { try await base.kill(engineID) }
    func remove(_ engineID: EngineID) async throws(RuntimeError) { try await base.remove(engineID) }
    func inspect(_ engineID: EngineID) async throws(RuntimeError) -> EngineContainer? {
        try await base.inspect(engineID)
    }
    func listLabelled(instanceID: String) async throws(RuntimeError) -> [EngineContainer] {
        try await base.listLabelled(instanceID: instanceID)
    }
    func events() -> AsyncStream<EngineEvent> { base.events() }
}
