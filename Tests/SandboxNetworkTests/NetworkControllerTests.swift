import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

@Suite(.enabled(if: canMakeNetworks, "needs root, ip and nft"), .timeLimit(.minutes(2)))
struct NetworkControllerTests {
    @Test func restrictedReachesAllowedPortsOfPublicAddressesAlone() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.restricted)
        let handle = try await controller.attach(attachment)

        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "open")
        #expect(try holder.tryConnecting(to: NetworkLab.otherPublicHost, 443) == "open")
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 25) == "refused")
        #expect(try holder.tryConnecting(to: NetworkLab.metadata, 80) == "refused")
        for address in NetworkLab.privateHosts {
            #expect(try holder.tryConnecting(to: address, 80) == "refused", "\(address)")
        }
        #expect(try holder.tryConnecting(to: NetworkLab.resolver, 53) == "open")
        #expect(try holder.tryConnecting(to: NetworkLab.resolver, 80) == "refused")
        #expect(try holder.tryConnecting(to: NetworkLab.hostAddress, 80) == "refused")
        let gateway = try #require(handle.gateway).description
        #expect(try holder.tryConnecting(to: gateway, 80) == "refused")

        let controls = await controller.verify(handle, attachment)
        for name in ["network", "connections", "network.allowed_ports", "network.blocked_cidrs"] {
            #expect(AppliedControl.outcome(name, in: controls) == "enforced")
        }
        try await controller.detach(handle)
        try await controller.detach(handle)
        #expect(try await lab.hostState() == before)
    }

    @Test func fullReachesPrivateHostsButNotMetadataOrTheHost() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.full)
        let handle = try await controller.attach(attachment)
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 25) == "open")
        #expect(try holder.tryConnecting(to: NetworkLab.privateHosts[0], 80) == "open")
        #expect(try holder.tryConnecting(to: NetworkLab.metadata, 80) == "refused")
        #expect(try holder.tryConnecting(to: NetworkLab.hostAddress, 80) == "refused")
        #expect(
            AppliedControl.outcome("network", in: await controller.verify(handle, attachment)) == "enforced")
        try await controller.detach(handle)
    }

    @Test func datagramsAreHeldToTheSameRules() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let handle = try await controller.attach(try holder.attachment(.restricted))
        let table: [(String, UInt16, Bool)] = [
            (NetworkLab.publicHost, 443, true), (NetworkLab.publicHost, 4444, false),
            (NetworkLab.resolver, 53, true), (NetworkLab.resolver, 443, false),
            (NetworkLab.metadata, 80, false),
        ]
        for (address, port, arrives) in table {
            let listener = try lab.datagramListener(on: address, port)
            #expect(
                try holder.datagram(to: address, port, arrivesAt: listener) == arrives, "\(address) \(port)")
        }
        try await controller.detach(handle)
    }

    @Test func thereIsNoIPv6EvenWhereTheHostHasIt() async throws {
        let lab = try await NetworkLab.make()
        try await lab.tools.ip(["addr add 2001:db8::2/64 dev wan0 nodad"], in: .namespace(lab.host))
        let controller = try lab.controller()
        for mode in NetworkPolicy.allCases {
            let holder = try await Holder.make(lab.tools)
            let attachment = try holder.attachment(mode)
            let handle = try await controller.attach(attachment)
            let inside = NetworkTools.Place.namespace(holder.namespace)
            let addresses = try await lab.tools.interfaces(in: inside).flatMap(\.addresses)
            #expect(addresses.allSatisfy { if case .v4 = $0.address { true } else { false } })
            #expect(try holder.tryConnecting(to: "2001:db8::2", 80) != "open")
            if handle.interface != nil {
                // Switched on again by somebody, the rules refuse it, and the check finds it.
                try await lab.tools.writeControls(
                    [
                        ("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0"),
                        ("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "0"),
                    ], in: inside)
                try await lab.tools.ip(
                    ["addr add 2001:db8::9/64 dev eth0 nodad"], in: inside)
                #expect(
                    try holder.tryConnecting(to: "2001:db8::2", 80, within: .milliseconds(700)) != "open")
                let counters = try #require(await controller.counters(in: holder.namespace))
                #expect(counters[.other] ?? 0 > 0)
                let found = AppliedControl.outcome("network", in: await controller.verify(handle, attachment))
                #expect(found.contains("disable_ipv6"))
            }
            try await controller.detach(handle)
        }
    }

    @Test func noneHasLoopbackAlone() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.none, connections: 0)
        let handle = try await controller.attach(attachment)
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "no network")
        #expect(try holder.tryConnecting(to: "127.0.0.1", 80) == "nobody listens")
        let controls = await controller.verify(handle, attachment)
        #expect(AppliedControl.outcome("network", in: controls) == "enforced")
        #expect(AppliedControl.outcome("connections", in: controls) == "enforced")
        #expect(try await lab.hostState() == before)
        try await controller.detach(handle)
    }

    @Test func internalReachesPeersOfItsPolicyAlone() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controller = try lab.controller()
        var holders: [(holder: Holder, attachment: NetworkAttachment, handle: NetworkHandle)] = []
        for policy in ["team-a", "team-a", "team-b"] {
            let holder = try await Holder.make(lab.tools)
            let attachment = try holder.attachment(.internal, policy: policy)
            holders.append((holder, attachment, try await controller.attach(attachment)))
        }
        let listeners = try holders.map { try NetworkLab.listen(in: $0.holder.namespace, port: 7000) }
        let first = holders[0].holder
        let peer = try #require(holders[1].handle.address).description
        let stranger = try #require(holders[2].handle.address).description
        #expect(holders[0].handle.bridge == holders[1].handle.bridge)
        #expect(holders[0].handle.bridge != holders[2].handle.bridge)
        #expect(try first.tryConnecting(to: peer, 7000) == "open")
        // Without a route there is not even a packet.
        #expect(try first.tryConnecting(to: stranger, 7000) == "no network")
        #expect(try first.tryConnecting(to: NetworkLab.hostAddress, 80) == "no network")
        #expect(try first.tryConnecting(to: NetworkLab.publicHost, 80) == "no network")
        // With a route that a sandbox could not make itself, the rules are what stands in the way.
        try await lab.tools.ip(["route add default dev eth0"], in: .namespace(first.namespace))
        #expect(try first.tryConnecting(to: NetworkLab.hostAddress, 80) == "refused")
        #expect(try first.tryConnecting(to: stranger, 7000) == "refused")
        try await lab.tools.ip(["route delete default dev eth0"], in: .namespace(first.namespace))
        for entry in holders {
            let controls = await controller.verify(entry.handle, entry.attachment)
            #expect(AppliedControl.outcome("network", in: controls) == "enforced")
        }
        for entry in holders { try await controller.detach(entry.handle) }
        #expect(try await lab.hostState() == before)
        withExtendedLifetime(listeners) {}
    }

    @Test func connectionLimitHoldsAndFreesWhatIsClosed() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.restricted, connections: 3)
        let handle = try await controller.attach(attachment)
        var open: [(near: SharedDescriptor, far: SharedDescriptor)] = []
        for _ in 0..<3 {
            open.append((try holder.connection(to: NetworkLab.publicHost, 80), try lab.accept(80)))
        }
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 443) == "refused")
        #expect(try holder.tryConnecting(to: NetworkLab.otherPublicHost, 80) == "refused")
        // Name requests have their own limit.
        #expect(try holder.tryConnecting(to: NetworkLab.resolver, 53) == "open")
        #expect(
            AppliedControl.outcome("connections", in: await controller.verify(handle, attachment))
                == "enforced")
        open.removeLast()
        var outcome = ""
        // The kernel notices in its own time that both ends have closed; and an attempt that was refused
        // counts for a few of its ticks more, so that one that follows at once would be refused for it.
        for _ in 0..<100 where outcome != "open" {
            try await Task.sleep(for: .milliseconds(30))
            outcome = try holder.tryConnecting(to: NetworkLab.publicHost, 443)
        }
        #expect(outcome == "open")
        try await controller.detach(handle)
        withExtendedLifetime(open) {}
    }

    @Test func zeroConnectionsLetNothingBegin() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.restricted, connections: 0)
        let handle = try await controller.attach(attachment)
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "refused")
        #expect(try holder.tryConnecting(to: NetworkLab.resolver, 53) == "refused")
        #expect(
            AppliedControl.outcome("connections", in: await controller.verify(handle, attachment))
                == "enforced")
        try await controller.detach(handle)
    }
}
