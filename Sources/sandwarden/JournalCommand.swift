import ArgumentParser
import Journal
import SandboxModel
import SandboxSecurity

/// `sandwarden journal`: the streams on disk, read without the daemon's lock.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal", abstract: "Verifies, queries and measures the journal.",
        subcommands: [Verify.self, Query.self, Stat.self])

    fileprivate static func reader(_ data: String?) throws(CommandFailure) -> JournalReader {
        do throws(JournalError) {
            return try JournalReader(dataDirectory: DataFolder.path(data))
        } catch {
            throw CommandFailure(.unavailable, error.description)
        }
    }

    /// `sandwarden journal verify`.
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks every line's number and chain, and the heads.",
            discussion: "Exit status 1 when anything is wrong; each fault names its segment and line.")

        @Option(help: "The data folder.")
        var data: String?

        func run() throws {
            let reader = try JournalCommand.reader(data)
            let result: JournalVerification
            do throws(JournalError) {
                result = try reader.verify()
            } catch {
                throw CommandFailure(.failed, error.description)
            }
            let rows = result.streams.map { stream in
                [
                    stream.stream.rawValue, "\(stream.segments)", "\(stream.records)", "\(stream.bytes)",
                    stream.isIntact ? "intact" : "\(stream.faults.count) faults",
                    stream.head.chain?.description ?? "-",
                ]
            }
            Console.print(Console.table(["STREAM", "SEGMENTS", "RECORDS", "BYTES", "STATE", "HEAD"], rows))
            guard result.isIntact else {
                let faults = result.streams.flatMap(\.faults)
                throw CommandFailure(.failed, faults.map(\.description).joined(separator: "\n"))
            }
            Console.print("intact")
        }
    }

    /// `sandwarden journal query`.
    struct Query: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints records: a table on a terminal, JSON lines in a pipe.",
            discussion: "sandwarden journal query --stream audit --sandbox sb-… --limit 20")

        @Option(help: "The data folder.")
        var data: String?

        @Option(help: "violations, audit or metrics.")
        var stream: String = "violations"

        @Option(help: "Only records of this sandbox.")
        var sandbox: String?

        @Option(help: "Only this violation type, or audit event.")
        var type: String?

        @Option(help: "Only this severity.")
        var severity: String?

        @Option(help: "Only records under this policy.")
        var policy: String?

        @Option(help: "Only records at or after this time (RFC 3339).")
        var since: String?

        @Option(help: "Only records before this time (RFC 3339).")
        var until: String?

        @Option(help: "Only records whose line holds this text.")
        var text: String?

        @Option(help: "At most so many records, 1 to 10000.")
        var limit: Int = 100

        @Flag(help: "Oldest first.")
        var oldest = false

        @Flag(help: "JSON lines on a terminal too.")
        var json = false

        func run() throws {
            let reader = try JournalCommand.reader(data)
            let query = try self.query()
            let page: JournalPage
            var rows: [[String]] = []
            do throws(JournalError) {
                page = try reader.query(query)
                if json || !Console.isTerminal {
                    for record in page.records { Console.write(record.line + [0x0A], to: 1) }
                } else {
                    for record in page.records { rows.append(row(try record.json())) }
                    Console.print(Console.table(["SEQ", "TIME", "SANDBOX", "WHAT", "DETAILS"], rows))
                }
            } catch {
                throw CommandFailure(error.code == .io ? .failed : .badInput, error.description)
            }
            for fault in page.damage { Console.error(fault.description) }
            if let next = page.next { Console.error("more records follow; the next cursor is \(next)") }
        }

        private func row(_ json: JSONValue) -> [String] {
            let what =
                json["violation_type"]?.string.map { "\(json["severity"]?.string ?? "") \($0)" }
                ?? json["event"]?.string ?? json["journal"]?.string ?? "sample"
            return [
                String(json["seq"]?.integer ?? 0), json["timestamp"]?.string ?? "",
                json["sandbox_id"]?.string ?? "-", what,
                excerpt(json["details"]?.text ?? json.text, limit: 100),
            ]
        }

        private func query() throws(CommandFailure) -> JournalQuery {
            guard let stream = JournalStream(rawValue: stream) else {
                throw CommandFailure(.badInput, "--stream: violations, audit or metrics was expected")
            }
            var query = JournalQuery(stream, order: oldest ? .oldestFirst : .newestFirst, limit: limit)
            query.type = type
            query.text = text
            query.sandboxID = try parse("--sandbox", sandbox, SandboxID.init(rawValue:))
            query.severity = try parse("--severity", severity, Severity.init(rawValue:))
            query.policy = try parse("--policy", policy, PolicyName.init(rawValue:))
            query.since = try parse("--since", since, Timestamp.init(rfc3339:))
            query.until = try parse("--until", until, Timestamp.init(rfc3339:))
            return query
        }

        private func parse<Value>(
            _ flag: String, _ text: String?, _ read: (String) -> Value?
        ) throws(CommandFailure) -> Value? {
            guard let text else { return nil }
            if let value = read(text) { return value }
            throw CommandFailure(.badInput, "\(flag): `\(excerpt(text))` is not one")
        }
    }

    /// `sandwarden journal stat`.
    struct Stat: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sizes, counts and spans of the streams.")

        @Option(help: "The data folder.")
        var data: String?

        func run() throws {
            let reader = try JournalCommand.reader(data)
            do throws(JournalError) {
                let rows = try reader.statistics().streams.map { stream in
                    [
                        stream.stream.rawValue, "\(stream.segments)", "\(stream.compressedSegments)",
                        "\(stream.diskBytes)", "\(stream.records)", stream.firstTimestamp?.description ?? "-",
                        stream.lastTimestamp?.description ?? "-",
                    ]
                }
                Console.print(
                    Console.table(["STREAM", "SEGMENTS", "GZIP", "BYTES", "RECORDS", "FIRST", "LAST"], rows))
            } catch {
                throw CommandFailure(.failed, error.description)
            }
        }
    }
}
