internal import LinuxSystem
internal import SandboxModel

/// Reads a journal: queries, checks, sizes. Takes no lock, so it works beside a running daemon and on a copy.
///
/// Every call blocks on the disk; from asynchronous code call it where blocking is allowed.
public struct JournalReader: Sendable {
    let storage: any JournalStorage
    /// How often a check looks again, some milliseconds later, at a last line that may be just being written.
    let settlingAttempts: Int

    /// Opens the journal below a data folder.
    /// - Throws: `notFound` when the folder is not there, `io` when it cannot be opened.
    public init(dataDirectory: String) throws(JournalError) {
        settlingAttempts = 5
        do throws(SystemError) {
            storage = try DiskStorage(dataDirectory: dataDirectory, creating: false)
        } catch {
            throw JournalError(error, error.isMissing ? .notFound : .io, excerpt(dataDirectory))
        }
    }

    /// Reads from any storage.
    package init(storage: any JournalStorage, settlingAttempts: Int = 5) {
        self.storage = storage
        self.settlingAttempts = settlingAttempts
    }

    /// One page of the records that a query asks for.
    ///
    /// Memory: the page, at most 64 MiB of it, and one block of a segment.
    /// - Throws: `badCursor`, `tooLarge` for a long text, `invalidRecord` for a limit out of range, `io`.
    public func query(_ query: JournalQuery) throws(JournalError) -> JournalPage {
        guard (1...JournalQuery.maximumLimit).contains(query.limit) else {
            throw JournalError(
                .invalidRecord, operation: "query",
                detail: "the limit is not in 1...\(JournalQuery.maximumLimit)")
        }
        var records: [JournalRecord] = []
        var bytes = 0
        var next: JournalCursor?
        var scan = try StreamScan(query, in: storage)
        try scan.run { record in
            // One more than asked for tells whether there is a next page.
            if let last = records.last, records.count == query.limit || bytes + record.line.count > 64 << 20 {
                next = JournalCursor(seq: last.seq, order: query.order)
                return .stop
            }
            bytes += record.line.count
            records.append(record)
            return .goOn
        }
        return JournalPage(records: records, next: next, damage: scan.damage)
    }

    /// Hands every record that a query asks for to `body`, `limit` not counting, until it answers `false`.
    /// - Returns: Lines met on the way that are no records; at most 100.
    @discardableResult
    public func forEach(
        _ query: JournalQuery, _ body: (JournalRecord) throws(JournalError) -> Bool
    ) throws(JournalError) -> [JournalFault] {
        var scan = try StreamScan(query, in: storage)
        var failure: JournalError?
        try scan.run { record in
            do throws(JournalError) {
                return try body(record) ? .goOn : .stop
            } catch {
                failure = error
                return .stop
            }
        }
        if let failure { throw failure }
        return scan.damage
    }

    /// What `state/head` says.
    /// - Returns: `nil` when the file is missing or damaged.
    public func heads() throws(JournalError) -> JournalHeads? {
        do throws(SystemError) {
            let content = try storage.readFile(JournalHeads.path, limit: JournalHeads.maximumBytes)
            return content.flatMap { JournalHeads($0) }
        } catch {
            if error.errno == ErrorNumber.tooLong { return nil }
            throw JournalError(error, .io, JournalHeads.path)
        }
    }
}
