internal import SandboxModel

/// Records that the journal itself writes into a stream. Each has the member `journal` first.
enum JournalRecords {
    /// Why a segment ended other than by being full.
    struct Gap: Sendable, Hashable {
        var since: Timestamp
        /// Bounded text.
        var reason: String
        /// Records that were refused to callers, and records that nobody waited for and that were dropped.
        var refused: Int64 = 0
        var dropped: Int64 = 0
        /// Numbers that were given out and are gone.
        var missing: ClosedRange<Int64>?
    }

    static func gap(_ gap: Gap, stream: JournalStream, at now: Timestamp) -> [JSONMember] {
        var members = [
            JSONMember("journal", "gap"), JSONMember("timestamp", .string(now.description)),
            JSONMember("event", "journal.gap"), JSONMember("stream", .string(stream.rawValue)),
            JSONMember("since", .string(gap.since.description)),
            JSONMember("reason", .string(excerpt(gap.reason, limit: 256))),
            JSONMember("refused", .integer(gap.refused)), JSONMember("dropped", .integer(gap.dropped)),
        ]
        if let missing = gap.missing {
            members.append(JSONMember("missing_first_seq", .integer(missing.lowerBound)))
            members.append(JSONMember("missing_last_seq", .integer(missing.upperBound)))
        }
        return members
    }

    static func seal(_ summary: SegmentSummary, headerDigest: String, at now: Timestamp) -> [JSONMember] {
        [
            JSONMember("journal", "seal"), JSONMember("timestamp", .string(now.description)),
            JSONMember("records", .integer(summary.records)),
            JSONMember("first_seq", .integer(summary.firstSeq)),
            JSONMember("since", .optional(summary.since.map { Timestamp(milliseconds: $0).description })),
            JSONMember("until", .optional(summary.until.map { Timestamp(milliseconds: $0).description })),
            JSONMember("header_digest", .string(headerDigest)),
        ]
    }

    static func retired(
        through lastSeq: Int64, segments: Int, bytes: Int64, reason: String, at now: Timestamp
    ) -> [JSONMember] {
        [
            JSONMember("journal", "retired"), JSONMember("timestamp", .string(now.description)),
            JSONMember("event", "journal.retired"), JSONMember("through_seq", .integer(lastSeq)),
            JSONMember("segments", .integer(Int64(segments))), JSONMember("bytes", .integer(bytes)),
            JSONMember("reason", .string(reason)),
        ]
    }

    /// Kinds as they stand in a line, to tell them from callers' records without reading the whole line.
    static let sealKind = Array("seal".utf8)
    static let gapKind = Array("gap".utf8)
    static let retiredKind = Array("retired".utf8)
}
