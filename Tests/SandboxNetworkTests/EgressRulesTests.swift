import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

@Suite struct EgressRulesTests {
    private func compile(
        _ mode: NetworkPolicy = .restricted, connections: Int = 10, openable: [String] = [],
        change: (inout NetworkRules) -> Void = { _ in }
    ) throws -> EgressRules {
        var rules = NetworkRules()
        change(&rules)
        return try EgressRules(
            policy: mode, rules: rules, maxConnections: connections,
            subnet: try #require(CIDR("10.213.0.0/16")), resolvers: [.v4(0x0AFF_FF35)],
            openablePrivate: openable.compactMap { CIDR($0) }, hostAddresses: [.v4(0xC000_0202)])
    }

    private func refusal(
        _ rules: EgressRules, _ address: String, _ port: UInt16? = 443, _ transport: UInt8 = 6
    ) throws
        -> Refusal?
    {
        rules.refusal(of: try #require(InternetAddress(address)), transport: transport, port: port)
    }

    @Test func restrictedByDefault() throws {
        let rules = try compile()
        let table: [(String, UInt16?, UInt8, Refusal?)] = [
            ("198.51.100.10", 443, 6, nil), ("203.0.113.1", 80, 17, nil), ("192.0.2.9", 443, 6, nil),
            ("198.51.100.10", 25, 6, .port), ("198.51.100.10", nil, 1, .port),
            ("198.51.100.10", 443, 132, .port),
            ("10.255.255.53", 53, 17, nil), ("10.255.255.53", 53, 6, nil),
            ("10.255.255.53", 443, 6, .blockedRange),
            ("192.0.2.2", 443, 6, .blockedRange), ("10.213.0.6", 443, 6, .blockedRange),
            ("0.0.0.0", 80, 6, .blockedRange), ("10.0.0.0", 80, 6, .blockedRange),
            ("10.255.255.255", 80, 6, .blockedRange), ("11.0.0.0", 80, 6, nil), ("9.255.255.255", 80, 6, nil),
            ("100.63.255.255", 80, 6, nil), ("100.64.0.0", 80, 6, .blockedRange),
            ("100.127.255.255", 80, 6, .blockedRange), ("100.128.0.0", 80, 6, nil),
            ("127.0.0.1", 80, 6, .blockedRange), ("169.254.169.254", 80, 6, .blockedRange),
            ("169.253.255.255", 80, 6, nil), ("172.15.255.255", 80, 6, nil),
            ("172.16.0.0", 80, 6, .blockedRange),
            ("172.31.255.255", 80, 6, .blockedRange), ("172.32.0.0", 80, 6, nil),
            ("192.168.0.1", 80, 6, .blockedRange), ("192.169.0.0", 80, 6, nil),
            ("223.255.255.255", 80, 6, nil),
            ("224.0.0.1", 80, 6, .blockedRange), ("255.255.255.255", 80, 6, .blockedRange),
            ("2001:db8::1", 443, 6, .other), ("::ffff:198.51.100.10", 443, 6, .other),
        ]
        for (address, port, transport, wanted) in table {
            #expect(try refusal(rules, address, port, transport) == wanted, "\(address) \(port ?? 0)")
        }
    }

    @Test func fullBlocksLocalAddressesAndBlockedOnes() throws {
        let rules = try compile(.full) { $0.blockedCIDRs = ["198.51.100.0/24"] }
        for address in ["169.254.169.254", "127.0.0.1", "0.0.0.0", "192.0.2.2", "10.213.4.4", "198.51.100.1"] {
            #expect(try refusal(rules, address) == .blockedRange, "\(address)")
        }
        for address in ["10.0.0.1", "192.168.1.1", "203.0.113.1"] {
            #expect(try refusal(rules, address, nil, 1) == nil, "\(address)")
        }
    }

    @Test func internalAndNoneHaveNoWayOut() throws {
        let rules = try compile(.internal)
        #expect(try refusal(rules, "10.213.9.9", 7000) == nil)
        #expect(try refusal(rules, "10.255.255.53", 53) == .other)
        #expect(try refusal(try compile(.none), "10.213.9.9") == .other)
    }

    @Test func privateBlocksOpenWherePolicyAndAdministratorAgree() throws {
        let wanted = ["10.1.0.0/16", "192.168.0.0/16", "169.254.0.0/16", "10.213.0.0/16"]
        let rules = try compile(openable: ["10.0.0.0/8", "192.168.7.0/24"]) { $0.allowedCIDRs = wanted }
        #expect(rules.opened.map(\.description) == ["10.1.0.0/16", "10.213.0.0/16", "192.168.7.0/24"])
        #expect(try refusal(rules, "10.1.2.3") == nil)
        #expect(try refusal(rules, "192.168.7.3") == nil)
        #expect(try refusal(rules, "192.168.8.3") == .blockedRange)
        #expect(try refusal(rules, "10.2.0.1") == .blockedRange)
        #expect(try refusal(rules, "169.254.169.254") == .blockedRange)
        // The pool is other sandboxes', whatever a policy opens.
        #expect(try refusal(rules, "10.213.0.6") == .blockedRange)
        #expect(try refusal(rules, "198.51.100.1") == .other)
    }

    @Test func blockedBeatsAllowed() throws {
        let rules = try compile(openable: ["10.0.0.0/8"]) {
            $0.allowedCIDRs = ["10.1.0.0/16", "198.51.100.0/24"]
            $0.blockedCIDRs = ["10.1.1.0/24", "198.51.100.7/32"]
        }
        #expect(try refusal(rules, "10.1.1.1") == .blockedRange)
        #expect(try refusal(rules, "10.1.2.1") == nil)
        #expect(try refusal(rules, "198.51.100.7") == .blockedRange)
        #expect(try refusal(rules, "198.51.100.8") == nil)
    }

    @Test func listsThatHoldNothingOfIPv4AllowNothing() throws {
        let v6 = try compile { $0.allowedCIDRs = ["2001:db8::/32"] }
        #expect(v6.allowed == [])
        #expect(try refusal(v6, "198.51.100.1") == .other)
        let names = try compile { $0.allowedDomains = ["example.org"] }
        #expect(try refusal(names, "198.51.100.1") == .other)
        let noPort = try compile { $0.allowedPorts = [] }
        #expect(try refusal(noPort, "198.51.100.1") == .port)
        #expect(try refusal(noPort, "10.255.255.53", 53) == nil)
    }

    @Test func whatIsNoBlockOrPortIsRefused() throws {
        for text in ["10.0.0.0/33", "10.0.0.1/8", "x", "10.0.0.0/8 } accept; {"] {
            let error = #expect(throws: NetworkError.self) { try compile { $0.blockedCIDRs = [text] } }
            #expect(error?.code == .invalid)
            #expect(throws: NetworkError.self) { try compile { $0.allowedCIDRs = [text] } }
        }
        for port in [0, -1, 65536, Int.max] {
            let error = #expect(throws: NetworkError.self) { try compile { $0.allowedPorts = [80, port] } }
            #expect(error?.code == .invalid)
        }
    }

    @Test func jsonIsReadBackAndCheckedAgain() throws {
        let all = [
            try compile(), try compile(.full), try compile(.internal), EgressRules(none: 3),
            try compile(openable: ["10.0.0.0/8"]) { $0.allowedCIDRs = ["10.1.0.0/16"] },
            try compile { $0.allowedPorts = [] },
        ]
        for rules in all {
            let read = EgressRules(json: try JSONParser.parse(rules.json.bytes).json)
            #expect(read == rules)
        }
        let good = try compile().json
        let bad: [(String, JSONValue)] = [
            ("mode", "open"), ("resolvers", ["10.0.0.0/8 }"]), ("never", "x"), ("ports", [0]),
            ("ports", [65536]),
            ("ports", ["80"]), ("allowed", ["2001:db8::/32"]), ("max_connections", -1),
            ("subnet", "10.0.0.1/8"),
        ]
        for (name, value) in bad {
            let members = (good.members ?? []).map { $0.key == name ? JSONMember(name, value) : $0 }
            #expect(EgressRules(json: .object(members)) == nil, "\(name)")
        }
        #expect(EgressRules(json: [:]) == nil)
    }
}
