public import SandboxModel

/// Whether the journal takes records.
public enum JournalHealth: Sendable, Hashable {
    /// Every stream takes records.
    case ok
    /// At least one stream does not, or `state/head` cannot be written.
    ///
    /// - Parameters:
    ///   - since: When the oldest failure that lasts began.
    ///   - reason: The stream and the system call that failed first.
    ///   - lost: Records refused or dropped since then, all streams together.
    case failing(since: Timestamp, reason: String, lost: Int64)

    /// Whether this is ``ok``.
    public var isOK: Bool { self == .ok }
}
