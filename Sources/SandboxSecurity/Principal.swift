/// What a caller may do; each role includes the ones before it.
public enum Role: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Reads everything but files, and may validate.
    case viewer
    /// Also sandboxes, exec, files and responses.
    case `operator`
    /// Also policy writes, adoption, degraded sandboxes and switching monitoring off.
    case admin

    private var rank: Int {
        switch self {
        case .viewer: 0
        case .operator: 1
        case .admin: 2
        }
    }

    /// By how much the role may do.
    public static func < (left: Role, right: Role) -> Bool { left.rank < right.rank }
}

/// Who asks.
public struct Principal: Sendable, Hashable {
    /// The token's name, `uid:N` for a unix peer, `loopback` for an unauthenticated local peer, `daemon` for ourselves.
    public var name: String
    /// What the caller may do.
    public var role: Role

    /// A caller by name and role.
    public init(name: String, role: Role) {
        self.name = name
        self.role = role
    }

    /// The daemon's own doing: expiry, responses, recovery.
    public static let daemon = Principal(name: "daemon", role: .admin)

    /// Throws unless the caller has at least this role.
    public func require(_ needed: Role, to action: String) throws(SecurityError) {
        guard role >= needed else {
            throw SecurityError(
                .forbidden, "role \(needed.rawValue) is needed to \(action); \(name) has \(role.rawValue)")
        }
    }
}
