import SandboxModel

/// An image's name as a client may give it: what can stand in an engine's path and reference, never a host path.
struct DockerImageName: Sendable, Hashable {
    let text: String

    /// Accepts 1 to 255 of `[A-Za-z0-9._/:@-]` that begin with a letter or digit and hold no empty, `.` or `..`
    /// component.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard (1...255).contains(bytes.count), let first = bytes.first, Self.isAlphanumeric(first) else {
            return nil
        }
        let others = Array("._/:@-".utf8)
        guard bytes.allSatisfy({ Self.isAlphanumeric($0) || others.contains($0) }) else { return nil }
        for component in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard !component.isEmpty, component != ".", component != ".." else { return nil }
        }
        self.text = text
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}

/// What an image would put into a container unasked.
struct DockerImage: Sendable, Hashable {
    /// The engine's digest of it.
    var id: String
    /// Names of variables in its environment.
    var environmentNames: [String]
    /// Folders that it declares as volumes: each would become an anonymous, unbounded place on the host's disk.
    var volumes: [String]
    /// Such as `amd64`; empty where the engine does not say.
    var architecture: String

    /// Reads `GET /images/{name}/json`.
    /// - Throws: `failed` when the reply has no identifier.
    init(reply: DocumentNode) throws(RuntimeError) {
        guard let id = reply["Id"]?.string ?? reply["ID"]?.string, !id.isEmpty else {
            throw RuntimeError(.failed, operation: "inspect image", detail: "the reply has no Id")
        }
        self.id = id
        let configuration = reply["Config"] ?? reply["ContainerConfig"]
        let environment = configuration?["Env"]?.array ?? []
        environmentNames = environment.compactMap { entry in
            guard let text = entry.string, let name = text.split(separator: "=").first, !text.hasPrefix("=") else {
                return nil
            }
            return String(name)
        }
        volumes = (configuration?["Volumes"]?.members ?? []).map(\.key)
        architecture = reply["Architecture"]?.string ?? ""
    }
}
