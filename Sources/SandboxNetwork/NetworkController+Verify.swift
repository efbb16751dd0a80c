internal import LinuxSystem
package import SandboxModel
internal import SandboxPolicy

extension NetworkController {
    /// Reads back what network a sandbox has, and compares it with what its policy asks for.
    ///
    /// Read are the namespace's interfaces, addresses, routes, IPv6 switch and table, the host's end of the
    /// pair and the host's table. Nothing is taken from memory but the addresses that were given.
    /// - Returns: `network`, `connections`, and for `restricted` one control for each field of `network`. A
    ///   difference is `degraded` with both sides in the evidence, and so is what could not be read.
    package func verify(_ handle: NetworkHandle, _ attachment: NetworkAttachment) async -> [AppliedControl] {
        let wanted = attachment.networkPolicy.rawValue
        do throws(NetworkError) {
            let expected = try expectedHandle(handle, attachment)
            let reading = try await read(expected, holderPID: attachment.holderPID)
            return controls(reading, expected, attachment)
        } catch {
            let reason = "could not be read back: \(error)"
            return [
                AppliedControl("network", .degraded, wanted: wanted, found: "", evidence: reason),
                AppliedControl(
                    "connections", .degraded, wanted: "\(attachment.maxConnections)", found: "",
                    evidence: reason),
            ]
        }
    }

    /// The handle as it would be if the attachment's policy had been applied.
    private func expectedHandle(
        _ handle: NetworkHandle, _ attachment: NetworkAttachment
    ) throws(NetworkError) -> NetworkHandle {
        guard handle.mode == attachment.networkPolicy else {
            throw NetworkError(
                .conflict, operation: "verify",
                detail: "the network is \(handle.mode), the policy's \(attachment.networkPolicy)")
        }
        guard handle.mode != .none else { return handle }
        var rules = try rules(for: attachment, subnet: handle.subnet ?? host.pool, hostAddresses: [])
        // Resolvers and host addresses may have changed since; what matters is that those of then are in
        // force.
        if handle.rules.leavesHost {
            rules.resolvers = handle.rules.resolvers
            rules.never = handle.rules.never
        }
        return NetworkHandle(
            attachment, interface: handle.interface, bridge: handle.bridge, subnet: handle.subnet,
            address: handle.address, gateway: handle.gateway, epoch: handle.epoch, rules: rules)
    }

    /// What was found, and each way in which it is not what it should be.
    private struct Reading {
        var found: [String] = []
        var faults: [String] = []
        var isCut = false
        var countsConnections = false

        mutating func expect(_ what: String, _ wanted: String, _ found: String) {
            self.found.append("\(what) \(found)")
            if wanted != found { faults.append("\(what): wanted \(wanted), found \(found)") }
        }
    }

    private func read(_ handle: NetworkHandle, holderPID: Int32) async throws(NetworkError) -> Reading {
        var reading = Reading()
        let inside = NetworkTools.Place.namespace(try await tools.openNamespace(of: holderPID))
        let interfaces = try await tools.interfaces(in: inside)
        var names = ["lo"]
        if handle.interface != nil { names.append(NetworkHandle.insideInterface) }
        reading.expect(
            "interfaces", names.joined(separator: ","),
            interfaces.map(\.name).sorted(by: NetworkController.loFirst)
                .joined(separator: ","))
        let addresses = interfaces.filter { $0.name != "lo" }.flatMap(\.addressTexts)
        let wantedAddresses = handle.address.map { "\($0)/\(handle.subnet?.prefixLength ?? 0)" }
        reading.expect(
            "addresses", wantedAddresses ?? "none",
            addresses.isEmpty ? "none" : addresses.joined(separator: ","))
        let ipv6 = try await tools.readControl("/proc/sys/net/ipv6/conf/all/disable_ipv6", in: inside) ?? "1"
        reading.expect("disable_ipv6", "1", ipv6)
        guard handle.interface != nil else { return reading }
        reading.countsConnections = await references.countsConnections()
        try await readRoutes(handle, inside, &reading)
        try await readNamespaceTable(handle, inside, &reading)
        try await readHost(handle, &reading)
        return reading
    }

    private static func loFirst(_ left: String, _ right: String) -> Bool {
        if left == "lo" || right == "lo" { return left == "lo" && right != "lo" }
        return left < right
    }

    private func readRoutes(
        _ handle: NetworkHandle, _ inside: NetworkTools.Place, _ reading: inout Reading
    ) async throws(NetworkError) {
        let routes = try await tools.routes(in: inside)
        let eth = NetworkHandle.insideInterface
        var wanted = handle.subnet.map { ["\($0) dev \(eth)"] } ?? []
        if let gateway = handle.gateway { wanted.append("default via \(gateway) dev \(eth)") }
        reading.expect("routes", wanted.sorted().joined(separator: "; "), routes.joined(separator: "; "))
    }

    private func readNamespaceTable(
        _ handle: NetworkHandle, _ inside: NetworkTools.Place, _ reading: inout Reading
    ) async throws(NetworkError) {
        let table = NamespaceRuleset.table
        guard let text = try await tools.listTable(table, in: inside) else {
            reading.faults.append("the namespace has no table \(table)")
            return
        }
        let found = RulesetListing.canonical(text)
        let ruleset = NamespaceRuleset(
            rules: handle.rules, countsConnections: reading.countsConnections, epoch: handle.epoch)
        let wanted = try await references.listing(of: ruleset.script(), table: table)
        guard let difference = RulesetListing.difference(wanted: wanted, found: found) else {
            reading.found.append("table \(table) with \(ruleset.ruleCount) rules")
            return
        }
        let cut = try await references.listing(of: NamespaceRuleset.isolationScript, table: table)
        if found == cut {
            reading.isCut = true
            reading.found.append("table \(table) lets nothing out")
        } else {
            reading.faults.append("table \(table): \(difference)")
        }
    }

    private func readHost(_ handle: NetworkHandle, _ reading: inout Reading) async throws(NetworkError) {
        let interfaces = try await tools.interfaces(in: .host)
        guard let listed = interfaces.first(where: { $0.name == handle.interface }) else {
            reading.faults.append("the host has no interface \(handle.interface ?? "")")
            return
        }
        reading.expect("alias", names.alias(handle.sandboxID.rawValue), listed.alias)
        reading.expect("bridge", handle.bridge ?? "none", listed.bridge.isEmpty ? "none" : listed.bridge)
        let isCut = await host.isIsolated(handle.sandboxID)
        // A sandbox that is cut may have its interface down; any other may not.
        if !listed.isUp, !isCut { reading.faults.append("\(listed.name) is down") }
        if listed.isUp, isCut { reading.faults.append("\(listed.name) is up though the sandbox is isolated") }
        let table = "inet \(names.table)"
        let ruleset = await host.ruleset
        guard let text = try await tools.listTable(table, in: .host) else {
            if !ruleset.isEmpty { reading.faults.append("the host has no table \(names.table)") }
            return
        }
        let wanted = try await references.listing(of: ruleset.script, table: table)
        guard
            let difference = RulesetListing.difference(
                wanted: wanted, found: RulesetListing.canonical(text))
        else {
            reading.found.append("host table \(names.table) as written")
            return
        }
        // Another sandbox that came or went in between has changed both: only a steady difference counts.
        guard await host.ruleset == ruleset else {
            return reading.found.append("host table \(names.table) was being changed")
        }
        reading.faults.append("host table \(names.table): \(difference)")
    }

    // MARK: Telling

    private func controls(
        _ reading: Reading, _ handle: NetworkHandle, _ attachment: NetworkAttachment
    ) -> [AppliedControl] {
        let evidence = reading.found.joined(separator: "; ")
        let holds = reading.faults.isEmpty
        let mode = handle.mode.rawValue
        let found = reading.isCut ? "isolated" : mode
        let reason = reading.faults.joined(separator: "; ")
        var controls = [
            AppliedControl(
                "network", holds ? .enforced : .degraded, wanted: mode, found: holds ? found : "different",
                evidence: holds ? evidence : reason)
        ]
        controls.append(connections(reading, handle, reason: reason))
        guard handle.mode == .restricted || handle.mode == .full else { return controls }
        func add(_ field: String, _ wanted: String) {
            controls.append(
                AppliedControl(
                    "network.\(field)", holds ? .enforced : .degraded, wanted: wanted,
                    found: holds ? wanted : "different",
                    evidence: holds ? "table \(NamespaceRuleset.table) and host table \(names.table)" : reason
                ))
        }
        add("blocked_cidrs", text(attachment.rules.blockedCIDRs, empty: "none"))
        guard handle.mode == .restricted else { return controls }
        add("allowed_cidrs", text(attachment.rules.allowedCIDRs, empty: "any public"))
        add("allowed_ports", text(attachment.rules.allowedPorts.map(String.init), empty: "none"))
        let domains = attachment.rules.allowedDomains
        if !domains.isEmpty {
            controls.append(
                AppliedControl(
                    "network.allowed_domains", .unsupported, wanted: text(domains, empty: ""),
                    found: "not filtered",
                    evidence: "rules are by address, and no name is resolved into them: name services of the "
                        + "listed domains are reached only as far as allowed_cidrs holds them"))
        }
        return controls
    }

    private func connections(_ reading: Reading, _ handle: NetworkHandle, reason: String) -> AppliedControl {
        let wanted = "\(handle.rules.maxConnections)"
        guard handle.mode != .none else {
            return AppliedControl(
                "connections", reading.faults.isEmpty ? .enforced : .degraded, wanted: wanted,
                found: reading.faults.isEmpty ? "0" : "different",
                evidence: reading.faults.isEmpty ? "no interface but loopback" : reason)
        }
        guard reading.faults.isEmpty else {
            return AppliedControl(
                "connections", .degraded, wanted: wanted, found: "different", evidence: reason)
        }
        if handle.rules.maxConnections == 0 || reading.isCut {
            return AppliedControl(
                "connections", .enforced, wanted: wanted, found: "0",
                evidence: "every new connection is refused")
        }
        guard reading.countsConnections else {
            return AppliedControl(
                "connections", .observed, wanted: wanted, found: "",
                evidence: "this kernel's nftables does not count connections (ct count)")
        }
        return AppliedControl(
            "connections", .enforced, wanted: wanted, found: wanted,
            evidence:
                "table \(NamespaceRuleset.table), chain admit: ct count over \(handle.rules.maxConnections)")
    }

    /// A list of a policy in few words.
    private func text(_ items: [String], empty: String) -> String {
        guard !items.isEmpty else { return empty }
        let shown = items.prefix(8).joined(separator: ",")
        return items.count > 8 ? "\(shown) and \(items.count - 8) more" : shown
    }
}
