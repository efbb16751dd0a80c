internal import LinuxSystem
internal import Logging
internal import SandboxModel
internal import SandboxPolicy

/// The host's share of all sandboxes' networks: who has which address, the bridges, the table, the way out.
///
/// The actor holds what should be; ``synchronise()`` makes it so, one change at a time, each as a whole.
/// Callers that wait at the same time share one run.
actor HostSide {
    let names: NetworkNames
    let tools: NetworkTools
    /// What all sandboxes' addresses come from.
    nonisolated let pool: CIDR
    private let plan: AddressPlan
    private let logger: Logger

    /// Sandboxes that have, or are about to get, an interface.
    private var handles: [SandboxID: NetworkHandle] = [:]
    /// Those among them whose network is cut.
    private var isolated: Set<SandboxID> = []
    private var nextPair = 0
    private var nextNetwork = 0
    /// Bridges that exist on the host.
    private var bridges: Set<String> = []
    private var way: ForwardPath

    private var wantedChange: UInt64 = 0
    private var appliedChange: UInt64 = 0
    private var lastRun: Task<Result<Void, NetworkError>, Never>?

    init(names: NetworkNames, tools: NetworkTools, plan: AddressPlan, logger: Logger) {
        self.names = names
        self.tools = tools
        self.plan = plan
        pool = plan.pool
        self.logger = logger
        way = ForwardPath(names: names, tools: tools, logger: logger)
    }

    // MARK: What should be

    /// The handles of all sandboxes with an interface.
    var known: [NetworkHandle] { Array(handles.values) }

    /// Whether a sandbox's network has been cut.
    func isIsolated(_ id: SandboxID) -> Bool { isolated.contains(id) }

    /// Gives a sandbox an address and makes it known; nothing has changed on the host yet.
    /// - Parameter interfaces: The host's, whose networks are kept clear of.
    /// - Throws: `conflict` when it has a network already, `exhausted`, `invalid`.
    func reserve(
        _ attachment: NetworkAttachment, interfaces: [ListedInterface],
        compile: (CIDR) throws(NetworkError) -> EgressRules
    ) throws(NetworkError) -> NetworkHandle {
        guard handles[attachment.sandboxID] == nil else {
            throw NetworkError(
                .conflict, operation: "attach", detail: "\(attachment.sandboxID) has a network")
        }
        let occupied = interfaces.filter { !names.isOurs(interface: $0.name) }.flatMap(\.addresses)
            .map { CIDR(around: $0.address, prefixLength: $0.prefixLength) }
        let interface = names.interface(attachment.sandboxID)
        guard !handles.values.contains(where: { $0.interface == interface }) else {
            throw NetworkError(.conflict, operation: "attach", detail: "\(interface) is taken")
        }
        let handle: NetworkHandle
        if attachment.networkPolicy == .internal {
            let subnet = try network(of: attachment.policyName, occupied)
            let taken = Set(handles.values.filter { $0.subnet == subnet }.compactMap(\.address))
            guard let address = AddressPlan.member(of: subnet, taken: taken) else {
                throw NetworkError(.exhausted, operation: "allocate", detail: "\(subnet) has no address left")
            }
            handle = NetworkHandle(
                attachment, interface: interface, bridge: names.bridge(attachment.policyName), subnet: subnet,
                address: address, gateway: nil, epoch: 1, rules: try compile(subnet))
        } else {
            let taken = Set(handles.values.compactMap(\.subnet))
            guard let (number, pair) = plan.next(.pair, from: nextPair, taken: taken, occupied: occupied)
            else {
                throw NetworkError(.exhausted, operation: "allocate", detail: "\(plan.pool) has no pair left")
            }
            handle = NetworkHandle(
                attachment, interface: interface, bridge: nil, subnet: pair,
                address: AddressPlan.sandboxAddress(pair), gateway: AddressPlan.hostAddress(pair), epoch: 1,
                rules: try compile(plan.pool))
            nextPair = number + 1
        }
        handles[attachment.sandboxID] = handle
        return handle
    }

    private func network(of policy: PolicyName, _ occupied: [CIDR]) throws(NetworkError) -> CIDR {
        let bridge = names.bridge(policy)
        for handle in handles.values where handle.bridge == bridge {
            guard handle.policyName == policy, let subnet = handle.subnet else {
                throw NetworkError(.conflict, operation: "attach", detail: "\(bridge) is another policy's")
            }
            return subnet
        }
        let taken = Set(handles.values.compactMap(\.subnet))
        guard let (number, subnet) = plan.next(.network, from: nextNetwork, taken: taken, occupied: occupied)
        else {
            throw NetworkError(.exhausted, operation: "allocate", detail: "\(plan.pool) has no network left")
        }
        nextNetwork = number + 1
        return subnet
    }

    /// Replaces what is known of a sandbox, as after a change of its rules or a start of the daemon.
    func set(_ handle: NetworkHandle, isIsolated: Bool = false) {
        handles[handle.sandboxID] = handle
        if isIsolated { isolated.insert(handle.sandboxID) }
    }

    /// Notes that a sandbox's network is cut: the host's table knows it no more, its address stays its own.
    func markIsolated(_ handle: NetworkHandle) {
        if handles[handle.sandboxID] == nil { handles[handle.sandboxID] = handle }
        isolated.insert(handle.sandboxID)
    }

    /// Forgets a sandbox and frees its address.
    func release(_ id: SandboxID) {
        handles[id] = nil
        isolated.remove(id)
    }

    /// Notes bridges that were found on the host.
    func adopt(bridges found: some Sequence<String>) { bridges.formUnion(found) }

    /// Bridges that exist and no sandbox needs.
    var unneededBridges: Set<String> { bridges.subtracting(neededBridges) }

    private var neededBridges: Set<String> { Set(handles.values.compactMap(\.bridge)) }

    /// The table as it should be.
    var ruleset: HostRuleset {
        let alive = handles.values.filter { !isolated.contains($0.sandboxID) }
        return HostRuleset(
            names: names,
            members: alive.compactMap(\.hostMember).sorted { $0.interface < $1.interface },
            bridges: neededBridges.sorted())
    }

    // MARK: Making it so

    /// Brings the host to what should be now. Runs of several callers follow one another; a run that began
    /// after the caller's change counts for it.
    /// - Throws: what the failed step says; the next call tries all of it again.
    func synchronise() async throws(NetworkError) {
        wantedChange += 1
        let wanted = wantedChange
        let previous = lastRun
        let run = Task { () -> Result<Void, NetworkError> in
            _ = await previous?.value
            return await self.bringUp(to: wanted)
        }
        lastRun = run
        try await run.value.get()
    }

    /// As ``synchronise()``, with the error as a value: for callers that have something else to wait for.
    func failureOfSynchronising() async -> NetworkError? {
        do throws(NetworkError) {
            try await synchronise()
            return nil
        } catch {
            return error
        }
    }

    private func bringUp(to wanted: UInt64) async -> Result<Void, NetworkError> {
        guard appliedChange < wanted else { return .success(()) }
        let change = wantedChange
        do throws(NetworkError) {
            try await addBridges()
            try await tools.nft(ruleset.script, in: .host)
            var path = way
            try await path.set(
                isNeeded: !handles.isEmpty, forwards: handles.values.contains { $0.rules.leavesHost })
            way = path
            try await removeBridges()
            appliedChange = max(appliedChange, change)
            return .success(())
        } catch {
            logger.error("network: the host's part could not be set", metadata: ["reason": "\(error)"])
            return .failure(error)
        }
    }

    private func addBridges() async throws(NetworkError) {
        for bridge in neededBridges.subtracting(bridges).sorted() {
            let policy = handles.values.first { $0.bridge == bridge }.map(\.policyName.rawValue) ?? ""
            try await tools.ip(
                [
                    "link add \(bridge) type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
                    "link set \(bridge) alias \(names.alias("policy:" + policy))",
                ], in: .host)
            bridges.insert(bridge)
            // Nobody on it may reach the host, not even to learn which addresses the host has.
            try await tools.writeControls(
                [("/proc/sys/net/ipv6/conf/\(bridge)/disable_ipv6", "1")], in: .host)
            try await tools.ip(["link set \(bridge) arp off", "link set \(bridge) up"], in: .host)
        }
    }

    private func removeBridges() async throws(NetworkError) {
        for bridge in unneededBridges.sorted() {
            try await removeLink(bridge)
            bridges.remove(bridge)
        }
    }

    /// Removes an interface of the host; fine when it is gone.
    func removeLink(_ name: String) async throws(NetworkError) {
        let result = try await tools.run(tools.ip, ["link", "delete", "dev", name], in: .host, name: "ip")
        guard !result.exit.isSuccess, !result.stderrText.contains("Cannot find device") else { return }
        throw NetworkTools.failure(result, "ip")
    }
}
