internal import LinuxSystem

/// One sandbox's interface as the host's table knows it.
struct HostMember: Sendable, Hashable {
    /// The host's end of the pair.
    let interface: String
    /// The only address that may come out of it.
    let address: InternetAddress
    let rules: EgressRules
}

/// The text of this installation's table on the host.
///
/// Everything begins with the interface's name, so that no packet of anybody else is judged. A packet from a
/// sandbox passes one look-up for interface and address and one that leads to its policy's chain: the cost
/// does not grow with the number of sandboxes. An interface of ours that the table does not know may send
/// nothing.
struct HostRuleset: Sendable, Hashable {
    let names: NetworkNames
    /// Sandboxes with `restricted` and `full`.
    let members: [HostMember]
    /// Bridges of `internal` policies.
    let bridges: [String]

    /// Whether there is anything to rule.
    var isEmpty: Bool { members.isEmpty && bridges.isEmpty }

    /// A script that puts the table into exactly this state in one transaction; without members, the table
    /// goes.
    var script: String {
        // A table cannot be replaced by one command; adding first makes the deletion succeed always.
        let head = "add table inet \(names.table)\ndelete table inet \(names.table)\n"
        guard !isEmpty else { return head }
        return head + "table inet \(names.table) {\n" + sets + policyChains + policyMap + fixedChains + "}\n"
    }

    private var sets: String {
        let sources = members.map { "\"\($0.interface)\" . \($0.address)" }
        return set("sources", "ifname . ipv4_addr", sources)
            + set("addresses", "ipv4_addr", members.map(\.address.description))
            + set("bridged", "ifname . ifname", bridges.map { "\"\($0)\" . \"\($0)\"" })
            + set("resolvers", "ipv4_addr", resolvers)
    }

    private var resolvers: [String] {
        var found: Set<CIDR> = []
        for member in members where member.rules.maxConnections > 0 {
            found.formUnion(member.rules.resolvers)
        }
        return found.sorted().map(\.description)
    }

    private func set(_ name: String, _ type: String, _ elements: [String]) -> String {
        let list = elements.isEmpty ? "" : " elements = { \(elements.joined(separator: ", ")) };"
        return "set \(name) { type \(type);\(list) }\n"
    }

    /// Equal rules share one chain, named by a digest of their text.
    private static func chain(_ rules: EgressRules) -> String {
        "policy_" + hexDigits(stableHash(lines(rules).joined(separator: "\n").utf8), 16)
    }

    private static func lines(_ rules: EgressRules) -> [String] {
        rules.lines(.outgoing, names: "accept", admit: "accept") { _ in "drop" }
    }

    private var policyChains: String {
        var written: Set<String> = []
        var text = ""
        for member in members {
            let name = HostRuleset.chain(member.rules)
            guard written.insert(name).inserted else { continue }
            text += "chain \(name) {\n" + HostRuleset.lines(member.rules).map { "\($0)\n" }.joined() + "}\n"
        }
        return text
    }

    private var policyMap: String {
        let elements = members.map { "\"\($0.interface)\" : goto \(HostRuleset.chain($0.rules))" }
        let list = elements.isEmpty ? "" : " elements = { \(elements.joined(separator: ", ")) };"
        return "map policies { type ifname : verdict;\(list) }\n"
    }

    private var fixedChains: String {
        let ours = "\"\(names.prefix)*\""
        return """
            chain from_sandbox {
            iifname . oifname @bridged accept
            meta nfproto ipv6 drop
            iifname . ip saddr != @sources drop
            oifname \(ours) drop
            iifname vmap @policies
            drop
            }
            chain to_sandbox {
            meta nfproto ipv6 drop
            ct direction reply ct state established accept
            ct state related meta l4proto icmp accept
            drop
            }
            chain to_host {
            meta nfproto ipv6 drop
            iifname . ip saddr != @sources drop
            ip daddr @resolvers meta l4proto { tcp, udp } th dport 53 accept
            drop
            }
            chain forward {
            type filter hook forward priority filter - 1; policy accept;
            iifname \(ours) goto from_sandbox
            oifname \(ours) goto to_sandbox
            }
            chain input {
            type filter hook input priority filter - 1; policy accept;
            iifname \(ours) goto to_host
            }
            chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            ip saddr @addresses oifname != \(ours) masquerade
            }

            """
    }
}
