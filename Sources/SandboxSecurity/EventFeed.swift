internal import Journal
package import SandboxModel

/// A place in the event stream: `v<seq>-a<seq>`.
package struct EventPosition: Sendable, Hashable {
    let position: JournalPosition

    /// Reads `Last-Event-ID`.
    /// - Returns: `nil` when the header is absent.
    /// - Throws: `invalid` for a text that no event had.
    package static func read(_ header: String?) throws(SecurityError) -> EventPosition? {
        guard let header else { return nil }
        guard let position = JournalPosition(eventID: header) else {
            throw SecurityError(.invalid, "Last-Event-ID: `v<number>-a<number>` was expected")
        }
        return EventPosition(position: position)
    }
}

/// Violations, state changes and responses as they reach the disk, one reader.
package struct EventFeed: Sendable {
    /// One event.
    package struct Event: Sendable, Hashable {
        /// The place behind it.
        package var id: String
        /// `violation`, the audit record's event, or `missing`.
        package var kind: String
        package var json: JSONValue
    }

    let subscription: JournalSubscription

    /// Audit events that are shown; others only move the place on.
    private static let shown: Set<AuditRecord.Event> = [
        .sandboxCreated, .sandboxAdopted, .sandboxChanged, .sandboxState, .sandboxDeleted, .sandboxRefused,
        .response,
        .episodeEnded, .gap, .recovery, .daemonStarted, .daemonStopped,
    ]

    /// The next event, waiting for it.
    /// - Returns: `nil` when the journal is closed or the task cancelled.
    package func next() async throws(SecurityError) -> Event? {
        do throws(JournalError) {
            while let event = try await subscription.next() {
                switch event {
                case .missing(let stream, let range, let position):
                    return Event(
                        id: position.eventID, kind: "missing",
                        json: [
                            "stream": .string(stream.rawValue), "first": .integer(range.lowerBound),
                            "last": .integer(range.upperBound),
                        ])
                case .record(let record, let position):
                    if let shown = try EventFeed.event(record, position) { return shown }
                }
            }
            return nil
        } catch {
            throw SecurityError(error)
        }
    }

    private static func event(
        _ record: JournalRecord, _ position: JournalPosition
    ) throws(JournalError) -> Event? {
        let json = try record.json()
        if record.stream == .violations {
            guard let violation = Violation(json: json) else { return nil }
            return Event(id: position.eventID, kind: "violation", json: violation.json)
        }
        guard let audit = AuditRecord(json: json), shown.contains(audit.event) else { return nil }
        return Event(id: position.eventID, kind: audit.event.rawValue, json: .object(audit.members))
    }
}

extension SandboxSecurityManager {
    /// Follows what happens from now on, or from behind a place.
    /// - Throws: `invalid` for a place that the journal has not reached, `exhausted` when as many follow as may.
    nonisolated package func events(after place: EventPosition?) async throws(SecurityError) -> EventFeed {
        do throws(JournalError) {
            return EventFeed(subscription: try evidence.writer.subscribe(after: place?.position))
        } catch {
            throw SecurityError(error)
        }
    }

    /// The wall clock.
    nonisolated package var time: Timestamp { now }
}
