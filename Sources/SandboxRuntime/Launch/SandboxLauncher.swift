internal import Glibc
internal import LinuxSystem
package import SandboxModel
package import SandboxNetwork
internal import SandboxPolicy
internal import Synchronization

/// Makes sandboxes in the one order that leaves nothing unguarded, and takes them away again; the same for
/// every driver.
///
/// Workspace → gate → the engine prepares → the holder starts → network → everything is read back. Nothing of
/// the client's runs before the caller has seen the controls. A failure takes back all that was made, in
/// reverse, and the first error is told. What a sandbox has on the host is in one folder, `<sandboxes>/<id>`,
/// and in what its engine and the network keep under its identifier; so a teardown after a crash needs to
/// know little.
package final class SandboxLauncher: Sendable {
    let sandboxesDirectory: String
    let instanceID: String
    let network: any NetworkArming
    private let runners = Mutex<[SandboxID: ExecRunner]>([:])

    /// A launcher.
    /// - Parameters:
    ///   - sandboxesDirectory: Absolute; made when it is missing. The OCI driver must be given the same.
    ///   - instanceID: This installation's identifier.
    package init(sandboxesDirectory: String, instanceID: String, network: any NetworkArming) {
        self.sandboxesDirectory = sandboxesDirectory
        self.instanceID = instanceID
        self.network = network
    }

    /// A sandbox's own folder on the host.
    package func directory(_ id: SandboxID) -> String { "\(sandboxesDirectory)/\(id)" }

    /// The place on the host where a sandbox's workspace is mounted.
    package func workspacePath(_ id: SandboxID) -> String { "\(directory(id))/work" }

    /// The workspace of an order.
    package func workspace(_ order: LaunchOrder) -> Workspace {
        Workspace(
            directory: directory(order.id), sizeMB: order.policy.resourceLimits.diskMB, owner: order.user)
    }

    /// The plan that a driver is given for an order.
    func plan(_ order: LaunchOrder) -> SandboxPlan {
        SandboxPlan(
            id: order.id, instanceID: instanceID, policy: order.policy, policyVersion: order.policyVersion,
            image: order.image, user: order.user, labels: order.labels, directory: directory(order.id),
            workspacePath: workspacePath(order.id), gatePath: "\(directory(order.id))/gate",
            resolverText: network.resolverText(for: order.policy.networkPolicy), hostname: order.id.rawValue)
    }

    // MARK: Launching

    /// Makes a sandbox and starts its holder, guarded. The caller's cancellation does not cut it short.
    /// - Throws: As the steps say; nothing is left behind then, or what is left is what ``teardown(_:with:)``
    ///   removes when it is called again.
    package func launch(
        _ order: LaunchOrder, with driver: any RuntimeDriver
    ) async throws(RuntimeError) -> LaunchedSandbox {
        try await Uncancelled.run { () async throws(RuntimeError) in
            try await self.makeFolder(order.id, driver.kind)
            var remains = SandboxRemains(id: order.id, engineID: nil, network: nil)
            do throws(RuntimeError) {
                return try await self.makeAndStart(order, with: driver, &remains)
            } catch {
                await self.takeBack(remains, with: driver)
                throw error
            }
        }
    }

    private func makeAndStart(
        _ order: LaunchOrder, with driver: any RuntimeDriver, _ remains: inout SandboxRemains
    ) async throws(RuntimeError) -> LaunchedSandbox {
        let plan = plan(order)
        try await workspace(order).create()
        try await HostWork.run("make gate") { () throws(RuntimeError) in
            try GateFolder(path: plan.gatePath).create()
        }
        let engineID = try await driver.prepare(plan)
        remains.engineID = engineID
        let holder = try await driver.start(engineID, plan: plan)
        let handle: NetworkHandle
        do throws(NetworkError) {
            handle = try await network.attach(order.attachment(holderPID: holder.pid))
        } catch {
            throw RuntimeError(error)
        }
        remains.network = handle
        let controls = try await attest(
            order, engineID: engineID, holder: holder, network: handle, with: driver)
        return LaunchedSandbox(engineID: engineID, holder: holder, network: handle, controls: controls)
    }

    /// A folder that is there already belongs to another sandbox: nothing of it may be touched.
    private func makeFolder(_ id: SandboxID, _ kind: RuntimeKind) async throws(RuntimeError) {
        let (parent, path) = (sandboxesDirectory, directory(id))
        try await HostWork.run("make folder") { () throws(RuntimeError) in
            do throws(SystemError) {
                try HostFiles.makeDirectories(RawPath(parent), mode: 0o700)
                try HostFiles.makeDirectory(RawPath(path), mode: 0o700)
                try HostFolder(making: path, mode: 0o700).write(
                    Self.kindFile, Array(kind.rawValue.utf8), mode: 0o600)
            } catch {
                throw RuntimeError(
                    error, operation: "make folder", code: error.errno == EEXIST ? .conflict : nil)
            }
        }
    }

    /// The file that says which driver a folder was made for, should its record be lost.
    static let kindFile = "runtime"

    /// Reads every control of a running sandbox back from the host.
    /// - Parameter network: `nil` for a container whose network is not ours.
    /// - Throws: `conflict` when the holder has ended; as the driver says.
    package func attest(
        _ order: LaunchOrder, engineID: EngineID, holder: HolderProcess, network handle: NetworkHandle?,
        with driver: any RuntimeDriver
    ) async throws(RuntimeError) -> [AppliedControl] {
        var others = try await driver.driverControls(engineID, plan: plan(order))
        if let handle { others += await network.verify(handle, order.attachment(holderPID: holder.pid)) }
        let reader = AttestationReader(
            holder: holder, policy: order.policy, hostWorkspace: workspacePath(order.id))
        let (facts, hasExecGroups) = try await HostWork.run("attest") { () throws(RuntimeError) in
            (try reader.read(), try Self.canGroupExecs(holder))
        }
        return Attestation.controls(
            policy: order.policy, user: order.user, facts: facts,
            guards: Attestation.Guards(hasExecGroups: hasExecGroups, isMonitored: order.isMonitored),
            others: others)
    }

    /// Whether a control group can be made below the sandbox's for each exec.
    private static func canGroupExecs(_ holder: HolderProcess) throws(RuntimeError) -> Bool {
        try HostWork.calls("attest") { () throws(SystemError) in
            let layout = try CgroupLayout.detect()
            let place = layout.place(of: try CgroupMembership.of(pid: holder.pid)).withoutRoots(of: layout)
            return place.unified != nil || place.legacy["freezer"] != nil
        }
    }

    // MARK: Execs

    /// Runs a program in a running sandbox; see ``ExecRunner/run(_:onOutput:)``.
    package func exec(
        _ request: ExecRequest, in order: LaunchOrder, engineID: EngineID, holder: HolderProcess,
        with driver: any RuntimeDriver, onOutput: (@Sendable (ExecOutput) async -> Void)? = nil
    ) async throws(RuntimeError) -> ExecResult {
        let target = ExecTarget(
            engineID: engineID, holder: holder, gatePath: plan(order).gatePath, user: order.user,
            policy: order.policy)
        let runner = runners.withLock { runners in
            // One runner for a sandbox, so that the groups of earlier execs are remembered.
            if let runner = runners[order.id], runner.target == target { return runner }
            let runner = ExecRunner(driver: driver, target: target)
            runners[order.id] = runner
            return runner
        }
        return try await runner.run(request, onOutput: onOutput)
    }

    // MARK: Taking away

    private func takeBack(_ remains: SandboxRemains, with driver: any RuntimeDriver) async {
        do throws(RuntimeError) {
            try await teardown(remains, with: driver)
        } catch {
            // The launch's own error is the one to tell. The caller tears down again: what is left is found
            // then.
        }
    }

    /// Ends a sandbox and removes everything that it has on the host; fine when all or part of it is gone.
    ///
    /// Each step is tried whatever became of the others, but the folders stay while a process may still use
    /// them.
    /// - Throws: the first failure; calling again takes up where it stopped.
    package func teardown(
        _ remains: SandboxRemains, with driver: any RuntimeDriver
    ) async throws(RuntimeError) {
        runners.withLock { _ = $0.removeValue(forKey: remains.id) }
        try await Uncancelled.run { () async throws(RuntimeError) in
            let contained = await self.attempt { () async throws(RuntimeError) in
                for engineID in try await self.engineIDs(remains, driver) {
                    try await driver.remove(engineID)
                }
            }
            let detached = await self.attempt { () async throws(RuntimeError) in
                try await self.detach(remains.network)
            }
            if let failure = contained { throw failure }
            try await self.removeFolder(remains.id)
            if let failure = detached { throw failure }
        }
    }

    func attempt(_ step: () async throws(RuntimeError) -> Void) async -> RuntimeError? {
        do throws(RuntimeError) {
            try await step()
            return nil
        } catch {
            return error
        }
    }

    private func detach(_ handle: NetworkHandle?) async throws(RuntimeError) {
        guard let handle else { return }
        do throws(NetworkError) {
            try await network.detach(handle)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The containers of a sandbox. Where the state file did not come to hold the engine's name, the OCI
    /// driver's is the sandbox's own; an engine is asked for what carries this installation's and the
    /// sandbox's names, which counts only because the sandbox's folder, or its record, says that it is ours.
    func engineIDs(
        _ remains: SandboxRemains, _ driver: any RuntimeDriver
    ) async throws(RuntimeError) -> [EngineID] {
        if let engineID = remains.engineID { return [engineID] }
        if driver.kind == .oci { return EngineID(rawValue: remains.id.rawValue).map { [$0] } ?? [] }
        return try await driver.listLabelled(instanceID: instanceID)
            .filter { $0.labels[DockerCreateBody.sandboxLabel] == remains.id.rawValue }.map(\.engineID)
    }

    func removeFolder(_ id: SandboxID) async throws(RuntimeError) {
        let path = directory(id)
        // Size and owner do not matter to a removal.
        try await Workspace(directory: path, sizeMB: 1, owner: SandboxUser(uid: 0, gid: 0)).remove()
        try await HostWork.run("remove folder") { () throws(RuntimeError) in
            try GateFolder(path: "\(path)/gate").remove()
            try OCIBundle(sandboxDirectory: path).removeAll()
            try HostWork.calls("remove folder") { () throws(SystemError) in try HostTree.remove(path) }
        }
    }
}
