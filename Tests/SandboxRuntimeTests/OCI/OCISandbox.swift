import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy

@testable import SandboxRuntime

/// What this machine offers to the tests of the OCI driver.
enum OCIHost {
    /// Root, loop devices and `runc`.
    static let canRun = missing.isEmpty
    /// Why the tests are skipped.
    static let missing: String = {
        if geteuid() != 0 { return "needs root" }
        for program in ["runc", "mke2fs"] where ChildCommand.locate(program) == nil {
            return "needs \(program)"
        }
        return (try? Descriptor.openAbsolute("/dev/loop-control", flags: O_RDWR)) == nil
            ? "needs loop devices" : ""
    }()
}

/// A running sandbox of the OCI driver in a folder of its own, without a network beyond loopback.
struct OCISandbox: Sendable {
    let base: String
    let driver: OCIDriver
    let plan: SandboxPlan
    let workspace: Workspace
    let gate: GateFolder
    let engineID: EngineID
    let holder: HolderProcess
    let runner: ExecRunner

    /// Makes and starts one.
    static func start(
        in base: OCIBase, image: String? = nil, _ change: (inout Policy) -> Void = { _ in }
    ) async throws -> OCISandbox {
        let (plan, workspace, gate) = try await base.makePlan(image: image, change)
        let driver = base.driver
        let engineID = try await driver.prepare(plan)
        let holder = try await driver.start(engineID, plan: plan)
        let target = ExecTarget(
            engineID: engineID, holder: holder, gatePath: plan.gatePath, user: plan.user, policy: plan.policy)
        return OCISandbox(
            base: base.path, driver: driver, plan: plan, workspace: workspace, gate: gate, engineID: engineID,
            holder: holder, runner: ExecRunner(driver: driver, target: target))
    }

    /// Runs a shell command.
    func sh(
        _ command: String, stdin: [UInt8]? = nil, timeout: Duration = .seconds(30),
        outputLimit: Int = 1 << 20,
        environment: [String: String] = [:], onOutput: (@Sendable (ExecOutput) async -> Void)? = nil
    ) async throws -> ExecResult {
        try await runner.run(
            ExecRequest(
                arguments: ["/bin/sh", "-c", command], environment: environment,
                workingDirectory: plan.policy.workspace, stdin: stdin, timeout: timeout,
                outputLimit: outputLimit),
            onOutput: onOutput)
    }

    func remove() async throws {
        try await driver.remove(engineID)
        try gate.remove()
        try await workspace.remove()
        try HostTree.remove(plan.directory)
    }
}

/// A data folder below `/tmp` with a driver over it.
struct OCIBase: Sendable {
    let path: String
    let instanceID: String
    let driver: OCIDriver
    /// One for all tests: the kernel counts a user's processes together, whatever sandbox they are in.
    static let users = UserAllocator(range: 231_072..<296_608)

    init() throws {
        var generator = SystemRandomNumberGenerator()
        instanceID = "t" + randomAlphanumerics(7, using: &generator)
        path = "/tmp/sw-\(instanceID)"
        try HostFiles.makeDirectories(RawPath("\(path)/s"), mode: 0o711)
        try HostFiles.makeDirectories(RawPath("\(path)/images"), mode: 0o755)
        driver = OCIDriver(
            configuration: OCIDriverConfiguration(
                stateDirectory: "\(path)/run", sandboxesDirectory: "\(path)/s",
                imagesDirectory: "\(path)/images",
                instanceID: instanceID))
    }

    /// A plan whose folder, workspace and gate are made.
    func makePlan(
        image: String? = nil, _ change: (inout Policy) -> Void
    ) async throws -> (SandboxPlan, Workspace, GateFolder) {
        var generator = SystemRandomNumberGenerator()
        let id = SandboxID(using: &generator)
        guard let name = PolicyName(rawValue: "test") else {
            throw RuntimeError(.invalid, operation: "test", detail: "")
        }
        var policy = Policy(name: name)
        policy.resourceLimits.diskMB = 16
        change(&policy)
        let directory = "\(path)/s/\(id)"
        try HostFiles.makeDirectory(RawPath(directory), mode: 0o711)
        let user = try Self.users.allocate()
        let workspace = Workspace(directory: directory, sizeMB: policy.resourceLimits.diskMB, owner: user)
        try await workspace.create()
        let gate = GateFolder(path: "\(directory)/gate")
        try gate.create()
        let plan = SandboxPlan(
            id: id, instanceID: instanceID, policy: policy, policyVersion: 1, image: image, user: user,
            labels: ["team": "red"], directory: directory, workspacePath: workspace.mountPath,
            gatePath: gate.path,
            resolverText: nil, hostname: "box")
        return (plan, workspace, gate)
    }

    /// Removes the folder and the control groups above the sandboxes.
    func close() async throws {
        try await driver.removeParentGroups()
        try HostTree.remove(path)
    }

    /// Runs a test in a fresh folder and removes it whatever happens; a sandbox that is left is removed too.
    static func with<Value>(_ body: (OCIBase) async throws -> Value) async throws -> Value {
        let base = try OCIBase()
        let result: Result<Value, any Error>
        do { result = .success(try await body(base)) } catch { result = .failure(error) }
        try await base.clean()
        try await base.close()
        return try result.get()
    }

    /// Runs a test with one sandbox.
    static func withSandbox<Value>(
        image: String? = nil, _ change: (inout Policy) -> Void = { _ in },
        _ body: (OCISandbox) async throws -> Value
    ) async throws -> Value {
        try await with { base in try await body(try await OCISandbox.start(in: base, image: image, change)) }
    }

    private func clean() async throws {
        let folder = try Descriptor.openDirectory(RawPath("\(path)/s"))
        for entry in try folder.list(limit: 1000).entries {
            guard let name = String(validating: entry.name, as: UTF8.self), let id = EngineID(rawValue: name)
            else {
                continue
            }
            try await driver.remove(id)
            let directory = "\(path)/s/\(name)"
            try await Workspace(directory: directory, sizeMB: 1, owner: SandboxUser(uid: 0, gid: 0)).remove()
            try HostTree.remove(directory)
        }
    }
}

/// What a sandbox could leave behind on the host.
struct HostTraces: Sendable, Hashable {
    let mounts: Set<String>
    let loopFiles: Set<String>
    let groups: Set<String>

    /// Everything on this host that has to do with a folder or an installation.
    init(of base: OCIBase) throws {
        mounts = Set(try MountTable.readOwn().map { "\($0.point)" }.filter { $0.hasPrefix(base.path) })
        var files: Set<String> = []
        for entry in try Descriptor.openDirectory("/sys/block").list(limit: 10_000).entries {
            let path = RawPath(
                bytes: Array("/sys/block/".utf8) + entry.name + Array("/loop/backing_file".utf8))
            guard let bytes = try? HostFiles.read(path, limit: 4096) else { continue }
            let file = String(decoding: bytes, as: UTF8.self)
            if file.hasPrefix(base.path) { files.insert(file) }
        }
        loopFiles = files
        let layout = try CgroupLayout.detect()
        var found: Set<String> = []
        for directory in layout.place(of: "/sandwarden-\(base.instanceID)").directories {
            guard let listing = try? Descriptor.openDirectory(RawPath(directory)).list(limit: 10_000) else {
                continue
            }
            for entry in listing.entries where entry.kind == .directory {
                found.insert("\(directory)/\(String(decoding: entry.name, as: UTF8.self))")
            }
        }
        groups = found
    }

    var isEmpty: Bool { mounts.isEmpty && loopFiles.isEmpty && groups.isEmpty }
}
