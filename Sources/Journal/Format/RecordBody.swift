internal import SandboxModel

/// A record's members as bytes, checked and ready to be put into a line.
struct RecordBody: Sendable, Hashable {
    /// `,"name":value` for each member.
    let bytes: [UInt8]
    /// The record's time, milliseconds since 1970.
    let milliseconds: Int64
    /// The record's top-level `sandbox_id`.
    let sandbox: String?

    /// Names that only the journal writes.
    static let reserved: Set<String> = ["seq", "chain", "journal"]
    /// How deep a record's own value may nest, so that the whole line stays within what the parser reads.
    static let maximumDepth = JSONParser.maximumDepth - 1

    /// Checks and encodes members that a caller gives.
    /// - Parameter now: The record's time when `members` has no `timestamp`.
    /// - Throws: `invalidRecord` for a reserved or repeated name, a `timestamp` that is none, or a value that
    ///   is nested too deep; `tooLarge`.
    init(_ members: [JSONMember], now: Timestamp) throws(JournalError) {
        for member in members where RecordBody.reserved.contains(member.key) {
            throw JournalError(
                .invalidRecord, operation: "append",
                detail: "the name \"\(member.key)\" belongs to the journal")
        }
        try self.init(own: members, now: now)
    }

    /// The same for the journal's own records, which may use its own names.
    init(own members: [JSONMember], now: Timestamp) throws(JournalError) {
        try RecordBody.check(members, depth: 1)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        var milliseconds = now.milliseconds
        if let given = members.first(where: { $0.key == "timestamp" }) {
            guard let time = given.value.string.flatMap(Timestamp.init(rfc3339:)) else {
                throw JournalError(
                    .invalidRecord, operation: "append", detail: "`timestamp` is no RFC 3339 time")
            }
            milliseconds = time.milliseconds
        } else {
            RecordBody.append(JSONMember("timestamp", .string(now.description)), to: &bytes)
        }
        for member in members {
            RecordBody.append(member, to: &bytes)
            guard bytes.count <= RecordLine.maximumBodyBytes else {
                throw JournalError(
                    .tooLarge, operation: "append", detail: "more than \(RecordLine.maximumBodyBytes) bytes")
            }
        }
        self.bytes = bytes
        self.milliseconds = milliseconds
        self.sandbox = members.first { $0.key == "sandbox_id" }?.value.string
    }

    private static func append(_ member: JSONMember, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: ","))
        JSONValue.append(member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.append(to: &bytes)
    }

    /// A line that a strict parser refuses would be a damaged record from its first day.
    private static func check(_ members: [JSONMember], depth: Int) throws(JournalError) {
        guard depth <= maximumDepth else {
            throw JournalError(.invalidRecord, operation: "append", detail: "deeper than \(maximumDepth)")
        }
        var names = Set<String>(minimumCapacity: members.count)
        for member in members {
            guard names.insert(member.key).inserted else {
                throw JournalError(
                    .invalidRecord, operation: "append",
                    detail: "the name \"\(excerpt(member.key, limit: 64))\" stands twice in one object")
            }
            try check(member.value, depth: depth)
        }
    }

    private static func check(_ value: JSONValue, depth: Int) throws(JournalError) {
        switch value {
        case .object(let members): try check(members, depth: depth + 1)
        case .array(let elements):
            guard depth < maximumDepth else {
                throw JournalError(.invalidRecord, operation: "append", detail: "deeper than \(maximumDepth)")
            }
            for element in elements { try check(element, depth: depth + 1) }
        default: return
        }
    }
}
