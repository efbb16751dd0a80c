import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

@Suite struct RulesetTextTests {
    private func rules(_ mode: NetworkPolicy, connections: Int) throws -> EgressRules {
        try EgressRules(
            policy: mode, rules: NetworkRules(), maxConnections: connections,
            subnet: try #require(CIDR("10.213.0.0/16")), resolvers: [.v4(0x0AFF_FF35)], openablePrivate: [],
            hostAddresses: [])
    }

    @Test func limitIsInTheTextUnlessTheKernelCannotCount() throws {
        let counting = NamespaceRuleset(
            rules: try rules(.restricted, connections: 7), countsConnections: true, epoch: 1)
        #expect(counting.script().contains("admit ct state new ct count over 7 goto refuse_limit"))
        #expect(!counting.script(keepingCount: true).contains("ct count"))
        #expect(!counting.script(keepingCount: true).contains("flush chain inet sandwarden admit"))
        let blind = NamespaceRuleset(
            rules: try rules(.restricted, connections: 7), countsConnections: false, epoch: 1)
        #expect(!blind.script().contains("ct count"))
        #expect(blind.limitText.isEmpty)
        let zero = NamespaceRuleset(
            rules: try rules(.full, connections: 0), countsConnections: false, epoch: 3)
        #expect(zero.script().contains("admit ct state new goto refuse_limit"))
        #expect(zero.script().contains("names ct state new goto refuse_limit"))
        #expect(zero.script().contains("ct mark != 3 goto refuse_limit"))
    }

    @Test func hostTableGoesWithItsLastMember() throws {
        let names = NetworkNames(instanceID: "lab")
        let empty = HostRuleset(names: names, members: [], bridges: [])
        #expect(empty.isEmpty)
        #expect(empty.script == "add table inet sandwarden_lab\ndelete table inet sandwarden_lab\n")
    }

    @Test func equalRulesShareOneChainOnTheHost() throws {
        let names = NetworkNames(instanceID: "lab")
        let restricted = try rules(.restricted, connections: 1)
        let members = try (0..<50).map { index in
            HostMember(
                interface: names.prefix + "v" + hexDigits(UInt64(index), 8),
                address: .v4(0x0AD5_0002 + UInt32(index) * 4),
                rules: index == 0 ? try rules(.full, connections: 1) : restricted)
        }
        let script = HostRuleset(names: names, members: members, bridges: []).script
        #expect(script.split(separator: "\n").count { $0.hasPrefix("chain policy_") } == 2)
        #expect(HostRuleset(names: names, members: [members[1]], bridges: ["x"]).isEmpty == false)
    }

    @Test func listingsAreEqualWhateverTheOrderOfTheirElements() {
        func table(_ elements: String) -> String {
            "table inet t {\n\tset s {\n\t\ttype ifname . ipv4_addr\n\t\telements = { \(elements) }\n\t}\n}\n"
        }
        let first = table("\"a\" . 1.1.1.1,\n\t\t\t     \"b\" . 2.2.2.2")
        let second = table("\"b\" . 2.2.2.2, \"a\" . 1.1.1.1")
        let missing = table("\"b\" . 2.2.2.2")
        let wanted = RulesetListing.canonical(first)
        #expect(RulesetListing.difference(wanted: wanted, found: RulesetListing.canonical(second)) == nil)
        let difference = RulesetListing.difference(wanted: wanted, found: RulesetListing.canonical(missing))
        #expect(difference == "wanted `\"a\" . 1.1.1.1`, found `\"b\" . 2.2.2.2`")
        #expect(RulesetListing.difference(wanted: wanted, found: []) != nil)
        #expect(RulesetListing.canonical("elements = { a,\n b") == ["elements = { a, b"])
    }

    @Test func resolverFilesAreReadAsTheCLibraryDoes() {
        let text = """
            # nameserver 192.0.2.1
            search example.org
            nameserver 127.0.0.53
            nameserver\t192.0.2.53
            nameserver 192.0.2.53
            nameserver fd00::1
            nameserver
            nameserver none
            nameservers 192.0.2.9
            """
        let found = ResolverFile.nameservers(Array(text.utf8))
        #expect(found.map(\.description) == ["127.0.0.53", "192.0.2.53", "fd00::1"])
        #expect(ResolverFile.text([.v4(0x0102_0304)]) == "nameserver 1.2.3.4\n")
    }

    @Test func interfacesAreReadFromWhatIpPrints() throws {
        let text = """
            [{"ifname":"lo","flags":["LOOPBACK","UP"],"addr_info":[{"local":"127.0.0.1","prefixlen":8}]},{},
            {"ifname":"b","flags":[],"ifalias":"x","master":"m","addr_info":[{}]}]
            """
        let found = try ListedInterface.parse(Array(text.utf8))
        #expect(found.map(\.name) == ["lo", "b"])
        #expect(found[0].isUp && found[0].addressTexts == ["127.0.0.1/8"])
        #expect(!found[1].isUp && found[1].alias == "x" && found[1].bridge == "m")
        for bad in [
            "", "{}", "[{\"ifname\":1}]",
            "[{\"ifname\":\"a\",\"flags\":[],\"addr_info\":[{\"local\":\"z\"}]}]",
        ] {
            #expect(throws: NetworkError.self) { try ListedInterface.parse(Array(bad.utf8)) }
        }
        let routes = """
            [{"dst":"default","gateway":"192.0.2.1","dev":"eth0"},{"dst":"192.0.2.0/24","dev":"eth0"}]
            """
        #expect(
            try ListedInterface.parseRoutes(Array(routes.utf8)) == [
                "192.0.2.0/24 dev eth0", "default via 192.0.2.1 dev eth0",
            ])
        #expect(try ListedInterface.parseRoutes([]) == [])
    }
}
