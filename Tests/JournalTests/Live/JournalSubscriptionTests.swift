import Metrics
import SandboxModel
import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(1))) struct JournalSubscriptionTests {
    private let rig = Rig(segmentBytes: 16_384)

    /// Takes events up to a position, checking that each stream's numbers follow one another.
    private func follow(
        _ subscription: JournalSubscription, from start: JournalPosition, to end: JournalPosition
    ) async throws -> [JournalSubscription.Event] {
        var events: [JournalSubscription.Event] = []
        var position = start
        while position != end {
            let event = try #require(try await subscription.next())
            switch event {
            case .record(let record, let now):
                #expect(record.seq == position[record.stream] + 1)
                position[record.stream] = record.seq
                #expect(now == position)
            case .missing(let stream, let range, let now):
                #expect(range.lowerBound == position[stream] + 1)
                position[stream] = range.upperBound
                #expect(now == position)
            }
            events.append(event)
            try #require(position.violations <= end.violations && position.audit <= end.audit)
        }
        return events
    }

    private func position(_ writer: JournalWriter) -> JournalPosition {
        JournalPosition(
            violations: writer.heads[.violations]?.seq ?? 0, audit: writer.heads[.audit]?.seq ?? 0)
    }

    @Test func beginsWithWhatComesNext() async throws {
        let (writer, _) = try rig.open(MemoryStorage())
        _ = try await writer.append(.violations, rig.members(1))
        let subscription = try writer.subscribe()
        async let next = subscription.next()
        _ = try await writer.append(.metrics, rig.members(2))
        _ = try await writer.append(.audit, rig.members(3))
        guard case .record(let record, let place) = try await next else {
            Issue.record("no record came")
            return
        }
        #expect(record.stream == .audit)
        #expect(try record.json()["id"] == "r-3")
        #expect(place.eventID == "v1-a1")
        await writer.close()
        #expect(try await subscription.next() == nil)
    }

    @Test func givesAllRecordsOnceWhileManyWrite() async throws {
        let (writer, _) = try rig.open(MemoryStorage())
        for number in 0..<50 { _ = try await writer.append(.violations, rig.members(number)) }
        let start = JournalPosition(violations: 0, audit: 0)
        let subscription = try writer.subscribe(after: start, page: 7)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<8 {
                group.addTask {
                    for turn in 0..<50 {
                        let stream: JournalStream = turn % 2 == 0 ? .audit : .violations
                        _ = try await writer.append(stream, rig.members(1000 + caller * 100 + turn))
                    }
                }
            }
            try await group.waitForAll()
        }
        let events = try await follow(subscription, from: start, to: position(writer))
        let ids = events.compactMap { event -> String? in
            if case .record(let record, _) = event, record.ownKind == nil {
                return String(decoding: record.line, as: UTF8.self)
            }
            return nil
        }
        #expect(ids.count == 450)
        #expect(Set(ids).count == 450)
        // Going on from any event's position gives exactly the rest.
        guard case .record(_, let middle) = events[events.count / 2] else {
            Issue.record("a record was expected")
            return
        }
        let resumed = try writer.subscribe(after: middle, page: 11)
        let rest = try await follow(resumed, from: middle, to: position(writer))
        #expect(rest.count == events.count - events.count / 2 - 1)
        await writer.close()
    }

    @Test func aSlowSubscriberReadsFromDiskWhatHasLeftMemory() async throws {
        let rig = Rig()
        let (writer, _) = try rig.open(MemoryStorage())
        let start = position(writer)
        let subscription = try writer.subscribe(page: 500)
        let count = LiveHub.recordLimit + 500
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask { _ = await writer.tryAppend(.violations, rig.members(number)) }
            }
        }
        let events = try await follow(subscription, from: start, to: position(writer))
        #expect(events.count == count)
        await writer.close()
    }

    @Test func whatWasRetiredIsSaidToBeMissing() async throws {
        var rig = Rig(segmentBytes: 4096)
        rig.configuration.retention[.violations] = .init(maximumBytes: 6000)
        rig.configuration.compressesSealedSegments = false
        let (writer, _) = try rig.open(MemoryStorage())
        for number in 0..<60 { _ = try await writer.append(.violations, rig.members(number)) }
        await writer.maintainNow()
        let start = JournalPosition(violations: 2, audit: 0)
        let subscription = try writer.subscribe(after: start)
        let events = try await follow(subscription, from: start, to: position(writer))
        guard case .missing(.violations, let range, _) = events.first else {
            Issue.record("nothing is said to be missing")
            return
        }
        #expect(range.lowerBound == 3)
        #expect(events.count { if case .missing = $0 { true } else { false } } == 1)
        await writer.close()
    }

    @Test func theJournalsOwnRecordsAreFollowedToo() async throws {
        let rig = Rig()
        let (writer, _) = try rig.open(MemoryStorage())
        let start = position(writer)
        let subscription = try writer.subscribe()
        _ = try await writer.append(.violations, rig.members(1))
        rig.clock.advance(seconds: rig.configuration.segmentAgeSeconds)
        await writer.maintainNow()
        let events = try await follow(subscription, from: start, to: position(writer))
        let kinds = events.map { event in
            if case .record(let record, _) = event { record.ownKind } else { "missing" }
        }
        #expect(kinds == [nil, "seal"])
        await writer.close()
    }

    @Test func refusesAPlaceThatIsNotYetAndTooManySubscribers() async throws {
        var rig = Rig()
        rig.configuration.maximumSubscribers = 1
        let (writer, _) = try rig.open(MemoryStorage())
        let ahead = JournalPosition(violations: 1, audit: 0)
        #expect(#expect(throws: JournalError.self) { try writer.subscribe(after: ahead) }?.code == .badCursor)
        var first: JournalSubscription? = try writer.subscribe()
        let error = #expect(throws: JournalError.self) { try writer.subscribe() }
        #expect(error?.code == .tooManySubscribers)
        _ = try await writer.append(.audit, rig.members(1))
        #expect(try await first?.next() != nil)
        first = nil
        #expect(throws: Never.self) { try writer.subscribe() }
        await writer.close()
    }

    @Test func aCancelledTaskStopsWaiting() async throws {
        let (writer, _) = try rig.open(MemoryStorage())
        let subscription = try writer.subscribe()
        let task = Task { try await subscription.next() }
        task.cancel()
        #expect(try await task.value == nil)
        _ = try await writer.append(.audit, rig.members(1))
        #expect(try await subscription.next() != nil)
        await writer.close()
    }

    @Test func asynchronousPages() async throws {
        let (writer, _) = try rig.open(MemoryStorage())
        _ = try await writer.append(.audit, rig.members(1))
        #expect(try await writer.page(JournalQuery(.audit)).records.map(\.seq) == [1])
        await writer.close()
    }
}
