package import LinuxSystem

/// A block of addresses: the text `192.168.0.0/16`, or one address, which is a block of one.
///
/// Only canonical spellings are taken, since what reads two ways is a hole in a rule: dotted decimal with
/// four parts and no leading zeros, RFC 4291 for IPv6, a prefix length in plain decimal, and no bit set
/// beyond it.
/// - SeeAlso: RFC 4632, section 3.1.
package struct CIDR: Sendable, Hashable, CustomStringConvertible {
    /// The first address; all bits beyond the prefix are zero.
    package let base: InternetAddress
    /// 0 to 32 for IPv4, 0 to 128 for IPv6.
    package let prefixLength: Int

    /// Reads a block.
    /// - Returns: `nil` for anything but the canonical spellings.
    package init?(_ text: String) {
        guard text.utf8.count <= 64 else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let address = InternetAddress(String(parts[0]) ?? "") else {
            return nil
        }
        guard parts.count == 2 else {
            self.init(address, prefixLength: CIDR.width(address))
            return
        }
        guard let length = CIDR.number(parts[1]) else { return nil }
        self.init(address, prefixLength: length)
    }

    /// A block of its parts.
    /// - Returns: `nil` when the length does not fit the family, or a bit beyond it is set.
    package init?(_ base: InternetAddress, prefixLength: Int) {
        guard (0...CIDR.width(base)).contains(prefixLength) else { return nil }
        let masked = CIDR.masked(base, prefixLength)
        guard masked == base else { return nil }
        self.base = base
        self.prefixLength = prefixLength
    }

    /// The block of that length around an address.
    /// - Parameter prefixLength: Brought into the family's range.
    package init(around address: InternetAddress, prefixLength: Int) {
        let length = min(max(prefixLength, 0), CIDR.width(address))
        base = CIDR.masked(address, length)
        self.prefixLength = length
    }

    /// Whether this is a block of IPv4 addresses.
    package var isIPv4: Bool { if case .v4 = base { true } else { false } }

    /// Whether an address lies within; always false across families.
    package func contains(_ address: InternetAddress) -> Bool {
        switch (base, address) {
        case (.v4, .v4), (.v6, .v6): CIDR.masked(address, prefixLength) == base
        default: false
        }
    }

    /// Whether every address of another block lies within.
    package func contains(_ other: CIDR) -> Bool {
        other.prefixLength >= prefixLength && contains(other.base)
    }

    /// Whether the two have an address in common. Blocks are nested or disjoint, never anything else.
    package func overlaps(_ other: CIDR) -> Bool { contains(other) || other.contains(self) }

    /// The addresses that both have: the smaller block, or none.
    package func intersection(_ other: CIDR) -> CIDR? {
        if contains(other) { return other }
        return other.contains(self) ? self : nil
    }

    /// Canonical text that ``init(_:)`` reads back; a block of one address is the address alone.
    package var description: String {
        prefixLength == CIDR.width(base) ? "\(base)" : "\(base)/\(prefixLength)"
    }

    private static func width(_ address: InternetAddress) -> Int {
        if case .v4 = address { 32 } else { 128 }
    }

    private static func masked(_ address: InternetAddress, _ length: Int) -> InternetAddress {
        switch address {
        case .v4(let value): .v4(value & mask(UInt32.self, length))
        case .v6(let high, let low):
            .v6(high & mask(UInt64.self, length), low & mask(UInt64.self, length - 64))
        }
    }

    /// `length` one bits from the top; the smart shift gives zero for the full width.
    private static func mask<Word: FixedWidthInteger>(_ type: Word.Type, _ length: Int) -> Word {
        guard length > 0 else { return 0 }
        return length >= Word.bitWidth ? ~0 : ~0 << (Word.bitWidth - length)
    }

    /// One to three decimal digits without a leading zero.
    private static func number(_ digits: Substring.UTF8View) -> Int? {
        guard (1...3).contains(digits.count) else { return nil }
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        var value = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }
}

extension CIDR: Comparable {
    /// By first address, the larger block first; IPv4 before IPv6.
    package static func < (left: CIDR, right: CIDR) -> Bool {
        let leftOctets = left.base.octets
        let rightOctets = right.base.octets
        if leftOctets.count != rightOctets.count { return leftOctets.count < rightOctets.count }
        if leftOctets == rightOctets { return left.prefixLength < right.prefixLength }
        return leftOctets.lexicographicallyPrecedes(rightOctets)
    }
}

extension Sequence where Element == CIDR {
    /// The same addresses in as few blocks as nesting allows, ordered.
    package func withoutNested() -> [CIDR] {
        var kept: [CIDR] = []
        // A block sorts before all that lie within it, and nothing else comes between.
        for block in sorted() {
            if let last = kept.last, last.contains(block) { continue }
            kept.append(block)
        }
        return kept
    }
}
