/// A block of IPv4 or IPv6 addresses: the address's leading bits and how many of them count.
package struct CIDRBlock: Sendable, Hashable, CustomStringConvertible {
    /// The network address in network byte order: 4 bytes for IPv4, 16 for IPv6; bits beyond the prefix are
    /// 0.
    package let network: [UInt8]
    /// How many leading bits name the block: 0 to 32, or 0 to 128.
    package let prefixLength: Int

    /// Why a text names no block.
    package enum Refusal: Error, Sendable, Hashable {
        /// It is no address with a prefix length.
        case malformed
        /// It is a bare address; the block of just that address is given.
        case missingPrefix(CIDRBlock)
        /// Bits beyond the prefix are set; the block that contains the address is given.
        case hostBits(CIDRBlock)
    }

    private init(network: [UInt8], prefixLength: Int) {
        self.network = network
        self.prefixLength = prefixLength
    }

    /// Reads `10.0.0.0/8` or `2001:db8::/32`: dotted decimal without leading zeros, or RFC 4291 text, and the
    /// prefix length in decimal. IPv6 zones are refused.
    package static func parse(_ text: String) -> Result<CIDRBlock, Refusal> {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, let address = address(Array(first)) else {
            return .failure(.malformed)
        }
        guard parts.count == 2 else {
            return .failure(.missingPrefix(CIDRBlock(network: address, prefixLength: address.count * 8)))
        }
        let digits = Array(parts[1])
        guard let length = decimal(digits, atMost: address.count * 8) else { return .failure(.malformed) }
        var network = address
        for index in network.indices {
            let kept = min(8, max(0, length - index * 8))
            network[index] &= UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
        let block = CIDRBlock(network: network, prefixLength: length)
        return network == address ? .success(block) : .failure(.hostBits(block))
    }

    /// Whether this is a block of IPv6 addresses.
    package var isIPv6: Bool { network.count == 16 }

    /// Whether every address of the other block is in this one.
    package func covers(_ other: CIDRBlock) -> Bool {
        guard network.count == other.network.count, prefixLength <= other.prefixLength else { return false }
        return contains(other.network)
    }

    /// Whether an address in network byte order is in the block.
    package func contains(_ address: [UInt8]) -> Bool {
        guard address.count == network.count else { return false }
        for index in network.indices {
            let kept = min(8, max(0, prefixLength - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> kept)
            guard address[index] & mask == network[index] else { return false }
        }
        return true
    }

    /// Whether the blocks together hold every address of their family.
    package static func coversEverything(_ blocks: [CIDRBlock], isIPv6: Bool) -> Bool {
        var pending = [CIDRBlock(network: [UInt8](repeating: 0, count: isIPv6 ? 16 : 4), prefixLength: 0)]
        let candidates = blocks.filter { $0.isIPv6 == isIPv6 }
        // Halves a block until one of the candidates holds it whole; a half that no candidate touches is a
        // gap.
        while let block = pending.popLast() {
            if candidates.contains(where: { $0.covers(block) }) { continue }
            guard candidates.contains(where: { block.covers($0) }) else { return false }
            var upper = block.network
            upper[block.prefixLength / 8] |= 0x80 >> UInt8(block.prefixLength % 8)
            pending.append(CIDRBlock(network: block.network, prefixLength: block.prefixLength + 1))
            pending.append(CIDRBlock(network: upper, prefixLength: block.prefixLength + 1))
        }
        return true
    }

    package var description: String {
        guard isIPv6 else { return network.map(String.init).joined(separator: ".") + "/\(prefixLength)" }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(network[$0]) << 8 | UInt16(network[$0 + 1]) }
        return CIDRBlock.text(groups) + "/\(prefixLength)"
    }

    // RFC 5952: the longest run of at least two zero groups, the first of equals, becomes `::`.
    private static func text(_ groups: [UInt16]) -> String {
        var best = (start: 0, count: 0)
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start > best.count { best = (start, end - start) }
            start = max(end, start + 1)
        }
        func joined(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard best.count >= 2 else { return joined(groups[...]) }
        return joined(groups[..<best.start]) + "::" + joined(groups[(best.start + best.count)...])
    }

    private static func decimal(_ digits: [UInt8], atMost limit: Int) -> Int? {
        guard (1...3).contains(digits.count),
            digits.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        guard digits.count == 1 || digits[0] != UInt8(ascii: "0") else { return nil }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        return value <= limit ? value : nil
    }

    private static func address(_ text: [UInt8]) -> [UInt8]? {
        text.contains(UInt8(ascii: ":")) ? ipv6(text) : ipv4(text)
    }

    private static func ipv4(_ text: [UInt8]) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard let value = decimal(Array(part), atMost: 255) else { return nil }
            bytes.append(UInt8(truncatingIfNeeded: value))
        }
        return bytes
    }

    private static func ipv6(_ text: [UInt8]) -> [UInt8]? {
        guard text.count <= 45 else { return nil }
        var parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        // A double colon at an end leaves two empty parts there; one of them is enough to mark it.
        if text.starts(with: "::".utf8) { parts.removeFirst() }
        if text.count > 2, text.suffix(2).elementsEqual("::".utf8) { parts.removeLast() }
        if text.elementsEqual("::".utf8) { return [UInt8](repeating: 0, count: 16) }
        var head: [UInt8] = []
        var tail: [UInt8]?
        for (index, part) in parts.enumerated() {
            if part.isEmpty {
                guard tail == nil else { return nil }
                tail = []
                continue
            }
            guard let bytes = group(Array(part), isLast: index == parts.count - 1) else { return nil }
            if tail == nil { head += bytes } else { tail? += bytes }
        }
        guard let tail else { return head.count == 16 ? head : nil }
        guard head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func group(_ text: [UInt8], isLast: Bool) -> [UInt8]? {
        if isLast, text.contains(UInt8(ascii: ".")) { return ipv4(text) }
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt16 = 0
        for byte in text {
            guard let digit = hexValue(byte) else { return nil }
            value = value << 4 | digit
        }
        return [UInt8(value >> 8), UInt8(value & 0xFF)]
    }

    private static func hexValue(_ byte: UInt8) -> UInt16? {
        switch byte {
        case 48...57: UInt16(byte - 48)
        case 97...102: UInt16(byte - 87)
        case 65...70: UInt16(byte - 55)
        default: nil
        }
    }
}
