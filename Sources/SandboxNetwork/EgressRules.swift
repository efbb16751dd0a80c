package import LinuxSystem
package import SandboxModel
package import SandboxPolicy

/// Why a packet of a sandbox was refused.
package enum Refusal: String, Sendable, Hashable, CaseIterable {
    /// A private, host, loopback or metadata address, or a block of the policy's `blocked_cidrs`.
    case blockedRange = "blocked_range"
    /// An address that may be reached, on a port or by a protocol that may not.
    case port
    /// One connection, or one name request a second, too many.
    case connectionLimit = "limit"
    /// Not among `allowed_cidrs`, outside the policy's network, or IPv6.
    case other
}

/// A policy's network rules and the administrator's, brought to addresses and ports; the order is that of
/// judging.
///
/// IPv4 only: IPv6 is refused as a whole, so IPv6 blocks of a policy have nothing to say and are left out.
package struct EgressRules: Sendable, Hashable {
    package var mode: NetworkPolicy
    /// The policy's own network; only for `internal`.
    package var subnet: CIDR?
    /// Reached on port 53 whatever else is said, except where `maxConnections` is 0.
    package var resolvers: [CIDR] = []
    /// Never reached, whatever a policy says: loopback, metadata, other sandboxes, the host.
    package var never: [CIDR] = []
    /// The policy's `blocked_cidrs`.
    package var denied: [CIDR] = []
    /// Private blocks, closed but for ``opened``.
    package var closed: [CIDR] = []
    /// What both the policy and the administrator open of ``closed``.
    package var opened: [CIDR] = []
    /// `nil`: every address that is left.
    package var allowed: [CIDR]?
    /// `nil`: every port and protocol.
    package var ports: [UInt16]?
    package var maxConnections: Int

    /// Blocks that no sandbox with `restricted` reaches and no policy opens: "this network", loopback,
    /// link-local with the metadata service, multicast, reserved. RFC 6890.
    static let unopenable = blocks([
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4",
    ])
    /// Blocks that the administrator may make openable: private use and carrier-grade translation. RFC 1918,
    /// 6598.
    static let privateBlocks = blocks(["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"])
    /// What `full` does not reach either.
    static let hostLocal = blocks(["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16"])

    private static func blocks(_ texts: [String]) -> [CIDR] { texts.compactMap { CIDR($0) } }

    /// Rules that reach nothing.
    init(none maxConnections: Int) {
        mode = .none
        self.maxConnections = maxConnections
    }

    /// Compiles the rules of one sandbox.
    /// - Parameters:
    ///   - subnet: The policy's network for `internal`, the pool that all sandboxes' addresses come from
    ///     else.
    ///   - hostAddresses: Addresses that are the host's own.
    /// - Throws: `invalid` naming the first text that is no block, address or port.
    package init(
        policy: NetworkPolicy, rules: NetworkRules, maxConnections: Int, subnet: CIDR,
        resolvers: [InternetAddress], openablePrivate: [CIDR], hostAddresses: [InternetAddress]
    ) throws(NetworkError) {
        self.init(none: max(0, maxConnections))
        mode = policy
        switch policy {
        case .none: return
        case .internal:
            self.subnet = subnet
            return
        case .restricted, .full: break
        }
        self.resolvers = EgressRules.single(resolvers)
        never = EgressRules.single(hostAddresses) + [subnet]
        never += policy == .full ? EgressRules.hostLocal : EgressRules.unopenable
        never = never.withoutNested()
        denied = try EgressRules.parsed(rules.blockedCIDRs, field: "blocked_cidrs")
        guard policy == .restricted else { return }
        let wanted = try EgressRules.parsed(rules.allowedCIDRs, field: "allowed_cidrs")
        closed = EgressRules.privateBlocks
        opened = wanted.flatMap { block in openablePrivate.compactMap { block.intersection($0) } }
            .withoutNested()
        // A list that holds IPv6 alone, or names alone, is not an empty list: it allows no IPv4 address by
        // itself.
        allowed = rules.allowedCIDRs.isEmpty && rules.allowedDomains.isEmpty ? nil : wanted
        ports = try EgressRules.ports(rules.allowedPorts)
    }

    private static func single(_ addresses: [InternetAddress]) -> [CIDR] {
        addresses.map { CIDR(around: $0, prefixLength: 32) }.filter(\.isIPv4).withoutNested()
    }

    /// The IPv4 blocks among texts that must all be blocks.
    static func parsed(_ texts: [String], field: String) throws(NetworkError) -> [CIDR] {
        var blocks: [CIDR] = []
        for text in texts {
            guard let block = CIDR(text) else {
                throw NetworkError(
                    .invalid, operation: field, detail: "\(text) is no block such as 192.0.2.0/24")
            }
            if block.isIPv4 { blocks.append(block) }
        }
        return blocks.withoutNested()
    }

    private static func ports(_ numbers: [Int]) throws(NetworkError) -> [UInt16] {
        var ports: Set<UInt16> = []
        for number in numbers {
            guard let port = UInt16(exactly: number), port > 0 else {
                throw NetworkError(.invalid, operation: "allowed_ports", detail: "\(number) is no port")
            }
            ports.insert(port)
        }
        return ports.sorted()
    }
}

// The rules as nftables text. What stands in it are numbers and addresses that were parsed, and our own
// words.
extension EgressRules {
    /// Which end of a packet is the other side.
    enum Side: Sendable {
        /// Packets that the sandbox sends.
        case outgoing
        /// Packets that it gets.
        case incoming

        var address: String { self == .outgoing ? "ip daddr" : "ip saddr" }
        var port: String { self == .outgoing ? "th dport" : "th sport" }
    }

    /// Rules in the order of judging, without the chain; the last one decides for all that is left.
    /// - Parameters:
    ///   - names: Verdict for requests to a resolver.
    ///   - admit: Verdict for what may pass.
    ///   - refuse: Verdict for what may not.
    func lines(_ side: Side, names: String, admit: String, refuse: (Refusal) -> String) -> [String] {
        let address = side.address
        var lines: [String] = []
        func refuseWithin(_ blocks: [CIDR]) {
            guard !blocks.isEmpty else { return }
            lines.append("\(address) \(EgressRules.set(blocks)) \(refuse(.blockedRange))")
        }
        switch mode {
        case .none:
            return [refuse(.other)]
        case .internal:
            if let subnet { lines.append("\(address) \(subnet) \(admit)") }
            return lines + [refuse(.other)]
        case .restricted, .full: break
        }
        if !resolvers.isEmpty {
            lines.append(
                "\(address) \(EgressRules.set(resolvers)) meta l4proto { tcp, udp } \(side.port) 53 \(names)")
        }
        refuseWithin(never)
        refuseWithin(denied)
        if opened.isEmpty {
            refuseWithin(closed)
        } else if !closed.isEmpty {
            let (shut, open) = (EgressRules.set(closed), EgressRules.set(opened))
            lines.append("\(address) \(shut) \(address) != \(open) \(refuse(.blockedRange))")
        }
        if let allowed {
            guard !allowed.isEmpty else { return lines + [refuse(.other)] }
            lines.append("\(address) != \(EgressRules.set(allowed)) \(refuse(.other))")
        }
        guard let ports else { return lines + [admit] }
        if !ports.isEmpty {
            let list = ports.map(String.init).joined(separator: ", ")
            lines.append("meta l4proto { tcp, udp } \(side.port) { \(list) } \(admit)")
        }
        return lines + [refuse(.port)]
    }

    private static func set(_ blocks: [CIDR]) -> String {
        "{ " + blocks.map(\.description).joined(separator: ", ") + " }"
    }

    /// What the rules say of something that the sandbox would begin; `nil` is let pass. Limits are left out.
    ///
    /// The same order as ``lines(_:names:admit:refuse:)``; the kernel decides, this explains.
    /// - Parameter transport: The protocol's number above IP: 6 is TCP, 17 UDP.
    package func refusal(of address: InternetAddress, transport: UInt8, port: UInt16?) -> Refusal? {
        guard case .v4 = address else { return .other }
        func isWithin(_ blocks: [CIDR]) -> Bool { blocks.contains { $0.contains(address) } }
        switch mode {
        case .none: return .other
        case .internal: return subnet?.contains(address) == true ? nil : .other
        case .restricted, .full: break
        }
        let hasPort = transport == 6 || transport == 17
        if hasPort, port == 53, isWithin(resolvers) { return nil }
        if isWithin(never) || isWithin(denied) { return .blockedRange }
        if isWithin(closed), !isWithin(opened) { return .blockedRange }
        if let allowed, !isWithin(allowed) { return .other }
        guard let ports else { return nil }
        guard hasPort, let port, ports.contains(port) else { return .port }
        return nil
    }

    /// Whether this reaches past the host, by way of its address translation.
    var leavesHost: Bool { mode == .restricted || mode == .full }
}

// The rules in the state file.
extension EgressRules {
    /// The rules as JSON that ``init(json:)`` reads back.
    package var json: JSONValue {
        func texts(_ blocks: [CIDR]) -> JSONValue { .strings(blocks.map(\.description)) }
        return [
            "mode": .string(mode.rawValue), "subnet": .optional(subnet?.description),
            "resolvers": texts(resolvers), "never": texts(never), "denied": texts(denied),
            "closed": texts(closed), "opened": texts(opened), "allowed": allowed.map(texts) ?? .null,
            "ports": ports.map { .array($0.map { .integer(Int64($0)) }) } ?? .null,
            "max_connections": .integer(Int64(maxConnections)),
        ]
    }

    /// Reads what ``json`` wrote, and checks every part again: it will stand in a script.
    package init?(json: JSONValue) {
        func blocks(_ name: String) -> [CIDR]? {
            guard let values = json[name]?.array else { return nil }
            let blocks = values.compactMap { $0.string.flatMap { CIDR($0) } }
            return blocks.count == values.count && blocks.allSatisfy(\.isIPv4) ? blocks : nil
        }
        guard let mode = json["mode"]?.string.flatMap(NetworkPolicy.init(rawValue:)),
            let limit = json["max_connections"]?.integer.flatMap(Int.init(exactly:)), limit >= 0,
            let resolvers = blocks("resolvers"), let never = blocks("never"), let denied = blocks("denied"),
            let closed = blocks("closed"), let opened = blocks("opened")
        else { return nil }
        self.init(none: limit)
        self.mode = mode
        (self.resolvers, self.never, self.denied) = (resolvers, never, denied)
        (self.closed, self.opened) = (closed, opened)
        switch json["subnet"] {
        case .null?: break
        case .string(let text)?:
            guard let block = CIDR(text), block.isIPv4 else { return nil }
            subnet = block
        default: return nil
        }
        switch json["allowed"] {
        case .null?: break
        default:
            guard let blocks = blocks("allowed") else { return nil }
            allowed = blocks
        }
        switch json["ports"] {
        case .null?: break
        case .array(let values)?:
            let numbers = values.compactMap { $0.integer.flatMap(UInt16.init(exactly:)) }
            guard numbers.count == values.count, !numbers.contains(0) else { return nil }
            ports = numbers
        default: return nil
        }
    }
}
