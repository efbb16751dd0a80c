import Metrics
import SandboxModel
import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(5))) struct RecoveryTests {
    private let rig = Rig()

    /// A journal of a few records, closed in order, and what `state/head` was before the first of them.
    private func small(_ stream: JournalStream, records: Int = 4) async throws -> (MemoryStorage, [UInt8]) {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        let early = try #require(storage.content(JournalHeads.path))
        for number in 1...records { _ = try await writer.append(stream, rig.members(number)) }
        await writer.close()
        return (storage, early)
    }

    /// How many whole lines of records are within the first `cut` bytes.
    private func wholeRecords(_ bytes: [UInt8], _ cut: Int) -> Int {
        max(0, bytes[..<cut].count { $0 == 0x0A } - 1)
    }

    @Test(arguments: [JournalStream.violations, .metrics])
    func anEndCutByACrashIsRepairedAtEveryByte(_ stream: JournalStream) async throws {
        let (original, early) = try await small(stream)
        let path = firstSegment(stream)
        let bytes = try #require(original.content(path))
        for cut in 0..<bytes.count {
            let storage = original.afterKill()
            storage.put(path, Array(bytes[..<cut]))
            storage.put(JournalHeads.path, early)
            let (writer, report) = try rig.open(storage)
            #expect(!report.isDamaged, "cut at \(cut)")
            // A last line that only lacks its newline is whole.
            let isNewlineCut = bytes[cut] == 0x0A && wholeRecords(bytes, cut + 1) > 0
            let whole = wholeRecords(bytes, cut) + (isNewlineCut ? 1 : 0)
            let isAtBoundary = cut > 0 && bytes[cut - 1] == 0x0A
            #expect(report.isClean == isAtBoundary, "cut at \(cut): \(report.items)")
            #expect(try await writer.append(stream, rig.members(99)) == Int64(whole + 1))
            await writer.close()
            let names = (0..<whole).map { "r-\($0 + 1)" } + ["r-99"]
            #expect(try Contents(storage, stream).names == names, "cut at \(cut)")
            let check = try Rig.reader(storage).verify()
            #expect(check.isIntact, "cut at \(cut): \(check.streams.flatMap(\.faults))")
        }
    }

    @Test func whatIsCutOffIsKeptAside() async throws {
        let (storage, early) = try await small(.violations)
        let bytes = try #require(storage.content(firstSegment(.violations)))
        let cut = bytes.count - 10
        let tail = try #require(bytes[..<(bytes.count - 1)].lastIndex(of: 0x0A)) + 1
        storage.put(firstSegment(.violations), Array(bytes[..<cut]))
        storage.put(JournalHeads.path, early)
        let (writer, report) = try rig.open(storage)
        await writer.close()
        #expect(report.items.map(\.kind) == [.tailCut])
        #expect(report.items.first?.offset == Int64(tail))
        #expect(report.items.first?.line == 5)
        #expect(storage.content("aside/violations-000000000001-\(tail)") == Array(bytes[tail..<cut]))
    }

    @Test func anEndCutByAnybodyElseIsFoundAtEveryByteAndNothingIsDestroyed() async throws {
        let (original, _) = try await small(.violations)
        let path = firstSegment(.violations)
        let bytes = try #require(original.content(path))
        for cut in 0..<(bytes.count - 1) {
            let storage = original.afterKill()
            storage.put(path, Array(bytes[..<cut]))
            let before = try Rig.reader(storage).verify([.violations])
            #expect(before.streams[0].counts[.headMismatch] == 1, "cut at \(cut)")
            let (writer, report) = try rig.open(storage)
            let isWhole = bytes[cut] == 0x0A
            let known = wholeRecords(bytes, cut) + (isWhole && cut > 400 ? 1 : 0)
            #expect(known == 4 || report.isDamaged, "cut at \(cut)")
            // Numbers that were given out are not given out again.
            #expect(try await writer.append(.violations, rig.members(99)) >= 5, "cut at \(cut)")
            await writer.close()
            #expect(try #require(storage.content(path)).starts(with: bytes[..<cut]), "cut at \(cut)")
            let after = try Rig.reader(storage).verify([.violations])
            #expect(!after.isIntact, "cut at \(cut)")
            #expect(after.streams[0].faults.contains { $0.isDeclared }, "cut at \(cut)")
            let names = try Contents(storage, .violations).names
            #expect(names.starts(with: (0..<wholeRecords(bytes, cut)).map { "r-\($0 + 1)" }), "cut at \(cut)")
            #expect(names.last == "r-99")
        }
    }

    @Test(arguments: [UInt8(0x01), 0x80, 0x20])
    func aFlippedByteIsFoundWhereverItIs(_ mask: UInt8) async throws {
        let (original, _) = try await small(.violations)
        let path = firstSegment(.violations)
        let bytes = try #require(original.content(path))
        for place in bytes.indices {
            let storage = original.afterKill()
            var changed = bytes
            changed[place] ^= mask
            storage.put(path, changed)
            let line = bytes[..<place].count { $0 == 0x0A } + 1
            let found = try Rig.reader(storage).verify([.violations]).streams[0]
            #expect(!found.isIntact, "byte \(place)")
            // A byte that is the end of a line joins two of them; the first of the two is named.
            #expect(
                found.faults.contains { $0.line == line }, "byte \(place) of line \(line): \(found.faults)")

            let (writer, report) = try rig.open(storage)
            #expect(report.isDamaged, "byte \(place)")
            #expect(try await writer.append(.violations, rig.members(99)) >= 5, "byte \(place)")
            await writer.close()
            // The damaged segment is evidence: it is left as it is.
            #expect(storage.content(path) == changed, "byte \(place)")
            let names = try Contents(storage, .violations).names
            let kept = Set(names).intersection((1...4).map { "r-\($0)" })
            #expect(kept.count >= 2, "byte \(place): \(names)")
            #expect(names.last == "r-99")
        }
    }

    @Test func aFlippedByteOfTheHeadIsFound() async throws {
        let (original, _) = try await small(.violations)
        let bytes = try #require(original.content(JournalHeads.path))
        for place in bytes.indices {
            let storage = original.afterKill()
            var changed = bytes
            changed[place] ^= 0x01
            storage.put(JournalHeads.path, changed)
            let check = try Rig.reader(storage).verify()
            #expect(check.streams[0].counts[.headMissing] == 1, "byte \(place)")
            let (writer, report) = try rig.open(storage)
            #expect(report.items.map(\.kind) == [.headMissing], "byte \(place)")
            await writer.close()
            #expect(try Rig.reader(storage).verify().isIntact)
        }
    }

    @Test func anEndOfZerosThatACrashLeftIsCut() async throws {
        let (storage, early) = try await small(.violations)
        let path = firstSegment(.violations)
        let bytes = try #require(storage.content(path))
        let lines = bytes.indices.filter { bytes[$0] == 0x0A }
        // The page of the second record was never written, that of the third was.
        var holed = bytes
        for place in (lines[1] + 5)..<(lines[2] + 1) { holed[place] = 0 }
        storage.put(path, holed)
        storage.put(JournalHeads.path, early)
        let (writer, report) = try rig.open(storage)
        #expect(report.items.map(\.kind) == [.tailCut])
        #expect(try await writer.append(.violations, rig.members(99)) == 2)
        await writer.close()
        #expect(try Contents(storage, .violations).names == ["r-1", "r-99"])
        #expect(try Rig.reader(storage).verify().isIntact)
    }

    @Test func zerosInWhatWasAcknowledgedAreDamage() async throws {
        let (storage, _) = try await small(.violations)
        let path = firstSegment(.violations)
        var bytes = try #require(storage.content(path))
        for place in (bytes.count - 50)..<(bytes.count - 20) { bytes[place] = 0 }
        storage.put(path, bytes)
        let (writer, report) = try rig.open(storage)
        #expect(report.isDamaged)
        #expect(try await writer.append(.violations, rig.members(99)) == 6)
        await writer.close()
        #expect(storage.content(path) == bytes)
    }

    @Test func aStreamThatIsGoneIsFoundAndItsNumbersAreNotUsedAgain() async throws {
        let (storage, _) = try await small(.violations)
        storage.put(firstSegment(.violations), nil)
        let (writer, report) = try rig.open(storage)
        #expect(report.items.map(\.kind) == [.tailMissing])
        #expect(try await writer.append(.violations, rig.members(99)) == 6)
        await writer.close()
        let check = try Rig.reader(storage).verify([.violations])
        #expect(check.streams[0].counts[.missingStart] == 1)
    }

    @Test func aChainThatWasWrittenAnewIsFoundByTheHead() async throws {
        let (storage, _) = try await small(.violations)
        let forged = MemoryStorage()
        let (writer, _) = try rig.open(forged)
        for number in 1...4 { _ = try await writer.append(.violations, rig.members(number + 10)) }
        await writer.close()
        storage.put(firstSegment(.violations), forged.content(firstSegment(.violations)))
        let check = try Rig.reader(storage).verify([.violations])
        #expect(check.streams[0].faults.map(\.kind) == [.headMismatch])
        #expect(check.streams[0].faults[0].line == 5)
        let (second, report) = try rig.open(storage)
        #expect(report.items.map(\.kind) == [.headMismatch])
        await second.close()
    }

    @Test func theReportGoesIntoARecord() async throws {
        let (storage, early) = try await small(.audit)
        let bytes = try #require(storage.content(firstSegment(.audit)))
        storage.put(firstSegment(.audit), bytes.dropLast(5) + [])
        storage.put(JournalHeads.path, early)
        let (writer, report) = try rig.open(storage)
        _ = try await writer.append(.audit, [JSONMember("details", .object(report.members))])
        await writer.close()
        let page = try JournalReader(storage: storage).query(JournalQuery(.audit, limit: 1))
        let details = try #require(try page.records.first?.json()["details"])
        #expect(details["items"]?.array?.first?["kind"]?.string == "tail_cut")
        #expect(details["heads"]?["audit"]?["seq"]?.integer == 3)
    }
}
