import Testing

@testable import SandboxPolicy

/// Blocks of addresses: what is one, how it is written, what it holds.
@Suite struct CIDRBlockTests {
    @Test(
        "Blocks are read and written in one form",
        arguments: [
            ("0.0.0.0/0", "0.0.0.0/0"), ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1/32", "192.0.2.1/32"),
            ("::/0", "::/0"), ("2001:DB8::/32", "2001:db8::/32"), ("::1/128", "::1/128"),
            ("fe80::/10", "fe80::/10"),
            ("1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/128"), ("1:0:0:2:0:0:0:3/128", "1:0:0:2::3/128"),
            ("::ffff:192.0.2.0/120", "::ffff:c000:200/120"), ("1::/16", "1::/16"),
            ("1:2:3:4:5:6:7::/112", "1:2:3:4:5:6:7:0/112"),
            ("::2:3:4:5:6:7:8/128", "0:2:3:4:5:6:7:8/128"),
        ])
    func read(text: String, expected: String) {
        #expect(CIDRBlock.parse(text).success?.description == expected)
    }

    @Test(
        "Anything else is no block",
        arguments: [
            "", "/", "10.0.0.0/", "/8", "10.0.0/8", "10.0.0.0.0/8", "10.0.0.256/32", "010.0.0.0/8",
            "10.0.0.0/33",
            "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", " 10.0.0.0/8", "1:2:3:4:5:6:7/128",
            "1:2:3:4:5:6:7:8:9/128",
            "1::2::3/128", ":::/0", "::/129", "fe80::1%eth0/64", "12345::/16", "g::/16",
            "1:2:3:4:5:6:7:8::/128",
            "::1.2.3/128", "1.2.3.4::/128", ":1::/16", "10.0.0.0/+8", "localhost/8",
        ])
    func malformed(text: String) {
        #expect(CIDRBlock.parse(text) == .failure(.malformed))
    }

    @Test("A bare address and set host bits say what was probably meant")
    func nearMisses() {
        guard case .failure(.missingPrefix(let one)) = CIDRBlock.parse("192.0.2.7") else {
            Issue.record("taken")
            return
        }
        #expect("\(one)" == "192.0.2.7/32")
        guard case .failure(.hostBits(let block)) = CIDRBlock.parse("192.0.2.7/25") else {
            Issue.record("taken")
            return
        }
        #expect("\(block)" == "192.0.2.0/25")
    }

    @Test("Blocks hold addresses and smaller blocks of their family")
    func holding() throws {
        let ten = try CIDRBlock.parse("10.0.0.0/8").get()
        #expect(ten.covers(try CIDRBlock.parse("10.1.0.0/16").get()))
        #expect(ten.covers(ten))
        #expect(!ten.covers(try CIDRBlock.parse("0.0.0.0/0").get()))
        #expect(!ten.covers(try CIDRBlock.parse("11.0.0.0/8").get()))
        #expect(!ten.covers(try CIDRBlock.parse("::/0").get()))
        #expect(ten.contains([10, 255, 0, 1]))
        #expect(!ten.contains([11, 0, 0, 0]))
        let odd = try CIDRBlock.parse("2001:db8:8000::/33").get()
        #expect(odd.contains([0x20, 0x01, 0x0D, 0xB8, 0xFF] + [UInt8](repeating: 0, count: 11)))
        #expect(!odd.contains([0x20, 0x01, 0x0D, 0xB8, 0x7F] + [UInt8](repeating: 0, count: 11)))
    }

    @Test(
        "Everything is covered by one block or by many",
        arguments: [
            (["0.0.0.0/0"], true), (["0.0.0.0/1", "128.0.0.0/1"], true),
            (["0.0.0.0/1", "128.0.0.0/2"], false),
            (["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/1"], true), ([], false), (["::/0"], false),
            (["0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.1.1.1/32"], true),
        ] as [([String], Bool)])
    func coverage(texts: [String], expected: Bool) {
        #expect(
            CIDRBlock.coversEverything(texts.compactMap { CIDRBlock.parse($0).success }, isIPv6: false)
                == expected)
    }
}
