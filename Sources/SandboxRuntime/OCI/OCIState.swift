internal import SandboxModel

/// What the runtime says of a container.
/// - SeeAlso: OCI runtime specification, `runtime.md`, "State".
struct OCIState: Sendable, Hashable {
    enum Status: String, Sendable, Hashable { case creating, created, running, paused, stopped }

    var id: EngineID
    var status: Status
    /// Host pid of the first process; `nil` when there is none.
    var pid: Int32?
    var bundle: String
    var annotations: [String: String]

    /// Reads the runtime's JSON.
    /// - Throws: `failed` for a text that is not such a state: nothing is guessed about a container.
    static func parse(_ bytes: [UInt8]) throws(RuntimeError) -> OCIState {
        let document: DocumentNode
        do throws(JSONSyntaxError) {
            document = try JSONParser.parse(bytes)
        } catch {
            throw RuntimeError(.failed, operation: "state", detail: "not JSON: \(error)")
        }
        guard let id = document["id"]?.string.flatMap(EngineID.init(rawValue:)),
            let status = document["status"]?.string.flatMap(Status.init(rawValue:)),
            let bundle = document["bundle"]?.string
        else { throw RuntimeError(.failed, operation: "state", detail: "a member is missing or unknown") }
        let pid = document["pid"]?.integer.flatMap { Int32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
        var annotations: [String: String] = [:]
        for member in document["annotations"]?.members ?? [] {
            if let text = member.value.string { annotations[member.key] = text }
        }
        return OCIState(
            id: id, status: status, pid: status == .stopped ? nil : pid, bundle: bundle,
            annotations: annotations)
    }

    /// The state in the terms that both drivers share.
    var container: EngineContainer {
        let state: EngineContainer.State =
            switch status {
            case .creating, .created: .created
            case .running: .running
            case .paused: .paused
            case .stopped: .exited(code: nil, wasOOMKilled: false)
            }
        let prefix = OCIConfiguration.annotationPrefix + "label."
        var labels: [String: String] = [:]
        for (key, value) in annotations where key.hasPrefix(prefix) {
            labels[String(key.dropFirst(prefix.count))] = value
        }
        return EngineContainer(
            engineID: id, state: state, pid: pid,
            image: annotations[OCIConfiguration.annotationPrefix + "image"] ?? "",
            labels: labels, adoptionObstacles: ["containers of the oci runtime are not adopted"])
    }
}
