internal import Glibc

/// Where a stream socket listens or connects: an internet address with a port, or a path.
package enum SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// TCP; `[::]` listens for IPv6 only. Port 0 lets the kernel choose.
    case internet(InternetAddress, port: UInt16)
    /// A unix socket in the file system; the path is absolute or relative, 1 to 107 bytes. Empty for a peer
    /// without a name.
    case unix(path: String)

    /// Reads `127.0.0.1:8722`, `[::1]:80` or `unix:/path`. Names are not resolved.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard !path.isEmpty, path.utf8.count <= 107, !path.utf8.contains(0) else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        guard let port = Self.port(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count >= 2
        if isBracketed { host = host.dropFirst().dropLast() }
        guard let address = InternetAddress(String(host)) else { return nil }
        switch address {
        case .v4: guard !isBracketed else { return nil }
        case .v6: guard isBracketed else { return nil }
        }
        self = .internet(address, port: port)
    }

    private static func port(_ digits: Substring) -> UInt16? {
        guard !digits.isEmpty, digits.utf8.count <= 5 else { return nil }
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt16(digits)
    }

    /// Text that ``init(_:)`` reads back.
    package var description: String {
        switch self {
        case .internet(let address, let port):
            if case .v6 = address { "[\(address)]:\(port)" } else { "\(address):\(port)" }
        case .unix(let path):
            "unix:\(path)"
        }
    }

    /// Whether only processes of this machine can reach it.
    package var isLocal: Bool {
        switch self {
        case .internet(let address, _): address.isLoopback
        case .unix: true
        }
    }

    var family: Int32 {
        switch self {
        case .internet(.v4, _): AF_INET
        case .internet(.v6, _): AF_INET6
        case .unix: AF_UNIX
        }
    }
}

extension SocketAddress {
    /// Calls `body` with the kernel's form of the address.
    /// - Returns: `body`'s answer, or `nil` for a path that the kernel's structure cannot hold.
    func withKernelForm<Answer>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Answer
    ) -> Answer? {
        var storage = sockaddr_storage()
        let length: Int
        switch self {
        case .internet(.v4(let value), let port):
            var form = sockaddr_in()
            form.sin_family = sa_family_t(AF_INET)
            form.sin_port = port.bigEndian
            form.sin_addr.s_addr = value.bigEndian
            length = MemoryLayout<sockaddr_in>.size
            // SAFETY: sockaddr_storage is at least as large and as aligned as every address structure.
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe $0.storeBytes(of: form, as: sockaddr_in.self)
            }
        case .internet(.v6(let high, let low), let port):
            var form = sockaddr_in6()
            form.sin6_family = sa_family_t(AF_INET6)
            form.sin6_port = port.bigEndian
            // SAFETY: in6_addr is 16 bytes; two stores of 8 bytes at 0 and 8 stay inside.
            unsafe withUnsafeMutableBytes(of: &form.sin6_addr) { place in
                unsafe place.storeBytes(of: high.bigEndian, as: UInt64.self)
                unsafe place.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            length = MemoryLayout<sockaddr_in6>.size
            // SAFETY: as above.
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe $0.storeBytes(of: form, as: sockaddr_in6.self)
            }
        case .unix(let path):
            let bytes = Array(path.utf8)
            guard !bytes.isEmpty, bytes.count <= 107, !bytes.contains(0) else { return nil }
            storage.ss_family = sa_family_t(AF_UNIX)
            // SAFETY: sun_path begins at offset 2 and has 108 bytes; at most 107 are copied, the rest is
            // zero.
            unsafe withUnsafeMutableBytes(of: &storage) { place in
                for (index, byte) in bytes.enumerated() { unsafe place[2 + index] = byte }
            }
            length = 2 + bytes.count + 1
        }
        // SAFETY: the pointer is used for the call alone, and `length` is within the storage.
        return unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(length))
            }
        }
    }

    /// Reads the kernel's form; `nil` for a family other than these.
    /// - Parameter length: Bytes that the kernel said are meaningful.
    init?(_ storage: sockaddr_storage, length: Int) {
        // SAFETY: a copy of the structure's own bytes.
        let bytes = unsafe withUnsafeBytes(of: storage) { unsafe Array($0) }
        switch Int32(storage.ss_family) {
        case AF_INET where length >= 8:
            guard let address = InternetAddress(octets: bytes[4..<8]) else { return nil }
            self = .internet(address, port: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        case AF_INET6 where length >= 24:
            guard let address = InternetAddress(octets: bytes[8..<24]) else { return nil }
            self = .internet(address, port: UInt16(bytes[2]) << 8 | UInt16(bytes[3]))
        case AF_UNIX:
            let path = bytes[2..<max(2, min(length, 110))].prefix { $0 != 0 }
            self = .unix(path: String(decoding: path, as: UTF8.self))
        default:
            return nil
        }
    }
}
