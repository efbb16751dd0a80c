public import SandboxModel

/// Which records of one stream are wanted, and in which order.
public struct JournalQuery: Sendable, Hashable {
    /// The order of records: that of their numbers.
    public enum Order: String, Sendable, Hashable, CaseIterable {
        case newestFirst = "newest_first"
        case oldestFirst = "oldest_first"
    }

    /// The most records that one page holds.
    public static let maximumLimit = 10_000

    /// The stream.
    public var stream: JournalStream
    /// The order.
    public var order: Order
    /// Only records whose `sandbox_id` this is.
    public var sandboxID: SandboxID?
    /// Only records whose `violation_type`, or in the audit stream `event`, this is.
    public var type: String?
    /// Only records whose `severity` this is.
    public var severity: Severity?
    /// Only records whose `policy` this is.
    public var policy: PolicyName?
    /// Only records of this time or later.
    public var since: Timestamp?
    /// Only records before this time.
    public var until: Timestamp?
    /// Only records whose line holds this text, ASCII letters being equal to their other case.
    public var text: String?
    /// How many records a page holds; 1 to ``maximumLimit``.
    public var limit: Int
    /// Go on behind the page that this came with.
    public var cursor: JournalCursor?
    /// Whether records that the journal wrote itself are wanted. Without, the audit stream still shows those
    /// that tell an event: gaps and retirements.
    public var includesOwnRecords: Bool
    /// Only records up to this number: a running journal asks for what is on disk and not for what may yet be
    /// taken back.
    package var notAfter: Int64?

    /// Everything that callers recorded in a stream.
    public init(_ stream: JournalStream, order: Order = .newestFirst, limit: Int = 100) {
        self.stream = stream
        self.order = order
        self.limit = limit
        includesOwnRecords = false
    }
}

/// A place between two records of a stream. It stays where it is when records are added, and when segments
/// are compressed or retired.
public struct JournalCursor: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    /// The record given out last.
    let seq: Int64
    let order: JournalQuery.Order

    init(seq: Int64, order: JournalQuery.Order) {
        self.seq = seq
        self.order = order
    }

    /// Reads what ``rawValue`` wrote; `nil` for anything else.
    public init?(rawValue: String) {
        guard let first = rawValue.utf8.first, (2...19).contains(rawValue.utf8.count) else { return nil }
        switch first {
        case UInt8(ascii: "n"): order = .newestFirst
        case UInt8(ascii: "o"): order = .oldestFirst
        default: return nil
        }
        let digits = rawValue.utf8.dropFirst()
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let seq = Int64(rawValue.dropFirst()) else {
            return nil
        }
        self.seq = seq
    }

    /// Text for clients: a letter for the order and a number.
    public var rawValue: String { (order == .newestFirst ? "n" : "o") + String(seq) }
    /// ``rawValue``.
    public var description: String { rawValue }
}

/// One page of an answer.
public struct JournalPage: Sendable, Hashable {
    /// The records, in the order asked for.
    public let records: [JournalRecord]
    /// Where the next page begins; `nil` when there is none.
    public let next: JournalCursor?
    /// Lines met on the way that are no records; at most 100.
    public let damage: [JournalFault]

    init(records: [JournalRecord], next: JournalCursor?, damage: [JournalFault]) {
        self.records = records
        self.next = next
        self.damage = damage
    }
}
