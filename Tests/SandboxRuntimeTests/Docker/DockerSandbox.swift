import Glibc
import LinuxSystem
import Logging
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

/// A sandbox of the docker driver with a real workspace and gate, in a folder of its own.
struct DockerSandbox: Sendable {
    let driver: DockerDriver
    let plan: SandboxPlan
    let workspace: Workspace
    let engineID: EngineID
    let holder: HolderProcess
    let runner: ExecRunner

    static let users = UserAllocator(range: 310_000..<320_000)

    /// A driver over the suite's engine, with an installation's identifier of its own.
    static func driver(instanceID: String? = nil) throws -> DockerDriver {
        let engine = try #require(DockerTestEngine.current)
        var generator = SystemRandomNumberGenerator()
        let instance = instanceID ?? "t-" + randomAlphanumerics(12, using: &generator)
        return try DockerDriver(
            settings: DockerSettings(
                socketPath: engine.socketPath, defaultImage: DockerTestEngine.plain, instanceID: instance),
            logger: Logger(label: "test"))
    }

    /// Everything that comes before the engine is asked.
    static func makePlan(
        _ driver: DockerDriver, image: String? = nil, _ change: (inout Policy) -> Void = { _ in }
    ) async throws -> (SandboxPlan, Workspace) {
        var generator = SystemRandomNumberGenerator()
        let id = SandboxID(using: &generator)
        var policy = try DockerCreateBodyTests.policy()
        policy.resourceLimits.diskMB = 16
        policy.resourceLimits.maxProcesses = 20
        change(&policy)
        let directory = "/tmp/swd-\(id)"
        try HostFiles.makeDirectory(RawPath(directory), mode: 0o700)
        let user = try users.allocate()
        let workspace = Workspace(directory: directory, sizeMB: policy.resourceLimits.diskMB, owner: user)
        try await workspace.create()
        try GateFolder(path: "\(directory)/gate").create()
        let plan = SandboxPlan(
            id: id, instanceID: driver.settings.instanceID, policy: policy, policyVersion: 1, image: image, user: user,
            labels: [:], directory: directory, workspacePath: workspace.mountPath, gatePath: "\(directory)/gate",
            resolverText: "nameserver 192.0.2.1\n", hostname: "box")
        return (plan, workspace)
    }

    /// Runs a test with one sandbox, and takes it away whatever happens.
    static func with<Value>(
        image: String? = nil, _ change: (inout Policy) -> Void = { _ in },
        _ body: (DockerSandbox) async throws -> Value
    ) async throws -> Value {
        let driver = try driver()
        let (plan, workspace) = try await makePlan(driver, image: image, change)
        let result: Result<Value, any Error>
        do {
            let engineID = try await driver.prepare(plan)
            let holder = try await driver.start(engineID, plan: plan)
            let target = ExecTarget(
                engineID: engineID, holder: holder, gatePath: plan.gatePath, user: plan.user, policy: plan.policy)
            let sandbox = DockerSandbox(
                driver: driver, plan: plan, workspace: workspace, engineID: engineID, holder: holder,
                runner: ExecRunner(driver: driver, target: target))
            result = .success(try await body(sandbox))
        } catch {
            result = .failure(error)
        }
        try await clean(driver, plan, workspace)
        return try result.get()
    }

    static func clean(_ driver: DockerDriver, _ plan: SandboxPlan, _ workspace: Workspace) async throws {
        for left in try await driver.listLabelled(instanceID: plan.instanceID)
        where left.labels[DockerCreateBody.sandboxLabel] == plan.id.rawValue {
            try await driver.remove(left.engineID)
        }
        try await workspace.remove()
        try HostTree.remove(plan.directory)
    }

    /// Runs a shell command.
    func sh(
        _ command: String, stdin: [UInt8]? = nil, timeout: Duration = .seconds(30), outputLimit: Int = 1 << 20
    ) async throws -> ExecResult {
        try await runner.run(
            ExecRequest(
                arguments: ["/bin/sh", "-c", command], workingDirectory: plan.policy.workspace, stdin: stdin,
                timeout: timeout, outputLimit: outputLimit))
    }

    /// What the command printed, when it went well.
    func text(_ command: String) async throws -> String {
        let result = try await sh(command)
        #expect(result.exitCode == 0, "\(command): \(String(decoding: result.stderr, as: UTF8.self))")
        return String(decoding: result.stdout, as: UTF8.self)
    }

    func facts() throws -> AttestationFacts {
        try AttestationReader(holder: holder, policy: plan.policy, hostWorkspace: plan.workspacePath).read()
    }

    /// Every control that is not held, as the attestation sees it now.
    func weakControls(_ others: [AppliedControl] = []) async throws -> [AppliedControl] {
        let own = try await driver.driverControls(engineID, plan: plan)
        let network = AppliedControl("network", .enforced, wanted: "none", found: "none", evidence: "test")
        let controls = Attestation.controls(
            policy: plan.policy, user: plan.user, facts: try facts(),
            guards: Attestation.Guards(hasExecGroups: true, isMonitored: true), others: own + [network] + others)
        return controls.filter { $0.status == .degraded || $0.status == .unsupported }
    }
}
