package import HTTP
internal import SandboxModel
package import SandboxSecurity
internal import Synchronization

/// Decides who a request comes from, and whether it was meant for this server at all.
package final class AccessControl: Sendable {
    /// What is configured; replaced as a whole when the token file changes.
    package struct Settings: Sendable, Hashable {
        /// `nil`: no tokens are configured, and loopback acts as operator.
        package var tokens: TokenTable?
        /// Roles of unix peers by uid; the daemon's own uid is admin unasked.
        package var unixRoles: [UInt32: Role] = [:]
        package var ownUID: UInt32 = 0
        /// Names beside the listeners' addresses that `Host` may carry, lower case, without port.
        package var hostNames: Set<String> = []

        /// Settings without tokens or names.
        package init() {}
    }

    private let settings: Mutex<Settings>

    /// Access under the given settings.
    package init(_ settings: Settings) { self.settings = Mutex(settings) }

    /// Replaces the tokens, as after a change of their file.
    package func replaceTokens(_ tokens: TokenTable?) { settings.withLock { $0.tokens = tokens } }

    /// Who asks.
    /// - Throws: `unauthenticated` without credentials that count.
    package func principal(for head: HTTPRequestHead, from peer: HTTPPeer) throws(SecurityError) -> Principal {
        let current = settings.withLock { $0 }
        if let header = head.headers["Authorization"] {
            guard header.utf8.count <= 512, header.lowercased().hasPrefix("bearer ") else {
                throw SecurityError(.unauthenticated, "`Authorization: Bearer <token>` was expected")
            }
            guard let found = current.tokens?.principal(for: header.dropFirst(7).utf8) else {
                throw SecurityError(.unauthenticated, "the token is not known")
            }
            return found
        }
        switch peer {
        case .unix(let uid, _, _):
            if uid == current.ownUID { return Principal(name: "uid:\(uid)", role: .admin) }
            if let role = current.unixRoles[uid] { return Principal(name: "uid:\(uid)", role: role) }
            throw SecurityError(
                .unauthenticated, "uid \(uid) has no role; add it to access.unix or send a token")
        case .tcp(_, let isLoopback):
            guard current.tokens == nil, isLoopback else {
                throw SecurityError(.unauthenticated, "`Authorization: Bearer <token>` is needed")
            }
            return Principal(name: "loopback", role: .operator)
        }
    }

    /// Refuses requests that a browser was tricked into sending, or that were meant for another host.
    package func refuseForeign(_ request: HTTPRequest) throws(SecurityError) {
        if case .unix = request.peer { return }
        let names = settings.withLock { $0.hostNames }
        let authority = request.head.authority?.lowercased() ?? ""
        guard isOwn(authority, names, request) else {
            throw SecurityError(
                .forbidden, "Host is not an address of this daemon; add the name to `host_names` if it is one"
            )
        }
        guard let origin = request.head.headers["Origin"] else { return }
        let lowered = origin.lowercased()
        let host =
            lowered.hasPrefix("http://")
            ? lowered.dropFirst(7) : lowered.hasPrefix("https://") ? lowered.dropFirst(8) : ""
        guard !host.isEmpty, isOwn(String(host), names, request) else {
            throw SecurityError(.forbidden, "a foreign Origin may not call this daemon")
        }
    }

    private func isOwn(_ authority: String, _ names: Set<String>, _ request: HTTPRequest) -> Bool {
        // HTTP/1.0 clients send no Host; they are no browsers.
        if authority.isEmpty { return request.head.minorVersion == 0 }
        let host = AccessControl.host(of: authority)
        if names.contains(host) { return true }
        let own = AccessControl.host(of: request.listener.lowercased())
        if host == own { return true }
        guard case .tcp(_, true) = request.peer else { return false }
        return ["localhost", "127.0.0.1", "[::1]"].contains(host)
    }

    /// `host:port` or `[v6]:port` without the port.
    static func host(of authority: String) -> String {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return authority }
            return String(authority[...end])
        }
        return String(authority.prefix { $0 != ":" })
    }
}
