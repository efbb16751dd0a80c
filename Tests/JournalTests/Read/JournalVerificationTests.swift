import SandboxModel
import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(2))) struct JournalVerificationTests {
    private let rig = Rig(segmentBytes: 4096)

    private func journal(records: Int = 90, isPacked: Bool = false) async throws -> MemoryStorage {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        for number in 0..<records { _ = try await writer.append(.violations, rig.members(number)) }
        if isPacked { await writer.maintainNow() }
        await writer.close()
        return storage
    }

    private func lines(_ storage: MemoryStorage, _ name: String) throws -> [[UInt8]] {
        try #require(storage.content("violations/" + name)).split(separator: 0x0A).map { Array($0) }
    }

    private func put(_ lines: [[UInt8]], _ storage: MemoryStorage, _ name: String) {
        storage.put("violations/" + name, lines.reduce(into: []) { $0 += $1 + [0x0A] })
    }

    private func faults(_ storage: MemoryStorage) throws -> [JournalFault] {
        try Rig.reader(storage).verify([.violations]).streams[0].faults
    }

    private let first = "000000000001.jsonl"

    @Test(arguments: [false, true])
    func aWholeJournalIsIntact(_ isPacked: Bool) async throws {
        let storage = try await journal(isPacked: isPacked)
        var steps: [VerificationProgress] = []
        let check = try Rig.reader(storage).verify { steps.append($0) }
        #expect(check.isIntact)
        #expect(check.streams.map(\.stream) == JournalStream.allCases)
        let part = check.streams[0]
        #expect(part.segments > 2)
        #expect(part.firstSeq == 1)
        #expect(part.records == part.head.seq)
        #expect(steps.count == check.streams.reduce(0) { $0 + $1.segments })
        #expect(steps.map(\.bytesDone) == steps.map(\.bytesDone).sorted())
        #expect(steps.allSatisfy { $0.bytesDone < $0.bytesTotal })
    }

    @Test func aForgedLineIsNamed() async throws {
        let storage = try await journal()
        var all = try lines(storage, first)
        let text = String(decoding: all[3], as: UTF8.self)
        let changed = try #require(text.firstRange(of: "\"high\""))
        all[3] = Array(text.replacingCharacters(changed, "\"low\"").utf8)
        put(all, storage, first)
        let found = try faults(storage)
        #expect(found.map(\.kind) == [.chain])
        #expect(found[0].segment == first)
        #expect(found[0].line == 4)
        #expect(found[0].offset == Int64(all[..<3].reduce(0) { $0 + $1.count + 1 }))
    }

    @Test func aLineThatWasForgedWithItsOwnChainIsFoundAtTheNext() async throws {
        let storage = try await journal()
        var all = try lines(storage, first)
        let before = try #require(RecordLine.claim(of: all[2], isChained: true)?.chain)
        var forged: [UInt8] = []
        let body = try RecordBody(rig.members(1000), now: rig.clock.now)
        _ = RecordLine.append(seq: 3, body: body.bytes, after: before, to: &forged)
        all[3] = forged.dropLast() + []
        put(all, storage, first)
        let found = try faults(storage)
        #expect(found.map(\.kind) == [.chain])
        #expect(found[0].line == 5)
    }

    @Test func aRemovedLineIsNamed() async throws {
        let storage = try await journal()
        var all = try lines(storage, first)
        all.remove(at: 4)
        put(all, storage, first)
        let found = try faults(storage)
        #expect(Set(found.map(\.kind)) == [.sequence, .chain, .seal])
        #expect(found.filter { $0.kind != .seal }.allSatisfy { $0.line == 5 })
    }

    @Test func linesThatChangedPlacesAreNamed() async throws {
        let storage = try await journal()
        var all = try lines(storage, first)
        all.swapAt(2, 5)
        put(all, storage, first)
        let found = try faults(storage)
        #expect(Set(found.map(\.kind)).isSuperset(of: [.sequence, .chain]))
        #expect(found.first { $0.kind == .sequence }?.line == 3)
    }

    @Test func aDoubledLineIsNamed() async throws {
        let storage = try await journal()
        var all = try lines(storage, first)
        all.insert(all[2], at: 3)
        put(all, storage, first)
        #expect(try faults(storage).first { $0.kind == .sequence }?.line == 4)
    }

    @Test func aRemovedSegmentIsNamed() async throws {
        let storage = try await journal()
        let names = storage.paths.filter { $0.hasPrefix("violations/") }
        try #require(names.count > 3)
        storage.put(names[1], nil)
        let found = try faults(storage)
        #expect(found.map(\.kind) == [.headerMismatch])
        #expect(names[2].hasSuffix(found[0].segment))
        #expect(found[0].line == 1)
    }

    @Test func aSegmentOfAnotherJournalIsNamed() async throws {
        let storage = try await journal()
        let other = try await journal(records: 91)
        let names = storage.paths.filter { $0.hasPrefix("violations/") }
        let moved = Rig(segmentBytes: 4096, bootID: "boot-9")
        let third = MemoryStorage()
        let (writer, _) = try moved.open(third)
        for number in 500..<590 { _ = try await writer.append(.violations, moved.members(number)) }
        await writer.close()
        #expect(try faults(other).isEmpty)
        storage.put(names[1], third.content(names[1]))
        let found = try faults(storage)
        #expect(found.contains { $0.kind == .headerMismatch && names[1].hasSuffix($0.segment) })
    }

    @Test func aSealThatLiesAndARecordBehindItAreNamed() async throws {
        let storage = try await journal()
        var all = try lines(storage, first)
        let seal = try #require(all.last)
        #expect(String(decoding: seal, as: UTF8.self).contains("\"journal\":\"seal\""))
        var extra: [UInt8] = []
        let claim = try #require(RecordLine.claim(of: seal, isChained: true))
        let body = try RecordBody(rig.members(1000), now: rig.clock.now)
        _ = RecordLine.append(seq: claim.seq + 1, body: body.bytes, after: claim.chain, to: &extra)
        put(all + [extra.dropLast() + []], storage, first)
        #expect(try faults(storage).contains { $0.kind == .seal && $0.line == all.count + 1 })

        // A header that was written anew agrees with everything but the seal.
        let parts = try SegmentHeader(all[0], stream: .violations)
        var header = parts
        header.origin.host = "elsewhere"
        all[0] = header.line
        put(all, storage, first)
        let found = try faults(storage)
        #expect(found.map(\.kind) == [.seal])
        #expect(found[0].detail.hasPrefix("header_digest"))
    }

    @Test func damageInACompressedSegmentIsNamed() async throws {
        let storage = try await journal(isPacked: true)
        let path = "violations/000000000001.jsonl.gz"
        var bytes = try #require(storage.content(path))
        bytes[bytes.count / 2] ^= 0xFF
        storage.put(path, bytes)
        let found = try faults(storage)
        #expect(found.contains { $0.kind == .compressed && $0.segment == "000000000001.jsonl.gz" })
    }

    @Test func anIndexThatLiesIsNamed() async throws {
        let storage = try await journal(isPacked: true)
        var index = try #require(try SegmentIndex.load(1, of: .violations, in: storage))
        index.summary.sandboxes = []
        storage.put("violations/000000000001.index", index.bytes(of: .violations))
        #expect(try faults(storage).map(\.kind) == [.index])
        storage.put("violations/000000000001.index", [1, 2, 3])
        #expect(try faults(storage).map(\.kind) == [.index])
    }

    @Test func aMissingHeadIsNamed() async throws {
        let storage = try await journal()
        storage.put(JournalHeads.path, nil)
        #expect(try faults(storage).map(\.kind) == [.headMissing])
    }

    @Test func metricsLinesThatAreNoJSONAreNamed() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        for number in 0..<5 { _ = try await writer.append(.metrics, rig.members(number)) }
        await writer.close()
        let path = firstSegment(.metrics)
        var bytes = try #require(storage.content(path))
        let place = try #require(bytes.lastIndex(of: UInt8(ascii: ":")))
        bytes[place] = UInt8(ascii: ";")
        storage.put(path, bytes)
        let found = try Rig.reader(storage).verify([.metrics]).streams[0].faults
        #expect(found.map(\.kind) == [.notRecord])
        #expect(found[0].line == 6)
    }

    @Test func theFirstFaultOfEachKindIsKeptAndAllAreCounted() async throws {
        let storage = try await journal()
        var all = try lines(storage, first)
        for line in 2..<6 { all[line][20] ^= 1 }
        put(all, storage, first)
        let part = try Rig.reader(storage).verify([.violations]).streams[0]
        #expect(part.faults.map(\.kind) == [.chain])
        #expect(part.faults[0].line == 3)
        #expect(part.counts == [.chain: 4])
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<Index>, _ text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
