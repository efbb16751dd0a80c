internal import Glibc

/// A transport protocol whose sockets can be listed.
package enum TransportProtocol: UInt8, Sendable, Hashable {
    case tcp = 6
    case udp = 17
}

/// State of a TCP socket; a UDP socket is `established` when connected, else `closed`.
package enum SocketState: UInt8, Sendable, Hashable {
    case established = 1, synSent, synReceived, finWait1, finWait2, timeWait, closed, closeWait, lastAck
    case listening, closing, newSynReceived
}

/// One socket of a network namespace.
package struct SocketEntry: Sendable, Hashable {
    package let transport: TransportProtocol
    package let state: SocketState
    package let localAddress: InternetAddress
    package let localPort: UInt16
    /// Unspecified for a listener.
    package let remoteAddress: InternetAddress
    package let remotePort: UInt16
    /// User who made it, in our user namespace.
    package let uid: UInt32
    /// Number in `/proc/PID/fd/N` → `socket:[…]`; 0 when no process holds it any more.
    package let inode: UInt32
    /// The kernel's key of the socket: `struct inet_diag_sockid`, 48 bytes.
    let key: ArraySlice<UInt8>

    /// Reads one `struct inet_diag_msg`; `nil` when it is too short or of another family or state.
    static func parse(_ payload: ArraySlice<UInt8>, _ transport: TransportProtocol) -> SocketEntry? {
        guard payload.count >= 72 else { return nil }
        let start = payload.startIndex
        let width: Int
        switch Int32(payload[start]) {
        case AF_INET: width = 4
        case AF_INET6: width = 16
        default: return nil
        }
        guard let state = SocketState(rawValue: payload[start + 1]),
            let local = InternetAddress(octets: payload[(start + 8)..<(start + 8 + width)]),
            let remote = InternetAddress(octets: payload[(start + 24)..<(start + 24 + width)]),
            let localPort = payload.network16(4), let remotePort = payload.network16(6),
            let uid = payload.word32(64), let inode = payload.word32(68)
        else { return nil }
        return SocketEntry(
            transport: transport, state: state, localAddress: local, localPort: localPort,
            remoteAddress: remote, remotePort: remotePort, uid: uid, inode: inode,
            key: payload[(start + 4)..<(start + 52)])
    }
}

/// Sockets of a namespace, perhaps not all.
package struct SocketList: Sendable, Hashable {
    package var entries: [SocketEntry] = []
    /// Whether there are more than were asked for.
    package var isCut = false
    /// Whether sockets came and went while the kernel made the list: one may be missing or there twice.
    package var isInterrupted = false

    package init() {}
}

/// Lists the sockets of one network namespace, from the host, by a socket that stays in it.
///
/// A list costs the kernel a walk over its whole hash table, about a third of a millisecond: ask when
/// ``SocketCounts`` has changed, not at every tick. One caller at a time.
/// - SeeAlso: sock_diag(7).
package struct SocketDiagnostics: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    /// Opens in the calling thread's network namespace.
    package init() throws(SystemError) {
        // NETLINK_SOCK_DIAG
        socket = try NetlinkSocket(protocol: 4)
    }

    /// Opens in the network namespace that the descriptor stands for. Blocks for a moment.
    package init(in namespace: SharedDescriptor) throws(SystemError) {
        let slot = HandoverSlot<NetlinkSocket>()
        try NamespaceThread.run(in: namespace, kind: .network) { () throws(SystemError) in
            slot.put(try NetlinkSocket(protocol: 4))
        }
        guard let socket = slot.take() else { throw SystemError(errno: ECANCELED, operation: "netlink") }
        self.socket = socket
    }

    /// Lists the sockets of one protocol, of IPv4 and IPv6.
    /// - Parameters:
    ///   - states: Those wanted; `nil` is all.
    ///   - limit: The most entries taken; what the kernel sends beyond is read and thrown away.
    /// - Throws: `ETIMEDOUT`, `EBADMSG`, the kernel's refusal.
    package mutating func list(
        _ transport: TransportProtocol, states: Set<SocketState>? = nil, limit: Int
    ) throws(SystemError) -> SocketList {
        var list = SocketList()
        let mask = states.map { $0.reduce(UInt32(0)) { $0 | 1 << UInt32($1.rawValue) } } ?? 0xffff_ffff
        for family in [AF_INET, AF_INET6] {
            let sequence = socket.nextSequence()
            // NLM_F_REQUEST | NLM_F_DUMP
            var writer = NetlinkWriter(type: 20, flags: 0x301, sequence: sequence)
            writer.add(Self.request(UInt8(family), transport, mask, key: nil))
            try socket.send(writer.finished())
            try collect(transport, sequence, limit, into: &list)
        }
        return list
    }

    /// `struct inet_diag_req_v2`: 56 bytes.
    private static func request(
        _ family: UInt8, _ transport: TransportProtocol, _ states: UInt32, key: ArraySlice<UInt8>?
    ) -> [UInt8] {
        var bytes: [UInt8] = [family, transport.rawValue, 0, 0]
        bytes.append(word32: states)
        bytes += key ?? ArraySlice(repeatElement(0, count: 48))
        return bytes
    }

    private func collect(
        _ transport: TransportProtocol, _ sequence: UInt32, _ limit: Int, into list: inout SocketList
    ) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            guard let count = try socket.receive(into: &buffer, waiting: true) else {
                throw SystemError(errno: ETIMEDOUT, operation: "sock_diag")
            }
            guard let messages = NetlinkMessage.parse(buffer[..<count]) else {
                throw SystemError(errno: EBADMSG, operation: "sock_diag")
            }
            for message in messages where message.sequence == sequence {
                if message.flags & NetlinkMessage.interruptedFlag != 0 { list.isInterrupted = true }
                if message.type == NetlinkMessage.doneType { return }
                if let number = message.errorNumber {
                    throw SystemError(errno: number, operation: "sock_diag")
                }
                guard let entry = SocketEntry.parse(message.payload, transport) else { continue }
                if list.entries.count < limit {
                    // The key would otherwise keep the whole datagram alive.
                    list.entries.append(entry.detached())
                } else {
                    list.isCut = true
                }
            }
        }
    }

    /// Ends a connection as if its peer had reset it.
    /// - Throws: `ENOENT` when it is gone, `EOPNOTSUPP` where the kernel does not offer it.
    /// - SeeAlso: ss(8), `-K`; `SOCK_DESTROY`.
    package mutating func destroy(_ entry: SocketEntry) throws(SystemError) {
        let sequence = socket.nextSequence()
        // SOCK_DESTROY; NLM_F_REQUEST | NLM_F_ACK
        var writer = NetlinkWriter(type: 21, flags: 0x5, sequence: sequence)
        let family: UInt8
        if case .v4 = entry.localAddress { family = UInt8(AF_INET) } else { family = UInt8(AF_INET6) }
        writer.add(Self.request(family, entry.transport, 1 << UInt32(entry.state.rawValue), key: entry.key))
        try socket.request(writer.finished(), sequence: sequence)
    }
}

extension SocketEntry {
    fileprivate func detached() -> SocketEntry {
        SocketEntry(
            transport: transport, state: state, localAddress: localAddress, localPort: localPort,
            remoteAddress: remoteAddress, remotePort: remotePort, uid: uid, inode: inode,
            key: ArraySlice(Array(key)))
    }
}
