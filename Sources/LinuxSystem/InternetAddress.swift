internal import Glibc

/// An IPv4 or IPv6 address, without port or zone.
package enum InternetAddress: Sendable, Hashable, CustomStringConvertible {
    /// Four octets in the host's byte order: 127.0.0.1 is `0x7f00_0001`.
    case v4(UInt32)
    /// Eight octets each: the upper half first.
    case v6(UInt64, UInt64)

    /// Reads dotted-decimal IPv4 or RFC 4291 IPv6 text, without brackets, zone or port.
    package init?(_ text: String) {
        // The C function reads up to a NUL byte; what follows one would be ignored.
        guard text.utf8.count < 64, !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        let family = text.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
        // SAFETY: inet_pton writes 4 or 16 bytes, by family, into a buffer of 16.
        let status = unsafe bytes.withUnsafeMutableBytes { place in
            unsafe inet_pton(family, text, place.baseAddress)
        }
        guard status == 1 else { return nil }
        self.init(octets: bytes.prefix(family == AF_INET6 ? 16 : 4))
    }

    /// Takes 4 or 16 octets in network order; other lengths are refused.
    package init?(octets: some Collection<UInt8>) {
        switch octets.count {
        case 4:
            self = .v4(octets.reduce(0) { $0 << 8 | UInt32($1) })
        case 16:
            let high = octets.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let low = octets.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            self = .v6(high, low)
        default:
            return nil
        }
    }

    /// The octets in network order: 4 or 16.
    package var octets: [UInt8] {
        switch self {
        case .v4(let value):
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
        case .v6(let high, let low):
            [high, low].flatMap { half in
                (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) }
            }
        }
    }

    /// `::ffff:a.b.c.d` as the IPv4 address that it stands for; any other address as it is.
    package var unmapped: InternetAddress {
        guard case .v6(0, let low) = self, low >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }

    /// Whether the address is in 127.0.0.0/8, is `::1`, or maps to the former.
    package var isLoopback: Bool {
        switch unmapped {
        case .v4(let value): value >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// Whether the address is 0.0.0.0 or `::`.
    package var isUnspecified: Bool {
        switch self {
        case .v4(let value): value == 0
        case .v6(let high, let low): high == 0 && low == 0
        }
    }

    /// Text that ``init(_:)`` reads back: dotted decimal, or RFC 5952's short form.
    package var description: String {
        let bytes = octets
        var text = [CChar](repeating: 0, count: 64)
        // SAFETY: inet_ntop reads 4 or 16 bytes, as many as `bytes` holds for the family, and writes at most
        // the given count into a buffer of that size.
        let isWritten = unsafe bytes.withUnsafeBytes { source in
            unsafe text.withUnsafeMutableBufferPointer { place in
                let family = source.count == 4 ? AF_INET : AF_INET6
                return unsafe inet_ntop(family, source.baseAddress, place.baseAddress, 64) != nil
            }
        }
        guard isWritten else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
