import LinuxSystem
import Testing

@testable import SandboxNetwork

@Suite struct CIDRTests {
    @Test(arguments: [
        ("0.0.0.0/0", "0.0.0.0/0"), ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"), ("2001:db8::/32", "2001:db8::/32"), ("::/0", "::/0"), ("::1", "::1"),
        ("2001:DB8:0:0::/64", "2001:db8::/64"), ("fe80::/10", "fe80::/10"), ("128.0.0.0/1", "128.0.0.0/1"),
    ])
    func acceptsAndPrintsAgain(_ text: String, _ canonical: String) throws {
        let block = try #require(CIDR(text))
        #expect(block.description == canonical)
        #expect(CIDR(canonical) == block)
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/008",
        "10.0.0.0/8/8", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.0/0x8", "10.0.0/8",
        "10/8",
        "010.0.0.0/8", "10.0.0.1/8", "0x0a000000", "167772160", "10.0.0.256", "10.0.0.0.0", "2001:db8::/129",
        "2001:db8::1/32", "fe80::1%eth0", "[::1]", "localhost", "10.0.0.0/8\n", "10.0.0.0/8; flush ruleset",
        "10.0.0.0\u{0}/8", "1０.0.0.0/8", "10.0.0.0/٨", "::ffff:10.0.0.0/100",
    ])
    func refusesOddSpellings(_ text: String) {
        #expect(CIDR(text) == nil)
    }

    @Test func everyPrefixLengthHoldsItsOwnAddressesAlone() throws {
        for length in 0...32 {
            let block = CIDR(around: .v4(0xC0A8_4D05), prefixLength: length)
            #expect(CIDR("\(block.base)/\(length)") == block)
            #expect(block.contains(.v4(0xC0A8_4D05)))
            guard length > 0 else { continue }
            // The last bit of the prefix is what tells it from its neighbour.
            #expect(!block.contains(.v4(0xC0A8_4D05 ^ (UInt32(1) << (32 - UInt32(length))))))
        }
        for length in 1...128 {
            let block = CIDR(around: .v6(~0, ~0), prefixLength: length)
            let flipped: InternetAddress =
                length <= 64
                ? .v6(~0 ^ (1 << (64 - UInt64(length))), ~0) : .v6(~0, ~0 ^ (1 << (128 - UInt64(length))))
            #expect(block.contains(.v6(~0, ~0)))
            #expect(!block.contains(flipped), "/\(length)")
            #expect(CIDR(block.description) == block)
        }
    }

    @Test func familiesNeverMix() throws {
        let v4 = try #require(CIDR("0.0.0.0/0"))
        let v6 = try #require(CIDR("::/0"))
        #expect(!v4.contains(.v6(0, 0)))
        #expect(!v6.contains(.v4(0)))
        #expect(!v4.overlaps(v6))
        #expect(v4.intersection(v6) == nil)
        #expect(v4 < v6)
    }

    @Test func blocksAreNestedOrDisjoint() throws {
        let wide = try #require(CIDR("10.0.0.0/8"))
        let narrow = try #require(CIDR("10.99.0.0/16"))
        let other = try #require(CIDR("172.16.0.0/12"))
        #expect(wide.intersection(narrow) == narrow)
        #expect(narrow.intersection(wide) == narrow)
        #expect(wide.intersection(other) == nil)
        #expect(wide.contains(narrow) && !narrow.contains(wide))
        let all = [narrow, other, wide, wide].withoutNested()
        #expect(all.map(\.description) == ["10.0.0.0/8", "172.16.0.0/12"])
    }
}
