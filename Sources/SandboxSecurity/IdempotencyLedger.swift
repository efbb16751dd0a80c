internal import Crypto
package import SandboxModel

/// What is known of requests that carried an `Idempotency-Key`.
///
/// A value: the store beside it writes every change to disk before anything is acknowledged. Keys and bodies are
/// kept only as SHA-256. Entries last 24 hours, at most ``maximumCount``; the oldest finished one makes room.
package struct IdempotencyLedger: Sendable, Hashable {
    /// What became of the request.
    package enum Outcome: Sendable, Hashable {
        /// Not finished, as far as is known; the resource that it is making, where it makes one.
        case inFlight(resource: String?)
        case finished(status: Int, resource: String?)
    }

    /// One key's entry.
    package struct Entry: Sendable, Hashable {
        package var key: String
        package var body: String
        package var at: Timestamp
        package var outcome: Outcome
    }

    /// What a new request with a key is to do.
    package enum Admission: Sendable, Hashable {
        /// It is the first: carry it out, then call ``finish(key:status:resource:)`` or ``abandon(key:)``.
        case proceed(Entry)
        case replay(status: Int, resource: String?)
        case inFlight
        case otherBody
        /// Every place is taken by unfinished requests.
        case full
    }

    package static let maximumCount = 10_000
    package static let lifetimeSeconds: Int64 = 24 * 3600

    private var entries: [String: Entry] = [:]

    /// An empty ledger.
    package init() {}

    /// The digest under which a key is kept; token and route are its scope.
    package static func digest(key: String, principal: String, route: String) -> String {
        var hash = SHA256()
        for part in [principal, route, key] {
            hash.update(data: Array(String(part.utf8.count).utf8) + [0x3A] + Array(part.utf8))
        }
        return hexadecimal(Array(hash.finalize()))
    }

    /// The digest under which a body is kept.
    package static func digest(body: [UInt8]) -> String { hexadecimal(Array(SHA256.hash(data: body))) }

    /// Whether the text may be a key: 1 to 255 printable ASCII bytes.
    package static func isKey(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Decides about a request, and takes the place when it is the first.
    package mutating func admit(key: String, body: String, resource: String?, at now: Timestamp) -> Admission {
        expire(at: now)
        if let entry = entries[key] {
            guard entry.body == body else { return .otherBody }
            switch entry.outcome {
            case .inFlight: return .inFlight
            case .finished(let status, let resource): return .replay(status: status, resource: resource)
            }
        }
        if entries.count >= IdempotencyLedger.maximumCount, !evictOldestFinished() { return .full }
        let entry = Entry(key: key, body: body, at: now, outcome: .inFlight(resource: resource))
        entries[key] = entry
        return .proceed(entry)
    }

    /// Records how the request ended; later ones with the key are answered from this.
    package mutating func finish(key: String, status: Int, resource: String?) -> Entry? {
        entries[key]?.outcome = .finished(status: status, resource: resource)
        return entries[key]
    }

    /// Forgets a request that had no lasting effect, so that it can be tried again.
    package mutating func abandon(key: String) { entries[key] = nil }

    /// The entries that are not finished: after a restart, what was cut short.
    package var unfinished: [Entry] {
        entries.values.filter { if case .inFlight = $0.outcome { true } else { false } }
    }

    /// All entries, oldest first.
    package var all: [Entry] { entries.values.sorted { ($0.at, $0.key) < ($1.at, $1.key) } }

    /// Puts back an entry read from disk; `nil` outcomes remove it.
    package mutating func restore(_ entry: Entry) { entries[entry.key] = entry }

    private mutating func expire(at now: Timestamp) {
        let earliest = now.advanced(bySeconds: -IdempotencyLedger.lifetimeSeconds)
        guard entries.values.contains(where: { $0.at < earliest }) else { return }
        entries = entries.filter { $0.value.at >= earliest }
    }

    private mutating func evictOldestFinished() -> Bool {
        let oldest = entries.values
            .filter { if case .finished = $0.outcome { true } else { false } }
            .min { $0.at < $1.at }
        guard let oldest else { return false }
        entries[oldest.key] = nil
        return true
    }
}

extension IdempotencyLedger.Entry {
    /// One line of the ledger's file.
    package var json: JSONValue {
        var members = [
            JSONMember("key", .string(key)), JSONMember("body", .string(body)),
            JSONMember("at", .string(at.description)),
        ]
        switch outcome {
        case .inFlight(let resource):
            members.append(JSONMember("resource", .optional(resource)))
        case .finished(let status, let resource):
            members.append(JSONMember("status", .integer(Int64(status))))
            members.append(JSONMember("resource", .optional(resource)))
        }
        return .object(members)
    }

    /// Reads what ``json`` wrote.
    package init?(json: JSONValue) {
        guard let key = json["key"]?.string, let body = json["body"]?.string,
            let at = json["at"]?.string.flatMap(Timestamp.init(rfc3339:))
        else { return nil }
        let resource = json["resource"]?.string
        let status = json["status"]?.integer.flatMap { Int(exactly: $0) }
        self.init(
            key: key, body: body, at: at,
            outcome: status.map { .finished(status: $0, resource: resource) } ?? .inFlight(resource: resource)
        )
    }
}
