import SandboxModel
import Testing

@testable import Journal

@Suite struct SegmentFormsTests {
    private let header = SegmentHeader(
        stream: .audit, origin: JournalOrigin(host: "h\"ö", bootID: "b"),
        createdAt: Timestamp(milliseconds: 5),
        firstSeq: 42, chain: .start)

    @Test func headersAreReadAsWritten() throws {
        #expect(try SegmentHeader(header.line, stream: .audit) == header)
        var plain = header
        plain.stream = .metrics
        plain.chain = nil
        #expect(try SegmentHeader(plain.line, stream: .metrics) == plain)
        #expect(throws: HeaderFault.self) { try SegmentHeader(header.line, stream: .violations) }
        #expect(throws: HeaderFault.self) { try SegmentHeader(plain.line, stream: .audit) }
    }

    @Test func anyFlipOrCutOfAHeaderIsFound() {
        let line = header.line
        for place in line.indices {
            for bit in 0..<8 {
                var changed = line
                changed[place] ^= 1 << bit
                #expect(throws: HeaderFault.self) { try SegmentHeader(changed, stream: .audit) }
            }
            let prefix = Array(line[..<place])
            #expect(throws: HeaderFault.self) { try SegmentHeader(prefix, stream: .audit) }
        }
    }

    @Test func anotherVersionIsRefused() {
        let line = DigestedObject.encode([JSONMember("journal", "header"), JSONMember("format", 2)])
        let fault = #expect(throws: HeaderFault.self) { try SegmentHeader(line, stream: .audit) }
        #expect(fault?.detail == "the format version is not 1")
    }

    @Test func headsAreReadAsWritten() {
        let heads = JournalHeads(
            updatedAt: Timestamp(milliseconds: 1),
            streams: [
                .violations: StreamHead(seq: 3, chain: .start), .metrics: StreamHead(seq: 9, chain: nil),
                .audit: .empty(.audit),
            ])
        #expect(JournalHeads(heads.bytes) == heads)
        #expect(JournalHeads(Array(heads.bytes.dropLast())) == nil)
        for place in heads.bytes.indices {
            var changed = heads.bytes
            changed[place] ^= 0x04
            #expect(JournalHeads(changed) == nil, "byte \(place)")
        }
    }

    @Test func indexesAreReadAsWritten() {
        var summary = SegmentSummary()
        summary.add(seq: 5, milliseconds: 100, sandbox: "sb-aaaaaaaaaa")
        summary.add(seq: 6, milliseconds: 50, sandbox: nil)
        let block = SegmentIndex.Block(
            position: 0, start: 0, length: 10, firstSeq: 5, lastSeq: 6, since: 50, until: nil)
        let index = SegmentIndex(summary: summary, blocks: [block])
        #expect(SegmentIndex(index.bytes(of: .audit), stream: .audit, firstSeq: 5) == index)
        #expect(SegmentIndex(index.bytes(of: .audit), stream: .violations, firstSeq: 5) == nil)
        #expect(SegmentIndex(index.bytes(of: .audit), stream: .audit, firstSeq: 6) == nil)
        for place in index.bytes(of: .audit).indices {
            var changed = index.bytes(of: .audit)
            changed[place] ^= 0x10
            #expect(SegmentIndex(changed, stream: .audit, firstSeq: 5) == nil, "byte \(place)")
        }
    }

    @Test func aSummaryForgetsSandboxesPastItsBound() {
        var summary = SegmentSummary()
        for number in 0..<SegmentSummary.sandboxLimit {
            summary.add(seq: Int64(number + 1), milliseconds: nil, sandbox: "sb-\(number)")
        }
        #expect(summary.sandboxes?.count == SegmentSummary.sandboxLimit)
        summary.add(seq: 1000, milliseconds: nil, sandbox: "sb-more")
        #expect(summary.sandboxes == nil)
        summary.add(seq: 1001, milliseconds: nil, sandbox: "sb-again")
        #expect(summary.sandboxes == nil)
    }

    @Test func namesAreReadAsWrittenAndOthersAreNot() {
        #expect(SegmentName(Array(SegmentName.plain(1).utf8)) == SegmentName(1, .plain))
        #expect(SegmentName(Array(SegmentName.compressed(999_999_999_999).utf8))?.firstSeq == 999_999_999_999)
        #expect(SegmentName(Array(SegmentName.plain(1_000_000_000_000).utf8))?.firstSeq == 1_000_000_000_000)
        #expect(SegmentName(Array((SegmentName.compressed(3) + ".tmp").utf8)) == SegmentName(3, .temporary))
        for name in [
            "1.jsonl", "000000000000.jsonl", "000000000001.json", "0000000000001.jsonl", "00000000000a.jsonl",
            "000000000001.jsonl.gz.tmp.tmp", "", ".jsonl", "9999999999999999999.jsonl",
            "000000000001.jsonl\n",
        ] {
            #expect(SegmentName(Array(name.utf8)) == nil, "\(name)")
        }
    }

    @Test func cursorsAndPositionsAreReadAsWritten() {
        for text in ["n0", "o12", "n999999999999999999"] {
            #expect(JournalCursor(rawValue: text)?.rawValue == text)
        }
        for text in ["", "n", "x1", "n-1", "n+1", "1", "n1 ", "n12345678901234567890"] {
            #expect(JournalCursor(rawValue: text) == nil, "\(text)")
        }
        #expect(JournalPosition(eventID: "v12-a0") == JournalPosition(violations: 12, audit: 0))
        for text in ["", "v1", "v1-a", "a1-v1", "v1-a2-x", "v-1-a2", "v1-a1234567890123456789", "v+1-a1"] {
            #expect(JournalPosition(eventID: text) == nil, "\(text)")
        }
    }
}
