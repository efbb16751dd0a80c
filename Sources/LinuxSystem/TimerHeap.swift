/// Deadlines with tokens, the earliest first. Pure: the clock is the caller's.
///
/// Nothing can be cancelled: the owner of a token remembers its own deadline, and looks when the token comes
/// due whether it still means anything. A connection so needs one entry at a time, however often its deadline
/// moves: when an early entry comes due, it is put back at the present deadline.
package struct TimerHeap: Sendable {
    private struct Entry {
        var deadline: MonotonicInstant
        var token: UInt64
    }

    private var entries: [Entry] = []

    /// An empty heap.
    package init() {}

    /// Entries that have not come due.
    package var count: Int { entries.count }

    /// The earliest deadline.
    package var first: MonotonicInstant? { entries.first?.deadline }

    /// Adds a deadline.
    /// - Complexity: O(log n); allocates only when the heap grows past its largest size so far.
    package mutating func add(_ token: UInt64, at deadline: MonotonicInstant) {
        entries.append(Entry(deadline: deadline, token: token))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].deadline < entries[parent].deadline else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest entry if it is due.
    /// - Complexity: O(log n).
    package mutating func takeDue(at now: MonotonicInstant) -> UInt64? {
        guard let earliest = entries.first, earliest.deadline <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].deadline < entries[least].deadline { least = child }
            }
            guard least != parent else { break }
            entries.swapAt(parent, least)
            parent = least
        }
        return earliest.token
    }
}
