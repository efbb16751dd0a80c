import Glibc
import Metrics
import SandboxModel
import Synchronization
import Testing

@testable import Journal

/// Fails every call of a whole life of a journal, one life a call.
@Suite(.timeLimit(.minutes(10))) struct FaultTests {
    private let rig = Rig(segmentBytes: 4096)

    /// Records that callers were told to be on disk, and those they were told not to be, by stream.
    private struct Told {
        var kept: [JournalStream: [(id: String, seq: Int64)]] = [:]
        var refused: [JournalStream: Set<String>] = [:]
    }

    /// Appends in both chained streams, with rotation, compression and metrics in between.
    private func live(_ writer: JournalWriter, from first: Int, _ told: inout Told) async {
        for number in first..<(first + 12) {
            let stream: JournalStream = number % 3 == 0 ? .audit : .violations
            writer.appendBuffered(.metrics, rig.members(number))
            if let seq = await writer.tryAppend(stream, rig.members(number, policy: "p-\(number)")) {
                told.kept[stream, default: []].append((id: "r-\(number)", seq: seq))
            } else {
                told.refused[stream, default: []].insert("r-\(number)")
                await writer.retryNow()
            }
            if number % 6 == 5 {
                await writer.flush()
                await writer.maintainNow()
            }
        }
    }

    private func expectKept(
        _ told: Told, in storage: MemoryStorage, mayHoldRefused: Bool, _ comment: Comment
    ) throws {
        for stream in [JournalStream.violations, .audit] {
            let contents = try Contents(storage, stream)
            #expect(contents.damage.isEmpty && contents.unreadable.isEmpty, comment)
            #expect(Set(contents.names).count == contents.names.count, comment)
            let found = Dictionary(uniqueKeysWithValues: contents.ids.map { ($0.id, $0.seq) })
            for record in told.kept[stream] ?? [] { #expect(found[record.id] == record.seq, comment) }
            if !mayHoldRefused {
                #expect(told.refused[stream, default: []].isDisjoint(with: contents.names), comment)
            }
        }
        let check = try Rig.reader(storage).verify()
        #expect(check.isIntact, "\(comment): \(check.streams.flatMap(\.faults))")
    }

    @Test(arguments: [
        MemoryStorage.Fault.once(ENOSPC), .once(EIO), .once(EINTR), .short, .lasting(ENOSPC), .lasting(EIO),
    ])
    func afterAnyFailedCallItGoesOnWithoutLoss(_ fault: MemoryStorage.Fault) async throws {
        var number = 0
        while true {
            let storage = MemoryStorage()
            var told = Told()
            var writer: JournalWriter?
            storage.fail(after: number, fault)
            do {
                writer = try rig.open(storage).writer
            } catch {
                #expect(error.code == .io, "call \(number)")
            }
            if let writer {
                await live(writer, from: 0, &told)
                storage.heal()
                await writer.retryNow()
                // The copy of a gap into the audit stream may have failed and be tried again.
                await writer.retryNow()
                #expect(writer.health.isOK, "call \(number): \(writer.health)")
                let refused = told.refused
                await live(writer, from: 100, &told)
                #expect(told.refused == refused, "call \(number)")
                try expectKept(
                    told, in: storage.afterPowerLoss(), mayHoldRefused: false, "call \(number), loss")
                await writer.close()
            }
            storage.heal()
            let (again, report) = try rig.open(storage.afterKill())
            #expect(!report.isDamaged, "call \(number): \(report.items)")
            await again.close()
            try expectKept(told, in: storage, mayHoldRefused: false, "call \(number)")
            if storage.calls <= number { break }
            number += 1
        }
        #expect(number > 100)
    }

    @Test func killedInAnyCallItLosesNothingThatWasAcknowledged() async throws {
        var number = 0
        while true {
            let storage = MemoryStorage()
            var told = Told()
            storage.fail(after: number, .kill)
            do {
                let (writer, _) = try rig.open(storage)
                await live(writer, from: 0, &told)
                await writer.close()
            } catch {
                #expect(error.code == .io, "call \(number)")
            }
            for survivor in [storage.afterKill(), storage.afterPowerLoss()] {
                let (again, report) = try rig.open(survivor)
                #expect(!report.isDamaged, "call \(number): \(report.items)")
                await live(again, from: 100, &told)
                await again.close()
                try expectKept(told, in: survivor, mayHoldRefused: true, "call \(number)")
                told.kept = told.kept.mapValues { $0.filter { $0.id.utf8.count < 5 } }
            }
            if !storage.isDead { break }
            number += 1
        }
        #expect(number > 50)
    }

    @Test func aFailingDiskIsSaidAndItsEndLeavesARecord() async throws {
        let changes = Mutex<[Bool]>([])
        var rig = Rig()
        rig.configuration.onHealthChange = { health in changes.withLock { $0.append(health.isOK) } }
        let storage = MemoryStorage()
        let registry = MetricsRegistry()
        let (writer, _) = try JournalWriter.open(storage, rig.configuration, metrics: registry)
        _ = try await writer.append(.violations, rig.members(1))
        storage.fail(after: 0, .lasting(ENOSPC))
        let error = await #expect(throws: JournalError.self) {
            try await writer.append(.violations, rig.members(2))
        }
        #expect(error?.code == .failing)
        #expect(error?.errno == ENOSPC)
        let next = await #expect(throws: JournalError.self) {
            try await writer.append(.violations, rig.members(3))
        }
        #expect(next?.code == .failing)
        #expect(writer.appendBuffered(.violations, rig.members(4)))
        guard case .failing(let since, let reason, let lost) = writer.health else {
            Issue.record("the journal says that all is well")
            return
        }
        #expect(since == rig.clock.now)
        #expect(reason.hasPrefix("violations: "))
        #expect(lost == 2)
        #expect(gauge("sandwarden_journal_failing", registry) == "1")
        await writer.retryNow()
        #expect(!writer.health.isOK)
        storage.heal()
        await writer.retryNow()
        #expect(writer.health.isOK)
        await writer.flush()
        #expect(gauge("sandwarden_journal_failing", registry) == "0")
        #expect(changes.withLock { $0 } == [false, true])

        var query = JournalQuery(.violations, order: .oldestFirst)
        query.includesOwnRecords = true
        let records = try writer.query(query).records.map { try $0.json() }
        #expect(records.map { $0["seq"]?.integer } == [1, 2, 3])
        #expect(records[1]["journal"] == "gap")
        #expect(records[1]["refused"] == 2)
        #expect(records[1]["dropped"] == 0)
        #expect(records[2]["id"] == "r-4")
        // The audit stream has a copy.
        let audit = try writer.query(JournalQuery(.audit)).records.map { try $0.json() }
        #expect(audit.map { $0["event"] } == ["journal.gap"])
        #expect(audit[0]["stream"] == "violations")
        await writer.close()
        #expect(try Rig.reader(storage).verify().isIntact)
    }

    private func gauge(_ name: String, _ registry: MetricsRegistry) -> String? {
        String(decoding: registry.render(.prometheus), as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    @Test func aFailedFlushIsNeverTriedAgainOnTheSameFile() async throws {
        let storage = MemoryStorage()
        let rig = Rig()
        let (writer, _) = try rig.open(storage)
        _ = try await writer.append(.violations, rig.members(1))
        // The write goes through, the flush does not, and what it dropped would be taken for flushed.
        storage.fail(after: 1, .once(EIO))
        #expect(await writer.tryAppend(.violations, rig.members(2)) == nil)
        await writer.retryNow()
        #expect(await writer.tryAppend(.violations, rig.members(3)) == 3)
        await writer.close()
        let lost = storage.afterPowerLoss()
        #expect(try Contents(lost, .violations).names == ["r-1", "r-3"])
        #expect(lost.paths.filter { $0.hasPrefix("violations/") }.count == 2)
        #expect(try Rig.reader(lost).verify().isIntact)
    }

    @Test func opensOnADiskThatTakesNothingAndSaysSo() async throws {
        let storage = MemoryStorage()
        let rig = Rig()
        let (first, _) = try rig.open(storage)
        _ = try await first.append(.violations, rig.members(1))
        await first.close()
        // Everything up to the first new file of the second start works.
        let probe = storage.afterKill()
        let before = probe.calls
        let (second, _) = try Rig(bootID: "boot-2").open(probe)
        await second.close()
        var isFailing = false
        for number in 0..<(probe.calls - before) {
            let copy = storage.afterKill()
            copy.fail(after: number, .lasting(ENOSPC))
            do {
                let (writer, _) = try Rig(bootID: "boot-2").open(copy)
                isFailing = isFailing || !writer.health.isOK
                _ = await writer.tryAppend(.violations, rig.members(2))
                copy.heal()
                await writer.retryNow()
                #expect(writer.health.isOK, "call \(number)")
                #expect(await writer.tryAppend(.violations, rig.members(3)) != nil, "call \(number)")
                await writer.close()
            } catch {
                #expect(error.code == .io)
                copy.heal()
            }
            #expect(try Contents(copy, .violations).names.first == "r-1", "call \(number)")
            let check = try Rig.reader(copy).verify()
            #expect(check.isIntact, "call \(number): \(check.streams.flatMap(\.faults))")
        }
        #expect(isFailing)
    }
}
