package import SandboxModel

/// Keeps the ``IdempotencyLedger`` on disk: an entry is there before the work begins and before it is acknowledged.
package actor IdempotencyStore {
    private var ledger = IdempotencyLedger()
    private let folder: StateFolder
    private var appended = 0

    private static let file = "idempotency.jsonl"
    /// After so many appended lines the file is written anew from the entries that still count.
    private static let linesBeforeRewrite = 20_000

    /// A store in a data folder.
    package init(folder: StateFolder) { self.folder = folder }

    /// Reads what an earlier run left.
    /// - Parameter exists: Whether a resource that an unfinished request was making is there after all; then the
    ///   request counts as done, else as never made.
    package func load(
        at now: Timestamp, exists: @Sendable (String) -> Bool
    ) async throws(SecurityError) {
        for line in try await folder.lines(IdempotencyStore.file) {
            guard let entry = IdempotencyLedger.Entry(json: line) else { continue }
            if line["abandoned"]?.bool == true {
                ledger.abandon(key: entry.key)
            } else {
                ledger.restore(entry)
            }
        }
        for entry in ledger.unfinished {
            guard case .inFlight(let resource) = entry.outcome else { continue }
            if let resource, exists(resource) {
                _ = ledger.finish(key: entry.key, status: 201, resource: resource)
            } else {
                ledger.abandon(key: entry.key)
            }
        }
        try await rewrite()
    }

    /// Decides about a request with a key, durably when it may proceed.
    package func admit(
        key: String, body: String, resource: String?, at now: Timestamp
    ) async throws(SecurityError) -> IdempotencyLedger.Admission {
        let admission = ledger.admit(key: key, body: body, resource: resource, at: now)
        if case .proceed(let entry) = admission {
            do throws(SecurityError) {
                try await append(entry.json)
            } catch {
                ledger.abandon(key: key)
                throw error
            }
        }
        return admission
    }

    /// Records how it ended.
    package func finish(key: String, status: Int, resource: String?) async throws(SecurityError) {
        guard let entry = ledger.finish(key: key, status: status, resource: resource) else { return }
        try await append(entry.json)
    }

    /// Forgets a request that had no effect.
    package func abandon(key: String) async throws(SecurityError) {
        guard let entry = ledger.all.first(where: { $0.key == key }) else { return }
        ledger.abandon(key: key)
        var members = entry.json.members ?? []
        members.append(JSONMember("abandoned", true))
        try await append(.object(members))
    }

    private func append(_ json: JSONValue) async throws(SecurityError) {
        appended += 1
        if appended >= IdempotencyStore.linesBeforeRewrite { return try await rewrite() }
        try await folder.appendLine(IdempotencyStore.file, json)
    }

    private func rewrite() async throws(SecurityError) {
        appended = 0
        try await folder.replaceLines(IdempotencyStore.file, with: ledger.all.map(\.json))
    }
}
