internal import Dispatch
internal import LinuxSystem
internal import Metrics
package import SandboxModel
internal import Synchronization

extension JournalWriter {
    /// Records something and waits until it is on disk.
    /// - Parameters:
    ///   - members: The line's members in their order, without `seq`, `chain` and `journal`. `timestamp` is put
    ///     first when it is missing.
    /// - Returns: The record's number.
    /// - Throws: `invalidRecord`, `tooLarge`, `queueFull`, `failing`, `closed`. After an error the record is
    ///   not in the journal, unless the process dies before the failed write is taken back.
    package func append(
        _ stream: JournalStream, _ members: [JSONMember]
    ) async throws(JournalError) -> Int64 {
        let result: Result<Int64, JournalError> = await withCheckedContinuation { continuation in
            append(stream, members) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// Records something and tells when it is on disk. Does not block.
    /// - Parameter completion: Called once: on the journal's own thread, where it must be quick, or at once
    ///   on the caller's when the record is refused. Errors as of ``append(_:_:)``.
    package func append(
        _ stream: JournalStream, _ members: [JSONMember],
        completion: @escaping @Sendable (Result<Int64, JournalError>) -> Void
    ) {
        do throws(JournalError) {
            let body = try RecordBody(members, now: configuration.clock())
            try submit(PendingRecord(body: body, completion: completion), to: stream)
        } catch {
            metrics.refused[stream.index].increment()
            completion(.failure(error))
        }
    }

    /// Records something and blocks the calling thread, which must not be one of the cooperative pool, until
    /// it is on disk.
    /// - Throws: `timedOut` when that takes longer; the record may still reach the disk then. Else as
    ///   ``append(_:_:)``.
    package func appendBlocking(
        _ stream: JournalStream, _ members: [JSONMember], timeout: Duration = .seconds(10)
    ) throws(JournalError) -> Int64 {
        let answer = Answer()
        append(stream, members) { answer.give($0) }
        guard let result = answer.wait(timeout) else {
            throw JournalError(.timedOut, operation: "append", detail: "\(stream.rawValue): \(timeout)")
        }
        return try result.get()
    }

    /// Records something that nobody waits for. Does not block.
    /// - Returns: `false` when it was refused, which is counted: the queue is full, the journal closed, or
    ///   the record breaks the format. A record that was taken may still be lost when the disk fails or the
    ///   process is killed within ``JournalConfiguration/bufferedDelay``.
    @discardableResult
    package func appendBuffered(_ stream: JournalStream, _ members: [JSONMember]) -> Bool {
        do throws(JournalError) {
            let body = try RecordBody(members, now: configuration.clock())
            try submit(PendingRecord(body: body, completion: nil), to: stream)
            return true
        } catch {
            metrics.dropped[stream.index].increment()
            status.withLock { $0.failures[stream.index]?.dropped += 1 }
            return false
        }
    }

    /// Whether the journal takes records.
    package var health: JournalHealth {
        status.withLock { $0.health }
    }

    /// The last record of each stream that is on disk.
    package var heads: [JournalStream: StreamHead] {
        let heads = status.withLock { $0.heads }
        return Dictionary(uniqueKeysWithValues: zip(JournalStream.allCases, heads))
    }

    /// Records that wait to be written.
    package var queuedRecords: Int {
        intake.withLock { $0.count }
    }

    /// One page of records that are on disk: never one that a failed flush may yet take back. Blocks on the
    /// disk.
    /// - Throws: As ``JournalReader/query(_:)``.
    package func query(_ query: JournalQuery) throws(JournalError) -> JournalPage {
        var bounded = query
        bounded.notAfter = status.withLock { $0.heads[query.stream.index].seq }
        return try reader.query(bounded)
    }

    func submit(_ record: PendingRecord, to stream: JournalStream) throws(JournalError) {
        switch intake.withLock({ $0.add(record, to: stream) }) {
        case .queued: return
        case .startCommit: schedule(after: configuration.commitDelay) { $0.runCommit() }
        case .startTimer:
            schedule(after: configuration.bufferedDelay) { writer in
                if writer.intake.withLock({ $0.timerFired() }) { writer.runCommit() }
            }
        case .full:
            throw JournalError(
                .queueFull, operation: "append", detail: "too many \(stream.rawValue) records wait")
        case .closed: throw JournalError(.closed, operation: "append")
        case .held:
            let reason = status.withLock { status in
                status.failures[stream.index]?.refused += 1
                return status.failures[stream.index]?.reason ?? stream.rawValue
            }
            throw JournalError(.failing, operation: "append", detail: reason)
        }
    }

    /// Runs something on the writing thread, unless nobody else holds the writer by then.
    func scheduleWeakly(after delay: Duration, _ body: @escaping @Sendable (JournalWriter) -> Void) {
        let nanoseconds = Int(clamping: max(.zero, delay).wholeNanoseconds)
        queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [weak self] in
            if let self { body(self) }
        }
    }

    /// Runs something on the writing thread.
    func schedule(after delay: Duration, _ body: @escaping @Sendable (JournalWriter) -> Void) {
        guard delay > .zero else {
            queue.async { body(self) }
            return
        }
        let nanoseconds = Int(clamping: delay.wholeNanoseconds)
        queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { body(self) }
    }
}

/// A result that one thread gives and another waits for.
final class Answer: Sendable {
    private let result = Mutex<Result<Int64, JournalError>?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    func give(_ value: Result<Int64, JournalError>) {
        result.withLock { $0 = value }
        semaphore.signal()
    }

    func wait(_ timeout: Duration) -> Result<Int64, JournalError>? {
        let nanoseconds = Int(clamping: timeout.wholeNanoseconds)
        guard semaphore.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success else { return nil }
        return result.withLock { $0 }
    }
}
