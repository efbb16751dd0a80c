internal import SandboxPolicy

/// The text of the table `sandwarden` in a sandbox's network namespace.
///
/// Chains, in the order of a packet: `output` (loopback passes, IPv6 is refused), `outgoing` (the rules),
/// `names` or `admit` (the limits), `refuse_…` (log, count, answer). What comes in is judged by the same
/// rules, seen from the other side, and only when it belongs to something that the sandbox began. The text
/// does not depend on the sandbox's own address, so that all sandboxes of one policy have the same.
struct NamespaceRuleset: Sendable, Hashable {
    /// The family and name, as nft takes them.
    static let table = "inet sandwarden"
    /// The nflog group of refused packets.
    static let logGroup: UInt16 = 1
    /// Beginning of a log message; the refusal follows.
    static let logPrefix = "sandwarden "
    /// Logged packets a second for each kind of refusal; more are only counted.
    static let logRate = 20

    let rules: EgressRules
    /// Whether this kernel counts connections; without, the limit is not in the text.
    let countsConnections: Bool
    /// The mark of connections that may go on, at least 1. A new number cuts all that were open.
    let epoch: Int

    private static let chains = [
        "names", "admit", "outgoing", "replies", "output", "input", "forward",
    ]

    /// A script that brings the table to exactly this state, in one transaction.
    /// - Parameter keepingCount: Leaves the chain with the connection limit as it is, since a new limit
    ///   forgets which connections it has counted. Only right when the limit is the same.
    func script(keepingCount: Bool = false) -> String {
        let table = NamespaceRuleset.table
        var lines = ["add table \(table)"]
        let refusals = Refusal.allCases
        lines += refusals.map { "add counter \(table) refused_\($0.rawValue)" }
        lines += refusals.map { "add chain \(table) refuse_\($0.rawValue)" }
        for chain in NamespaceRuleset.chains {
            lines.append("add chain \(table) \(chain)" + NamespaceRuleset.hook(chain))
        }
        lines += refusals.map { "flush chain \(table) refuse_\($0.rawValue)" }
        for chain in NamespaceRuleset.chains where !(keepingCount && chain == "admit") {
            lines.append("flush chain \(table) \(chain)")
        }
        for (chain, rule) in chainRules(keepingCount: keepingCount) {
            lines.append("add rule \(table) \(chain) \(rule)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A script for a sandbox that reaches nothing any more but its own loopback.
    static var isolationScript: String {
        var lines = ["add table \(table)", "delete table \(table)", "add table \(table)"]
        lines += ["output", "input", "forward"].map { "add chain \(table) \($0)" + hook($0) }
        lines.append("add rule \(table) output oifname \"lo\" accept")
        lines.append("add rule \(table) input iifname \"lo\" accept")
        return lines.joined(separator: "\n") + "\n"
    }

    /// How many rules the table has, in all chains.
    var ruleCount: Int { chainRules(keepingCount: false).count }

    /// The connection limit as nft prints it; empty when the kernel does not count.
    var limitText: String {
        if rules.maxConnections == 0 { return "ct state new goto refuse_limit" }
        return countsConnections ? "ct count over \(rules.maxConnections)" : ""
    }

    private static func hook(_ chain: String) -> String {
        switch chain {
        case "output", "input", "forward":
            " { type filter hook \(chain) priority filter; policy drop; }"
        default: ""
        }
    }

    private func chainRules(keepingCount: Bool) -> [(chain: String, rule: String)] {
        var all: [(chain: String, rule: String)] = []
        func add(_ chain: String, _ rules: [String]) { all += rules.map { (chain, $0) } }
        for refusal in Refusal.allCases {
            let name = refusal.rawValue
            let rate = "limit rate \(Self.logRate)/second burst \(2 * Self.logRate) packets"
            let log = "log prefix \"\(Self.logPrefix)\(name)\" group \(Self.logGroup) snaplen 96"
            let answer = "counter name \"refused_\(name)\" reject with icmpx admin-prohibited"
            // Told before it is counted: what is counted and was not told is then lost for certain.
            add("refuse_\(name)", ["\(rate) \(log)", answer])
        }
        let limit = rules.maxConnections == 0 ? "" : "limit rate over 50/second burst 100 packets "
        add("names", ["ct state new \(limit)goto refuse_limit", "accept"])
        if !keepingCount { add("admit", admission) }
        add(
            "outgoing",
            rules.lines(.outgoing, names: "goto names", admit: "goto admit") { "goto refuse_\($0.rawValue)" })
        add(
            "output",
            [
                "oifname \"lo\" accept", "ct state invalid drop", "meta nfproto ipv6 goto refuse_other",
                "goto outgoing",
            ])
        add("input", ["iifname \"lo\" accept", "meta nfproto ipv6 drop"])
        if rules.mode == .internal {
            add("input", rules.lines(.incoming, names: "accept", admit: "goto admit") { _ in "drop" })
        } else {
            let admit = "ct mark \(epoch) accept"
            add("replies", rules.lines(.incoming, names: "accept", admit: admit) { _ in "drop" } + ["drop"])
            add(
                "input",
                [
                    "ct state related meta l4proto icmp accept",
                    "ct direction reply ct state established goto replies", "drop",
                ])
        }
        return all
    }

    /// The chain `admit`: what begins is counted and marked, what goes on must carry the mark.
    private var admission: [String] {
        let limit = limitText
        let pass = ["ct state new ct mark set \(epoch)", "ct mark != \(epoch) goto refuse_limit", "accept"]
        if rules.maxConnections == 0 { return ["ct state new goto refuse_limit"] + pass }
        return limit.isEmpty ? pass : ["ct state new \(limit) goto refuse_limit"] + pass
    }
}
