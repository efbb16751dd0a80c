internal import LinuxSystem
internal import SandboxModel

/// Follows violations and audit records: first what is on disk after a place, then what comes, with no gap
/// and none twice.
///
/// Records come in the order of their numbers within each stream; between the streams by time where they are
/// read from disk and as they reached it where they are new. One consumer asks, one call at a time. Memory: a
/// page of each stream. A consumer that is slow reads from disk again.
package actor JournalSubscription {
    /// What a subscriber is told.
    package enum Event: Sendable, Hashable {
        /// A record, the journal's own among them, and the position behind it.
        case record(JournalRecord, JournalPosition)
        /// Records that cannot be given, because they were retired or their lines are damaged, and the
        /// position behind them.
        case missing(JournalStream, ClosedRange<Int64>, JournalPosition)
    }

    private let writer: JournalWriter
    private let page: Int
    private var position: JournalPosition
    /// Place among the live records; meaningful once `target` is reached.
    private var next: Int64
    /// The records to read from disk before going live; `nil` when live.
    private var target: JournalPosition?
    /// Records that were read and not yet given out, by stream.
    private var read: [JournalStream: ArraySlice<JournalRecord>] = [:]
    private var pending: ArraySlice<Event> = []
    private var isAsked = false

    init(
        _ writer: JournalWriter, after position: JournalPosition, durable: JournalPosition, next: Int64,
        page: Int
    ) {
        self.writer = writer
        self.page = page
        self.position = position
        self.next = next
        target = durable
    }

    deinit {
        writer.live.leave()
    }

    /// The next event, waiting for it.
    /// - Returns: `nil` when the journal is closed or the task cancelled.
    /// - Throws: `busy` when another call waits; `queueFull` or `io` when the disk cannot be read now: asking
    ///   again goes on where it was.
    package func next() async throws(JournalError) -> Event? {
        guard !isAsked else { throw JournalError(.busy, operation: "subscribe") }
        isAsked = true
        defer { isAsked = false }
        while !Task.isCancelled {
            if let event = pending.popFirst() { return event }
            if let target {
                try await readOn(to: target)
                continue
            }
            switch writer.live.take(from: next, limit: page) {
            case .records(let records, let place):
                next = place
                pending = records.flatMap { events(for: $0) }[...]
            case .none: await writer.live.wait(behind: next)
            case .behind(let durable, let place):
                target = durable
                next = place
            case .closed: return nil
            }
        }
        return nil
    }

    /// The events that bring the position up to a record: usually the record alone.
    private func events(for record: JournalRecord) -> [Event] {
        let known = position[record.stream]
        guard record.seq > known else { return [] }
        var events: [Event] = []
        if record.seq > known + 1 { events += skip(record.stream, through: record.seq - 1) }
        position[record.stream] = record.seq
        events.append(.record(record, position))
        return events
    }

    private func skip(_ stream: JournalStream, through seq: Int64) -> [Event] {
        let missing = (position[stream] + 1)...seq
        position[stream] = seq
        return [.missing(stream, missing, position)]
    }

    /// Gives out records from disk up to a position, merged by time.
    private func readOn(to target: JournalPosition) async throws(JournalError) {
        for stream in JournalPosition.streams where read[stream, default: []].isEmpty {
            guard position[stream] < target[stream] else { continue }
            let records = try await load(stream, upTo: target[stream])
            read[stream] = records[...]
            // Nothing up to the target: what is missing there has no line.
            if records.isEmpty { pending += skip(stream, through: target[stream]) }
        }
        guard pending.isEmpty else { return }
        guard let stream = earliest() else {
            self.target = nil
            return
        }
        if let record = read[stream]?.popFirst() { pending += events(for: record) }
    }

    /// The stream whose next record is the earlier one.
    private func earliest() -> JournalStream? {
        let heads = JournalPosition.streams.compactMap { stream in
            read[stream]?.first.map { (stream, $0.timestamp?.milliseconds ?? .min) }
        }
        return heads.min { $0.1 < $1.1 }?.0
    }

    private func load(_ stream: JournalStream, upTo seq: Int64) async throws(JournalError) -> [JournalRecord] {
        var query = JournalQuery(stream, order: .oldestFirst, limit: page)
        query.cursor = JournalCursor(seq: position[stream], order: .oldestFirst)
        query.notAfter = seq
        query.includesOwnRecords = true
        let reader = writer.reader
        return try await Blocking.run(
            on: JournalWriter.readQueue,
            whenFull: { JournalError(.queueFull, operation: "read", detail: $0) }
        ) { [query] () throws(JournalError) in try reader.query(query).records }
    }
}

extension JournalWriter {
    /// Where subscribers and queries of asynchronous callers read.
    static let readQueue = BlockingQueue(label: "sandwarden.journal.read", width: 4, waitingLimit: 512)

    /// Follows violations and audit records.
    /// - Parameter position: Begin behind these records; `nil` begins with the next that comes.
    /// - Throws: `badCursor` for a position that the journal has not reached, `tooManySubscribers`, `closed`.
    package func subscribe(
        after position: JournalPosition? = nil, page: Int = 128
    ) throws(JournalError) -> JournalSubscription {
        guard let (durable, next) = live.enter() else {
            throw JournalError(
                .tooManySubscribers, operation: "subscribe", detail: "\(configuration.maximumSubscribers)")
        }
        let start = position ?? durable
        guard start.violations <= durable.violations, start.audit <= durable.audit else {
            live.leave()
            throw JournalError(.badCursor, operation: "subscribe", detail: "\(start) is after \(durable)")
        }
        return JournalSubscription(
            self, after: start, durable: durable, next: next,
            page: min(max(page, 1), JournalQuery.maximumLimit))
    }

    /// ``query(_:)`` for asynchronous callers.
    /// - Throws: Also `queueFull` when too many wait to read.
    package func page(_ query: JournalQuery) async throws(JournalError) -> JournalPage {
        try await Blocking.run(
            on: JournalWriter.readQueue,
            whenFull: { JournalError(.queueFull, operation: "read", detail: $0) }
        ) { [self] () throws(JournalError) in try self.query(query) }
    }
}
