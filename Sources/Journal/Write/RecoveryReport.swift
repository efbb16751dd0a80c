package import SandboxModel

/// What opening a data folder found and did. The caller puts it on record.
package struct RecoveryReport: Sendable, Hashable {
    /// One thing that was found.
    package struct Item: Sendable, Hashable {
        /// What was found, and what was done about it.
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            /// The unfinished end of a segment, which nobody was told to be on disk, was cut off.
            case tailCut = "tail_cut"
            /// A last line that lacked only its newline got it.
            case lineCompleted = "line_completed"
            /// A segment whose beginning was not finished, with no record in it, was removed.
            case emptySegmentRemoved = "empty_segment_removed"
            /// Files that were being written when the process ended were removed.
            case temporaryRemoved = "temporary_removed"
            /// A segment is damaged. It was left as it is, and a new one begun behind it.
            case damaged
            /// Records that were on disk are gone from the end of the stream. Their numbers are not used
            /// again.
            case tailMissing = "tail_missing"
            /// The stream's chain is another than `state/head` says. The stream was left as it is.
            case headMismatch = "head_mismatch"
            /// `state/head` was missing or damaged; it was written anew.
            case headMissing = "head_missing"
        }

        package var kind: Kind
        package var stream: JournalStream
        /// Name of the file; may be empty.
        package var segment: String
        /// Line, from 1, and the byte that it begins with; 0 where there is none.
        package var line: Int
        package var offset: Int64
        /// What exactly; bounded.
        package var detail: String

        init(
            _ kind: Kind, _ stream: JournalStream, segment: String = "", line: Int = 0, offset: Int64 = 0,
            detail: String
        ) {
            self.kind = kind
            self.stream = stream
            self.segment = segment
            self.line = line
            self.offset = offset
            self.detail = detail
        }

        /// The item as a record's detail.
        package var json: JSONValue {
            [
                "kind": .string(kind.rawValue), "stream": .string(stream.rawValue),
                "segment": .string(segment),
                "line": .integer(Int64(line)), "offset": .integer(offset), "detail": .string(detail),
            ]
        }
    }

    /// The most items that are kept.
    package static let limit = 200

    /// What was found, in the order of the streams.
    package private(set) var items: [Item] = []
    /// How many more there were.
    package private(set) var omitted = 0
    /// The last record of each stream.
    package internal(set) var heads: [JournalStream: StreamHead] = [:]

    /// Whether nothing was found that an orderly end would not have left.
    package var isClean: Bool { items.isEmpty }

    /// Whether something was found that no crash explains.
    package var isDamaged: Bool {
        items.contains { [.damaged, .tailMissing, .headMismatch].contains($0.kind) }
    }

    mutating func add(_ item: Item) {
        if items.count < RecoveryReport.limit { items.append(item) } else { omitted += 1 }
    }

    /// The whole report as members of an audit record's details.
    package var members: [JSONMember] {
        [
            JSONMember("items", .array(items.map(\.json))), JSONMember("omitted", .integer(Int64(omitted))),
            JSONMember(
                "heads",
                .object(
                    JournalStream.allCases.compactMap { stream in
                        heads[stream].map { JSONMember(stream.rawValue, $0.json) }
                    })),
        ]
    }
}

/// Where a stream goes on after its folder was looked through.
struct RecoveredStream: Sendable {
    /// The last record that counts.
    var head: StreamHead
    /// The segment to go on with; `nil` to begin one.
    var segment: ActiveSegment?
    /// A file that may be in the way of the next segment and holds nothing.
    var leftover: String?
    /// Said at the beginning of the next segment.
    var gap: JournalRecords.Gap?
}
