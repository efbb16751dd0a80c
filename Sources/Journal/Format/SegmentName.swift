/// Names of the files in a stream's folder.
///
/// `000000000001.jsonl` holds records from number 1 on; `.jsonl.gz` is the same compressed, `.index` what is
/// in it, `.tmp` behind any of them a file that was being written.
struct SegmentName: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case plain, compressed, index, temporary
    }

    let firstSeq: Int64
    let kind: Kind

    init(_ firstSeq: Int64, _ kind: Kind) {
        self.firstSeq = firstSeq
        self.kind = kind
    }

    /// Reads a file name; `nil` for files that are not the journal's.
    init?(_ name: [UInt8]) {
        let digits = name.prefix { (0x30...0x39).contains($0) }
        guard (12...18).contains(digits.count), digits.count == 12 || digits.first != 0x30 else { return nil }
        let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        guard value > 0 else { return nil }
        let rest = String(decoding: name[digits.count...], as: UTF8.self)
        switch rest {
        case ".jsonl": kind = .plain
        case ".jsonl.gz": kind = .compressed
        case ".index": kind = .index
        case ".jsonl.gz.tmp", ".index.tmp": kind = .temporary
        default: return nil
        }
        firstSeq = value
    }

    /// The twelve digits (more past a million million records).
    static func digits(_ firstSeq: Int64) -> String {
        let text = String(firstSeq)
        return String(repeating: "0", count: max(0, 12 - text.utf8.count)) + text
    }

    static func plain(_ firstSeq: Int64) -> String { digits(firstSeq) + ".jsonl" }
    static func compressed(_ firstSeq: Int64) -> String { digits(firstSeq) + ".jsonl.gz" }
    static func index(_ firstSeq: Int64) -> String { digits(firstSeq) + ".index" }
}
