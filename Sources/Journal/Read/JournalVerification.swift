/// What checking a journal came to.
public struct JournalVerification: Sendable, Hashable {
    /// One stream's part.
    public struct Stream: Sendable, Hashable {
        /// The stream.
        public let stream: JournalStream
        /// Segments that were read.
        public internal(set) var segments = 0
        /// Records that were read.
        public internal(set) var records: Int64 = 0
        /// Uncompressed bytes that were read.
        public internal(set) var bytes: Int64 = 0
        /// Number of the first record that is there; 0 when there is none.
        public internal(set) var firstSeq: Int64 = 0
        /// The last record that is there.
        public internal(set) var head: StreamHead
        /// The first fault of each kind, in the order in which they were met.
        public internal(set) var faults: [JournalFault] = []
        /// How many faults of each kind there are.
        public internal(set) var counts: [JournalFault.Kind: Int] = [:]

        init(_ stream: JournalStream) {
            self.stream = stream
            head = .empty(stream)
        }

        /// Whether nothing is wrong.
        public var isIntact: Bool { faults.isEmpty }

        mutating func add(_ fault: JournalFault) {
            counts[fault.kind, default: 0] += 1
            if counts[fault.kind] == 1 { faults.append(fault) }
        }
    }

    /// All streams.
    public let streams: [Stream]
    /// Whether nothing is wrong in any of them.
    public var isIntact: Bool { streams.allSatisfy(\.isIntact) }

    init(streams: [Stream]) {
        self.streams = streams
    }
}

/// How far a check has come.
public struct VerificationProgress: Sendable, Hashable {
    /// The stream that is read.
    public let stream: JournalStream
    /// The segment that is about to be read, by name.
    public let segment: String
    /// Bytes of the files that were read.
    public let bytesDone: Int64
    /// Bytes of all files.
    public let bytesTotal: Int64

    init(stream: JournalStream, segment: String, bytesDone: Int64, bytesTotal: Int64) {
        self.stream = stream
        self.segment = segment
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
    }
}

extension JournalReader {
    /// Checks every line of every segment: form, numbers, chain, seals, headers, indexes, and the ends
    /// against `state/head`. Works while the daemon runs.
    ///
    /// What it cannot find: a journal that was written anew from some record on by somebody who also rewrote
    /// `state/head`; a changed line of the metrics stream, which has no chain, as long as it is JSON.
    /// - Parameter progress: Called before each segment.
    /// - Throws: `io`. What is wrong with the journal is in the answer.
    /// - Complexity: Reads everything; memory is bounded.
    public func verify(
        _ streams: [JournalStream] = JournalStream.allCases,
        progress: (VerificationProgress) -> Void = { _ in }
    ) throws(JournalError) -> JournalVerification {
        // Heads first: a running journal writes them after the records.
        let heads = try heads()
        var catalogs: [(JournalStream, SegmentCatalog)] = []
        for stream in streams { catalogs.append((stream, try SegmentCatalog.load(stream, in: storage))) }
        let total = catalogs.reduce(Int64(0)) { $0 + $1.1.entries.reduce(0) { $0 + $1.bytes } }
        var done: Int64 = 0
        var results: [JournalVerification.Stream] = []
        for (stream, catalog) in catalogs {
            var verifier = StreamVerifier(
                stream, known: heads?.streams[stream], storage: storage, settlingAttempts: settlingAttempts)
            for (place, entry) in catalog.entries.enumerated() {
                progress(
                    VerificationProgress(
                        stream: stream, segment: entry.name, bytesDone: done, bytesTotal: total))
                try verifier.read(entry, isLast: place == catalog.entries.count - 1)
                done += entry.bytes
            }
            results.append(verifier.finish())
        }
        return JournalVerification(streams: results)
    }
}
