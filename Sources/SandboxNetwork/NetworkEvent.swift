package import LinuxSystem

/// Packets of a sandbox that were refused.
package struct NetworkEvent: Sendable, Hashable {
    package var cause: Refusal
    /// Where they were to go (for `internal`, where they came from, if they came in); `nil` when it is not
    /// known.
    package var address: InternetAddress?
    /// The port there, for protocols that have ports.
    package var port: UInt16?
    /// Number of the protocol above IP; `nil` when it is not known.
    package var transport: UInt8?
    /// Packets that this event stands for, at least 1.
    package var count: Int

    /// An event of the given parts.
    package init(
        cause: Refusal, address: InternetAddress? = nil, port: UInt16? = nil, transport: UInt8? = nil,
        count: Int = 1
    ) {
        self.cause = cause
        self.address = address
        self.port = port
        self.transport = transport
        self.count = count
    }

    /// Whether the destination is not known: the packets were counted by the kernel, but not told one by one.
    package var isLoss: Bool { address == nil }

    /// Name of the protocol: `tcp`, `udp`, `icmp`, or its number; `unknown` when it is not known.
    package var protocolName: String {
        switch transport {
        case 1: "icmp"
        case 6: "tcp"
        case 17: "udp"
        case 58: "ipv6-icmp"
        case let number?: "\(number)"
        case nil: "unknown"
        }
    }
}

/// Brings a flood of refused packets to few events: the first packet to a destination is told at once, more
/// to the same within the window are told together at its end.
struct RefusalWindow: Sendable {
    /// Destinations that are remembered in one window; packets to further ones are told without destination.
    static let destinationLimit = 256

    private var repeated: [NetworkEvent: Int] = [:]
    private var beyond: [Refusal: Int] = [:]

    /// Whether nothing waits for the window's end.
    var isEmpty: Bool { repeated.isEmpty && beyond.isEmpty }

    /// Takes one packet, as an event with the count 1.
    /// - Returns: What is to be told at once.
    mutating func add(_ packet: NetworkEvent) -> NetworkEvent? {
        if let count = repeated[packet] {
            repeated[packet] = count + 1
            return nil
        }
        guard repeated.count < RefusalWindow.destinationLimit else {
            beyond[packet.cause, default: 0] += 1
            return nil
        }
        repeated[packet] = 0
        return packet
    }

    /// Ends the window.
    /// - Returns: Repeated packets, by destination, and those beyond the bound, by cause.
    mutating func end() -> [NetworkEvent] {
        var events: [NetworkEvent] = []
        for (packet, count) in repeated where count > 0 {
            var event = packet
            event.count = count
            events.append(event)
        }
        events += beyond.map { NetworkEvent(cause: $0.key, count: $0.value) }
        repeated = [:]
        beyond = [:]
        return events
    }
}

extension NetworkEvent {
    /// Reads what nflog tells of one packet; `nil` when the message is not of our rules.
    init?(_ packet: LoggedPacket) {
        guard packet.prefix.hasPrefix(NamespaceRuleset.logPrefix) else { return nil }
        let name = String(packet.prefix.dropFirst(NamespaceRuleset.logPrefix.count))
        guard let cause = Refusal(rawValue: name) else { return nil }
        self.init(cause: cause)
        guard let head = packet.head else { return }
        // What was to come in has the other side at its source.
        let isIncoming = packet.outInterface == 0 && packet.inInterface != 0
        address = isIncoming ? head.source : head.destination
        port = isIncoming ? head.sourcePort : head.destinationPort
        transport = head.transport
    }
}
