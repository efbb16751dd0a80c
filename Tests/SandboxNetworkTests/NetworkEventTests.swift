import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

@Suite struct RefusalWindowTests {
    private func packet(_ cause: Refusal, _ last: UInt32, _ port: UInt16 = 80) -> NetworkEvent {
        NetworkEvent(cause: cause, address: .v4(0xC633_6400 + last), port: port, transport: 6)
    }

    @Test func firstIsToldAtOnceAndRepetitionsAtTheEnd() {
        var window = RefusalWindow()
        #expect(window.add(packet(.port, 1)) == packet(.port, 1))
        #expect(window.add(packet(.port, 1)) == nil)
        #expect(window.add(packet(.port, 1)) == nil)
        #expect(window.add(packet(.blockedRange, 1)) != nil)
        var repeated = packet(.port, 1)
        repeated.count = 2
        #expect(window.end() == [repeated])
        #expect(window.isEmpty)
        #expect(window.end().isEmpty)
    }

    @Test func destinationsBeyondTheBoundAreCounted() {
        var window = RefusalWindow()
        let many = RefusalWindow.destinationLimit + 50
        let told = (0..<many).compactMap { window.add(packet(.port, 1, UInt16($0 + 1))) }
        #expect(told.count == RefusalWindow.destinationLimit)
        #expect(window.end() == [NetworkEvent(cause: .port, count: 50)])
    }

    @Test func lossesAreWhatWasCountedAndNotTold() {
        var losses = RefusalLosses([.port: 10])
        #expect(losses.update(counted: [.port: 15], told: [.port: 5]).isEmpty)
        #expect(
            losses.update(counted: [.port: 20], told: [.port: 6]) == [NetworkEvent(cause: .port, count: 4)])
        #expect(losses.update(counted: [.port: 20], told: [.port: 6]).isEmpty)
        // Told late what had been reported as lost: not a negative loss.
        #expect(losses.update(counted: [.port: 20], told: [.port: 9]).isEmpty)
        let another = losses.update(counted: [.connectionLimit: 3], told: [:])
        #expect(another == [NetworkEvent(cause: .connectionLimit, count: 3)])
    }

    @Test func countersAreReadFromWhatNftPrints() {
        let text = """
            {"nftables": [{"metainfo": {"version": "1.0.6"}}, {"counter": {"name": "refused_port", \
            "table": "sandwarden", "handle": 1, "packets": 7, "bytes": 420}}, {"counter": {"name": "other", \
            "packets": 3}}, {"counter": {"name": "refused_nonsense", "packets": 3}}]}
            """
        #expect(RefusalLosses.counters(Array(text.utf8)) == [.port: 7])
        #expect(RefusalLosses.counters(Array("{".utf8)) == nil)
        #expect(RefusalLosses.counters(Array("[]".utf8)) == nil)
    }

    @Test func protocolsHaveNames() {
        let names = [1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "132"]
        for (number, name) in names {
            #expect(NetworkEvent(cause: .port, transport: UInt8(number)).protocolName == name)
        }
        #expect(NetworkEvent(cause: .port).protocolName == "unknown")
        #expect(NetworkEvent(cause: .port).isLoss)
    }
}

@Suite(.enabled(if: canMakeNetworks, "needs root, ip and nft"), .timeLimit(.minutes(2)))
struct NetworkEventStreamTests {
    @Test func refusedDestinationsAreToldWithTheirCause() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        try #require(await controller.probe()["nflog"]?.isAvailable == true)
        let holder = try await Holder.make(lab.tools)
        let handle = try await controller.attach(try holder.attachment(.restricted, connections: 1))
        var events = controller.events(handle, holderPID: holder.pid).makeAsyncIterator()
        try await untilListening(controller, holder)
        let open = try holder.connection(to: NetworkLab.publicHost, 80)
        let attempts: [(String, UInt16, Refusal)] = [
            (NetworkLab.publicHost, 25, .port), (NetworkLab.metadata, 80, .blockedRange),
            (NetworkLab.otherPublicHost, 443, .connectionLimit),
        ]
        for (address, port, cause) in attempts {
            #expect(try holder.tryConnecting(to: address, port) == "refused")
            let event = await events.next()
            #expect(
                event
                    == NetworkEvent(cause: cause, address: InternetAddress(address), port: port, transport: 6)
            )
        }
        try await controller.detach(handle)
        #expect(await events.next() == nil)
        withExtendedLifetime(open) {}
    }

    @Test func floodIsToldAsCountsAndNothingIsMissing() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        try #require(await controller.probe()["nflog"]?.isAvailable == true)
        let holder = try await Holder.make(lab.tools)
        let handle = try await controller.attach(try holder.attachment(.restricted))
        let events = controller.events(handle, holderPID: holder.pid)
        try await untilListening(controller, holder)
        for _ in 0..<300 { _ = try holder.tryConnecting(to: NetworkLab.publicHost, 25) }
        // A refusal whose answer the kernel spared itself is asked for again: what counts are packets.
        let counted = try #require(await controller.counters(in: holder.namespace))
        let flood = Int(try #require(counted[.port]))
        #expect(flood >= 300)
        var sum = 0
        var told = 0
        var wasLoss = false
        for await event in events {
            #expect(event.cause == .port)
            told += 1
            sum += event.count
            wasLoss = wasLoss || event.isLoss
            if sum >= flood { break }
        }
        #expect(sum == flood)
        #expect(told < 20)
        #expect(wasLoss)
        try await controller.detach(handle)
    }

    @Test func sandboxWithoutInterfaceHasNoEvents() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let handle = try await controller.attach(try holder.attachment(.none))
        for await event in controller.events(handle, holderPID: holder.pid) { Issue.record("\(event)") }
        try await controller.detach(handle)
    }

    private func untilListening(_ controller: NetworkController, _ holder: Holder) async throws {
        for _ in 0..<500 where !controller.listeners.isWatched(holder.id) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(controller.listeners.isWatched(holder.id))
    }
}
