/// One message of a netlink datagram.
/// - SeeAlso: netlink(7), `struct nlmsghdr`.
package struct NetlinkMessage: Sendable, Hashable {
    package let type: UInt16
    package let flags: UInt16
    package let sequence: UInt32
    /// What follows the header, without padding.
    package let payload: ArraySlice<UInt8>

    /// `NLMSG_ERROR`: an error number, 0 for an acknowledgement.
    package static let errorType: UInt16 = 2
    /// `NLMSG_DONE`: the end of a list.
    package static let doneType: UInt16 = 3
    /// `NLM_F_DUMP_INTR`: the list changed while it was made.
    package static let interruptedFlag: UInt16 = 0x10

    /// Takes the messages out of a datagram.
    /// - Returns: `nil` when a header does not fit or its length leads outside.
    package static func parse(_ datagram: ArraySlice<UInt8>) -> [NetlinkMessage]? {
        var messages: [NetlinkMessage] = []
        var rest = datagram
        while !rest.isEmpty {
            guard rest.count >= 16, let length = rest.word32(0), length >= 16, length <= UInt32(rest.count),
                let type = rest.word16(4), let flags = rest.word16(6), let sequence = rest.word32(8)
            else { return nil }
            let payload = rest[(rest.startIndex + 16)..<(rest.startIndex + Int(length))]
            messages.append(
                NetlinkMessage(type: type, flags: flags, sequence: sequence, payload: payload))
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
        return messages
    }

    /// The error number of an `NLMSG_ERROR`, positive; 0 acknowledges. `nil` for another message.
    package var errorNumber: Int32? {
        guard type == Self.errorType, let raw = payload.word32(0) else { return nil }
        let number = Int32(bitPattern: raw)
        return number == .min ? .max : abs(number)
    }
}

/// One attribute: a type and bytes.
/// - SeeAlso: netlink(7); `struct nlattr`.
package struct NetlinkAttribute: Sendable, Hashable {
    /// Without the flags for nesting and byte order.
    package let type: UInt16
    package let value: ArraySlice<UInt8>

    /// Takes the attributes out of the part of a payload that holds them.
    /// - Returns: `nil` when one does not fit. Fewer than four bytes at the end are padding.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> [NetlinkAttribute]? {
        var attributes: [NetlinkAttribute] = []
        var rest = bytes
        while rest.count >= 4 {
            guard let length = rest.word16(0), let type = rest.word16(2) else { return nil }
            guard length >= 4, Int(length) <= rest.count else { return nil }
            let value = rest[(rest.startIndex + 4)..<(rest.startIndex + Int(length))]
            attributes.append(NetlinkAttribute(type: type & 0x3fff, value: value))
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
        return attributes
    }
}

/// Puts a netlink message together.
package struct NetlinkWriter: Sendable {
    private var bytes: [UInt8]

    /// Begins a message.
    package init(type: UInt16, flags: UInt16, sequence: UInt32) {
        bytes = []
        bytes.append(word32: 0)
        bytes.append(word16: type)
        bytes.append(word16: flags)
        bytes.append(word32: sequence)
        bytes.append(word32: 0)
    }

    /// Adds a fixed part of the payload.
    package mutating func add(_ part: some Sequence<UInt8>) {
        bytes += part
        pad()
    }

    /// Adds an attribute of at most 65,531 bytes.
    package mutating func addAttribute(_ type: UInt16, _ value: [UInt8]) {
        precondition(value.count <= 65_531)
        bytes.append(word16: UInt16(value.count + 4))
        bytes.append(word16: type)
        bytes += value
        pad()
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    /// The whole message, its length filled in.
    package func finished() -> [UInt8] {
        var whole = bytes
        for index in 0..<4 { whole[index] = UInt8(truncatingIfNeeded: whole.count >> (8 * index)) }
        return whole
    }
}

extension ArraySlice<UInt8> {
    /// Little-endian number at an offset; `nil` when it does not fit. Netlink uses the host's order, which is
    /// little-endian on every machine that this builds for.
    func word16(_ offset: Int) -> UInt16? {
        guard offset >= 0, count >= offset + 2 else { return nil }
        let at = startIndex + offset
        return UInt16(self[at]) | UInt16(self[at + 1]) << 8
    }

    func word32(_ offset: Int) -> UInt32? {
        guard let low = word16(offset), let high = word16(offset + 2) else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    /// Number in network order at an offset.
    func network16(_ offset: Int) -> UInt16? {
        word16(offset)?.byteSwapped
    }

    func network32(_ offset: Int) -> UInt32? {
        word32(offset)?.byteSwapped
    }
}

extension [UInt8] {
    mutating func append(word16 value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    mutating func append(word32 value: UInt32) {
        append(word16: UInt16(truncatingIfNeeded: value))
        append(word16: UInt16(truncatingIfNeeded: value >> 16))
    }

    mutating func append(network16 value: UInt16) {
        append(word16: value.byteSwapped)
    }

    mutating func append(network32 value: UInt32) {
        append(word32: value.byteSwapped)
    }
}
