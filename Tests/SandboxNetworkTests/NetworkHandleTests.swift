import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

@Suite struct NetworkHandleTests {
    private func handle(_ mode: NetworkPolicy) throws -> NetworkHandle {
        let subnet = try #require(CIDR(mode == .internal ? "10.213.128.0/24" : "10.213.0.4/30"))
        let attachment = NetworkAttachment(
            sandboxID: try #require(SandboxID(rawValue: "sb-abcdefghij")),
            policyName: try #require(PolicyName(rawValue: "lab")), networkPolicy: mode, rules: NetworkRules(),
            maxConnections: 4, holderPID: 1)
        guard mode != .none else { return NetworkHandle(none: attachment) }
        let names = NetworkNames(instanceID: "lab")
        let rules = try EgressRules(
            policy: mode, rules: NetworkRules(), maxConnections: 4, subnet: subnet, resolvers: [],
            openablePrivate: [], hostAddresses: [])
        return NetworkHandle(
            attachment, interface: names.interface(attachment.sandboxID),
            bridge: mode == .internal ? names.bridge(attachment.policyName) : nil, subnet: subnet,
            address: AddressPlan.sandboxAddress(subnet),
            gateway: mode == .internal ? nil : AddressPlan.hostAddress(subnet), epoch: 1, rules: rules)
    }

    @Test(arguments: NetworkPolicy.allCases) func jsonIsReadBack(_ mode: NetworkPolicy) throws {
        let handle = try handle(mode)
        #expect(NetworkHandle(json: try JSONParser.parse(handle.json.bytes).json) == handle)
    }

    @Test(arguments: NetworkPolicy.allCases) func missingMembersAreNoticed(_ mode: NetworkPolicy) throws {
        let handle = try handle(mode)
        let members = handle.json.members ?? []
        for member in members where member.value != .null {
            let rest = members.filter { $0.key != member.key }
            #expect(NetworkHandle(json: .object(rest)) == nil, "\(member.key)")
        }
    }

    @Test func partsThatDoNotFitAreRefused() throws {
        let bad: [(NetworkPolicy, String, JSONValue)] = [
            (.full, "interface", "eth0"), (.full, "interface", "sw0000v0000000; x"),
            (.full, "bridge", "sw0000b00000000"),
            (.full, "address", "10.213.0.99"), (.full, "address", "x"), (.full, "gateway", "192.0.2.1"),
            (.full, "subnet", "10.213.0.5/30"), (.full, "epoch", 0), (.full, "sandbox_id", "x"),
            (.internal, "bridge", "docker0"), (.internal, "subnet", "10.213.129.0/24"),
            (.none, "interface", "sw0000v00000000"),
        ]
        for (mode, name, value) in bad {
            let members = (try handle(mode).json.members ?? []).map {
                $0.key == name ? JSONMember(name, value) : $0
            }
            #expect(NetworkHandle(json: .object(members)) == nil, "\(mode) \(name)")
        }
    }

    @Test func fewerConnectionsBeginANewEpoch() throws {
        let first = try handle(.full)
        var attachment = NetworkAttachment(
            sandboxID: first.sandboxID, policyName: first.policyName, networkPolicy: .full,
            rules: NetworkRules(),
            maxConnections: 4, holderPID: 1)
        var rules = first.rules
        #expect(first.with(rules, attachment).epoch == 1)
        rules.maxConnections = 9
        #expect(first.with(rules, attachment).epoch == 1)
        rules.maxConnections = 3
        attachment.maxConnections = 3
        #expect(first.with(rules, attachment).epoch == 2)
    }
}

@Suite struct NetworkNamesTests {
    @Test func namesFitTheKernelAndTellOwnersApart() throws {
        let id = try #require(SandboxID(rawValue: "sb-abcdefghij"))
        let policy = try #require(PolicyName(rawValue: String(repeating: "p", count: 63)))
        for instance in ["a", "lab", "5f2c1e0a-0000-4000-8000-000000000000", "x y\n; drop", ""] {
            let names = NetworkNames(instanceID: instance)
            for name in [names.interface(id), names.bridge(policy)] {
                #expect(name.utf8.count == 15)
                #expect(names.isOurs(interface: name))
            }
            #expect(names.isBridge(names.bridge(policy)) && !names.isBridge(names.interface(id)))
            #expect(
                names.table.utf8.allSatisfy {
                    $0 == 0x5F || (0x30...0x39).contains($0) || (0x61...0x7A).contains($0)
                })
            #expect(!names.alias("x").contains(" "))
        }
        let lab = NetworkNames(instanceID: "lab")
        #expect(lab.table == "sandwarden_lab")
        #expect(NetworkNames(instanceID: "other").interface(id) != lab.interface(id))
        for foreign in [
            "eth0", "docker0", "swap0", lab.prefix, lab.interface(id) + "0", lab.prefix + "x00000000",
        ] {
            #expect(!lab.isOurs(interface: foreign), "\(foreign)")
        }
    }

    @Test func hashIsTheSameInEveryRun() {
        // The published test vectors of FNV-1a, 64 bits.
        #expect(stableHash("".utf8) == 0xcbf2_9ce4_8422_2325)
        #expect(stableHash("a".utf8) == 0xaf63_dc4c_8601_ec8c)
        #expect(stableHash("foobar".utf8) == 0x8594_4171_f739_67e8)
        #expect(hexDigits(0x1234_abcd, 4) == "abcd")
    }
}
