package import Logging
internal import LinuxSystem
package import Metrics
internal import SandboxModel
package import SandboxPolicy

/// Gives sandboxes their networks, checks them, changes them and takes them away.
///
/// One for each daemon. Changes of one sandbox must follow one another; those of different sandboxes may come
/// at the same time. Nothing here is cut short by the cancellation of the calling task.
package final class NetworkController: Sendable {
    let configuration: NetworkConfiguration
    let names: NetworkNames
    let tools: NetworkTools
    let host: HostSide
    let references: ReferenceListings
    let measures: NetworkMeasures
    let listeners = RefusalListeners()
    let logger: Logger
    /// The name servers that sandboxes get.
    let resolvers: [InternetAddress]
    let openable: [CIDR]

    /// Checks the configuration; changes nothing on the host.
    /// - Throws: `invalid` for a pool or block that is none; `gone` for a host namespace that is not there.
    package init(
        configuration: NetworkConfiguration, instanceID: String,
        logger: Logger = Logger(label: "sandwarden.network"), metrics: MetricsRegistry = MetricsRegistry()
    ) throws(NetworkError) {
        self.configuration = configuration
        self.logger = logger
        names = NetworkNames(instanceID: instanceID)
        tools = try NetworkTools(configuration)
        guard let plan = CIDR(configuration.subnetPool).flatMap({ AddressPlan(pool: $0) }) else {
            throw NetworkError(
                .invalid, operation: "subnet_pool",
                detail: "\(configuration.subnetPool) is no IPv4 block of /8 to /20")
        }
        openable = try EgressRules.parsed(configuration.openablePrivate, field: "openable_private")
            .flatMap { block in EgressRules.privateBlocks.compactMap { block.intersection($0) } }
            .withoutNested()
        resolvers = configuration.resolvers.compactMap { InternetAddress($0) }.filter {
            guard case .v4 = $0 else { return false }
            return !$0.isLoopback && !$0.isUnspecified
        }
        host = HostSide(names: names, tools: tools, plan: plan, logger: logger)
        references = ReferenceListings(tools: tools)
        measures = NetworkMeasures(metrics)
    }

    /// The whole `/etc/resolv.conf` of a sandbox; `nil` when it has no name service: for `none` and
    /// `internal`, and where the host has no name server that a sandbox could reach.
    package func resolverText(for policy: NetworkPolicy) -> String? {
        guard policy == .restricted || policy == .full, !resolvers.isEmpty else { return nil }
        return ResolverFile.text(resolvers)
    }

    // MARK: Attaching

    /// Gives a sandbox its network, rules first. To be called before any program of the client runs.
    ///
    /// On failure everything that was set on the host is taken back, and the sandbox has at most loopback.
    /// - Throws: `gone` when the holder has ended, `conflict` when it is in the host's namespace or the
    ///   sandbox has a network already, `invalid`, `exhausted`, `unavailable`, `failed`.
    package func attach(_ attachment: NetworkAttachment) async throws(NetworkError) -> NetworkHandle {
        let namespace = try await tools.openNamespace(of: attachment.holderPID)
        return try await attach(attachment, in: namespace)
    }

    func attach(
        _ attachment: NetworkAttachment, in namespace: SharedDescriptor
    ) async throws(NetworkError) -> NetworkHandle {
        let inside = NetworkTools.Place.namespace(namespace)
        try await switchOffIPv6(in: inside)
        guard attachment.networkPolicy != .none else {
            try await tools.ip(["link set lo up"], in: inside)
            measures.attached(attachment.sandboxID, .none)
            return NetworkHandle(none: attachment)
        }
        let counts = await references.countsConnections()
        let interfaces = try await tools.interfaces(in: .host)
        let handle = try await host.reserve(attachment, interfaces: interfaces) {
            (subnet: CIDR) throws(NetworkError) -> EgressRules in
            try rules(for: attachment, subnet: subnet, hostAddresses: hostAddresses(interfaces))
        }
        do throws(NetworkError) {
            let ruleset = NamespaceRuleset(
                rules: handle.rules, countsConnections: counts, epoch: handle.epoch)
            // The namespace's table and the host's at the same time: neither needs the other.
            let tools = self.tools
            let table = Task { () -> Result<Void, NetworkError> in
                do throws(NetworkError) {
                    return .success(try await tools.nft(ruleset.script(), in: inside))
                } catch {
                    return .failure(error)
                }
            }
            let hostFailure = await host.failureOfSynchronising()
            try await table.value.get()
            if let hostFailure { throw hostFailure }
            try await connect(handle, inside)
        } catch {
            await takeBack(handle)
            throw error
        }
        measures.attached(handle.sandboxID, handle.mode)
        return handle
    }

    /// The rules of an attachment, from its policy and the administrator's decisions.
    func rules(
        for attachment: NetworkAttachment, subnet: CIDR, hostAddresses: [InternetAddress]
    ) throws(NetworkError) -> EgressRules {
        try EgressRules(
            policy: attachment.networkPolicy, rules: attachment.rules,
            maxConnections: attachment.maxConnections,
            subnet: subnet, resolvers: resolvers, openablePrivate: openable, hostAddresses: hostAddresses)
    }

    /// The host's own IPv4 addresses, loopback and our own left out: those are covered by other rules.
    private func hostAddresses(_ interfaces: [ListedInterface]) -> [InternetAddress] {
        interfaces.filter { !names.isOurs(interface: $0.name) }.flatMap(\.addresses).map(\.address)
            .filter { !$0.isLoopback }
    }

    private func switchOffIPv6(in place: NetworkTools.Place) async throws(NetworkError) {
        let base = "/proc/sys/net/ipv6/conf"
        try await tools.writeControls(
            [("\(base)/all/disable_ipv6", "1"), ("\(base)/default/disable_ipv6", "1")], in: place)
    }

    /// Makes the pair and connects both ends.
    private func connect(
        _ handle: NetworkHandle, _ inside: NetworkTools.Place
    ) async throws(NetworkError) {
        guard let interface = handle.interface, let subnet = handle.subnet, let address = handle.address
        else {
            throw NetworkError(.failed, operation: "attach", detail: "a handle without a place")
        }
        let eth = NetworkHandle.insideInterface
        let hostPath = try await tools.hostNamespacePath()
        var commands = [
            "link set lo up",
            "link add \(eth) type veth peer name \(interface) netns \(hostPath)",
            "addr add \(address)/\(subnet.prefixLength) broadcast + dev \(eth)",
            "link set \(eth) up",
        ]
        if let gateway = handle.gateway { commands.append("route add default via \(gateway) dev \(eth)") }
        try await tools.ip(commands, in: inside)
        try await tools.writeControls(
            [("/proc/sys/net/ipv6/conf/\(interface)/disable_ipv6", "1")], in: .host)
        var outside = ["link set \(interface) alias \(names.alias(handle.sandboxID.rawValue))"]
        if let gateway = handle.gateway {
            outside.append("addr add \(gateway)/\(subnet.prefixLength) dev \(interface)")
        }
        if let bridge = handle.bridge { outside.append("link set \(interface) master \(bridge)") }
        outside.append("link set \(interface) up")
        try await tools.ip(outside, in: .host)
    }

    /// Undoes what an attachment that failed has done on the host. What cannot be undone is found by
    /// ``reconcile(known:)``.
    private func takeBack(_ handle: NetworkHandle) async {
        do throws(NetworkError) {
            try await remove(handle)
        } catch {
            logger.error(
                "network: could not be taken back",
                metadata: ["sandbox": "\(handle.sandboxID)", "reason": "\(error)"])
        }
    }

    // MARK: Changing

    /// Applies another policy to a running sandbox.
    ///
    /// Packets are judged by the new rules from the next one on: what they do not allow ends, what they allow
    /// goes on. A lower connection limit cuts all connections, since nobody can say which are too many.
    /// Another kind of network, or another policy's `internal`, replaces the interface and ends everything.
    /// After a failure the old rules are put back; where that fails too, the network is cut.
    /// - Returns: The handle to be kept instead of `handle`.
    /// - Throws: As ``attach(_:)``; `conflict` for an isolated sandbox.
    package func update(
        _ handle: NetworkHandle, _ attachment: NetworkAttachment
    ) async throws(NetworkError) -> NetworkHandle {
        guard await !host.isIsolated(handle.sandboxID) else {
            throw NetworkError(.conflict, operation: "update", detail: "\(handle.sandboxID) is isolated")
        }
        let namespace = try await tools.openNamespace(of: attachment.holderPID)
        let inside = NetworkTools.Place.namespace(namespace)
        let staysInPlace =
            handle.rules.leavesHost
            && (attachment.networkPolicy == .restricted || attachment.networkPolicy == .full)
            || handle.mode == .internal && attachment.networkPolicy == .internal
                && handle.policyName == attachment.policyName
            || handle.mode == .none && attachment.networkPolicy == .none
        guard staysInPlace else {
            // Compiled first, so that a policy that cannot be compiled changes nothing.
            _ = try rules(
                for: attachment, subnet: handle.subnet ?? EgressRules.hostLocal[0], hostAddresses: [])
            try await detach(handle)
            return try await attach(attachment, in: namespace)
        }
        guard handle.mode != .none else { return NetworkHandle(none: attachment) }
        let changed = handle.with(try await rules(replacing: handle, attachment), attachment)
        let isSameLimit = changed.rules.maxConnections == handle.rules.maxConnections
        do throws(NetworkError) {
            try await apply(changed, keepingCount: isSameLimit, inside)
        } catch {
            await restore(handle, inside)
            throw error
        }
        await endRefused(changed, cutsAll: changed.epoch != handle.epoch, namespace)
        measures.attached(changed.sandboxID, changed.mode)
        return changed
    }

    private func rules(
        replacing handle: NetworkHandle, _ attachment: NetworkAttachment
    ) async throws(NetworkError) -> EgressRules {
        guard handle.mode != .internal, let subnet = handle.subnet else {
            return try rules(
                for: attachment, subnet: handle.subnet ?? EgressRules.hostLocal[0], hostAddresses: [])
        }
        let interfaces = try await tools.interfaces(in: .host)
        let pool = host.pool
        guard pool.contains(subnet) else {
            throw NetworkError(
                .conflict, operation: "update", detail: "\(subnet) is outside the pool \(pool)")
        }
        return try rules(for: attachment, subnet: pool, hostAddresses: hostAddresses(interfaces))
    }

    private func apply(
        _ changed: NetworkHandle, keepingCount: Bool, _ inside: NetworkTools.Place
    ) async throws(NetworkError) {
        let ruleset = NamespaceRuleset(
            rules: changed.rules, countsConnections: await references.countsConnections(),
            epoch: changed.epoch)
        try await tools.nft(ruleset.script(keepingCount: keepingCount), in: inside)
        await host.set(changed)
        try await host.synchronise()
    }

    /// Tells the sandbox's programs that connections are over which the rules no longer let through. The
    /// rules hold without this; a program would only wait for its own timeout.
    func endRefused(_ handle: NetworkHandle, cutsAll: Bool, _ namespace: SharedDescriptor) async {
        let rules = handle.rules
        do throws(NetworkError) {
            try await tools.endConnections(in: namespace) { address, port in
                !cutsAll && rules.refusal(of: address, transport: 6, port: port) == nil
            }
        } catch {
            logger.info(
                "network: refused connections were cut but not ended",
                metadata: ["sandbox": "\(handle.sandboxID)", "reason": "\(error)"])
        }
    }

    private func restore(_ handle: NetworkHandle, _ inside: NetworkTools.Place) async {
        do throws(NetworkError) {
            try await apply(handle, keepingCount: false, inside)
        } catch {
            logger.error(
                "network: old rules could not be put back, cutting",
                metadata: ["sandbox": "\(handle.sandboxID)", "reason": "\(error)"])
            do throws(NetworkError) {
                try await cutLink(handle)
            } catch {
                logger.critical(
                    "network: could not be cut",
                    metadata: ["sandbox": "\(handle.sandboxID)", "reason": "\(error)"])
            }
        }
    }
}
