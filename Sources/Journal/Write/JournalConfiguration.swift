package import SandboxModel

/// How a journal is kept. Every bound has a default that suits one host.
package struct JournalConfiguration: Sendable {
    /// How long one stream is kept. The active segment is never removed.
    package struct Retention: Sendable, Hashable {
        /// Segments whose newest record is older are removed; `nil` keeps them.
        package var maximumAgeSeconds: Int64?
        /// The oldest segments are removed until all files of the stream take no more; `nil` keeps them.
        package var maximumBytes: Int64?

        /// A retention of the given bounds.
        package init(maximumAgeSeconds: Int64? = nil, maximumBytes: Int64? = nil) {
            self.maximumAgeSeconds = maximumAgeSeconds
            self.maximumBytes = maximumBytes
        }
    }

    /// What goes into segment headers.
    package var origin: JournalOrigin
    /// A segment is sealed at this size; at least 4096.
    package var segmentBytes: Int64 = 64 << 20
    /// A segment with records is sealed at this age.
    package var segmentAgeSeconds: Int64 = 86_400
    /// Whether sealed segments are compressed.
    package var compressesSealedSegments = true
    /// How long each stream is kept.
    package var retention: [JournalStream: Retention] = [
        .violations: Retention(maximumAgeSeconds: 400 * 86_400, maximumBytes: 4 << 30),
        .metrics: Retention(maximumAgeSeconds: 14 * 86_400, maximumBytes: 2 << 30),
        .audit: Retention(maximumAgeSeconds: 400 * 86_400, maximumBytes: 4 << 30),
    ]

    /// How long a waited-for record may be held back so that others share its flush. Records that arrive
    /// while a flush is under way share the next one in any case.
    package var commitDelay: Duration = .zero
    /// How long a record that nobody waits for may be held back.
    package var bufferedDelay: Duration = .milliseconds(200)
    /// Records and bytes that may wait in each stream for callers who wait for them.
    package var queueRecords = 32_768
    package var queueBytes = 64 << 20
    /// Records and bytes that may wait in each stream for nobody.
    package var bufferedRecords = 16_384
    package var bufferedBytes = 16 << 20
    /// Records and bytes that are written and flushed at once.
    package var batchRecords = 8192
    package var batchBytes = 4 << 20

    /// How far `state/head` may lag behind the streams.
    package var headDelay: Duration = .seconds(1)
    /// How soon going on is tried after a failure; doubled at each failure up to the second.
    package var retryDelay: Duration = .milliseconds(500)
    package var maximumRetryDelay: Duration = .seconds(30)
    /// How often age, compression and retention are looked after; `nil` only when asked to.
    package var maintenanceInterval: Duration? = .seconds(60)
    /// Subscribers at a time.
    package var maximumSubscribers = 256

    /// The time of day.
    package var clock: @Sendable () -> Timestamp
    /// Told each time that health becomes bad or good again, from the journal's own thread; it must be quick.
    package var onHealthChange: (@Sendable (JournalHealth) -> Void)?

    /// The defaults.
    /// - Parameters:
    ///   - origin: ``JournalOrigin/ofThisHost()`` outside tests.
    ///   - clock: The wall clock outside tests.
    package init(origin: JournalOrigin, clock: @escaping @Sendable () -> Timestamp) {
        self.origin = origin
        self.clock = clock
    }
}
