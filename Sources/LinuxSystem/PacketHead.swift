/// Where a packet came from and goes to, read from its first bytes.
package struct PacketHead: Sendable, Hashable {
    package let source: InternetAddress
    package let destination: InternetAddress
    /// Protocol number above IP: 6 is TCP, 17 UDP, 1 ICMP, 58 ICMPv6.
    package let transport: UInt8
    /// `nil` for protocols without ports, later fragments and packets cut too short.
    package let sourcePort: UInt16?
    package let destinationPort: UInt16?

    /// Reads an IPv4 or IPv6 packet.
    /// - Returns: `nil` when the addresses are not all there, or it is neither.
    /// - SeeAlso: RFC 791 section 3.1; RFC 8200 sections 3 and 4.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> PacketHead? {
        switch (bytes.first ?? 0) >> 4 {
        case 4: parseV4(bytes)
        case 6: parseV6(bytes)
        default: nil
        }
    }

    private static func parseV4(_ bytes: ArraySlice<UInt8>) -> PacketHead? {
        guard bytes.count >= 20 else { return nil }
        let start = bytes.startIndex
        let length = Int(bytes[start] & 0x0f) * 4
        guard length >= 20, let fragment = bytes.network16(6),
            let source = InternetAddress(octets: bytes[(start + 12)..<(start + 16)]),
            let destination = InternetAddress(octets: bytes[(start + 16)..<(start + 20)])
        else { return nil }
        let isFirst = fragment & 0x1fff == 0
        return head(source, destination, bytes[start + 9], isFirst ? bytes.dropFirst(length) : [])
    }

    private static func parseV6(_ bytes: ArraySlice<UInt8>) -> PacketHead? {
        guard bytes.count >= 40 else { return nil }
        let start = bytes.startIndex
        guard let source = InternetAddress(octets: bytes[(start + 8)..<(start + 24)]),
            let destination = InternetAddress(octets: bytes[(start + 24)..<(start + 40)])
        else { return nil }
        var next = bytes[start + 6]
        var rest = bytes.dropFirst(40)
        var isFirst = true
        // Hop-by-hop, routing, fragment and destination options, each at most once or twice: bounded at
        // eight.
        for _ in 0..<8 where [0, 43, 44, 60].contains(next) {
            guard rest.count >= 8 else { return head(source, destination, next, []) }
            if next == 44, let offset = rest.network16(2), offset & 0xfff8 != 0 { isFirst = false }
            let length = next == 44 ? 8 : (Int(rest[rest.startIndex + 1]) + 1) * 8
            next = rest[rest.startIndex]
            rest = rest.dropFirst(length)
        }
        return head(source, destination, next, isFirst ? rest : [])
    }

    private static func head(
        _ source: InternetAddress, _ destination: InternetAddress, _ transport: UInt8,
        _ rest: ArraySlice<UInt8>
    ) -> PacketHead {
        // TCP, UDP, DCCP, SCTP, UDP-Lite begin with both ports.
        let hasPorts = [6, 17, 33, 132, 136].contains(transport)
        return PacketHead(
            source: source, destination: destination, transport: transport,
            sourcePort: hasPorts ? rest.network16(0) : nil,
            destinationPort: hasPorts ? rest.network16(2) : nil)
    }
}
