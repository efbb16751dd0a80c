import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

@Suite(.enabled(if: canMakeNetworks, "needs root, ip and nft"), .timeLimit(.minutes(2)))
struct HostSideTests {
    private static let short = Duration.milliseconds(700)

    @Test func hostTableHoldsWithoutTheNamespacesOwn() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.restricted)
        let handle = try await controller.attach(attachment)
        let neighbour = try await Holder.make(lab.tools)
        let other = try await controller.attach(try neighbour.attachment(.full))
        let listener = try NetworkLab.listen(in: neighbour.namespace, port: 80)
        // As a packet socket would: around the rules of the namespace.
        try await lab.tools.nft("delete table \(NamespaceRuleset.table)\n", in: .namespace(holder.namespace))
        try await lab.tools.nft(
            "delete table \(NamespaceRuleset.table)\n", in: .namespace(neighbour.namespace))
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "open")
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 25, within: Self.short) == "silence")
        #expect(try holder.tryConnecting(to: NetworkLab.metadata, 80, within: Self.short) == "silence")
        #expect(try holder.tryConnecting(to: NetworkLab.privateHosts[0], 80, within: Self.short) == "silence")
        #expect(try holder.tryConnecting(to: NetworkLab.hostAddress, 80, within: Self.short) == "silence")
        let gateway = try #require(handle.gateway).description
        #expect(try holder.tryConnecting(to: gateway, 80, within: Self.short) == "silence")
        let neighbourAddress = try #require(other.address).description
        #expect(try holder.tryConnecting(to: neighbourAddress, 80, within: Self.short) == "silence")
        #expect(
            AppliedControl.outcome("network", in: await controller.verify(handle, attachment)).hasPrefix(
                "degraded"))

        // Another sandbox's address: not from this interface.
        try await lab.tools.ip(
            [
                "addr add 10.213.0.77/32 dev eth0",
                "route replace default via \(gateway) dev eth0 src 10.213.0.77",
            ],
            in: .namespace(holder.namespace))
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80, within: Self.short) == "silence")
        try await controller.detach(handle)
        try await controller.detach(other)
        withExtendedLifetime(listener) {}
    }

    @Test func flushedHostTableIsFoundAndCutsNothingOpen() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.restricted)
        let handle = try await controller.attach(attachment)
        try await lab.tools.nft("flush ruleset\n", in: .namespace(lab.host))
        let controls = await controller.verify(handle, attachment)
        #expect(AppliedControl.outcome("network", in: controls).contains("the host has no table"))
        #expect(await controller.reconcile(known: [handle]) == [])
        #expect(
            AppliedControl.outcome("network", in: await controller.verify(handle, attachment)) == "enforced")
        try await controller.detach(handle)
    }

    @Test func resolverOnTheHostIsReachedOnItsPortAlone() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller(resolvers: [NetworkLab.hostAddress, "127.0.0.53", "fd00::53"])
        #expect(controller.resolverText(for: .restricted) == "nameserver \(NetworkLab.hostAddress)\n")
        let holder = try await Holder.make(lab.tools)
        let handle = try await controller.attach(try holder.attachment(.restricted))
        #expect(try holder.tryConnecting(to: NetworkLab.hostAddress, 53) == "open")
        #expect(try holder.tryConnecting(to: NetworkLab.hostAddress, 80) == "refused")
        try await controller.detach(handle)
    }

    @Test func privateRangeNeedsPolicyAndAdministrator() async throws {
        let lab = try await NetworkLab.make()
        let open = ["10.99.0.0/24", "169.254.0.0/16", "192.0.2.0/24"]
        let wish: (inout NetworkRules) -> Void = {
            $0.allowedCIDRs = [
                "10.99.0.0/16", "192.168.0.0/16", "169.254.0.0/16", "198.51.100.0/24", "192.0.2.0/24",
            ]
            $0.blockedCIDRs = ["198.51.100.10/32"]
        }
        for openable in [[], open] {
            let controller = try lab.controller(openable: openable)
            let holder = try await Holder.make(lab.tools)
            let handle = try await controller.attach(try holder.attachment(.restricted, change: wish))
            let opened = openable.isEmpty ? "refused" : "open"
            #expect(try holder.tryConnecting(to: "10.99.0.5", 80) == opened)
            #expect(try holder.tryConnecting(to: "192.168.77.5", 80) == "refused")
            #expect(try holder.tryConnecting(to: NetworkLab.metadata, 80) == "refused")
            #expect(try holder.tryConnecting(to: NetworkLab.hostAddress, 80) == "refused")
            #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "refused")
            #expect(try holder.tryConnecting(to: NetworkLab.otherPublicHost, 80) == "refused")
            try await controller.detach(handle)
        }
    }

    @Test(.enabled(if: ChildCommand.locate("iptables") != nil, "needs iptables"))
    func dockersFirewallIsOpenedForUsAndClosedAgain() async throws {
        let lab = try await NetworkLab.make()
        let place = NetworkTools.Place.namespace(lab.host)
        let iptables = ChildCommand.locate("iptables")
        let setup = [
            ["-N", "DOCKER-USER"], ["-A", "DOCKER-USER", "-j", "RETURN"],
            ["-A", "FORWARD", "-j", "DOCKER-USER"],
            ["-P", "FORWARD", "DROP"],
        ]
        for arguments in setup {
            try await lab.tools.demand(iptables, arguments, in: place, name: "iptables")
        }
        let before = try await lab.hostState()
        let controller = try lab.controller()
        #expect(await controller.probe()["firewall"]?.isAvailable == true)
        let holder = try await Holder.make(lab.tools)
        let handle = try await controller.attach(try holder.attachment(.restricted))
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "open")
        // As after a crash: the next daemon knows of nothing.
        let successor = try lab.controller()
        #expect(await successor.reconcile(known: [handle]) == [])
        try await successor.detach(handle)
        #expect(try await lab.hostState() == before)
    }

    @Test func forwardingIsSwitchedOnWhenNeededAlone() async throws {
        let lab = try await NetworkLab.make(forwards: false)
        let controller = try lab.controller()
        let peer = try await Holder.make(lab.tools)
        let inside = try await controller.attach(try peer.attachment(.internal))
        let place = NetworkTools.Place.namespace(lab.host)
        #expect(try await lab.tools.readControl(ForwardPath.forwardingPath, in: place) == "0")
        let holder = try await Holder.make(lab.tools)
        let handle = try await controller.attach(try holder.attachment(.restricted))
        #expect(try await lab.tools.readControl(ForwardPath.forwardingPath, in: place) == "1")
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "open")
        try await controller.detach(handle)
        try await controller.detach(inside)
    }

    /// On the machine's own network, which an `internal` sandbox adds a bridge to and nothing else.
    @Test func ownNamespaceCountsAsTheHost() async throws {
        let controller = try NetworkController(
            configuration: NetworkConfiguration(resolvers: []),
            instanceID: "test\(UInt32.random(in: 0 ... .max))")
        let tools = controller.tools
        let holders = [try await Holder.make(tools), try await Holder.make(tools)]
        var handles: [NetworkHandle] = []
        for holder in holders {
            let attachment = try holder.attachment(.internal)
            handles.append(try await controller.attach(attachment))
            let controls = await controller.verify(try #require(handles.last), attachment)
            #expect(AppliedControl.outcome("network", in: controls) == "enforced")
        }
        let listener = try NetworkLab.listen(in: holders[1].namespace, port: 7000)
        let peer = try #require(handles[1].address).description
        #expect(try holders[0].tryConnecting(to: peer, 7000) == "open")
        for handle in handles { try await controller.detach(handle) }
        let left = try await tools.interfaces(in: .host).map(\.name)
        #expect(!left.contains { $0.hasPrefix(controller.names.prefix) })
        #expect(try await tools.listTable("inet \(controller.names.table)", in: .host) == nil)
        withExtendedLifetime(listener) {}
    }

    @Test func bridgeWithoutItsTableIsRemovedAtStart() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let dead = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let handle = try await dead.attach(try holder.attachment(.internal))
        try await lab.tools.nft("flush ruleset\n", in: .namespace(lab.host))
        let report = await (try lab.controller()).reconcile(known: [])
        #expect(report.contains { $0.contains(handle.bridge ?? "?") })
        #expect(try await lab.hostState() == before)
    }

    @Test func probeFindsWhatThisHostHas() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let facts = try await lab.controller().probe()
        for name in ["ip", "nft", "resolvers", "firewall"] {
            #expect(facts[name]?.isAvailable == true, "\(name)")
        }
        #expect(Set(facts.keys).isSuperset(of: ["ct_count", "nflog", "ip_forward"]))
        #expect(try await lab.hostState() == before)
    }

    @Test func twoInstallationsKeepOutOfEachOthersAddresses() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controllers = [try lab.controller(instance: "one"), try lab.controller(instance: "two")]
        var handles: [NetworkHandle] = []
        var holders: [Holder] = []
        for controller in controllers {
            let holder = try await Holder.make(lab.tools)
            holders.append(holder)
            handles.append(try await controller.attach(try holder.attachment(.restricted)))
        }
        #expect(handles[0].subnet != handles[1].subnet)
        for holder in holders { #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "open") }
        for (controller, handle) in zip(controllers, handles) { try await controller.detach(handle) }
        #expect(try await lab.hostState() == before)
    }
}
