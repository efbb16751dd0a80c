import Metrics
import SandboxModel
import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(3))) struct MaintenanceTests {
    private func names(_ storage: MemoryStorage, _ stream: JournalStream) -> [String] {
        storage.paths.filter { $0.hasPrefix(stream.rawValue + "/") }.map {
            String($0.dropFirst(stream.rawValue.count + 1))
        }
    }

    private func fill(_ writer: JournalWriter, _ rig: Rig, _ range: Range<Int>) async throws {
        for number in range { _ = try await writer.append(.violations, rig.members(number)) }
    }

    @Test func fullSegmentsAreSealedCompressedAndReadAsBefore() async throws {
        let rig = Rig(segmentBytes: 4096)
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        try await fill(writer, rig, 0..<100)
        let before = try Contents(storage, .violations)
        #expect(before.names == (0..<100).map { "r-\($0)" })
        let plain = names(storage, .violations)
        #expect(plain.count > 4)
        #expect(plain.allSatisfy { $0.hasSuffix(".jsonl") })
        let first = try #require(storage.content("violations/" + plain[0]))

        await writer.maintainNow()
        let after = names(storage, .violations)
        #expect(after.count { $0.hasSuffix(".jsonl") } == 1)
        #expect(after.count { $0.hasSuffix(".jsonl.gz") } == plain.count - 1)
        #expect(after.count { $0.hasSuffix(".index") } == plain.count - 1)
        #expect(try Contents(storage, .violations).ids.map(\.seq) == before.ids.map(\.seq))
        #expect(try Rig.reader(storage).verify().isIntact)
        let packed = try storage.open("violations/" + plain[0] + ".gz", forWriting: false)
        #expect(try GzipBlock.inflate(packed, at: 0)?.bytes == first)

        try await fill(writer, rig, 100..<150)
        await writer.maintainNow()
        await writer.close()
        let (again, report) = try rig.open(storage)
        #expect(report.isClean)
        await again.close()
        #expect(try Contents(storage, .violations).names == (0..<150).map { "r-\($0)" })
    }

    @Test func largeSegmentsHaveManyBlocks() async throws {
        let rig = Rig(segmentBytes: 1 << 20)
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        let filler = JSONMember("filler", .string(String(repeating: "x", count: 9000)))
        for number in 0..<150 { _ = try await writer.append(.violations, rig.members(number) + [filler]) }
        await writer.maintainNow()
        let index = try #require(try SegmentIndex.load(1, of: .violations, in: storage))
        #expect(index.blocks.count >= 4)
        #expect(index.blocks.first?.firstSeq == 1)
        #expect(try Contents(storage, .violations).names == (0..<150).map { "r-\($0)" })
        let page = try Rig.reader(storage).query(JournalQuery(.violations, limit: 10_000))
        #expect(page.records.count == 150)
        // Without an index the segment is read through.
        storage.put("violations/000000000001.index", nil)
        #expect(try Rig.reader(storage).query(JournalQuery(.violations, limit: 10_000)) == page)
        #expect(try Rig.reader(storage).verify().isIntact)
        await writer.maintainNow()
        #expect(try SegmentIndex.load(1, of: .violations, in: storage) == index)
        await writer.close()
    }

    @Test func aSegmentIsSealedByAge() async throws {
        let rig = Rig()
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        try await fill(writer, rig, 0..<2)
        rig.clock.advance(seconds: rig.configuration.segmentAgeSeconds)
        await writer.maintainNow()
        try await fill(writer, rig, 2..<3)
        await writer.close()
        #expect(names(storage, .violations).contains("000000000004.jsonl"))
        // A stream without records stays in its first segment.
        #expect(names(storage, .audit) == ["000000000001.jsonl"])
        #expect(try Rig.reader(storage).verify().isIntact)
    }

    @Test func oldSegmentsAreRetiredAndTheStreamSaysSo() async throws {
        var rig = Rig(segmentBytes: 4096)
        rig.configuration.retention[.violations] = .init(maximumAgeSeconds: 1000)
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        try await fill(writer, rig, 0..<60)
        rig.clock.advance(seconds: 900)
        try await fill(writer, rig, 60..<100)
        await writer.maintainNow()
        #expect(try Contents(storage, .violations).names.count == 100)
        rig.clock.advance(seconds: 200)
        await writer.maintainNow()
        let left = try Contents(storage, .violations).names
        #expect(!left.contains("r-0"))
        #expect(left.suffix(40) == (60..<100).map { "r-\($0)" })
        var query = JournalQuery(.violations, limit: 1)
        query.includesOwnRecords = true
        let record = try #require(try writer.query(query).records.first?.json())
        #expect(record["journal"] == "retired")
        #expect(record["reason"] == "age")
        let first = try Rig.reader(storage).statistics().streams[0].firstSeq
        #expect(record["through_seq"]?.integer == first - 1)
        #expect(try Rig.reader(storage).verify().isIntact)
        await writer.close()
        let (again, report) = try rig.open(storage)
        #expect(report.isClean)
        await again.close()
        // The same files gone without a word are a fault.
        let oldest = try #require(names(storage, .violations).first { $0.hasSuffix(".gz") })
        storage.put("violations/" + oldest, nil)
        let check = try Rig.reader(storage).verify([.violations])
        #expect(check.streams[0].faults.map(\.kind) == [.missingStart])
    }

    @Test func theOldestSegmentsGoWhenAStreamTakesTooMuch() async throws {
        var rig = Rig(segmentBytes: 4096)
        rig.configuration.retention[.violations] = .init(maximumBytes: 12_000)
        rig.configuration.compressesSealedSegments = false
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        try await fill(writer, rig, 0..<200)
        await writer.maintainNow()
        #expect(try Rig.reader(storage).statistics().streams[0].diskBytes <= 12_000 + 500)
        #expect(try Contents(storage, .violations).names.last == "r-199")
        #expect(try Rig.reader(storage).verify().isIntact)
        await writer.close()
    }

    @Test func aCompressionThatFailsLeavesThePlainForm() async throws {
        let rig = Rig(segmentBytes: 4096)
        let base = MemoryStorage()
        let (writer, _) = try rig.open(base)
        try await fill(writer, rig, 0..<40)
        await writer.close()
        let plan = base.afterKill()
        let archiver = SegmentArchiver(stream: .violations, storage: plan)
        let before = plan.calls
        try archiver.compress(1)
        for number in 0..<(plan.calls - before) {
            for fault in [MemoryStorage.Fault.once(28), .kill] {
                let storage = base.afterKill()
                storage.fail(after: number, fault)
                let error = #expect(throws: JournalError.self) {
                    try SegmentArchiver(stream: .violations, storage: storage).compress(1)
                }
                #expect(error?.code == .io)
                for survivor in [storage.afterKill(), storage.afterPowerLoss()] {
                    #expect(try Contents(survivor, .violations).names.count == 40, "call \(number)")
                    let (again, report) = try rig.open(survivor)
                    #expect(!report.isDamaged)
                    await again.maintainNow()
                    await again.close()
                    #expect(try Contents(survivor, .violations).names.count == 40, "call \(number)")
                    #expect(survivor.paths.filter { $0.hasSuffix(".tmp") }.isEmpty)
                    #expect(try Rig.reader(survivor).verify().isIntact, "call \(number)")
                }
            }
        }
    }
}
