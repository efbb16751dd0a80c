import LinuxSystem
import Metrics
import SandboxModel
import Synchronization
import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(2))) struct JournalWriterTests {
    private let rig = Rig()

    @Test func givesNumbersInOrderAndWritesTheContractsLines() async throws {
        let storage = MemoryStorage()
        let (writer, report) = try rig.open(storage)
        #expect(report.isClean)
        for number in 1...3 {
            #expect(try await writer.append(.violations, rig.members(number)) == Int64(number))
        }
        await writer.close()
        let text = String(decoding: try #require(storage.content(firstSegment(.violations))), as: UTF8.self)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix(#"{"journal":"header","stream":"violations","format":1,"host":"host","#))
        var chain = String(repeating: "0", count: 64)
        for (index, line) in lines.dropFirst().enumerated() {
            #expect(line.hasPrefix(#"{"seq":\#(index + 1),"id":"r-\#(index + 1)""#))
            let hashed = Array((chain + line.dropLast(76) + "}").utf8)
            chain = ChainValue.digest(of: hashed.span).description
            #expect(line.hasSuffix(#","chain":"\#(chain)"}"#))
        }
    }

    @Test func metricsAreNumberedAndNotChained() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        #expect(writer.appendBuffered(.metrics, [JSONMember("id", "m")]))
        await writer.flush()
        let text = String(decoding: try #require(storage.content(firstSegment(.metrics))), as: UTF8.self)
        let stamp = rig.clock.now.description
        #expect(text.hasSuffix("\n{\"seq\":1,\"timestamp\":\"\(stamp)\",\"id\":\"m\"}\n"))
        await writer.close()
    }

    @Test func acknowledgesOnlyWhatSurvivesPowerLoss() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        for number in 1...20 {
            _ = try await writer.append(.audit, rig.members(number))
            let after = try Contents(storage.afterPowerLoss(), .audit)
            #expect(after.names.last == "r-\(number)")
        }
        await writer.close()
    }

    @Test func manyCallersShareFlushesAndKeepTheirOrder() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        let before = storage.calls
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<32 {
                group.addTask {
                    var last: Int64 = 0
                    for turn in 0..<20 {
                        let seq = try await writer.append(.violations, rig.members(caller * 100 + turn))
                        #expect(seq > last)
                        last = seq
                    }
                }
            }
            try await group.waitForAll()
        }
        // One write and one flush a record would be 1,280 calls.
        #expect(storage.calls - before <= 1280)
        await writer.close()
        let contents = try Contents(storage, .violations)
        #expect(contents.ids.map(\.seq) == Array(1...640))
        for caller in 0..<32 {
            let own = contents.names.filter { (Int($0.dropFirst(2)) ?? -1) / 100 == caller }
            #expect(own == (0..<20).map { "r-\(caller * 100 + $0)" })
        }
        #expect(try Rig.reader(storage).verify().isIntact)
    }

    @Test func bufferedRecordsKeepTheirPlaceAmongWaitedOnes() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        #expect(writer.appendBuffered(.audit, rig.members(1)))
        _ = try await writer.append(.audit, rig.members(2))
        #expect(writer.appendBuffered(.audit, rig.members(3)))
        await writer.close()
        #expect(try Contents(storage, .audit).names == ["r-1", "r-2", "r-3"])
    }

    @Test func refusesWhatBreaksTheFormat() async throws {
        let (writer, _) = try rig.open(MemoryStorage())
        let cases: [([JSONMember], JournalError.Code)] = [
            ([JSONMember("seq", 1)], .invalidRecord), ([JSONMember("chain", "")], .invalidRecord),
            ([JSONMember("journal", "gap")], .invalidRecord),
            ([JSONMember("timestamp", "now")], .invalidRecord),
            ([JSONMember("a", 1), JSONMember("a", 2)], .invalidRecord),
            ([JSONMember("a", .object([JSONMember("b", 1), JSONMember("b", 1)]))], .invalidRecord),
            ([JSONMember("a", .string(String(repeating: "x", count: RecordLine.maximumBytes)))], .tooLarge),
            ([JSONMember("a", nested(80))], .invalidRecord),
        ]
        for (members, code) in cases {
            let error = await #expect(throws: JournalError.self) { try await writer.append(.audit, members) }
            #expect(error?.code == code)
        }
        #expect(try await writer.append(.audit, [JSONMember("a", nested(61))]) == 1)
        await writer.close()
    }

    private func nested(_ depth: Int) -> JSONValue {
        (0..<depth).reduce(JSONValue.null) { value, _ in .array([value]) }
    }

    @Test func refusesAfterClose() async throws {
        let (writer, _) = try rig.open(MemoryStorage())
        await writer.close()
        await writer.close()
        let error = await #expect(throws: JournalError.self) { try await writer.append(.audit, []) }
        #expect(error?.code == .closed)
        #expect(!writer.appendBuffered(.audit, []))
    }

    @Test func boundsWhatWaitsForNobodyAndCountsTheLoss() async throws {
        var rig = rig
        rig.configuration.bufferedRecords = 10
        let registry = MetricsRegistry()
        let (writer, _) = try JournalWriter.open(MemoryStorage(), rig.configuration, metrics: registry)
        let taken = (0..<15).count { writer.appendBuffered(.metrics, rig.members($0)) }
        #expect(taken == 10)
        #expect(
            String(decoding: registry.render(.prometheus), as: UTF8.self)
                .contains(#"sandwarden_journal_dropped_total{stream="metrics"} 5"#))
        await writer.close()
    }

    @Test func aFullQueueIsAnErrorByName() async throws {
        var intake = Intake(configured { $0.queueRecords = 2 })
        let record = PendingRecord(body: try RecordBody([], now: rig.clock.now), completion: { _ in })
        #expect(intake.add(record, to: .audit) == .startCommit)
        #expect(intake.add(record, to: .audit) == .queued)
        #expect(intake.add(record, to: .audit) == .full)
        #expect(intake.add(record, to: .violations) == .queued)
    }

    private func configured(_ change: (inout JournalConfiguration) -> Void) -> JournalConfiguration {
        var configuration = rig.configuration
        change(&configuration)
        return configuration
    }

    @Test func aSecondWriterIsRefusedUntilTheFirstCloses() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        let error = #expect(throws: JournalError.self) { try rig.open(storage) }
        #expect(error?.code == .locked)
        await writer.close()
        let (second, report) = try rig.open(storage)
        #expect(report.isClean)
        await second.close()
    }

    @Test func goesOnWhereItStopped() async throws {
        let storage = MemoryStorage()
        for run in 0..<5 {
            let (writer, report) = try rig.open(storage)
            #expect(report.isClean)
            #expect(try await writer.append(.violations, rig.members(run)) == Int64(run + 1))
            await writer.close()
        }
        #expect(storage.paths.filter { $0.hasPrefix("violations/") } == [firstSegment(.violations)])
        #expect(try Rig.reader(storage).verify().isIntact)
    }

    @Test func anotherBootBeginsAnotherSegment() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        _ = try await writer.append(.violations, rig.members(1))
        await writer.close()
        let other = Rig(bootID: "boot-2")
        let (second, report) = try other.open(storage)
        #expect(report.isClean)
        _ = try await second.append(.violations, other.members(2))
        await second.close()
        let expected = ["violations/000000000001.jsonl", "violations/000000000003.jsonl"]
        #expect(storage.paths.filter { $0.hasPrefix("violations/") } == expected)
        #expect(storage.paths.filter { $0.hasPrefix("audit/") } == [firstSegment(.audit)])
        #expect(try Rig.reader(storage).verify().isIntact)
    }

    @Test func blockingCallersAreToldTheNumber() async throws {
        let (writer, _) = try rig.open(MemoryStorage())
        let queue = BlockingQueue(label: "test", width: 2, waitingLimit: 8)
        let seq = try await Blocking.run(
            on: queue, whenFull: { JournalError(.queueFull, operation: "test", detail: $0) }
        ) { [rig] () throws(JournalError) in try writer.appendBlocking(.audit, rig.members(1)) }
        #expect(seq == 1)
        await writer.close()
    }

    @Test func worksOnARealFolder() async throws {
        let folder = try TemporaryFolder()
        let (writer, report) = try JournalWriter.open(
            dataDirectory: folder.path + "/data", rig.configuration, metrics: MetricsRegistry())
        #expect(report.isClean)
        let second = #expect(throws: JournalError.self) {
            try JournalWriter.open(
                dataDirectory: folder.path + "/data", rig.configuration, metrics: MetricsRegistry())
        }
        #expect(second?.code == .locked)
        for number in 1...10 { _ = try await writer.append(.violations, rig.members(number)) }
        let reader = try JournalReader(dataDirectory: folder.path + "/data")
        #expect(try reader.query(JournalQuery(.violations)).records.map(\.seq) == (1...10).reversed())
        #expect(try reader.verify().isIntact)
        await writer.close()
        let missing = #expect(throws: JournalError.self) {
            try JournalReader(dataDirectory: folder.path + "/no")
        }
        #expect(missing?.code == .notFound)
    }
}
