import HTTP
import LinuxSystem
package import Logging
package import SandboxModel
import SandboxPolicy
import Synchronization

/// Runs sandboxes in a Docker engine, or in Podman through its compatible service.
///
/// A sandbox's container is called `sandwarden-<id>`, runs the holder and nothing else, and has no network: whatever
/// it gets is given to it from the host. Its engine is asked over the unix socket only; what the kernel made of the
/// engine's promises is read by the attestation.
package final class DockerDriver: RuntimeDriver {
    package let kind = RuntimeKind.docker
    let settings: DockerSettings
    let engine: DockerEngine
    let logger: Logger
    /// What the engine warned of when it made a container; shown as evidence.
    private let warnings = Mutex([EngineID: [String]]())

    /// Containers whose warnings are kept; the oldest knowledge is of little use past that.
    private static let warningLimit = 4096

    /// A driver; asks nothing yet.
    /// - Throws: `exhausted` when the system refuses a loop for the connections.
    package init(settings: DockerSettings, logger: Logger) throws(RuntimeError) {
        self.settings = settings
        self.logger = logger
        engine = try DockerEngine(socketPath: settings.socketPath, answerTime: settings.answerTime)
    }

    // MARK: Looking

    package func probe() async -> RuntimeProbe {
        do throws(RuntimeError) {
            let facts = try await engine.facts()
            let root = facts.isRootless ? ", rootless: users and limits may not hold" : ""
            return RuntimeProbe(
                kind: .docker, isAvailable: true, detail: "\(facts.summary) at unix:\(settings.socketPath)\(root)")
        } catch {
            return RuntimeProbe(kind: .docker, isAvailable: false, detail: error.detail)
        }
    }

    package func hasImage(_ image: String?) async throws(RuntimeError) -> Bool {
        guard let name = image ?? settings.defaultImage else { return false }
        guard DockerImageName(name) != nil else { return false }
        do throws(RuntimeError) {
            _ = try await self.image(name)
            return true
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
    }

    /// Looks up an image by its name.
    /// - Throws: `notFound` for one that the engine does not have, `invalid` for what is no name.
    func image(_ name: String) async throws(RuntimeError) -> DockerImage {
        guard let checked = DockerImageName(name) else {
            throw RuntimeError(
                .invalid, operation: "image", detail: "\(excerpt(name, limit: 64)) is no name of an image")
        }
        let reply = try await engine.call(
            .get, "/images/\(checked.text)/json", accept: [200, 404], operation: "inspect image")
        guard reply.status == 200 else {
            throw RuntimeError(
                .notFound, operation: "image",
                detail: "the engine has no image \(checked.text): pull or import it first")
        }
        return try DockerImage(reply: try reply.json("inspect image"))
    }

    package func inspect(_ engineID: EngineID) async throws(RuntimeError) -> EngineContainer? {
        guard let reply = try await description(engineID) else { return nil }
        return try DockerContainerReply.container(reply)
    }

    /// The engine's whole description of a container, by identifier or name; `nil` when it has none.
    func description(_ engineID: EngineID) async throws(RuntimeError) -> DocumentNode? {
        let reply = try await engine.call(
            .get, "/containers/\(engineID)/json", accept: [200, 404], operation: "inspect")
        return reply.status == 200 ? try reply.json("inspect") : nil
    }

    package func listLabelled(instanceID: String) async throws(RuntimeError) -> [EngineContainer] {
        let filter: JSONValue = ["label": [.string("\(DockerCreateBody.instanceLabel)=\(instanceID)")]]
        let reply = try await engine.call(
            .get, "/containers/json?all=true&filters=\(DockerEngine.query(filter.text))", accept: [200],
            operation: "list")
        guard let rows = try reply.json("list").array else {
            throw RuntimeError(.failed, operation: "list", detail: "the engine's reply is no list")
        }
        var found: [EngineContainer] = []
        for row in rows {
            guard let id = row["Id"]?.string.flatMap(EngineID.init(rawValue:)) else {
                throw RuntimeError(.failed, operation: "list", detail: "a container has no usable Id")
            }
            // Gone in the meantime is no fault; a filter that the engine ignored would be.
            guard let container = try await inspect(id),
                container.labels[DockerCreateBody.instanceLabel] == instanceID
            else { continue }
            found.append(container)
        }
        return found
    }

    package func driverControls(
        _ engineID: EngineID, plan: SandboxPlan
    ) async throws(RuntimeError) -> [AppliedControl] {
        let facts = try await engine.facts()
        guard let reply = try await description(engineID) else {
            throw RuntimeError(.notFound, operation: "attest", detail: "the engine has no container \(engineID)")
        }
        return DockerControls.controls(
            reply, facts: facts, policy: plan.policy, image: plan.image ?? settings.defaultImage ?? "",
            warnings: warnings.withLock { $0[engineID] ?? [] })
    }

    package func events() -> AsyncStream<EngineEvent> {
        DockerEventSubscription.stream(engine: engine, logger: logger)
    }

    // MARK: Warnings

    /// Remembers what the engine warned of.
    func note(_ texts: [String], of engineID: EngineID) {
        guard !texts.isEmpty else { return }
        logger.warning("engine warned", metadata: ["container": "\(engineID)", "count": "\(texts.count)"])
        warnings.withLock { warnings in
            if warnings.count >= DockerDriver.warningLimit { warnings.removeAll() }
            warnings[engineID] = texts
        }
    }

    func forgetWarnings(of engineID: EngineID) { warnings.withLock { $0[engineID] = nil } }

    /// The warnings of a reply. That packets are not forwarded does not matter to a container without network.
    static func warnings(_ reply: DocumentNode) -> [String] {
        let texts = (reply["Warnings"]?.array ?? []).compactMap(\.string)
        return texts.prefix(16).filter { !$0.contains("IPv4 forwarding") }.map { excerpt($0) }
    }
}
