import Glibc
import HTTP
import LinuxSystem
package import SandboxModel
package import SandboxPolicy

extension DockerDriver {
    /// Name of a sandbox's container.
    static func containerName(_ id: SandboxID) -> String { "sandwarden-\(id)" }

    // MARK: Making

    package func prepare(_ plan: SandboxPlan) async throws(RuntimeError) -> EngineID {
        guard let name = plan.image ?? settings.defaultImage else {
            throw RuntimeError(
                .invalid, operation: "create", detail: "no image was named, and docker.default_image is not set")
        }
        let facts = try await engine.facts()
        let image = try await self.image(name)
        let resolver = plan.directory + "/resolv.conf"
        try await HostWork.run("create") { () throws(RuntimeError) in
            try HostWork.calls("write resolv.conf") { () throws(SystemError) in
                let text = Array((plan.resolverText ?? "").utf8)
                try HostFiles.replace(RawPath(resolver), with: text.span, mode: 0o644)
                // Whatever this daemon's umask is, the sandbox's user has to read it.
                try Descriptor.openAbsolute(RawPath(resolver), flags: O_RDONLY | O_NOFOLLOW).changeMode(0o644)
            }
        }
        let body = try DockerCreateBody(
            plan: plan, image: image, facts: facts, resolverPath: resolver, cgroupParent: settings.cgroupParent
        ).json()
        if let made = try await create(plan.id, body) { return made }
        try await removeLeftover(of: plan)
        guard let made = try await create(plan.id, body) else {
            throw RuntimeError(
                .conflict, operation: "create",
                detail: "the engine has a container \(Self.containerName(plan.id)) that cannot be taken away")
        }
        return made
    }

    /// Makes the container.
    /// - Returns: `nil` when its name is taken.
    private func create(_ id: SandboxID, _ body: JSONValue) async throws(RuntimeError) -> EngineID? {
        let reply = try await engine.call(
            .post, "/containers/create?name=\(Self.containerName(id))", body: body, accept: [201, 409],
            operation: "create", patience: .work)
        guard reply.status == 201 else { return nil }
        let json = try reply.json("create")
        guard let engineID = json["Id"]?.string.flatMap(EngineID.init(rawValue:)) else {
            throw RuntimeError(.failed, operation: "create", detail: "the engine's reply has no usable Id")
        }
        note(Self.warnings(json), of: engineID)
        return engineID
    }

    /// Takes away what an earlier attempt at the same sandbox left, and nothing else: a container of that name without
    /// our marks is somebody else's.
    private func removeLeftover(of plan: SandboxPlan) async throws(RuntimeError) {
        guard let name = EngineID(rawValue: Self.containerName(plan.id)), let old = try await inspect(name) else {
            return
        }
        guard old.labels[DockerCreateBody.instanceLabel] == plan.instanceID,
            old.labels[DockerCreateBody.sandboxLabel] == plan.id.rawValue, old.state == .created
        else {
            throw RuntimeError(
                .conflict, operation: "create", detail: "the name \(name) is taken by another container")
        }
        try await remove(old.engineID)
    }

    package func start(_ engineID: EngineID, plan: SandboxPlan) async throws(RuntimeError) -> HolderProcess {
        _ = try await engine.call(
            .post, "/containers/\(engineID)/start", accept: [204, 304], operation: "start", patience: .work)
        let pid = try await runningPID(engineID)
        let stat = try await HostWork.run("start") { () throws(RuntimeError) in
            try HostWork.calls("start") { () throws(SystemError) in try ProcessDirectory(pid: pid).stat() }
        }
        // The number was looked up before its start time: it must still be the holder's.
        guard try await runningPID(engineID) == pid else {
            throw RuntimeError(.conflict, operation: "start", detail: "the holder was replaced while it started")
        }
        return HolderProcess(pid: pid, startTicks: stat.startTicks)
    }

    private func runningPID(_ engineID: EngineID) async throws(RuntimeError) -> Int32 {
        guard let container = try await inspect(engineID) else {
            throw RuntimeError(.notFound, operation: "start", detail: "the engine has no container \(engineID)")
        }
        guard case .running = container.state, let pid = container.pid else {
            throw RuntimeError(
                .failed, operation: "start", detail: "the holder does not run: \(container.state)")
        }
        return pid
    }

    // MARK: Changing

    /// Applies memory, CPU and process limits. The limit of open files is part of the container and stays: a changed
    /// one needs a new sandbox.
    package func update(_ engineID: EngineID, limits: ResourceLimits) async throws(RuntimeError) {
        let members = try DockerLimits(limits).members
        let reply: DockerEngine.Reply
        do throws(RuntimeError) {
            reply = try await engine.call(
                .post, "/containers/\(engineID)/update", body: .object(members), accept: [200], operation: "update")
        } catch {
            // The kernel refuses a memory limit below what is in use and cannot be freed.
            guard error.code == .failed else { throw error }
            throw RuntimeError(.refused, operation: "update", detail: error.detail)
        }
        note(Self.warnings(try reply.json("update")), of: engineID)
    }

    package func pause(_ engineID: EngineID) async throws(RuntimeError) {
        try await change(engineID, "pause", wanted: .paused)
    }

    package func resume(_ engineID: EngineID) async throws(RuntimeError) {
        try await change(engineID, "unpause", wanted: .running)
    }

    /// Changes between running and paused; fine when it is so already, whatever the engine says then.
    private func change(
        _ engineID: EngineID, _ verb: String, wanted: EngineContainer.State
    ) async throws(RuntimeError) {
        do throws(RuntimeError) {
            _ = try await engine.call(
                .post, "/containers/\(engineID)/\(verb)", accept: [204], operation: verb)
        } catch {
            guard [.conflict, .failed].contains(error.code) else { throw error }
            guard try await inspect(engineID)?.state == wanted else { throw error }
        }
    }
}
