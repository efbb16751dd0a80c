internal import LinuxSystem
internal import Logging
internal import SandboxModel

extension NetworkController {
    /// Cuts everything, connections that are open included; what the sandbox has left is its own loopback.
    ///
    /// For good: ``update(_:_:)`` refuses afterwards. The interface on the host goes down first, then both
    /// tables change, so that each alone keeps the sandbox cut. Fine when it is cut already, or has no
    /// network.
    /// - Throws: `failed` when one of the two sides could not be cut; the other one has been tried all the
    ///   same.
    package func isolate(_ handle: NetworkHandle, holderPID: Int32) async throws(NetworkError) {
        guard handle.interface != nil else { return }
        var failure: NetworkError?
        do throws(NetworkError) {
            try await cutLink(handle)
        } catch {
            failure = error
        }
        do throws(NetworkError) {
            let namespace = try await tools.openNamespace(of: holderPID)
            try await tools.nft(NamespaceRuleset.isolationScript, in: .namespace(namespace))
            await endRefused(handle, cutsAll: true, namespace)
        } catch {
            // A holder that has ended has taken its network with it.
            if error.code != .gone { failure = error }
        }
        if let failure { throw failure }
    }

    /// Takes the host's end down and the sandbox out of the host's table.
    func cutLink(_ handle: NetworkHandle) async throws(NetworkError) {
        guard let interface = handle.interface else { return }
        let result = try await tools.run(
            tools.ip, ["link", "set", "dev", interface, "down"], in: .host, name: "ip")
        let isGone = result.stderrText.contains("Cannot find device")
        await host.markIsolated(handle)
        try await host.synchronise()
        guard result.exit.isSuccess || isGone else { throw NetworkTools.failure(result, "ip") }
    }

    /// Takes a sandbox's network away: interface, address, its part of the host's table, and with the last
    /// sandbox of a policy the bridge, with the last of all the table and the firewall's rules.
    ///
    /// Fine when all or part of it is gone, or was never there; the sandbox itself may be gone too.
    package func detach(_ handle: NetworkHandle) async throws(NetworkError) {
        listeners.stop(handle.sandboxID)
        if handle.interface != nil { try await remove(handle) }
        measures.detached(handle.sandboxID)
    }

    func remove(_ handle: NetworkHandle) async throws(NetworkError) {
        if let interface = handle.interface { try await host.removeLink(interface) }
        await host.release(handle.sandboxID)
        try await host.synchronise()
    }

    /// Takes up the sandboxes of the state file and removes what belongs to none of them.
    ///
    /// To be called once at start, before the first attachment. Interfaces that carry this installation's
    /// name but no known handle's are removed, the host's table is written anew, and unneeded bridges and
    /// firewall rules go.
    /// - Returns: What was removed or found missing, a sentence each, for the audit.
    package func reconcile(known: [NetworkHandle]) async -> [String] {
        var report: [String] = []
        for handle in known { measures.attached(handle.sandboxID, handle.mode) }
        // Assumed until the interfaces have been read: then what goes wrong matters.
        var hasAny = known.contains { $0.interface != nil }
        do throws(NetworkError) {
            let ours = try await tools.interfaces(in: .host).filter { isOurs($0) }
            hasAny = hasAny || !ours.isEmpty
            await takeUp(known, ours, &report)
            try await removeLeftovers(known, ours, &report)
            let hadTable = try await tools.listTable("inet \(names.table)", in: .host) != nil
            let isNeeded = await !host.ruleset.isEmpty
            let hasBridges = await !host.unneededBridges.isEmpty
            if hadTable || isNeeded || hasBridges { try await host.synchronise() }
            if hadTable && !isNeeded { report.append("removed table \(names.table)") }
            if !isNeeded, let program = try await ForwardPath.droppingFirewall(tools) {
                try await ForwardPath.closeFirewall(program, names, tools)
            }
        } catch {
            // Without the right to change networks, and with none of ours, there was nothing to do.
            guard hasAny else { return report }
            report.append("clean-up stopped: \(error)")
            logger.error("network: clean-up stopped", metadata: ["reason": "\(error)"])
        }
        return report
    }

    private func takeUp(
        _ known: [NetworkHandle], _ ours: [ListedInterface], _ report: inout [String]
    ) async {
        for handle in known {
            guard let interface = handle.interface else { continue }
            let listed = ours.first { $0.name == interface }
            // An interface that is down was taken down by us: an isolated sandbox stays isolated.
            await host.set(handle, isIsolated: listed?.isUp == false)
            if listed == nil { report.append("\(handle.sandboxID): interface \(interface) is gone") }
        }
    }

    private func removeLeftovers(
        _ known: [NetworkHandle], _ ours: [ListedInterface], _ report: inout [String]
    ) async throws(NetworkError) {
        let needed = Set(known.flatMap { [$0.interface, $0.bridge].compactMap { $0 } })
        await host.adopt(bridges: ours.map(\.name).filter { names.isBridge($0) })
        for leftover in ours where !needed.contains(leftover.name) {
            // Bridges go with the next change of the host's part, after their ports.
            if !names.isBridge(leftover.name) { try await host.removeLink(leftover.name) }
            report.append("removed interface \(leftover.name) \(leftover.alias)")
        }
    }

    /// Whether an interface of the host was made by this installation: by name, and by alias where it has
    /// one. One without an alias was being made when the daemon died.
    private func isOurs(_ interface: ListedInterface) -> Bool {
        guard names.isOurs(interface: interface.name) else { return false }
        return interface.alias.isEmpty || interface.alias.hasPrefix(names.alias(""))
    }
}
