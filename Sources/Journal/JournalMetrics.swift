internal import Metrics

/// What the journal counts about itself.
struct JournalMetrics: Sendable {
    let appended: [Counter]
    let refused: [Counter]
    let dropped: [Counter]
    let writtenBytes: [Counter]
    let diskBytes: [Gauge]
    let syncs: Counter
    let syncSeconds: Histogram
    let failing: Gauge
    let maintenanceFailures: Counter

    /// Registers the families with every stream's series at zero.
    init(_ registry: MetricsRegistry) {
        func counters(_ name: String, _ help: String) -> [Counter] {
            let family = registry.counter(name, help: help, labels: ["stream"])
            return JournalStream.allCases.map { family.with($0.rawValue) }
        }
        appended = counters("sandwarden_journal_appended_total", "Records that reached the disk.")
        refused = counters(
            "sandwarden_journal_refused_total",
            "Records that were waited for and did not reach the disk, the callers being told.")
        dropped = counters(
            "sandwarden_journal_dropped_total", "Records that nobody waited for and that were given up.")
        writtenBytes = counters(
            "sandwarden_journal_written_bytes_total", "Bytes of records that reached the disk, uncompressed.")
        let disk = registry.gauge(
            "sandwarden_journal_disk_bytes", help: "Size of all files of a stream, at the last maintenance.",
            labels: ["stream"])
        diskBytes = JournalStream.allCases.map { disk.with($0.rawValue) }
        syncs = registry.counter("sandwarden_journal_syncs_total", help: "Flushes of records to the device.")
        syncSeconds = registry.histogram(
            "sandwarden_journal_sync_duration_seconds", help: "Time that one flush of records took.")
        failing = registry.gauge(
            "sandwarden_journal_failing",
            help: "1 while a stream takes no records or its head cannot be written.")
        maintenanceFailures = registry.counter(
            "sandwarden_journal_maintenance_failures_total",
            help: "Compressions and removals of old segments that failed.")
    }

    /// Counts one flush.
    func synced(after duration: Duration) {
        syncs.increment()
        syncSeconds.observe(duration)
    }
}
