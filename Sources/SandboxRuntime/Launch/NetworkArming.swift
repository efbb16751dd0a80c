package import SandboxModel
package import SandboxNetwork
package import SandboxPolicy

/// What the launcher needs of the network; ``SandboxNetwork/NetworkController`` is one.
package protocol NetworkArming: Sendable {
    /// The whole `/etc/resolv.conf` of a sandbox; `nil` when it has no name service.
    func resolverText(for policy: NetworkPolicy) -> String?
    /// Gives a sandbox its network; leaves nothing behind when it fails.
    func attach(_ attachment: NetworkAttachment) async throws(NetworkError) -> NetworkHandle
    /// Reads back what network a sandbox has; a difference is `degraded`.
    func verify(_ handle: NetworkHandle, _ attachment: NetworkAttachment) async -> [AppliedControl]
    /// Takes the network away; fine when it is gone.
    func detach(_ handle: NetworkHandle) async throws(NetworkError)
}

extension NetworkController: NetworkArming {}

extension RuntimeError {
    /// A failed step of the network as the outcome of a launch.
    init(_ error: NetworkError) {
        let code: Code =
            switch error.code {
            case .invalid: .invalid
            case .unavailable: .unavailable
            case .unsupported: .unsupported
            case .exhausted: .exhausted
            case .conflict, .gone: .conflict
            case .timedOut: .timedOut
            case .failed: .failed
            }
        self.init(code, operation: "network", detail: error.description)
    }
}
