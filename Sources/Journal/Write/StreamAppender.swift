internal import LinuxSystem
internal import SandboxModel

/// A record that waits to be written.
struct PendingRecord: Sendable {
    let body: RecordBody
    /// Told the number once the record is on disk, or why it is not; `nil` when nobody waits.
    let completion: (@Sendable (Result<Int64, JournalError>) -> Void)?
}

/// The segment that a stream is written to.
struct ActiveSegment: Sendable {
    let file: any JournalFile
    let path: String
    let firstSeq: Int64
    /// How much of the file is known to be on disk.
    var bytes: Int64
    let createdAt: Timestamp
    /// Where the records before this process came from.
    let origin: JournalOrigin
    let headerDigest: String
    var summary: SegmentSummary
}

/// Writes one stream. Not safe to share: one owner calls it, one call at a time.
///
/// Numbers, chain and sizes move on only when the bytes behind them are flushed. When any call fails, the
/// segment is closed for good: the same descriptor is never asked again to flush what it once failed to,
/// because the kernel may have dropped those pages and would answer that all is well. A segment is begun anew
/// only after the old one was cut to what was flushed, so that nothing that was refused to its caller stays
/// behind.
struct StreamAppender: Sendable {
    let stream: JournalStream
    let storage: any JournalStorage
    let origin: JournalOrigin
    let limits: SegmentLimits

    /// The last record on disk.
    private(set) var head: StreamHead
    private(set) var segment: ActiveSegment?
    private(set) var failure: StreamFailure?
    /// A segment that has to be cut to its known size before a new one is begun.
    private var retiring: ActiveSegment?
    /// A file that a failed beginning may have left; nothing in it was ever acknowledged.
    private var leftover: String?
    /// Said at the beginning of the next segment.
    private var pendingGap: JournalRecords.Gap?

    init(
        _ stream: JournalStream, storage: any JournalStorage, origin: JournalOrigin, limits: SegmentLimits,
        start: RecoveredStream
    ) {
        self.stream = stream
        self.storage = storage
        self.origin = origin
        self.limits = limits
        head = start.head
        segment = start.segment
        leftover = start.leftover
        pendingGap = start.gap
    }

    /// Begins a segment when recovery left none to go on with, or one of another boot or host.
    mutating func prepare(now: Timestamp) {
        do throws(SystemError) {
            guard let old = segment else {
                try begin(now)
                return
            }
            guard old.origin != origin || limits.isFull(old, at: now) else { return }
            if old.summary.records > 0 {
                try rotate(now)
            } else {
                leftover = old.path
                segment = nil
                try begin(now)
            }
        } catch {
            fail(error, now: now)
        }
    }

    /// Writes records and flushes them.
    /// - Returns: The bytes that were written, for those who follow the stream, or the failure; then nothing
    ///   of the batch counts as written.
    mutating func commit(
        _ records: [PendingRecord], now: Timestamp, metrics: JournalMetrics
    ) -> Result<CommittedBatch, JournalError> {
        if let failure { return .failure(JournalError(failure.error, .failing, stream.rawValue)) }
        do throws(SystemError) {
            if let segment, limits.isFull(segment, at: now) { try rotate(now) }
            return .success(try write(records, metrics: metrics))
        } catch {
            return .failure(fail(error, now: now))
        }
    }

    private mutating func write(
        _ records: [PendingRecord], metrics: JournalMetrics
    ) throws(SystemError) -> CommittedBatch {
        guard var segment else { throw SystemError(errno: ErrorNumber.io, operation: "append") }
        var batch = CommittedBatch(stream: stream, firstSeq: head.seq + 1)
        batch.bytes.reserveCapacity(records.reduce(0) { $0 + $1.body.bytes.count + 128 })
        var chain = head.chain
        var seq = head.seq
        for record in records {
            seq += 1
            chain = RecordLine.append(seq: seq, body: record.body.bytes, after: chain, to: &batch.bytes)
            batch.ends.append(batch.bytes.count)
            segment.summary.add(
                seq: seq, milliseconds: record.body.milliseconds, sandbox: record.body.sandbox)
        }
        try segment.file.writeAll(batch.bytes, at: segment.bytes)
        let started = MonotonicInstant.now()
        try segment.file.sync()
        metrics.synced(after: started.duration(to: .now()))
        segment.bytes += Int64(batch.bytes.count)
        self.segment = segment
        head = StreamHead(seq: seq, chain: chain)
        return batch
    }

    /// Seals the segment and begins the next.
    mutating func rotate(_ now: Timestamp) throws(SystemError) {
        guard var full = segment, full.summary.records > 0 else { return }
        var line: [UInt8] = []
        let members = JournalRecords.seal(full.summary, headerDigest: full.headerDigest, at: now)
        let chain = try append(own: members, seq: head.seq + 1, after: head.chain, now: now, to: &line)
        try full.file.writeAll(line, at: full.bytes)
        try full.file.sync()
        full.bytes += Int64(line.count)
        head = StreamHead(seq: head.seq + 1, chain: chain)
        segment = nil
        try begin(now)
    }

    /// Makes the next segment with its header and, where there is one to tell, a gap record.
    private mutating func begin(_ now: Timestamp) throws(SystemError) {
        let firstSeq = head.seq + 1
        let path = "\(stream.rawValue)/\(SegmentName.plain(firstSeq))"
        if leftover == path { try storage.removeIfThere(path) }
        leftover = path
        let header = SegmentHeader(
            stream: stream, origin: origin, createdAt: now, firstSeq: firstSeq, chain: head.chain
        ).line
        var bytes = header + [0x0A]
        var summary = SegmentSummary()
        var next = head
        if let pendingGap {
            let members = JournalRecords.gap(pendingGap, stream: stream, at: now)
            let chain = try append(own: members, seq: firstSeq, after: head.chain, now: now, to: &bytes)
            next = StreamHead(seq: firstSeq, chain: chain)
            summary.add(seq: firstSeq, milliseconds: now.milliseconds, sandbox: nil)
        }
        let file = try storage.create(path)
        try file.writeAll(bytes, at: 0)
        try file.sync()
        try storage.syncFolder(stream.rawValue)
        leftover = nil
        pendingGap = nil
        head = next
        segment = ActiveSegment(
            file: file, path: path, firstSeq: firstSeq, bytes: Int64(bytes.count), createdAt: now,
            origin: origin, headerDigest: DigestedObject.digestText(of: header), summary: summary)
    }

    private func append(
        own members: [JSONMember], seq: Int64, after previous: ChainValue?, now: Timestamp,
        to output: inout [UInt8]
    ) throws(SystemError) -> ChainValue? {
        do {
            let body = try RecordBody(own: members, now: now)
            return RecordLine.append(seq: seq, body: body.bytes, after: previous, to: &output)
        } catch {
            // The members are this module's own: bounded, with a good time and no name twice.
            throw SystemError(errno: ErrorNumber.io, operation: "encode", detail: error.description)
        }
    }

    @discardableResult
    private mutating func fail(_ error: SystemError, now: Timestamp) -> JournalError {
        if let segment {
            retiring = segment
            self.segment = nil
        }
        failure = StreamFailure(since: now, error: error)
        return JournalError(error, .failing, stream.rawValue)
    }

    /// Seals the segment when it is full, outside of a commit.
    mutating func rotateIfFull(now: Timestamp) {
        guard failure == nil, let segment, limits.isFull(segment, at: now) else { return }
        do throws(SystemError) { try rotate(now) } catch { fail(error, now: now) }
    }

    /// Tries to go on after a failure: cuts the old segment to what is known to be on disk, begins a new one,
    /// and says in its first record what happened.
    /// - Parameters:
    ///   - refused: Records that were waited for and refused since the failure.
    ///   - dropped: Records that nobody waited for and that were given up since then.
    /// - Returns: What was told, or `nil` while it still fails.
    mutating func recover(refused: Int64, dropped: Int64, now: Timestamp) -> JournalRecords.Gap? {
        guard let failure else { return nil }
        do throws(SystemError) {
            if let old = retiring {
                try old.file.truncate(to: old.bytes)
                try old.file.sync()
                // It holds no record, and the next one will have the same first number and so the same name.
                if old.firstSeq == head.seq + 1 { leftover = old.path }
                retiring = nil
            }
            var gap = pendingGap ?? JournalRecords.Gap(since: failure.since, reason: "")
            let reason = failure.error.description
            gap.reason = pendingGap == nil ? reason : "\(gap.reason); \(reason)"
            gap.refused += refused
            gap.dropped += dropped
            let before = pendingGap
            pendingGap = gap
            do throws(SystemError) {
                try begin(now)
            } catch {
                // Told again with fresh counts at the next attempt.
                pendingGap = before
                throw error
            }
            self.failure = nil
            return gap
        } catch {
            self.failure?.latest = error
            return nil
        }
    }
}

/// A failure that lasts.
struct StreamFailure: Sendable {
    let since: Timestamp
    /// The call that failed first.
    let error: SystemError
    /// What failed when going on was tried last.
    var latest: SystemError?

    init(since: Timestamp, error: SystemError) {
        self.since = since
        self.error = error
    }
}

/// Records that reached the disk together.
struct CommittedBatch: Sendable {
    let stream: JournalStream
    let firstSeq: Int64
    var bytes: [UInt8] = []
    /// Where each record's line ends in `bytes`, behind its newline.
    var ends: [Int] = []

    init(stream: JournalStream, firstSeq: Int64) {
        self.stream = stream
        self.firstSeq = firstSeq
    }
}

/// When a segment is full.
struct SegmentLimits: Sendable, Hashable {
    var bytes: Int64
    var ageMilliseconds: Int64

    func isFull(_ segment: ActiveSegment, at now: Timestamp) -> Bool {
        guard segment.summary.records > 0 else { return false }
        if segment.bytes >= bytes { return true }
        let (age, overflow) = now.milliseconds.subtractingReportingOverflow(segment.createdAt.milliseconds)
        return overflow || age >= ageMilliseconds
    }
}
