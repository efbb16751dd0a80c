internal import LinuxSystem

/// One thing that the host offers for networks, or does not.
package struct NetworkFact: Sendable, Hashable {
    package var isAvailable: Bool
    /// For people: what was found, or what its absence costs and how to get it.
    package var detail: String
}

extension NetworkController {
    /// What this host offers, by name: `ip`, `nft`, `ct_count`, `nflog`, `ip_forward`, `firewall`,
    /// `resolvers`.
    ///
    /// Tries things in namespaces of its own; changes nothing on the host.
    package func probe() async -> [String: NetworkFact] {
        var facts: [String: NetworkFact] = [:]
        facts["ip"] = await version(tools.ip, ["-V"], "ip", package: "iproute2")
        facts["nft"] = await version(tools.nft, ["-v"], "nft", package: "nftables")
        let counts = await references.countsConnections()
        facts["ct_count"] = NetworkFact(
            isAvailable: counts,
            detail: counts
                ? "nftables counts connections: max_network_connections is enforced"
                : "nftables does not count connections: max_network_connections is only observed")
        facts["nflog"] = await logFact()
        facts["ip_forward"] = await forwardingFact()
        facts["firewall"] = await firewallFact()
        facts["resolvers"] = NetworkFact(
            isAvailable: !resolvers.isEmpty,
            detail: resolvers.isEmpty
                ? "no IPv4 name server but loopback: sandboxes have no name service; set network.resolvers"
                : resolvers.map(\.description).joined(separator: ", "))
        return facts
    }

    private func version(
        _ program: String?, _ arguments: [String], _ name: String, package: String
    ) async -> NetworkFact {
        do throws(NetworkError) {
            let text = try await tools.demand(program, arguments, in: .host, name: name)
            return NetworkFact(isAvailable: true, detail: ForeignText.printable(text.prefix { $0 != 0x0A }))
        } catch {
            return NetworkFact(
                isAvailable: false,
                detail: "\(error.detail); only network none can be offered: apt-get install \(package)")
        }
    }

    private func logFact() async -> NetworkFact {
        do throws(NetworkError) {
            let scratch = try await tools.makeNamespace()
            _ = try await tools.openLog(in: scratch)
            return NetworkFact(isAvailable: true, detail: "each refused destination is told (nfnetlink_log)")
        } catch {
            return NetworkFact(
                isAvailable: false, detail: "refused packets are only counted, destinations unknown: \(error)"
            )
        }
    }

    private func forwardingFact() async -> NetworkFact {
        do throws(NetworkError) {
            let value = try await tools.readControl(ForwardPath.forwardingPath, in: .host)
            return NetworkFact(
                isAvailable: value != nil,
                detail: value == "1"
                    ? "on" : "off; switched on, and left on, by the first sandbox with restricted or full")
        } catch {
            return NetworkFact(isAvailable: false, detail: error.description)
        }
    }

    private func firewallFact() async -> NetworkFact {
        do throws(NetworkError) {
            guard let program = try await ForwardPath.droppingFirewall(tools) else {
                return NetworkFact(isAvailable: true, detail: "forwarded packets are not dropped by default")
            }
            let hasChain = try await ForwardPath.hasUserChain(program, tools)
            return NetworkFact(
                isAvailable: hasChain,
                detail: hasChain
                    ? "FORWARD drops by default; DOCKER-USER accepts our interfaces while there are any"
                    : "FORWARD drops by default and there is no DOCKER-USER: accept \(names.prefix)+ by hand")
        } catch {
            return NetworkFact(isAvailable: false, detail: error.description)
        }
    }
}
