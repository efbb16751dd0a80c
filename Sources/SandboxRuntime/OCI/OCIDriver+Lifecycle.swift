internal import Glibc
internal import LinuxSystem
package import SandboxModel
package import SandboxPolicy

extension OCIDriver {
    package func prepare(_ plan: SandboxPlan) async throws(RuntimeError) -> EngineID {
        guard plan.policy.isolation == .standard else {
            throw RuntimeError(
                .unsupported, operation: "prepare",
                detail: "isolation gvisor is not offered by the oci runtime")
        }
        guard let engineID = EngineID(rawValue: plan.id.rawValue),
            plan.directory == "\(configuration.sandboxesDirectory)/\(engineID)"
        else {
            throw RuntimeError(
                .invalid, operation: "prepare", detail: "the plan's folder is not the sandbox's")
        }
        _ = try program()
        let images = ImageRoot(imagesDirectory: configuration.imagesDirectory)
        let bundle = bundle(engineID)
        let group = controlGroup(engineID)
        let stateDirectory = configuration.stateDirectory
        try await HostWork.run("prepare") { () throws(RuntimeError) in
            let root =
                if let image = plan.image { try images.make(plan, image: image) } else {
                    try HostView.make(plan)
                }
            let facts = try OCIHostFacts.read(layout: try Self.layout())
            try bundle.write(OCIConfiguration.value(plan, root: root, controlGroup: group, facts: facts))
            try HostWork.calls("prepare") { () throws(SystemError) in
                try HostFiles.makeDirectories(RawPath(stateDirectory), mode: 0o700)
            }
        }
        return engineID
    }

    package func start(_ engineID: EngineID, plan: SandboxPlan) async throws(RuntimeError) -> HolderProcess {
        let bundle = bundle(engineID)
        let program = try program()
        // The null device for all three streams: the holder lives on with them.
        try await program.run(
            "start",
            ["run", "--detach", "--bundle", bundle.path, "--pid-file", bundle.pidFile, engineID.rawValue],
            streams: .none, log: bundle.log)
        let group = controlGroup(engineID)
        let holder = try await HostWork.run("start") { () throws(RuntimeError) in
            try HostWork.calls("start") { () throws(SystemError) in
                let text = try HostFiles.read(RawPath(bundle.pidFile), limit: 32)
                guard
                    let pid = KernelText.unsigned(KernelText.trimmed(text[...])).flatMap({
                        Int32(exactly: $0)
                    })
                else { throw SystemError(errno: EBADMSG, operation: "read", detail: bundle.pidFile) }
                let stat = try ProcessDirectory(pid: pid).stat()
                try Self.denyTunnel(controlGroup: group)
                return HolderProcess(pid: pid, startTicks: stat.startTicks)
            }
        }
        watch(engineID, pid: holder.pid)
        return holder
    }

    /// Takes away the one device that a runtime allows unasked and no sandbox is to have, `/dev/net/tun`,
    /// where the list can be changed (version 1). No device file of it is in a sandbox anyway.
    private static func denyTunnel(controlGroup: String) throws(SystemError) {
        guard let devices = try CgroupLayout.detect().place(of: controlGroup).legacy["devices"] else {
            return
        }
        try HostFiles.writeControl(RawPath("\(devices)/devices.deny"), "c 10:200 rwm")
    }

    package func update(_ engineID: EngineID, limits: ResourceLimits) async throws(RuntimeError) {
        let bundle = bundle(engineID)
        let facts = try await HostWork.run("update") { () throws(RuntimeError) in
            let facts = try OCIHostFacts.read(layout: try Self.layout())
            let process = OCIProcess.withOpenFiles(
                limits.maxOpenFiles, facts: facts, in: try bundle.process())
            try bundle.replaceProcess(process)
            return facts
        }
        let members = OCIConfiguration.resources(limits, facts: facts).members ?? []
        let changed = JSONValue.object(members.filter { $0.key != "devices" })
        try await program().run(
            "update", ["update", "--resources", "-", engineID.rawValue], input: .bytes(changed.bytes))
        hub.emit(EngineEvent(engineID: engineID, kind: .updated))
    }

    package func pause(_ engineID: EngineID) async throws(RuntimeError) {
        try await freezing("pause", engineID, wanted: .paused, from: .running)
        hub.emit(EngineEvent(engineID: engineID, kind: .paused))
    }

    package func resume(_ engineID: EngineID) async throws(RuntimeError) {
        try await freezing("resume", engineID, wanted: .running, from: .paused)
        hub.emit(EngineEvent(engineID: engineID, kind: .resumed))
    }

    /// Changes between running and paused; fine when it is so already.
    private func freezing(
        _ verb: String, _ engineID: EngineID, wanted: OCIState.Status, from: OCIState.Status
    ) async throws(RuntimeError) {
        guard let state = try await state(engineID) else {
            throw RuntimeError(.notFound, operation: verb, detail: "no container \(engineID)")
        }
        if state.status == wanted { return }
        guard state.status == from else {
            throw RuntimeError(.conflict, operation: verb, detail: "it is \(state.status.rawValue)")
        }
        try await program().run(verb, [verb, engineID.rawValue])
    }

    package func kill(_ engineID: EngineID) async throws(RuntimeError) {
        let path = controlGroup(engineID)
        try await HostWork.end("kill") { () throws(RuntimeError) in
            let layout = try Self.layout()
            let deadline = MonotonicInstant.now().advanced(by: Self.killDeadline)
            try HostWork.calls("kill") { () throws(SystemError) in
                try CgroupKill.killAll(layout.place(of: path), layout: layout, until: deadline)
            }
        }
    }

    package func remove(_ engineID: EngineID) async throws(RuntimeError) {
        hub.unwatch(engineID)
        try await kill(engineID)
        try await deleteContainer(engineID)
        let path = controlGroup(engineID)
        let bundle = bundle(engineID)
        try await HostWork.run("remove") { () throws(RuntimeError) in
            let layout = try Self.layout()
            let deadline = MonotonicInstant.now().advanced(by: .seconds(5))
            try HostWork.calls("remove") { () throws(SystemError) in
                try layout.place(of: path).remove(recursively: true, until: deadline)
            }
            try bundle.removeAll()
        }
        hub.emit(EngineEvent(engineID: engineID, kind: .removed))
    }

    /// Lets the runtime forget the container. A folder that it cannot read any more is removed in its stead.
    private func deleteContainer(_ engineID: EngineID) async throws(RuntimeError) {
        let folder = "\(configuration.stateDirectory)/\(engineID)"
        func isKnown() async throws(RuntimeError) -> Bool {
            try await HostWork.run("remove") { () throws(RuntimeError) in
                try HostWork.calls("remove") { () throws(SystemError) in try HostPath.status(folder) != nil }
            }
        }
        guard try await isKnown() else { return }
        _ = try await program().attempt("remove", ["delete", "--force", engineID.rawValue])
        guard try await isKnown() else { return }
        try await HostWork.run("remove") { () throws(RuntimeError) in
            try HostWork.calls("remove") { () throws(SystemError) in try HostTree.remove(folder) }
        }
    }

    /// Removes the control groups above those of all sandboxes, where no sandbox is left; for the daemon's
    /// end.
    package func removeParentGroups() async throws(RuntimeError) {
        let path = parentGroup
        try await HostWork.run("remove") { () throws(RuntimeError) in
            let place = try Self.layout().place(of: path)
            do throws(SystemError) {
                try place.remove(until: .now())
            } catch {
                guard error.errno == EBUSY || error.errno == ENOTEMPTY else {
                    throw RuntimeError(error, operation: "remove")
                }
            }
        }
    }

    package func exec(
        _ engineID: EngineID, _ process: ExecProcess
    ) async throws(RuntimeError) -> any ExecHandle {
        let bundle = bundle(engineID)
        var generator = SystemRandomNumberGenerator()
        let name = "exec-" + randomAlphanumerics(12, using: &generator)
        var started = process
        started.arguments.insert("\(SandboxPlan.holderFolder)/\(GateFolder.stdioName)", at: 0)
        let wanted = started
        try await HostWork.run("exec") { () throws(RuntimeError) in
            let document = OCIProcess.exec(wanted, like: try bundle.process())
            try bundle.write(OCIExecHandle.processFile(name), document.bytes)
        }
        let command = try program().command(
            [
                "exec", "--preserve-fds", "3", "--process",
                "\(bundle.path)/\(OCIExecHandle.processFile(name))",
                "--pid-file", "\(bundle.path)/\(OCIExecHandle.pidFile(name))", engineID.rawValue,
            ],
            streams: .handedOver, log: "\(bundle.path)/\(OCIExecHandle.logFile(name))",
            input: process.hasInput ? .stream : .nothing, deadline: nil)
        do throws(SystemError) {
            return OCIExecHandle(child: try await ChildProcess.spawn(command), bundle: bundle, name: name)
        } catch {
            throw RuntimeError(error, operation: "exec")
        }
    }
}

extension OCIHostFacts {
    /// Reads what this process and its host allow. Blocks.
    static func read(layout: CgroupLayout) throws(RuntimeError) -> OCIHostFacts {
        try HostWork.calls("host facts") { () throws(SystemError) in
            let own = try ProcessDirectory(pid: getpid())
            // CAP_SYS_RESOURCE is number 24.
            let capabilities = try own.status().capabilities?.effective ?? 0
            let hardLimit: Int64
            switch try own.limits().openFiles?.hard {
            case .value(let value)?: hardLimit = Int64(clamping: value)
            case .unlimited?: hardLimit = .max
            case nil: hardLimit = 1024
            }
            let hasSwap: Bool
            if let memory = layout.legacy["memory"] {
                hasSwap = try HostPath.status("\(memory.point)/memory.memsw.limit_in_bytes") != nil
            } else {
                // Version 2 has the file in every group but the root; without swap accounting in none.
                hasSwap = layout.unified != nil
            }
            return OCIHostFacts(
                openFilesHardLimit: hardLimit, canRaiseLimits: capabilities & (1 << 24) != 0,
                accountsSwap: hasSwap,
                isUnified: layout.kind == .unified)
        }
    }
}
