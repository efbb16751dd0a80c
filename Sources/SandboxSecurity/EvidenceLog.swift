package import Journal
internal import LinuxSystem
package import Logging
package import SandboxModel

/// The manager's way to the journal: what must be on disk is waited for, what need not be is not.
package final class EvidenceLog: Sendable {
    package let writer: JournalWriter
    private let reports: ReportReader
    private let logger: Logger
    // Reports read whole streams: few at a time, so that they never crowd out what requests wait for.
    private let queue = BlockingQueue(label: "sandwarden.reports", width: 4, waitingLimit: 64)

    /// A log over an open journal.
    package init(writer: JournalWriter, logger: Logger) {
        self.writer = writer
        self.logger = logger
        reports = ReportReader(reader: writer.reader)
    }

    /// Why the journal does not take records now; `nil` when it does.
    package var failure: String? {
        switch writer.health {
        case .ok: nil
        case .failing(let since, let reason, let lost): "since \(since): \(reason); \(lost) records lost"
        }
    }

    /// Records a violation.
    /// - Returns: Its number, once it is on disk.
    package func violation(_ violation: Violation) async throws(SecurityError) -> Int64 {
        do throws(JournalError) {
            return try await writer.append(.violations, violation.recordMembers)
        } catch {
            throw SecurityError(error)
        }
    }

    /// Records a change; returns once it is on disk.
    package func audit(_ record: AuditRecord) async throws(SecurityError) {
        do throws(JournalError) {
            _ = try await writer.append(.audit, record.members)
        } catch {
            throw SecurityError(error)
        }
    }

    /// Records something that has happened already and cannot be refused any more: a failure is logged, and the
    /// journal's health shows it.
    package func auditBestEffort(_ record: AuditRecord) async {
        do throws(JournalError) {
            _ = try await writer.append(.audit, record.members)
        } catch {
            logger.error(
                "an audit record could not be written",
                metadata: ["event": "\(record.event.rawValue)", "error": "\(error)"])
        }
    }

    /// Hands over a record that nobody waits for; what does not fit the bounded queue is counted by the journal.
    package func auditSoon(_ record: AuditRecord) { writer.appendBuffered(.audit, record.members) }

    /// Hands over a sample that nobody waits for.
    package func sample(_ sample: MetricsSample) {
        writer.appendBuffered(.metrics, sample.json.members ?? [])
    }

    /// Runs a report's reading where blocking is allowed.
    /// - Throws: `exhausted` when too many reports wait; what `body` throws.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (ReportReader) throws(SecurityError) -> Value
    ) async throws(SecurityError) -> Value {
        let reports = reports
        return try await Blocking.run(
            on: queue,
            whenFull: {
                SecurityError(.exhausted, "too many reports are being made: \($0)", retryAfterSeconds: 2)
            },
            { () throws(SecurityError) -> Value in try body(reports) })
    }

    /// Gives the data folder back, everything that waits being written first.
    package func close() async { await writer.close() }
}
