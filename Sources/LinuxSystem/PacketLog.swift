internal import Glibc

/// One packet that a firewall rule has logged.
package struct LoggedPacket: Sendable, Hashable {
    /// The rule's prefix: at most 127 bytes.
    package let prefix: String
    /// `nil` when the packet is neither IPv4 nor IPv6, or was cut before its addresses ended.
    package let head: PacketHead?
    /// Interface that it was to leave by, or came in by; 0 when there is none.
    package let outInterface: UInt32
    package let inInterface: UInt32
    /// User of the socket that sent it, where the kernel knows.
    package let uid: UInt32?
    /// Counted by the kernel for each group, from 0, without gaps unless messages were lost.
    package let sequence: UInt32?

    /// Reads the payload of one `NFULNL_MSG_PACKET`; `nil` when it is malformed.
    /// - SeeAlso: Linux `uapi/linux/netfilter/nfnetlink_log.h`.
    package static func parse(_ payload: ArraySlice<UInt8>) -> LoggedPacket? {
        // struct nfgenmsg: family, version, group in network order.
        guard payload.count >= 4, let attributes = NetlinkAttribute.parse(payload.dropFirst(4)) else {
            return nil
        }
        var prefix = ""
        var head: PacketHead?
        var outInterface: UInt32 = 0
        var inInterface: UInt32 = 0
        var uid: UInt32?
        var sequence: UInt32?
        for attribute in attributes {
            switch attribute.type {
            case 4: inInterface = attribute.value.network32(0) ?? 0
            case 5: outInterface = attribute.value.network32(0) ?? 0
            case 9: head = PacketHead.parse(attribute.value)
            case 10: prefix = KernelText.text(attribute.value.prefix(127).prefix { $0 != 0 })
            case 11: uid = attribute.value.network32(0)
            case 12: sequence = attribute.value.network32(0)
            default: break
            }
        }
        return LoggedPacket(
            prefix: prefix, head: head, outInterface: outInterface, inInterface: inInterface, uid: uid,
            sequence: sequence)
    }
}

/// Packets that rules with `log group N` report, in one network namespace.
///
/// The descriptor is non-blocking: wait for it with a ``Poller``, then call ``receive(limit:)``.
/// - SeeAlso: nft(8), "log"; Linux `uapi/linux/netfilter/nfnetlink_log.h`.
package struct PacketLog: ~Copyable, Sendable {
    private var socket: NetlinkSocket
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    private var nextSequence: UInt32?
    /// Messages known to be lost, by gaps in their numbers.
    package private(set) var lost: UInt64 = 0
    /// How often the kernel said that it had no room (`ENOBUFS`).
    package private(set) var overruns: UInt64 = 0
    /// Messages of a form that this does not understand.
    package private(set) var malformed: UInt64 = 0

    /// Binds a group in the calling thread's network namespace.
    /// - Parameters:
    ///   - group: The number after `log group`.
    ///   - snapBytes: Bytes of each packet that are copied: enough for addresses and ports.
    ///   - bufferBytes: Room in the kernel for what has not been received.
    /// - Throws: `EPERM` when another socket has bound the group, and without `CAP_NET_ADMIN` there.
    package init(group: UInt16, snapBytes: UInt32 = 128, bufferBytes: Int32 = 1 << 20) throws(SystemError) {
        self.init(bound: try Self.bind(group, snapBytes, bufferBytes))
    }

    /// Binds a group in the network namespace that the descriptor stands for. Blocks for a moment.
    package init(
        in namespace: SharedDescriptor, group: UInt16, snapBytes: UInt32 = 128, bufferBytes: Int32 = 1 << 20
    ) throws(SystemError) {
        let slot = HandoverSlot<NetlinkSocket>()
        try NamespaceThread.run(in: namespace, kind: .network) { () throws(SystemError) in
            slot.put(try Self.bind(group, snapBytes, bufferBytes))
        }
        guard let socket = slot.take() else { throw SystemError(errno: ECANCELED, operation: "netlink") }
        self.init(bound: socket)
    }

    private init(bound socket: consuming NetlinkSocket) {
        self.socket = socket
    }

    private static func bind(
        _ group: UInt16, _ snapBytes: UInt32, _ bufferBytes: Int32
    ) throws(SystemError) -> NetlinkSocket {
        // NETLINK_NETFILTER
        var socket = try NetlinkSocket(protocol: 12)
        do throws(SystemError) {
            // SO_RCVBUFFORCE: beyond the host's default limit, with CAP_NET_ADMIN.
            try socket.descriptor.setOption(SOL_SOCKET, 33, bufferBytes)
        } catch {
            try socket.descriptor.setOption(SOL_SOCKET, SO_RCVBUF, bufferBytes)
        }
        // NFULNL_CFG_CMD_BIND
        try configure(&socket, group) { $0.addAttribute(1, [1]) }
        try configure(&socket, group) { writer in
            // NFULNL_COPY_PACKET
            var mode: [UInt8] = []
            mode.append(network32: snapBytes)
            writer.addAttribute(2, mode + [2, 0])
            // Each packet at once, not a batch later; numbers on each.
            var threshold: [UInt8] = []
            threshold.append(network32: 1)
            writer.addAttribute(5, threshold)
            var flags: [UInt8] = []
            flags.append(network16: 1)
            writer.addAttribute(6, flags)
        }
        try socket.descriptor.setNonBlocking(true)
        return socket
    }

    private static func configure(
        _ socket: inout NetlinkSocket, _ group: UInt16, _ attributes: (inout NetlinkWriter) -> Void
    ) throws(SystemError) {
        let sequence = socket.nextSequence()
        // NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG; NLM_F_REQUEST | NLM_F_ACK
        var writer = NetlinkWriter(type: 4 << 8 | 1, flags: 0x5, sequence: sequence)
        var head: [UInt8] = [0, 0]
        head.append(network16: group)
        writer.add(head)
        attributes(&writer)
        try socket.request(writer.finished(), sequence: sequence)
    }

    /// Adds the socket to a set that is waited on.
    package func add(to poller: borrowing Poller, token: UInt64) throws(SystemError) {
        try poller.add(socket.descriptor, .readable, token: token)
    }

    /// Waits until there is something to receive. Blocks.
    /// - Returns: `false` past the deadline.
    package func wait(until deadline: MonotonicInstant) throws(SystemError) -> Bool {
        try socket.descriptor.waitReadable(until: deadline)
    }

    /// Takes what is there, without waiting.
    /// - Parameter limit: About how many packets to take at once.
    /// - Throws: what the socket says, but not loss: that is counted.
    package mutating func receive(limit: Int = 256) throws(SystemError) -> [LoggedPacket] {
        var packets: [LoggedPacket] = []
        while packets.count < limit {
            let count: Int
            do throws(SystemError) {
                guard let received = try socket.receive(into: &buffer, waiting: false) else { break }
                count = received
            } catch {
                guard error.errno == ENOBUFS || error.errno == EMSGSIZE else { throw error }
                overruns += 1
                continue
            }
            guard let messages = NetlinkMessage.parse(buffer[..<count]) else {
                malformed += 1
                continue
            }
            for message in messages where message.type == 4 << 8 {
                guard let packet = LoggedPacket.parse(message.payload) else {
                    malformed += 1
                    continue
                }
                note(packet.sequence)
                packets.append(packet)
            }
        }
        return packets
    }

    private mutating func note(_ sequence: UInt32?) {
        guard let sequence else { return }
        if let nextSequence { lost += UInt64(sequence &- nextSequence) }
        nextSequence = sequence &+ 1
    }
}
