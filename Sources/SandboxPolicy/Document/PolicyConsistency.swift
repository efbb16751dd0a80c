import SandboxModel

/// Finds settings of a resolved policy that contradict each other, and those that are probably not meant.
///
/// A contradiction is a fault only where the document itself says one side of it; what a parent says is the
/// parent's.
struct PolicyConsistency {
    let map: DocumentMap
    let policy: Policy
    let parent: Policy
    var checker: DocumentChecker

    /// Runs every check.
    mutating func check() {
        checkNetwork()
        checkBlockedNetworks()
        checkCapabilities()
        checkCommands()
        checkFiles()
        warnOfDroppedBlocks()
        warnOfWeakness()
        warnOfAnswers()
    }

    private var network: DocumentMap? { map["network"].map { DocumentMap(node: $0, pointer: "/network") } }

    private mutating func checkNetwork() {
        guard let network else { return }
        let name = policy.networkPolicy.rawValue
        if policy.networkPolicy != .restricted {
            for (key, isEmpty) in [
                ("allowed_domains", policy.network.allowedDomains.isEmpty),
                ("allowed_cidrs", policy.network.allowedCIDRs.isEmpty),
                ("allowed_ports", policy.network.allowedPorts == NetworkRules().allowedPorts),
            ] where network.has(key) && !isEmpty {
                checker.fault(
                    "this has no effect: network_policy is `\(name)`, and only `restricted` lets some "
                        + "through",
                    key: key, of: network)
            }
        }
        if policy.networkPolicy == .none || policy.networkPolicy == .internal,
            network.has("blocked_cidrs"), !policy.network.blockedCIDRs.isEmpty
        {
            checker.fault(
                "this has no effect: network_policy is `\(name)`, which reaches no address anyway",
                key: "blocked_cidrs", of: network)
        }
        guard policy.networkPolicy == .restricted else { return }
        if policy.network.allowedPorts.isEmpty {
            checker.fault(
                "no port is left, so nothing can be reached; write network_policy: none instead",
                key: "allowed_ports", of: network)
        } else if !policy.network.allowedPorts.contains(53), network.has("allowed_ports") {
            checker.warning(
                "without port 53 no name can be resolved; only addresses can be reached",
                key: "allowed_ports",
                of: network)
        }
    }

    private mutating func checkBlockedNetworks() {
        let blocked = blocks(policy.network.blockedCIDRs)
        guard let network, !blocked.isEmpty else { return }
        for isIPv6 in [false, true] where CIDRBlock.coversEverything(blocked, isIPv6: isIPv6) {
            let family = isIPv6 ? "IPv6" : "IPv4"
            if isIPv6 {
                checker.warning("this blocks every \(family) address", key: "blocked_cidrs", of: network)
            } else {
                checker.fault(
                    "this blocks every \(family) address; write network_policy: none instead",
                    key: "blocked_cidrs",
                    of: network)
            }
        }
        for (index, text) in policy.network.allowedCIDRs.enumerated() where network.has("allowed_cidrs") {
            guard let allowed = blocks([text]).first,
                let wall = blocked.first(where: { $0.covers(allowed) })
            else {
                continue
            }
            checker.fault(
                "`\(text)` lies in `\(wall)`, which blocked_cidrs blocks",
                at: network.pointer(to: "allowed_cidrs") + "/\(index)",
                location: location("allowed_cidrs", index))
        }
    }

    private func blocks(_ texts: [String]) -> [CIDRBlock] { texts.compactMap { CIDRBlock.parse($0).success } }

    private func location(_ key: String, _ index: Int) -> SourceLocation {
        let list = map[key] ?? network?[key] ?? map["privileges"]?[key]
        guard let list else { return map.node.location }
        guard let elements = list.array, index < elements.count else { return list.location }
        return elements[index].location
    }

    private mutating func checkCapabilities() {
        guard policy.networkPolicy != .full else { return }
        for (index, name) in policy.privileges.capabilities.enumerated()
        where Capability.undoesNetworkRules.contains(name) {
            let hasList = map["privileges"]?["capabilities"] != nil
            guard hasList || map.has("network_policy") else { continue }
            checker.fault(
                "\(name) lets a process undo or pass by the rules of network_policy "
                    + "`\(policy.networkPolicy.rawValue)`",
                at: "/privileges/capabilities/\(index)", location: location("capabilities", index))
        }
    }

    private mutating func checkCommands() {
        let hasAllowed = map.has("allowed_commands")
        guard hasAllowed || map.has("blocked_commands") else { return }
        let blocked = BlockedPrograms(policy.blockedCommands)
        for (index, entry) in policy.allowedCommands.enumerated() {
            let name = String(entry.split(separator: "/").last ?? "")
            if let origin = blocked.entry(for: name) {
                checker.fault(
                    "`\(excerpt(entry))` is also blocked, by `\(origin)` of blocked_commands; "
                        + "a program that is blocked stays blocked, so take it out of one of the lists",
                    at: hasAllowed ? "/allowed_commands/\(index)" : "/blocked_commands",
                    location: hasAllowed
                        ? location("allowed_commands", index) : location("blocked_commands", -1))
            }
            let path = Array(entry.utf8)
            guard path.first == UInt8(ascii: "/") else { continue }
            for place in WritablePlaces.all(of: policy) where LexicalPath.contains(place, path) {
                checker.fault(
                    "`\(excerpt(entry))` lies in a place that the sandbox itself can write",
                    at: "/allowed_commands/\(index)", location: location("allowed_commands", index))
            }
        }
        guard !policy.allowedCommands.isEmpty else { return }
        if policy.undecidableCommands == .allow {
            checker.warning(
                "allowed_commands has gaps while undecidable_commands is `allow`: a program whose name "
                    + "is made "
                    + "as it runs is not held against the list",
                key: "undecidable_commands", of: map)
        }
    }

    private mutating func checkFiles() {
        let workspace = Array(policy.workspace.utf8)
        for (index, text) in policy.blockedFilePatterns.enumerated() {
            guard case .success(let pattern) = PathPattern.parse(text),
                pattern.covers(workspace)
            else { continue }
            let isOwn = map.has("blocked_file_patterns")
            guard isOwn || map.has("workspace") else { continue }
            checker.fault(
                "`\(excerpt(text))` covers the workspace `\(policy.workspace)`, so no file could be used",
                at: isOwn ? "/blocked_file_patterns/\(index)" : "/workspace",
                location: isOwn
                    ? location("blocked_file_patterns", index) : (map["workspace"] ?? map.node).location)
        }
        if policy.maxFileSizeMB > policy.resourceLimits.diskMB, map.has("max_file_size_mb") {
            checker.warning(
                "a file of \(policy.maxFileSizeMB) MB does not fit into the workspace of "
                    + "\(policy.resourceLimits.diskMB) MB",
                key: "max_file_size_mb", of: map)
        }
    }

    private mutating func warnOfDroppedBlocks() {
        let base = "`\(parent.name)`"
        if map.has("blocked_commands") {
            let own = BlockedPrograms(policy.blockedCommands)
            let dropped = parent.blockedCommands.filter { !own.covers($0) }
            warnOfDropped(dropped, by: base, key: "blocked_commands", of: map)
        }
        if map.has("blocked_file_patterns") {
            let own = policy.blockedFilePatterns.compactMap { PathPattern.parse($0).success }
            let dropped = parent.blockedFilePatterns.filter { text in
                let path = LexicalPath.normalize(Array(text.utf8), base: [])
                let isCovered = !text.contains("*") && own.contains { $0.covers(path) }
                return !isCovered && !policy.blockedFilePatterns.contains(text)
            }
            warnOfDropped(dropped, by: base, key: "blocked_file_patterns", of: map)
        }
        if let network, network.has("blocked_cidrs") {
            let own = blocks(policy.network.blockedCIDRs)
            let dropped = parent.network.blockedCIDRs.filter { text in
                guard let block = blocks([text]).first else { return false }
                return !own.contains { $0.covers(block) }
            }
            warnOfDropped(dropped, by: base, key: "blocked_cidrs", of: network)
        }
    }

    private mutating func warnOfDropped(
        _ dropped: [String], by base: String, key: String, of map: DocumentMap
    ) {
        guard !dropped.isEmpty else { return }
        let names = dropped.prefix(12).map { "`\(excerpt($0, limit: 64))`" }.joined(separator: ", ")
        let rest = dropped.count > 12 ? " and \(dropped.count - 12) more" : ""
        checker.warning(
            "a list replaces its parent's: \(names)\(rest), blocked by \(base), "
                + "\(dropped.count == 1 ? "is" : "are") "
                + "no longer blocked",
            key: key, of: map)
    }

    private mutating func warnOfWeakness() {
        let privileges = DocumentMap(node: map["privileges"] ?? map.node, pointer: "/privileges")
        if map["privileges"]?["no_new_privileges"] != nil, !policy.privileges.noNewPrivileges {
            checker.warning(
                "set-uid programs of the image can gain privileges", key: "no_new_privileges", of: privileges)
        }
        if map["privileges"]?["seccomp"] != nil, policy.privileges.seccomp == .unconfined {
            checker.warning("every system call of the kernel can be reached", key: "seccomp", of: privileges)
        }
        if map["privileges"]?["read_only_root"] != nil, !policy.privileges.readOnlyRoot {
            checker.warning(
                "programs of the image can be replaced by the sandbox, so names say less about what runs",
                key: "read_only_root", of: privileges)
        }
    }

    private mutating func warnOfAnswers() {
        if map.has("enable_monitoring"), !policy.enableMonitoring {
            checker.warning(
                "nothing that happens in a running sandbox is seen or answered", key: "enable_monitoring",
                of: map)
        }
        guard map.has("on_violation") else { return }
        var strongest = ResponseAction.log
        for severity in Severity.allCases {
            let action = policy.onViolation[severity] ?? .log
            if action < strongest {
                checker.warning(
                    "`\(severity.rawValue)` is answered with `\(action.rawValue)`, more mildly than a "
                        + "lower severity",
                    at: "/on_violation/\(severity.rawValue)",
                    location: (map["on_violation"]?[severity.rawValue] ?? map["on_violation"] ?? map.node)
                        .location)
            }
            strongest = max(strongest, action)
        }
    }
}
