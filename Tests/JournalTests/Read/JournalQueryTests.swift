import Metrics
import SandboxModel
import Synchronization
import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(3))) struct JournalQueryTests {
    private let rig = Rig(segmentBytes: 8192)

    /// A journal of several segments, the older ones compressed when `isPacked`.
    private func journal(records: Int, isPacked: Bool) async throws -> (MemoryStorage, JournalWriter) {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        for number in 0..<records {
            let sandbox = number % 10 == 3 ? "sb-bbbbbbbbbb" : "sb-aaaaaaaaaa"
            let severity = number % 7 == 0 ? "critical" : "low"
            let type = number % 5 == 0 ? "network_violation" : "process_violation"
            let policy = number % 3 == 0 ? "default" : "strict"
            rig.clock.advance(seconds: 1)
            _ = try await writer.append(
                .violations,
                rig.members(number, sandbox: sandbox, type: type, severity: severity, policy: policy)
                    + [
                        JSONMember(
                            "details", .object([JSONMember("command", .string("Run \"\(number)\" Now"))]))
                    ])
            if number == records / 2, isPacked { await writer.maintainNow() }
        }
        return (storage, writer)
    }

    private func ids(_ page: JournalPage) throws -> [Int] {
        try page.records.map { try Int($0.json()["id"]?.string?.dropFirst(2) ?? "") ?? -1 }
    }

    @Test(arguments: [false, true])
    func everyConditionChoosesWhatItShould(_ isPacked: Bool) async throws {
        let (_, writer) = try await journal(records: 200, isPacked: isPacked)
        let all = Array(0..<200)
        let start = rig.clock.now.advanced(bySeconds: -200)
        func expect(
            _ change: (inout JournalQuery) -> Void, _ isWanted: (Int) -> Bool, _ comment: Comment
        ) throws {
            for order in JournalQuery.Order.allCases {
                var query = JournalQuery(.violations, order: order, limit: 1000)
                change(&query)
                let expected = all.filter(isWanted)
                let page = try writer.query(query)
                #expect(try ids(page) == (order == .oldestFirst ? expected : expected.reversed()), comment)
                #expect(page.next == nil)
                #expect(page.damage.isEmpty)
            }
        }
        try expect({ _ in }, { _ in true }, "everything")
        try expect({ $0.sandboxID = SandboxID(rawValue: "sb-bbbbbbbbbb") }, { $0 % 10 == 3 }, "sandbox")
        try expect({ $0.sandboxID = SandboxID(rawValue: "sb-cccccccccc") }, { _ in false }, "no such sandbox")
        try expect({ $0.severity = .critical }, { $0 % 7 == 0 }, "severity")
        try expect({ $0.type = "network_violation" }, { $0 % 5 == 0 }, "type")
        try expect({ $0.policy = PolicyName(rawValue: "default") }, { $0 % 3 == 0 }, "policy")
        try expect({ $0.since = start.advanced(bySeconds: 151) }, { $0 >= 150 }, "since")
        try expect({ $0.until = start.advanced(bySeconds: 51) }, { $0 < 50 }, "until")
        try expect(
            {
                $0.since = start.advanced(bySeconds: 21)
                $0.until = start.advanced(bySeconds: 31)
                $0.severity = .low
            }, { (20..<30).contains($0) && $0 % 7 != 0 }, "time and severity")
        try expect({ $0.text = "run \"1" }, { String($0).hasPrefix("1") }, "text with a quote")
        try expect({ $0.text = "NOW" }, { _ in true }, "text in the other case")
        try expect({ $0.text = "nowhere" }, { _ in false }, "no such text")
        await writer.close()
    }

    @Test func textIsNotSoughtInTheChain() async throws {
        let (_, writer) = try await journal(records: 40, isPacked: false)
        let chain = try #require(writer.heads[.violations]?.chain?.description)
        var query = JournalQuery(.violations)
        query.text = String(chain.prefix(20))
        #expect(try writer.query(query).records.isEmpty)
        query.text = String(repeating: "x", count: 300)
        #expect(throws: JournalError.self) { try writer.query(query) }
        await writer.close()
    }

    @Test(arguments: JournalQuery.Order.allCases, [1, 7, 64])
    func pagesAreWholeWhileTheJournalGrowsTurnsAndIsCompressed(
        _ order: JournalQuery.Order, _ limit: Int
    ) async throws {
        let (storage, writer) = try await journal(records: 120, isPacked: true)
        var query = JournalQuery(.violations, order: order, limit: limit)
        query.severity = .low
        var found: [Int] = []
        var turn = 0
        while turn < 1000 {
            let page = try writer.query(query)
            found += try ids(page)
            #expect(page.records.count <= limit)
            guard let next = page.next else { break }
            query.cursor = JournalCursor(rawValue: next.rawValue)
            #expect(query.cursor == next)
            if turn < 20 {
                _ = try await writer.append(.violations, rig.members(1000 + turn, severity: "low"))
                if turn % 5 == 4 { await writer.maintainNow() }
            }
            turn += 1
        }
        let old = found.filter { $0 < 1000 }
        let expected = (0..<120).filter { $0 % 7 != 0 }
        #expect(old == (order == .oldestFirst ? expected : expected.reversed()))
        let new = found.filter { $0 >= 1000 }
        // Newest first never sees what came later; oldest first sees it at its end, each once.
        #expect(order == .newestFirst ? new.isEmpty : new == Array(1000..<(1000 + min(turn, 20))))
        await writer.close()
        #expect(try Rig.reader(storage).verify().isIntact)
    }

    @Test func aCursorOfTheOtherOrderAndALimitOutOfRangeAreRefused() async throws {
        let (_, writer) = try await journal(records: 3, isPacked: false)
        var query = JournalQuery(.violations, limit: 1)
        query.cursor = JournalCursor(rawValue: "o1")
        #expect(#expect(throws: JournalError.self) { try writer.query(query) }?.code == .badCursor)
        for limit in [0, -1, JournalQuery.maximumLimit + 1] {
            let query = JournalQuery(.violations, limit: limit)
            #expect(#expect(throws: JournalError.self) { try writer.query(query) }?.code == .invalidRecord)
        }
        await writer.close()
    }

    @Test func ownRecordsAreShownOnlyWhereAskedOrWhereTheyTellAnEvent() async throws {
        var rig = Rig(segmentBytes: 4096)
        rig.configuration.retention[.audit] = .init(maximumBytes: 8192)
        rig.configuration.compressesSealedSegments = false
        let (writer, _) = try rig.open(MemoryStorage())
        for number in 0..<60 { _ = try await writer.append(.audit, rig.members(number)) }
        await writer.maintainNow()
        func kinds(_ change: (inout JournalQuery) -> Void) throws -> Set<String> {
            var query = JournalQuery(.audit, limit: 1000)
            change(&query)
            return Set(try writer.query(query).records.compactMap(\.ownKind))
        }
        #expect(try kinds { _ in } == ["retired"])
        #expect(try kinds { $0.type = "journal.retired" } == ["retired"])
        #expect(try kinds { $0.includesOwnRecords = true } == ["retired", "seal"])
        await writer.close()
    }

    @Test func damagedLinesAreToldAndTheRestIsGiven() async throws {
        let (storage, writer) = try await journal(records: 10, isPacked: false)
        await writer.close()
        var bytes = try #require(storage.content(firstSegment(.violations)))
        let newlines = bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[newlines[3] + 1] = UInt8(ascii: "!")
        storage.put(firstSegment(.violations), bytes)
        for order in JournalQuery.Order.allCases {
            let page = try Rig.reader(storage).query(JournalQuery(.violations, order: order))
            #expect(page.records.count == 9)
            #expect(page.damage.map(\.kind) == [.notRecord])
            #expect(page.damage[0].offset == Int64(newlines[3] + 1))
        }
    }

    @Test func aQueryOfARunningJournalStopsAtWhatIsFlushed() async throws {
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        _ = try await writer.append(.violations, rig.members(1))
        // Written, and its flush fails: any reader of the file sees it, the journal's own query does not.
        storage.fail(after: 1, .once(5))
        #expect(await writer.tryAppend(.violations, rig.members(2)) == nil)
        #expect(try Contents(storage, .violations).names == ["r-1", "r-2"])
        #expect(try ids(writer.query(JournalQuery(.violations))) == [1])
        await writer.retryNow()
        #expect(try Contents(storage, .violations).names == ["r-1"])
        await writer.close()
    }

    @Test func findsItsPlaceInALongSegmentWithoutReadingItAll() async throws {
        let rig = Rig()
        let storage = MemoryStorage()
        let (writer, _) = try rig.open(storage)
        let filler = JSONMember("filler", .string(String(repeating: "y", count: 2000)))
        for number in 0..<400 { _ = try await writer.append(.violations, rig.members(number) + [filler]) }
        for seq in stride(from: Int64(1), through: 400, by: 37) {
            var up = JournalQuery(.violations, order: .oldestFirst, limit: 2)
            up.cursor = JournalCursor(seq: seq, order: .oldestFirst)
            #expect(
                try writer.query(up).records.map(\.seq) == Array((seq + 1)...min(seq + 2, 400)).prefix(2) + []
            )
            var down = JournalQuery(.violations, limit: 2)
            down.cursor = JournalCursor(seq: seq, order: .newestFirst)
            #expect(try writer.query(down).records.map(\.seq) == [seq - 1, seq - 2].filter { $0 > 0 })
        }
        await writer.close()
    }

    @Test func sizesAndRanges() async throws {
        let (storage, writer) = try await journal(records: 100, isPacked: true)
        await writer.close()
        let statistics = try Rig.reader(storage).statistics()
        let violations = statistics.streams[0]
        #expect(violations.stream == .violations)
        #expect(violations.firstSeq == 1)
        #expect(violations.lastSeq == writer.heads[.violations]?.seq)
        #expect(violations.segments > violations.compressedSegments && violations.compressedSegments > 0)
        #expect(violations.firstTimestamp == rig.clock.now.advanced(bySeconds: -99))
        #expect(violations.lastTimestamp == rig.clock.now)
        #expect(statistics.streams[1].lastSeq == 0)
        #expect(statistics.streams[1].records == 0)
        #expect(statistics.heads?.streams[.violations]?.seq == violations.lastSeq)
    }

    @Test func aCallersErrorIsHandedOnAndStopsTheWalk() async throws {
        let (storage, writer) = try await journal(records: 20, isPacked: true)
        await writer.close()
        let seen = Mutex(0)
        let error = #expect(throws: JournalError.self) {
            try Rig.reader(storage).forEach(JournalQuery(.violations)) { _ throws(JournalError) in
                seen.withLock { $0 += 1 }
                throw JournalError(.damaged, operation: "test")
            }
        }
        #expect(error?.operation == "test")
        #expect(seen.withLock { $0 } == 1)
    }
}
