internal import LinuxSystem

/// What nft prints of a table that was just made from a script, in a namespace that has nothing else.
///
/// nft prints rules in its own words, which differ between versions. Comparing what it prints of a sandbox's
/// table with what it prints of a fresh one made from the same script needs no knowledge of those words. Each
/// script is tried once; the answer is kept.
actor ReferenceListings {
    private let tools: NetworkTools
    private var listings: [String: [String]] = [:]
    private var order: [String] = []
    private var countingProbe: Task<Bool, Never>?
    /// Scripts whose answer is kept; the oldest goes first.
    private static let limit = 64

    init(tools: NetworkTools) { self.tools = tools }

    /// The canonical listing of the table that a script makes.
    func listing(of script: String, table: String) async throws(NetworkError) -> [String] {
        if let known = listings[script] { return known }
        let scratch = NetworkTools.Place.namespace(try await tools.makeNamespace())
        try await tools.nft(script, in: scratch)
        guard let text = try await tools.listTable(table, in: scratch) else {
            throw NetworkError(.failed, operation: "nft", detail: "the table is not there after its script")
        }
        let listing = RulesetListing.canonical(text)
        if listings.updateValue(listing, forKey: script) == nil { order.append(script) }
        if order.count > ReferenceListings.limit { listings[order.removeFirst()] = nil }
        return listing
    }

    /// Whether the kernel takes and keeps a rule that counts connections; tried once.
    func countsConnections() async -> Bool {
        let probe: Task<Bool, Never>
        if let running = countingProbe {
            probe = running
        } else {
            probe = Task { await self.tryCounting() }
            countingProbe = probe
        }
        return await probe.value
    }

    private func tryCounting() async -> Bool {
        let table = "inet sandwarden_probe"
        let script = """
            add table \(table)
            add chain \(table) output { type filter hook output priority filter; policy accept; }
            add rule \(table) output ct state new ct count over 1 drop

            """
        do throws(NetworkError) {
            let scratch = NetworkTools.Place.namespace(try await tools.makeNamespace())
            try await tools.nft(script, in: scratch)
            return try await tools.listTable(table, in: scratch)?.contains("ct count over 1") ?? false
        } catch {
            // Without the answer the limit is not claimed to be held; the attachment says why nft fails, if
            // it does.
            return false
        }
    }
}
