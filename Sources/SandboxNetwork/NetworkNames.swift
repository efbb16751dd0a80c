internal import SandboxModel

/// The names that this installation gives to interfaces, tables and rules on the host.
///
/// An interface's name has at most 15 bytes: `sw`, four hexadecimal digits of the installation, `v` (a
/// sandbox's end) or `b` (a policy's bridge), eight digits of the sandbox or the policy. Since the digits may
/// collide with another installation's, an interface also carries an alias that names its owner in full.
struct NetworkNames: Sendable, Hashable {
    /// `[A-Za-z0-9._-]{1,64}`: the installation's identifier, or a digest of one that is anything else.
    let instance: String
    /// What all of this installation's interface names begin with, six bytes.
    let prefix: String
    /// The host's nftables table, in the family `inet`.
    let table: String

    init(instanceID: String) {
        let digest = hexDigits(stableHash(instanceID.utf8), 16)
        let isPlain = (1...64).contains(instanceID.utf8.count) && instanceID.utf8.allSatisfy(isPlainByte)
        instance = isPlain ? instanceID : digest
        prefix = "sw" + digest.prefix(4)
        let isWord = instanceID.utf8.count <= 40 && instanceID.utf8.allSatisfy(isLowercaseOrDigit)
        table = "sandwarden_" + (isWord && !instanceID.isEmpty ? instanceID : digest)
    }

    /// The host's end of a sandbox's pair.
    func interface(_ id: SandboxID) -> String {
        prefix + "v" + hexDigits(stableHash(id.rawValue.utf8), 8)
    }

    /// The bridge of a policy.
    func bridge(_ policy: PolicyName) -> String {
        prefix + "b" + hexDigits(stableHash(policy.rawValue.utf8), 8)
    }

    /// The alias of a sandbox's interface or of a bridge; without spaces, at most 200 bytes.
    func alias(_ owner: String) -> String { "sandwarden:\(instance):\(owner)" }

    /// Whether a name of ours is a bridge's.
    func isBridge(_ name: String) -> Bool { name.hasPrefix(prefix + "b") }

    /// Whether a name could be one of ours.
    func isOurs(interface name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard bytes.count == 15, name.hasPrefix(prefix) else { return false }
        guard bytes[6] == UInt8(ascii: "v") || bytes[6] == UInt8(ascii: "b") else { return false }
        return bytes[7...].allSatisfy(isHexDigit)
    }
}

/// FNV-1a over 64 bits: the same on every machine and in every run. It spreads names, it protects nothing.
func stableHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

/// The lowest `count` hexadecimal digits of a number, in lower case.
func hexDigits(_ value: UInt64, _ count: Int) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let bytes = (0..<count).reversed().map { digits[Int((value >> (4 * UInt64($0))) & 15)] }
    return String(decoding: bytes, as: UTF8.self)
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
}

private func isLowercaseOrDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
}

private func isPlainByte(_ byte: UInt8) -> Bool {
    isLowercaseOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || "._-".utf8.contains(byte)
}
