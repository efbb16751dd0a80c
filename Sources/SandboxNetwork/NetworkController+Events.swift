internal import LinuxSystem
internal import Logging
internal import SandboxModel

extension NetworkController {
    /// What a sandbox tried and was refused, from now on; ends with ``detach(_:)``, or when nobody reads any
    /// more.
    ///
    /// The first packet to a destination is told at once, repetitions together after a second. The kernel
    /// tells at most ``NamespaceRuleset/logRate`` packets a second for each cause, and counts all: the
    /// difference comes as events without address, at most every two seconds. Where the kernel has no nflog,
    /// all events are such. One reader for each sandbox: a second call ends the first one's stream.
    package func events(_ handle: NetworkHandle, holderPID: Int32) -> AsyncStream<NetworkEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: NetworkEvent.self, bufferingPolicy: .bufferingOldest(RefusalListener.eventLimit))
        guard handle.interface != nil else {
            continuation.finish()
            return stream
        }
        let id = handle.sandboxID
        let listener = RefusalListener(id, continuation, measures)
        let listeners = self.listeners
        let token = listeners.start(listener)
        continuation.onTermination = { _ in listeners.stop(id, token: token) }
        let task = Task { await self.listen(listener, token: token, holderPID: holderPID) }
        if !listeners.attach(counters: task, token: token, id) { task.cancel() }
        return stream
    }

    /// Reads the counters as long as the listener lives, and tells what nflog has not.
    private func listen(_ listener: RefusalListener, token: UInt64, holderPID: Int32) async {
        let namespace: SharedDescriptor
        do throws(NetworkError) {
            namespace = try await tools.openNamespace(of: holderPID)
        } catch {
            logger.info("network: nothing to listen to", metadata: ["reason": "\(error)"])
            listeners.stop(listener.sandboxID, token: token)
            return
        }
        // Before the group is bound, so that no packet is in the counters alone.
        var losses = RefusalLosses(await counters(in: namespace) ?? [:])
        do throws(NetworkError) {
            let log = try await tools.openLog(in: namespace)
            do throws(SystemError) {
                try listeners.watch(log, listener, token: token)
            } catch {
                throw NetworkError(error, operation: "nflog")
            }
        } catch {
            logger.warning(
                "network: refused destinations are not told, only counted",
                metadata: ["sandbox": "\(listener.sandboxID)", "reason": "\(error)"])
        }
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(2))
            } catch {
                return
            }
            guard let counted = await counters(in: namespace) else { continue }
            // A packet is told before it is counted: once what was told is taken, the rest is lost for
            // certain.
            await listeners.drain(token: token)
            for event in losses.update(counted: counted, told: listener.told) { listener.tell(event) }
        }
    }

    /// Packets refused since the table was made, by cause; `nil` when it cannot be read, or is not there.
    func counters(in namespace: SharedDescriptor) async -> [Refusal: UInt64]? {
        do throws(NetworkError) {
            let arguments =
                ["-j", "list", "counters", "table"]
                + NamespaceRuleset.table.split(separator: " ").map(
                    String.init)
            let result = try await tools.run(tools.nft, arguments, in: .namespace(namespace), name: "nft")
            guard result.exit.isSuccess else { return nil }
            return RefusalLosses.counters(result.stdout)
        } catch {
            return nil
        }
    }
}

/// How many refused packets were counted but not told.
struct RefusalLosses: Sendable {
    private var base: [Refusal: UInt64]
    private var reported: [Refusal: UInt64] = [:]

    /// - Parameter counted: The counters before the first packet was told.
    init(_ counted: [Refusal: UInt64]) { base = counted }

    /// Compares the counters with what was told.
    ///
    /// Packets told since the counters were read make the loss look smaller until the next comparison: both
    /// numbers only grow, and what has been reported is not reported again.
    mutating func update(counted: [Refusal: UInt64], told: [Refusal: UInt64]) -> [NetworkEvent] {
        var events: [NetworkEvent] = []
        for cause in Refusal.allCases {
            let now = counted[cause] ?? 0
            // Counters begin anew when the table does.
            if now < base[cause] ?? 0 { base[cause] = 0 }
            let known = (told[cause] ?? 0) + (reported[cause] ?? 0) + (base[cause] ?? 0)
            guard now > known else { continue }
            reported[cause, default: 0] += now - known
            events.append(NetworkEvent(cause: cause, count: Int(clamping: now - known)))
        }
        return events
    }

    /// Reads the output of `nft -j list counters`; what is not a counter of ours is passed over.
    static func counters(_ bytes: [UInt8]) -> [Refusal: UInt64]? {
        let document: DocumentNode
        do throws(JSONSyntaxError) {
            document = try JSONParser.parse(bytes)
        } catch {
            return nil
        }
        guard let entries = document["nftables"]?.array else { return nil }
        var found: [Refusal: UInt64] = [:]
        for entry in entries {
            guard let counter = entry["counter"], let name = counter["name"]?.string,
                let packets = counter["packets"]?.integer, name.hasPrefix("refused_"),
                let cause = Refusal(rawValue: String(name.dropFirst("refused_".count)))
            else { continue }
            found[cause] = UInt64(clamping: packets)
        }
        return found
    }
}
