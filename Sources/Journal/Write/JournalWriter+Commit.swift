internal import Dispatch
internal import LinuxSystem
internal import Metrics
internal import SandboxModel
internal import Synchronization

// Everything here runs on the writing thread.
extension JournalWriter {
    /// Writes what waits, stream by stream.
    func runCommit() {
        let all = intake.withLock { $0.commitBegins() }
        for stream in JournalStream.allCases {
            let batch = intake.withLock { $0.takeBatch(of: stream, all: all) }
            if !batch.isEmpty { write(batch, to: stream) }
        }
        // Through the queue, so that timers and the end get their turn under load.
        if intake.withLock({ $0.commitEnded(all: all) }) { queue.async { self.runCommit() } }
    }

    func write(_ batch: [PendingRecord], to stream: JournalStream) {
        let now = configuration.clock()
        let result = core.withLock { core in
            core.appenders[stream.index].commit(batch, now: now, metrics: metrics)
        }
        switch result {
        case .success(let committed):
            live.publish(committed)
            refresh(stream)
            metrics.appended[stream.index].increment(by: UInt64(batch.count))
            metrics.writtenBytes[stream.index].increment(by: UInt64(committed.bytes.count))
            var seq = committed.firstSeq
            for record in batch {
                record.completion?(.success(seq))
                seq += 1
            }
            scheduleHead()
        case .failure(let error):
            refuse(batch, of: stream, error)
        }
    }

    /// Refuses what failed and what waits behind it, and sets about going on.
    func refuse(_ batch: [PendingRecord], of stream: JournalStream, _ error: JournalError) {
        refresh(stream)
        let held = intake.withLock { $0.hold(stream, failed: batch) }
        metrics.refused[stream.index].increment(by: UInt64(held.refused.count))
        metrics.dropped[stream.index].increment(by: UInt64(held.dropped))
        status.withLock { status in
            status.failures[stream.index]?.refused += Int64(held.refused.count)
            status.failures[stream.index]?.dropped += Int64(held.dropped)
        }
        for record in held.refused { record.completion?(.failure(error)) }
        scheduleRetry()
    }

    /// Copies what is known of a stream to where anybody may ask for it.
    func refresh(_ stream: JournalStream) {
        let (head, failure) = core.withLock { core in
            (core.appenders[stream.index].head, core.appenders[stream.index].failure)
        }
        live.advance(stream, to: head.seq)
        changeStatus { status in
            status.heads[stream.index] = head
            guard let failure else {
                status.failures[stream.index] = nil
                return
            }
            let reason = "\(stream.rawValue): \((failure.latest ?? failure.error).description)"
            if status.failures[stream.index] == nil {
                status.failures[stream.index] = .init(since: failure.since, reason: reason)
            } else {
                status.failures[stream.index]?.reason = reason
            }
        }
    }

    /// Stops a stream that failed outside of a commit.
    func stopIfFailed(_ stream: JournalStream) {
        guard let failure = core.withLock({ $0.appenders[stream.index].failure }) else { return }
        refuse([], of: stream, JournalError(failure.error, .failing, stream.rawValue))
    }

    private func changeStatus(_ change: (inout WriterStatus) -> Void) {
        let (before, after) = status.withLock { status in
            let before = status.health
            change(&status)
            return (before, status.health)
        }
        metrics.failing.set(after.isOK ? 0 : 1)
        if before.isOK != after.isOK { configuration.onHealthChange?(after) }
    }

    func noteHeadFailure(_ error: SystemError?, _ now: Timestamp) {
        changeStatus { status in
            guard let error else {
                status.headFailure = nil
                return
            }
            let since = status.headFailure?.since ?? now
            status.headFailure = .init(since: since, reason: "\(JournalHeads.path): \(error)")
        }
        if error != nil { scheduleRetry() }
    }

    private func scheduleHead() {
        let isNew = core.withLock { core in
            defer { core.isHeadComing = true }
            return !core.isHeadComing
        }
        if isNew { schedule(after: configuration.headDelay) { $0.writeHead() } }
    }

    /// Writes `state/head`.
    func writeHead() {
        let heads: [StreamHead]? = core.withLock { core in
            core.isHeadComing = false
            return core.isClosed ? nil : core.appenders.map(\.head)
        }
        guard let heads else { return }
        let now = configuration.clock()
        let streams = Dictionary(uniqueKeysWithValues: zip(JournalStream.allCases, heads))
        do throws(SystemError) {
            try storage.replaceFile(
                JournalHeads.path, by: JournalHeads.temporaryPath, in: JournalHeads.folder,
                content: JournalHeads(updatedAt: now, streams: streams).bytes)
            noteHeadFailure(nil, now)
        } catch {
            noteHeadFailure(error, now)
        }
    }

    private func scheduleRetry() {
        let delay: Duration? = core.withLock { core in
            guard !core.isRetryComing, !core.isClosed else { return nil }
            core.isRetryComing = true
            let delay = core.retryDelay ?? configuration.retryDelay
            core.retryDelay = min(delay * 2, configuration.maximumRetryDelay)
            return delay
        }
        if let delay { scheduleWeakly(after: delay) { $0.retry() } }
    }

    /// Tries to go on after failures.
    func retry() {
        core.withLock { $0.isRetryComing = false }
        guard core.withLock({ !$0.isClosed }) else { return }
        let now = configuration.clock()
        for stream in JournalStream.allCases { recover(stream, now) }
        if status.withLock({ $0.headFailure != nil }) { writeHead() }
        if health.isOK { core.withLock { $0.retryDelay = nil } }
    }

    private func recover(_ stream: JournalStream, _ now: Timestamp) {
        let lost = status.withLock { $0.failures[stream.index] }
        guard let lost else { return }
        let gap = core.withLock { core in
            core.appenders[stream.index].recover(refused: lost.refused, dropped: lost.dropped, now: now)
        }
        guard let gap else {
            refresh(stream)
            return
        }
        // Refusals between the reading and here are in the counters, if not in the record.
        refresh(stream)
        scheduleHead()
        if intake.withLock({ $0.release(stream) }) { queue.async { self.runCommit() } }
        if stream != .audit { noteGap(gap, of: stream) }
    }

    /// Says in the audit stream that another stream has a gap.
    private func noteGap(_ gap: JournalRecords.Gap, of stream: JournalStream) {
        let now = configuration.clock()
        do throws(JournalError) {
            let body = try RecordBody(own: JournalRecords.gap(gap, stream: stream, at: now), now: now)
            try submit(PendingRecord(body: body, completion: nil), to: .audit)
        } catch {
            metrics.dropped[JournalStream.audit.index].increment()
        }
    }

    /// Tries to go on after failures without waiting for the timer.
    package func retryNow() async {
        await onQueue { $0.retry() }
    }

    /// Writes what waits, and `state/head`, without waiting for the timers.
    package func flush() async {
        await onQueue { writer in
            writer.drain()
            writer.writeHead()
        }
    }

    /// Writes what waits now; what comes meanwhile is left to the next commit.
    func drain() {
        for stream in JournalStream.allCases {
            var left = intake.withLock { $0.count(of: stream) }
            while left > 0 {
                let batch = intake.withLock { $0.takeBatch(of: stream, all: true) }
                if batch.isEmpty { break }
                left -= batch.count
                write(batch, to: stream)
            }
        }
    }

    func onQueue(_ body: @escaping @Sendable (JournalWriter) -> Void) async {
        await withCheckedContinuation { continuation in
            queue.async {
                body(self)
                continuation.resume()
            }
        }
    }
}
