/// One of the journal's three sequences of records.
public enum JournalStream: String, Sendable, Hashable, CaseIterable {
    /// What sandboxes did against their policy.
    case violations
    /// Readings of sandboxes; not chained and not waited for.
    case metrics
    /// Every change, denial, state change, response, recovery and gap.
    case audit

    /// Whether each line carries the hash of the one before it.
    public var isChained: Bool { self != .metrics }

    /// Its place in ``allCases``.
    var index: Int {
        switch self {
        case .violations: 0
        case .metrics: 1
        case .audit: 2
        }
    }
}
