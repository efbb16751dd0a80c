import Metrics
import SandboxModel
import Synchronization
import Testing

@testable import Journal

/// A clock that stands until it is moved.
final class ManualClock: Sendable {
    private let milliseconds = Mutex<Int64>(1_790_000_000_000)

    var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }

    func advance(seconds: Int64) {
        milliseconds.withLock { $0 += seconds * 1000 }
    }
}

/// Opens journals for tests: no timer fires by itself.
struct Rig: Sendable {
    let clock = ManualClock()
    var configuration: JournalConfiguration

    init(segmentBytes: Int64 = 64 << 20, bootID: String = "boot-1") {
        let clock = clock
        configuration = JournalConfiguration(
            origin: JournalOrigin(host: "host", bootID: bootID), clock: { clock.now })
        configuration.segmentBytes = segmentBytes
        configuration.maintenanceInterval = nil
        configuration.headDelay = .seconds(3600)
        configuration.bufferedDelay = .seconds(3600)
        configuration.retryDelay = .seconds(3600)
        configuration.maximumRetryDelay = .seconds(3600)
        configuration.retention = [:]
    }

    func open(
        _ storage: any JournalStorage
    ) throws(JournalError) -> (writer: JournalWriter, report: RecoveryReport) {
        try JournalWriter.open(storage, configuration, metrics: MetricsRegistry())
    }

    /// A reader that takes a last line as it is: nobody writes.
    static func reader(_ storage: any JournalStorage) -> JournalReader {
        JournalReader(storage: storage, settlingAttempts: 0)
    }

    /// Members of a record that can be told from all others.
    func members(
        _ number: Int, sandbox: String = "sb-aaaaaaaaaa", type: String = "process_violation",
        severity: String = "high", policy: String = "strict"
    ) -> [JSONMember] {
        [
            JSONMember("id", .string("r-\(number)")), JSONMember("timestamp", .string(clock.now.description)),
            JSONMember("violation_type", .string(type)), JSONMember("event", .string(type)),
            JSONMember("severity", .string(severity)), JSONMember("sandbox_id", .string(sandbox)),
            JSONMember("policy", .string(policy)),
        ]
    }
}

/// What a journal holds.
struct Contents {
    /// Ids of callers' records in order, with their numbers.
    var ids: [(id: String, seq: Int64)] = []
    var damage: [JournalFault] = []
    /// Numbers of lines of the right form that are no JSON.
    var unreadable: [Int64] = []

    init(_ storage: any JournalStorage, _ stream: JournalStream) throws {
        var query = JournalQuery(stream, order: .oldestFirst)
        query.includesOwnRecords = true
        var found: [(String, Int64)] = []
        var unreadable: [Int64] = []
        damage = try JournalReader(storage: storage).forEach(query) { record throws(JournalError) in
            do {
                if record.ownKind == nil, let id = try record.json()["id"]?.string {
                    found.append((id, record.seq))
                }
            } catch {
                unreadable.append(record.seq)
            }
            return true
        }
        ids = found.map { (id: $0.0, seq: $0.1) }
        self.unreadable = unreadable
    }

    var names: [String] { ids.map(\.id) }
}

extension JournalWriter {
    /// Appends and gives the number, or `nil` when it was refused.
    func tryAppend(_ stream: JournalStream, _ members: [JSONMember]) async -> Int64? {
        do throws(JournalError) {
            return try await append(stream, members)
        } catch {
            return nil
        }
    }
}

/// The name of the only or first segment of a stream.
func firstSegment(_ stream: JournalStream) -> String { "\(stream.rawValue)/000000000001.jsonl" }
