public import SandboxModel

/// Sizes and ranges of a journal.
public struct JournalStatistics: Sendable, Hashable {
    /// One stream's part.
    public struct Stream: Sendable, Hashable {
        /// The stream.
        public let stream: JournalStream
        /// How many segments there are.
        public let segments: Int
        /// How many of them are compressed.
        public let compressedSegments: Int
        /// Bytes of all its files.
        public let diskBytes: Int64
        /// Number of the first record that is there; 0 when there is none.
        public internal(set) var firstSeq: Int64 = 0
        /// Number of the last one.
        public internal(set) var lastSeq: Int64 = 0
        /// Time of the first record.
        public internal(set) var firstTimestamp: Timestamp?
        /// Time of the last record.
        public internal(set) var lastTimestamp: Timestamp?

        /// Records between them, both counted.
        public var records: Int64 { lastSeq == 0 ? 0 : lastSeq - firstSeq + 1 }

        init(_ stream: JournalStream, _ catalog: SegmentCatalog) {
            self.stream = stream
            segments = catalog.entries.count
            compressedSegments = catalog.entries.count { $0.plainBytes == nil }
            diskBytes = catalog.entries.reduce(0) { $0 + $1.bytes }
        }
    }

    /// All streams.
    public let streams: [Stream]
    /// What `state/head` says; `nil` when it is missing or damaged.
    public let heads: JournalHeads?

    init(streams: [Stream], heads: JournalHeads?) {
        self.streams = streams
        self.heads = heads
    }
}

extension JournalReader {
    /// Sizes, counts and ranges; reads the first and the last segment of each stream as far as it must.
    public func statistics() throws(JournalError) -> JournalStatistics {
        var streams: [JournalStatistics.Stream] = []
        for stream in JournalStream.allCases {
            let catalog = try SegmentCatalog.load(stream, in: storage)
            var part = JournalStatistics.Stream(stream, catalog)
            if let first = try end(of: stream, .oldestFirst) {
                part.firstSeq = first.seq
                part.firstTimestamp = first.timestamp
            }
            if let last = try end(of: stream, .newestFirst) {
                part.lastSeq = last.seq
                part.lastTimestamp = last.timestamp
            }
            streams.append(part)
        }
        return JournalStatistics(streams: streams, heads: try heads())
    }

    private func end(
        of stream: JournalStream, _ order: JournalQuery.Order
    ) throws(JournalError) -> JournalRecord? {
        var query = JournalQuery(stream, order: order, limit: 1)
        query.includesOwnRecords = true
        var record: JournalRecord?
        try forEach(query) { found throws(JournalError) in
            record = found
            return false
        }
        return record
    }
}
