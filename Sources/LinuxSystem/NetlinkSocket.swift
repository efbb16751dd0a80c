internal import CLinuxShims
internal import Glibc

/// A netlink socket of one protocol. It stays in the network namespace in which it was made.
/// - SeeAlso: netlink(7).
struct NetlinkSocket: ~Copyable, Sendable {
    let descriptor: Descriptor
    private var sequence: UInt32 = 0

    /// Opens a socket in the calling thread's network namespace.
    /// - Parameter timeout: How long a blocking receive may wait.
    init(protocol number: Int32, timeout: Duration = .seconds(2)) throws(SystemError) {
        let opened = Descriptor(owning: try SystemError.check(sw_netlink_open(number), "netlink"))
        try opened.setTimeouts(receive: timeout, send: timeout)
        descriptor = opened
    }

    /// The number for the next request.
    mutating func nextSequence() -> UInt32 {
        sequence &+= 1
        return sequence
    }

    /// Sends one message to the kernel.
    borrowing func send(_ message: [UInt8]) throws(SystemError) {
        let number = descriptor.rawValue
        // SAFETY: the kernel reads `count` bytes of the array during the call.
        let result = unsafe message.withUnsafeBufferPointer { place in
            unsafe sw_netlink_send(number, place.baseAddress, place.count)
        }
        _ = try SystemError.check(result, "netlink send")
    }

    /// Receives one datagram of the kernel.
    /// - Returns: Bytes received; 0 for a datagram of somebody else; `nil` when there is none now.
    /// - Throws: `ENOBUFS` when messages were lost; `EMSGSIZE` when the buffer is too small.
    borrowing func receive(
        into buffer: inout [UInt8], waiting: Bool
    ) throws(SystemError) -> Int? {
        let number = descriptor.rawValue
        let flags = waiting ? 0 : Int32(MSG_DONTWAIT)
        while true {
            // SAFETY: at most `count` bytes are written into a buffer of that size.
            let result = unsafe buffer.withUnsafeMutableBufferPointer { place in
                unsafe sw_netlink_receive(number, place.baseAddress, place.count, flags)
            }
            if result == -EINTR { continue }
            if result == -EAGAIN { return nil }
            return Int(try SystemError.check(result, "netlink receive"))
        }
    }

    /// Sends a request and waits for its acknowledgement.
    /// - Throws: the kernel's refusal; `ETIMEDOUT`; `EBADMSG` for an answer of another form.
    borrowing func request(_ message: [UInt8], sequence: UInt32) throws(SystemError) {
        try send(message)
        var buffer = [UInt8](repeating: 0, count: 32 * 1024)
        // Other messages (packets of a group bound already) may come first; their number is bounded.
        for _ in 0..<10_000 {
            guard let count = try receive(into: &buffer, waiting: true) else {
                throw SystemError(errno: ETIMEDOUT, operation: "netlink receive")
            }
            guard let messages = NetlinkMessage.parse(buffer[..<count]) else {
                throw SystemError(errno: EBADMSG, operation: "netlink receive")
            }
            for answer in messages where answer.sequence == sequence {
                guard let number = answer.errorNumber else { continue }
                guard number == 0 else { throw SystemError(errno: number, operation: "netlink request") }
                return
            }
        }
        throw SystemError(errno: EBADMSG, operation: "netlink receive", detail: "no acknowledgement")
    }
}
