import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(1)))
struct MailboxTests {
    @Test func outboxTellsTheLoopOnce() async throws {
        let notices = Atomic<Int>(0)
        let outbox = ByteOutbox(limit: 100) {
            notices.wrappingAdd(1, ordering: .relaxed)
            return true
        }
        try await outbox.write([1])
        try await outbox.write([])
        try await outbox.write([2, 3])
        #expect(notices.load(ordering: .relaxed) == 1)
        let delivery = outbox.take()
        #expect(delivery.bytes == [1, 2, 3] && delivery.ending == .open)
        outbox.finish()
        outbox.finish(.failed)
        #expect(notices.load(ordering: .relaxed) == 2)
        #expect(outbox.take().ending == .finished)
        await #expect(throws: HTTPStreamError.closed) { try await outbox.write([4]) }
    }

    @Test func writersWaitForRoom() async throws {
        let outbox = ByteOutbox(limit: 10) { true }
        let done = Atomic<Int>(0)
        let writer = Task {
            for _ in 0..<5 {
                try await outbox.write([UInt8](repeating: 0, count: 8))
                done.wrappingAdd(1, ordering: .relaxed)
            }
        }
        var taken = 0
        while taken < 40 {
            let count = outbox.take().bytes.count
            // One write may go beyond the limit, a second may not.
            #expect(count <= 16)
            taken += count
            await Task.yield()
        }
        try await writer.value
        #expect(done.load(ordering: .relaxed) == 5)
    }

    @Test func waitingWritersLearnOfTheEnd() async throws {
        for isCancelled in [false, true] {
            let outbox = ByteOutbox(limit: 1) { true }
            let writer = Task {
                while true { try await outbox.write([1, 2, 3]) }
            }
            await Task.yield()
            if isCancelled { writer.cancel() } else { outbox.close() }
            await #expect(throws: isCancelled ? HTTPStreamError.cancelled : .closed) {
                try await writer.value
            }
        }
    }

    @Test func aLoopThatIsGoneClosesTheOutbox() async {
        let outbox = ByteOutbox(limit: 10) { false }
        await #expect(throws: HTTPStreamError.closed) { try await outbox.write([1]) }
    }

    private static let cancelled = HTTPClientError.cancelled

    @Test func inboxHoldsTheLoopBack() async throws {
        let resumes = Atomic<Int>(0)
        let inbox = ByteInbox<HTTPClientError>(limit: 4) { resumes.wrappingAdd(1, ordering: .relaxed) }
        let bytes: [UInt8] = [1, 2, 3]
        var hasRoom = inbox.deliver(bytes.span)
        #expect(hasRoom)
        hasRoom = inbox.deliver(bytes.span)
        #expect(!hasRoom)
        #expect(try await inbox.next(cancelled: Self.cancelled) == bytes + bytes)
        #expect(resumes.load(ordering: .relaxed) == 1)
        hasRoom = inbox.deliver(bytes.span)
        #expect(hasRoom)
        inbox.finish()
        inbox.fail(.ended)
        #expect(try await inbox.next(cancelled: Self.cancelled) == bytes)
        #expect(try await inbox.next(cancelled: Self.cancelled) == nil)
        #expect(try await inbox.next(cancelled: Self.cancelled) == nil)
        #expect(resumes.load(ordering: .relaxed) == 1)
    }

    @Test func bytesComeBeforeAFailure() async throws {
        let inbox = ByteInbox<HTTPClientError>(limit: 4) {}
        let bytes: [UInt8] = [1]
        _ = inbox.deliver(bytes.span)
        inbox.fail(.ended)
        #expect(try await inbox.next(cancelled: Self.cancelled) == bytes)
        await #expect(throws: HTTPClientError.ended) { try await inbox.next(cancelled: Self.cancelled) }
    }

    @Test func waitingReadersAreWoken() async throws {
        let inbox = ByteInbox<HTTPClientError>(limit: 4) {}
        let reader = Task { try await inbox.next(cancelled: Self.cancelled) }
        await Task.yield()
        let bytes: [UInt8] = [7]
        _ = inbox.deliver(bytes.span)
        #expect(try await reader.value == bytes)
        let second = Task { try await inbox.next(cancelled: Self.cancelled) }
        await Task.yield()
        second.cancel()
        await #expect(throws: Self.cancelled) { try await second.value }
    }
}
