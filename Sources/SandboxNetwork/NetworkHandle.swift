package import LinuxSystem
package import SandboxModel
package import SandboxPolicy

/// The network that one sandbox has: everything that is needed to check it, change it and take it away again.
///
/// It is written to the state file; the kernel holds the rest.
package struct NetworkHandle: Sendable, Hashable {
    package let sandboxID: SandboxID
    package let policyName: PolicyName
    /// The host's end of the sandbox's pair; `nil` for `none`.
    package let interface: String?
    /// The policy's bridge, for `internal`.
    package let bridge: String?
    /// The piece of the pool that the address lies in; `nil` for `none`.
    package let subnet: CIDR?
    /// The sandbox's address.
    package let address: InternetAddress?
    /// The host's address that the sandbox's packets leave by, for `restricted` and `full`.
    package let gateway: InternetAddress?
    /// The rules as they were set.
    package let rules: EgressRules
    /// The mark that open connections must carry: counts from 1, up by one each time all of them are cut.
    package let epoch: Int

    /// How much network it is.
    package var mode: NetworkPolicy { rules.mode }

    /// Name of the interface inside the sandbox.
    static let insideInterface = "eth0"

    /// Loopback alone.
    init(none attachment: NetworkAttachment) {
        self.init(
            attachment, interface: nil, bridge: nil, subnet: nil, address: nil, gateway: nil, epoch: 1,
            rules: EgressRules(none: max(0, attachment.maxConnections)))
    }

    init(
        _ attachment: NetworkAttachment, interface: String?, bridge: String?, subnet: CIDR?,
        address: InternetAddress?, gateway: InternetAddress?, epoch: Int, rules: EgressRules
    ) {
        sandboxID = attachment.sandboxID
        policyName = attachment.policyName
        self.interface = interface
        self.bridge = bridge
        self.subnet = subnet
        self.address = address
        self.gateway = gateway
        self.epoch = epoch
        self.rules = rules
    }

    /// The same place under other rules of the same mode, perhaps of another policy.
    func with(_ rules: EgressRules, _ attachment: NetworkAttachment) -> NetworkHandle {
        // Which of the open connections would be the ones too many, nobody can say: all are cut.
        let isFewer = rules.maxConnections < self.rules.maxConnections
        return NetworkHandle(
            attachment, interface: interface, bridge: bridge, subnet: subnet, address: address,
            gateway: gateway,
            epoch: isFewer ? epoch + 1 : epoch, rules: rules)
    }

    /// The host table's member, for a sandbox that leaves the host.
    var hostMember: HostMember? {
        guard rules.leavesHost, let interface, let address else { return nil }
        return HostMember(interface: interface, address: address, rules: rules)
    }
}

extension NetworkHandle {
    /// The handle as JSON that ``init(json:)`` reads back.
    package var json: JSONValue {
        [
            "sandbox_id": .string(sandboxID.rawValue), "policy": .string(policyName.rawValue),
            "interface": .optional(interface), "bridge": .optional(bridge),
            "subnet": .optional(subnet?.description), "address": .optional(address?.description),
            "gateway": .optional(gateway?.description), "epoch": .integer(Int64(epoch)),
            "rules": rules.json,
        ]
    }

    /// Reads what ``json`` wrote.
    ///
    /// Every part is checked again, as names and addresses go into scripts; a handle whose parts do not fit
    /// its mode is refused.
    /// - Returns: `nil` when something is missing, malformed or does not fit.
    package init?(json: JSONValue) {
        guard let sandboxID = json["sandbox_id"]?.string.flatMap(SandboxID.init(rawValue:)),
            let policyName = json["policy"]?.string.flatMap(PolicyName.init(rawValue:)),
            let rules = json["rules"].flatMap(EgressRules.init(json:)),
            let epoch = json["epoch"]?.integer.flatMap(Int.init(exactly:)),
            (1...Int(Int32.max)).contains(epoch)
        else { return nil }
        self.epoch = epoch
        self.sandboxID = sandboxID
        self.policyName = policyName
        self.rules = rules
        interface = json["interface"]?.string
        bridge = json["bridge"]?.string
        subnet = json["subnet"]?.string.flatMap { CIDR($0) }
        address = json["address"]?.string.flatMap { InternetAddress($0) }
        gateway = json["gateway"]?.string.flatMap { InternetAddress($0) }
        for name in [interface, bridge] {
            if let name, !NetworkHandle.isInterfaceName(name) { return nil }
        }
        let hasPlace =
            interface != nil && subnet?.isIPv4 == true && address.flatMap { subnet?.contains($0) } == true
        switch rules.mode {
        case .none: guard interface == nil, bridge == nil else { return nil }
        case .internal: guard hasPlace, bridge != nil, rules.subnet == subnet else { return nil }
        case .restricted, .full:
            guard hasPlace, bridge == nil, gateway.flatMap({ subnet?.contains($0) }) == true else {
                return nil
            }
        }
    }

    /// Names as ``NetworkNames`` makes them: 15 of `[a-z0-9]`, beginning with `sw`.
    private static func isInterfaceName(_ name: String) -> Bool {
        name.hasPrefix("sw") && name.utf8.count == 15
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) }
    }
}
