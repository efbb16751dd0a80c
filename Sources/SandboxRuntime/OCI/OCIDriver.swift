internal import Glibc
internal import LinuxSystem
package import SandboxModel
internal import SandboxPolicy

/// Where the OCI driver finds its program and keeps its things.
package struct OCIDriverConfiguration: Sendable, Hashable {
    /// Absolute path of the runtime, or a name to be found in the system's folders.
    package var program: String
    /// The runtime's own folder; gone after a restart of the host, as its containers are
    /// (`/run/sandwarden/…`).
    package var stateDirectory: String
    /// The folder that holds every sandbox's own folder by its id.
    package var sandboxesDirectory: String
    /// The administrator's folder of images; `nil` when there is none.
    package var imagesDirectory: String?
    /// This installation's identifier; its control groups are below `/sandwarden-<instance>`.
    package var instanceID: String

    /// A configuration of the given parts.
    package init(
        program: String = "runc", stateDirectory: String, sandboxesDirectory: String,
        imagesDirectory: String?,
        instanceID: String
    ) {
        self.program = program
        self.stateDirectory = stateDirectory
        self.sandboxesDirectory = sandboxesDirectory
        self.imagesDirectory = imagesDirectory
        self.instanceID = instanceID
    }
}

/// Runs sandboxes without any engine: writes OCI bundles and drives `runc` as a child process.
///
/// A sandbox's container has the sandbox's identifier as its name, in a runtime folder that belongs to this
/// installation alone. Preparing writes the bundle; nothing runs and no control group exists until the start,
/// so a crash in between leaves files only. Every path that the driver makes is below the sandbox's own
/// folder.
package final class OCIDriver: RuntimeDriver {
    package let kind = RuntimeKind.oci
    let configuration: OCIDriverConfiguration
    let hub = OCIEventHub()

    /// How long the kernel may take to end every process of a sandbox.
    static let killDeadline = Duration.seconds(20)

    /// A driver; looks at nothing yet.
    package init(configuration: OCIDriverConfiguration) {
        self.configuration = configuration
    }

    // MARK: Looking

    package func probe() async -> RuntimeProbe {
        do throws(RuntimeError) {
            let program = try program()
            let layout = try Self.layout()
            guard HostFacts.effectiveUser == 0 else {
                throw RuntimeError(
                    .unavailable, operation: "oci", detail: "needs root: run the daemon as root")
            }
            guard layout.kind != .none else {
                throw RuntimeError(.unavailable, operation: "oci", detail: "no control groups are mounted")
            }
            let version = try await program.run("version", ["--version"]).stdoutText
            let first = version.split(separator: "\n").first.map(String.init) ?? "unknown version"
            if first.hasPrefix("crun"), layout.kind == .hybrid {
                throw RuntimeError(
                    .unavailable, operation: "oci", detail: "crun refuses hybrid control groups: use runc")
            }
            let detail =
                "\(ForeignText.printable(first.utf8)) at \(program.path), control groups \(layout.kind.rawValue)"
            return RuntimeProbe(kind: .oci, isAvailable: true, detail: detail)
        } catch {
            return RuntimeProbe(kind: .oci, isAvailable: false, detail: error.detail)
        }
    }

    package func hasImage(_ image: String?) async throws(RuntimeError) -> Bool {
        guard let image else { return true }
        let images = ImageRoot(imagesDirectory: configuration.imagesDirectory)
        return try await HostWork.run("image") { () throws(RuntimeError) in
            try images.folder(of: image) != nil
        }
    }

    package func driverControls(
        _ engineID: EngineID, plan: SandboxPlan
    ) async throws(RuntimeError) -> [AppliedControl] {
        let image = plan.image ?? "host view"
        return [
            AppliedControl(
                "isolation", .enforced, wanted: plan.policy.isolation.rawValue, found: "standard",
                evidence: "\(try program().path), namespaces of its own"),
            AppliedControl(
                "image", .enforced, wanted: image, found: image,
                evidence: plan.image == nil
                    ? "read-only binds of the host's programs, generated /etc"
                    : "read-only overlay of \(configuration.imagesDirectory ?? "")/\(image)"),
        ]
    }

    package func inspect(_ engineID: EngineID) async throws(RuntimeError) -> EngineContainer? {
        if let state = try await state(engineID) { return state.container }
        let bundle = bundle(engineID)
        guard try await HostWork.run("inspect", { () throws(RuntimeError) in try bundle.exists() }) else {
            return nil
        }
        return EngineContainer(
            engineID: engineID, state: .created, pid: nil, image: "", labels: [:], adoptionObstacles: [])
    }

    package func listLabelled(instanceID: String) async throws(RuntimeError) -> [EngineContainer] {
        let directory = configuration.stateDirectory
        let names = try await HostWork.run("list") { () throws(RuntimeError) in
            do throws(SystemError) {
                let listing = try Descriptor.openDirectory(RawPath(directory)).list(limit: 100_000)
                return listing.entries.compactMap { String(validating: $0.name, as: UTF8.self) }
            } catch {
                if error.errno == ENOENT { return [] }
                throw RuntimeError(error, operation: "list")
            }
        }
        var found: [EngineContainer] = []
        for engineID in names.sorted().compactMap(EngineID.init(rawValue:)) {
            guard let state = try await state(engineID) else { continue }
            guard state.annotations[OCIConfiguration.annotationPrefix + "instance"] == instanceID else {
                continue
            }
            if state.status == .running || state.status == .paused, let pid = state.pid {
                watch(engineID, pid: pid)
            }
            found.append(state.container)
        }
        return found
    }

    package func events() -> AsyncStream<EngineEvent> { hub.events() }

    // MARK: Parts

    /// The runtime's program.
    /// - Throws: `unavailable` with what to install.
    func program() throws(RuntimeError) -> OCIRuntimeProgram {
        let name = configuration.program
        guard let path = name.hasPrefix("/") ? name : ChildCommand.locate(name) else {
            throw RuntimeError(
                .unavailable, operation: "oci",
                detail: "\(name) is missing: install it (apt-get install runc)")
        }
        return OCIRuntimeProgram(path: path, stateDirectory: configuration.stateDirectory)
    }

    func bundle(_ engineID: EngineID) -> OCIBundle {
        OCIBundle(sandboxDirectory: "\(configuration.sandboxesDirectory)/\(engineID)")
    }

    /// Path of a sandbox's control group from the root of every hierarchy.
    func controlGroup(_ engineID: EngineID) -> String { "\(parentGroup)/\(engineID)" }

    /// Path of the control group above those of all sandboxes of this installation.
    var parentGroup: String { "/sandwarden-\(configuration.instanceID)" }

    /// Removes the control group above those of all sandboxes, once it is empty.
    package func close() async {
        do throws(RuntimeError) {
            try await HostWork.end("close") { [parentGroup] () throws(RuntimeError) in
                let parent = try OCIDriver.layout().place(of: parentGroup)
                try HostWork.calls("close") { () throws(SystemError) in try parent.remove(until: .now()) }
            }
        } catch {
            // Sandboxes that go on when the daemon stops keep it; the next stop tries again.
        }
    }

    static func layout() throws(RuntimeError) -> CgroupLayout {
        try HostWork.calls("control groups") { () throws(SystemError) in try CgroupLayout.detect() }
    }

    /// What the runtime says; `nil` when it does not know the container.
    func state(_ engineID: EngineID) async throws(RuntimeError) -> OCIState? {
        let folder = "\(configuration.stateDirectory)/\(engineID)"
        let isKnown = try await HostWork.run("state") { () throws(RuntimeError) in
            try HostWork.calls("state") { () throws(SystemError) in try HostPath.status(folder) != nil }
        }
        guard isKnown else { return nil }
        let result = try await program().attempt("state", ["state", engineID.rawValue])
        guard result.exit.isSuccess else {
            // Removed between the two looks, or a folder that a killed runtime left half made.
            let said = result.stderrText
            if said.contains("does not exist") { return nil }
            throw RuntimeError(
                .failed, operation: "state", detail: ForeignText.printable(result.stderr, limit: 512))
        }
        return try OCIState.parse(result.stdout)
    }

    /// Tells when the holder ends.
    func watch(_ engineID: EngineID, pid: Int32) {
        hub.watch(engineID, pid: pid)
    }
}
