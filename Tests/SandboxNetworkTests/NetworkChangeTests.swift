import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

@Suite(.enabled(if: canMakeNetworks, "needs root, ip and nft"), .timeLimit(.minutes(2)))
struct NetworkChangeTests {
    /// Whether bytes still pass over an open connection, both ways: `yes`, or what ended it.
    private func passes(_ near: SharedDescriptor, _ far: SharedDescriptor) throws -> String {
        let bytes: [UInt8] = [1]
        do throws(SystemError) {
            for (from, to) in [(near, far), (far, near)] {
                guard case .bytes = try from.descriptor.send(bytes.span) else { return "full" }
                let limit = MonotonicInstant.now().advanced(by: .milliseconds(1500))
                guard try to.descriptor.waitReadable(until: limit) else { return "silence" }
                var buffer: [UInt8] = [0]
                guard case .bytes = try to.descriptor.receive(into: &buffer, from: 0) else { return "ended" }
            }
            return "yes"
        } catch {
            return error.errno == 32 || error.errno == 103 || error.errno == 104 ? "ended" : error.description
        }
    }

    @Test func tighteningCutsWhatIsOpenAndKeepsWhatIsAllowed() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let first = try await controller.attach(try holder.attachment(.restricted))
        let near80 = try holder.connection(to: NetworkLab.publicHost, 80)
        let far80 = try lab.accept(80)
        let near443 = try holder.connection(to: NetworkLab.publicHost, 443)
        let far443 = try lab.accept(443)
        #expect(try passes(near80, far80) == "yes")
        let tighter = try holder.attachment(.restricted) { $0.allowedPorts = [443] }
        let second = try await controller.update(first, tighter)
        #expect(try passes(near80, far80) != "yes")
        #expect(try passes(near443, far443) == "yes")
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "refused")
        #expect(AppliedControl.outcome("network", in: await controller.verify(second, tighter)) == "enforced")
        let old = await controller.verify(second, try holder.attachment(.restricted))
        #expect(AppliedControl.outcome("network", in: old).hasPrefix("degraded"))

        // Fewer connections: nobody can say which are too many.
        let fewer = try holder.attachment(.restricted, connections: 2) { $0.allowedPorts = [443] }
        let third = try await controller.update(second, fewer)
        #expect(third.epoch == 2)
        #expect(try passes(near443, far443) != "yes")
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 443) == "open")
        #expect(
            AppliedControl.outcome("connections", in: await controller.verify(third, fewer)) == "enforced")
        try await controller.detach(third)
    }

    @Test func updateChangesTheKindOfNetwork() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        var handle = try await controller.attach(try holder.attachment(.full))
        for mode in [NetworkPolicy.restricted, .internal, .none, .restricted, .none, .internal, .full] {
            let attachment = try holder.attachment(mode)
            handle = try await controller.update(handle, attachment)
            #expect(handle.mode == mode)
            #expect(
                AppliedControl.outcome("network", in: await controller.verify(handle, attachment))
                    == "enforced")
            let leavesHost = mode == .restricted || mode == .full
            #expect((try holder.tryConnecting(to: NetworkLab.publicHost, 80) == "open") == leavesHost)
        }
        try await controller.detach(handle)
        #expect(try await lab.hostState() == before)
    }

    @Test func isolationCutsEstablishedFlowsForGood() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        let attachment = try holder.attachment(.full)
        let handle = try await controller.attach(attachment)
        let near = try holder.connection(to: NetworkLab.publicHost, 80)
        let far = try lab.accept(80)
        #expect(try passes(near, far) == "yes")
        try await controller.isolate(handle, holderPID: holder.pid)
        try await controller.isolate(handle, holderPID: holder.pid)
        #expect(try passes(near, far) != "yes")
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80, within: .milliseconds(500)) != "open")
        let controls = await controller.verify(handle, attachment)
        #expect(AppliedControl.outcome("network", in: controls) == "enforced")
        #expect(controls.first { $0.control == "network" }?.found == "isolated")
        await #expect(throws: NetworkError.self) { try await controller.update(handle, attachment) }

        // A new daemon finds it cut, and leaves it so.
        let successor = try lab.controller()
        #expect(await successor.reconcile(known: [handle]) == [])
        #expect(try holder.tryConnecting(to: NetworkLab.publicHost, 80, within: .milliseconds(500)) != "open")
        try await successor.detach(handle)
        #expect(try await lab.hostState() == before)
    }

    @Test func reconcileTakesUpWhatIsKnownAndRemovesTheRest() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let dead = try lab.controller()
        let other = try lab.controller(instance: "other")
        var holders: [Holder] = []
        for _ in 0..<4 { holders.append(try await Holder.make(lab.tools)) }
        let kept = try await dead.attach(try holders[0].attachment(.restricted))
        let lost = try await dead.attach(try holders[1].attachment(.restricted))
        let peer = try await dead.attach(try holders[2].attachment(.internal, policy: "gone"))
        let foreign = try await other.attach(try holders[3].attachment(.restricted))

        let stored = try JSONParser.parse(kept.json.bytes).json
        let read = try #require(NetworkHandle(json: stored))
        #expect(read == kept)
        let successor = try lab.controller()
        let report = await successor.reconcile(known: [read])
        #expect(report.count == 3, "\(report)")
        for name in [lost.interface, peer.interface, peer.bridge] {
            #expect(report.contains { $0.contains(name ?? "?") })
        }
        #expect(try holders[0].tryConnecting(to: NetworkLab.publicHost, 80) == "open")
        #expect(try holders[1].tryConnecting(to: NetworkLab.publicHost, 80) != "open")
        #expect(try holders[3].tryConnecting(to: NetworkLab.publicHost, 80) == "open")
        let attachment = try holders[0].attachment(.restricted)
        #expect(AppliedControl.outcome("network", in: await successor.verify(read, attachment)) == "enforced")
        try await successor.detach(read)
        try await other.detach(foreign)
        #expect(try await lab.hostState() == before)
    }

    @Test func failedAttachmentLeavesNothing() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controller = try lab.controller()
        let holder = try await Holder.make(lab.tools)
        // The name is taken inside, so that the step after the host's table fails.
        try await lab.tools.ip(["link add eth0 type bridge"], in: .namespace(holder.namespace))
        let error = await #expect(throws: NetworkError.self) {
            try await controller.attach(try holder.attachment(.restricted))
        }
        #expect(error?.code == .conflict)
        #expect(try await lab.hostState() == before)
        let gone = try holder.attachment(.restricted)
        var nobody = gone
        nobody.holderPID = Int32.max
        let second = await #expect(throws: NetworkError.self) { try await controller.attach(nobody) }
        #expect(second?.code == .gone)
    }

    @Test func holderInTheHostsNamespaceIsRefused() async throws {
        let lab = try await NetworkLab.make()
        let controller = try lab.controller()
        let process = try await ChildProcess.spawn(
            ChildCommand("/bin/sleep", ["600"], networkNamespace: lab.host))
        defer { process.kill(9) }
        let holder = try await Holder.make(lab.tools)
        var attachment = try holder.attachment(.full)
        attachment.holderPID = process.pid
        let error = await #expect(throws: NetworkError.self) { try await controller.attach(attachment) }
        #expect(error?.code == .conflict)
    }

    @Test func manyAtOnceLeaveNothing() async throws {
        let lab = try await NetworkLab.make()
        let before = try await lab.hostState()
        let controller = try lab.controller()
        var holders: [Holder] = []
        for _ in 0..<12 { holders.append(try await Holder.make(lab.tools)) }
        try await withThrowingTaskGroup(of: NetworkHandle.self) { group in
            for (index, holder) in holders.enumerated() {
                let mode: NetworkPolicy = [.restricted, .internal, .full][index % 3]
                let attachment = try holder.attachment(mode, policy: "team-\(index % 2)")
                group.addTask {
                    let handle = try await controller.attach(attachment)
                    let controls = await controller.verify(handle, attachment)
                    #expect(AppliedControl.outcome("network", in: controls) == "enforced")
                    return handle
                }
            }
            var handles: [NetworkHandle] = []
            for try await handle in group { handles.append(handle) }
            #expect(Set(handles.compactMap(\.address)).count == 12)
            try await withThrowingTaskGroup(of: Void.self) { removal in
                for handle in handles { removal.addTask { try await controller.detach(handle) } }
                try await removal.waitForAll()
            }
        }
        #expect(try await lab.hostState() == before)
    }
}
