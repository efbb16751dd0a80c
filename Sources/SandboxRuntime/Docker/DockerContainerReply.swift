import SandboxModel

/// Reads `GET /containers/{id}/json`. Pure and total.
enum DockerContainerReply {
    /// Reads one container.
    /// - Throws: `failed` for a reply without identifier or state: nothing is guessed about a container.
    static func container(_ reply: DocumentNode) throws(RuntimeError) -> EngineContainer {
        guard let id = reply["Id"]?.string.flatMap(EngineID.init(rawValue:)) else {
            throw RuntimeError(.failed, operation: "inspect", detail: "the reply has no usable Id")
        }
        guard let state = reply["State"], state.members != nil else {
            throw RuntimeError(.failed, operation: "inspect", detail: "the reply has no State")
        }
        let pid = state["Pid"]?.integer.flatMap { Int32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
        let folded = try fold(state)
        let isAlive =
            switch folded {
            case .running, .paused: true
            case .created, .exited: false
            }
        return EngineContainer(
            engineID: id, state: folded, pid: isAlive ? pid : nil,
            image: reply["Config"]?["Image"]?.string ?? reply["Image"]?.string ?? "",
            labels: labels(reply["Config"]?["Labels"]),
            adoptionObstacles: DockerAdoption.obstacles(reply))
    }

    /// The engine's words: created, running, paused, restarting, removing, exited, dead. `stopped`, `configured`,
    /// `initialized` and `stopping` are Podman's.
    private static func fold(_ state: DocumentNode) throws(RuntimeError) -> EngineContainer.State {
        let exited = EngineContainer.State.exited(
            code: state["ExitCode"]?.integer.flatMap { Int(exactly: $0) },
            wasOOMKilled: state["OOMKilled"]?.bool ?? false)
        switch state["Status"]?.string?.lowercased() {
        case "created", "configured", "initialized": return .created
        case "running", "restarting", "stopping": return .running
        case "paused": return .paused
        case "removing", "exited", "dead", "stopped": return exited
        case .some(let other):
            throw RuntimeError(
                .failed, operation: "inspect", detail: "the engine says an unknown state: \(excerpt(other, limit: 32))")
        case nil:
            switch (state["Running"]?.bool, state["Paused"]?.bool) {
            case (_, true): return .paused
            case (true, _): return .running
            case (false, _): return exited
            default: throw RuntimeError(.failed, operation: "inspect", detail: "the reply says no state")
            }
        }
    }

    static func labels(_ node: DocumentNode?) -> [String: String] {
        var labels: [String: String] = [:]
        for member in node?.members ?? [] {
            if let text = member.value.string { labels[member.key] = text }
        }
        return labels
    }
}
