/// How far a subscriber has come in the two streams that it follows.
package struct JournalPosition: Sendable, Hashable, CustomStringConvertible {
    /// The last violation that it has; 0 before the first.
    package var violations: Int64
    /// The last audit record that it has; 0 before the first.
    package var audit: Int64

    /// A position behind the given records.
    package init(violations: Int64, audit: Int64) {
        self.violations = violations
        self.audit = audit
    }

    /// Reads an event's id, `v<seq>-a<seq>`; `nil` for anything else.
    package init?(eventID: String) {
        let parts = eventID.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let violations = JournalPosition.number(parts[0], "v"),
            let audit = JournalPosition.number(parts[1], "a")
        else { return nil }
        self.init(violations: violations, audit: audit)
    }

    private static func number(_ text: Substring, _ letter: Character) -> Int64? {
        let digits = text.dropFirst()
        guard text.first == letter, (1...18).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int64(digits)
    }

    /// The event id: `v12-a34`.
    package var eventID: String { "v\(violations)-a\(audit)" }
    /// ``eventID``.
    package var description: String { eventID }

    subscript(stream: JournalStream) -> Int64 {
        get { stream == .violations ? violations : audit }
        set { if stream == .violations { violations = newValue } else { audit = newValue } }
    }

    /// The streams that are followed.
    static let streams: [JournalStream] = [.violations, .audit]
}
