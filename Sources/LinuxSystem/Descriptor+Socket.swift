internal import CLinuxShims
internal import Glibc

extension Descriptor {
    /// Takes one waiting connection, non-blocking and close-on-exec.
    ///
    /// A connection that died while it waited is skipped.
    /// - Returns: `nil` when none waits.
    /// - Throws: `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`: the listener works on, but stays readable.
    package borrowing func accept() throws(SystemError) -> Descriptor? {
        while true {
            let result = sw_accept(rawValue)
            switch -result {
            case EAGAIN: return nil
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, ENONET,
                ENOPROTOOPT:
                continue
            default:
                return Descriptor(owning: try SystemError.check(result, "accept"))
            }
        }
    }

    /// Receives what is there, without waiting.
    /// - SeeAlso: recv(2) with `MSG_DONTWAIT`.
    package borrowing func receive(into buffer: inout MutableSpan<UInt8>) throws(SystemError) -> Transfer {
        guard !buffer.isEmpty else { throw SystemError(errno: EINVAL, operation: "recv", detail: "no room") }
        while true {
            let number = rawValue
            // SAFETY: the span's storage is exclusively ours for the call and its own count bounds the write.
            let count = unsafe buffer.withUnsafeMutableBufferPointer { place in
                unsafe recv(number, place.baseAddress, place.count, Int32(MSG_DONTWAIT))
            }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            let failure = Glibc.errno
            if failure == EAGAIN { return .wouldBlock }
            if failure != EINTR { throw SystemError(errno: failure, operation: "recv") }
        }
    }

    /// Receives what is there into the part of an array that begins at `start`, without waiting.
    ///
    /// A connection's read buffer is one array that is filled at its end.
    package borrowing func receive(into bytes: inout [UInt8], from start: Int) throws(SystemError) -> Transfer {
        precondition(start >= 0 && start < bytes.count)
        while true {
            let number = rawValue
            // SAFETY: the rest of the array's storage from `start` on, which the precondition bounds.
            let count = unsafe bytes.withUnsafeMutableBytes { place in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: place[start...])
                return unsafe recv(number, rest.baseAddress, rest.count, Int32(MSG_DONTWAIT))
            }
            if count > 0 { return .bytes(count) }
            if count == 0 { return .endOfStream }
            let failure = Glibc.errno
            if failure == EAGAIN { return .wouldBlock }
            if failure != EINTR { throw SystemError(errno: failure, operation: "recv") }
        }
    }

    /// Sends what fits, without waiting and without `SIGPIPE`.
    /// - SeeAlso: send(2) with `MSG_DONTWAIT | MSG_NOSIGNAL`.
    package borrowing func send(_ bytes: Span<UInt8>) throws(SystemError) -> Transfer {
        while true {
            let number = rawValue
            // SAFETY: the span keeps its storage alive for the call and its own count bounds the read.
            let count = unsafe bytes.withUnsafeBufferPointer { place in
                unsafe Glibc.send(number, place.baseAddress, place.count, Self.quiet)
            }
            if count >= 0 { return .bytes(count) }
            let failure = Glibc.errno
            if failure == EAGAIN { return .wouldBlock }
            if failure != EINTR { throw SystemError(errno: failure, operation: "send") }
        }
    }

    /// Sends two pieces as one, in one call: a head and a body that need not be joined first.
    /// - SeeAlso: sendmsg(2).
    package borrowing func send(_ head: Span<UInt8>, _ body: Span<UInt8>) throws(SystemError) -> Transfer {
        while true {
            let number = rawValue
            // SAFETY: both spans outlive the call; the vector and the message live on the stack around it.
            let count = unsafe head.withUnsafeBytes { first in
                unsafe body.withUnsafeBytes { second in
                    unsafe Self.sendBoth(number, first, second)
                }
            }
            if count >= 0 { return .bytes(count) }
            let failure = Glibc.errno
            if failure == EAGAIN { return .wouldBlock }
            if failure != EINTR { throw SystemError(errno: failure, operation: "sendmsg") }
        }
    }

    private static var quiet: Int32 { Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL) }

    private static func sendBoth(
        _ number: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Int {
        // SAFETY: sendmsg only reads through the vector; the caller keeps both pieces alive.
        var vector = unsafe (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
        )
        return unsafe withUnsafeMutableBytes(of: &vector) { place in
            var message = unsafe msghdr()
            unsafe message.msg_iov = place.baseAddress?.assumingMemoryBound(to: iovec.self)
            unsafe message.msg_iovlen = 2
            return unsafe sendmsg(number, &message, quiet)
        }
    }

    /// Closes one direction or both; a connection that is gone already is no error.
    package borrowing func shutdown(_ direction: ShutdownDirection) throws(SystemError) {
        guard Glibc.shutdown(rawValue, direction.rawValue) == 0 || Glibc.errno == ENOTCONN else {
            throw .last("shutdown")
        }
    }

    /// Limits how long a blocking send or receive may wait.
    package borrowing func setTimeouts(receive: Duration, send: Duration) throws(SystemError) {
        for (name, limit) in [(SO_RCVTIMEO, receive), (SO_SNDTIMEO, send)] {
            let micros = max(1, limit.wholeNanoseconds / 1000)
            var value = timeval(tv_sec: Int(micros / 1_000_000), tv_usec: Int(micros % 1_000_000))
            let length = socklen_t(MemoryLayout<timeval>.size)
            // SAFETY: setsockopt reads `length` bytes of the structure.
            guard unsafe setsockopt(rawValue, SOL_SOCKET, name, &value, length) == 0 else {
                throw .last("setsockopt")
            }
        }
    }

    /// The process at the other end of a unix socket.
    /// - SeeAlso: unix(7), `SO_PEERCRED`.
    package borrowing func peerCredentials() throws(SystemError) -> PeerCredentials {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        // SAFETY: the shim fills the three numbers.
        let status = unsafe sw_peer_credentials(rawValue, &pid, &uid, &gid)
        _ = try SystemError.check(status, "getsockopt", "SO_PEERCRED")
        return PeerCredentials(pid: pid, uid: uid, gid: gid)
    }

    /// The address that this end is bound to.
    package borrowing func localAddress() throws(SystemError) -> SocketAddress {
        // SAFETY: the pointers go from `address` to the call unchanged.
        unsafe try address("getsockname") { unsafe getsockname($0, $1, $2) }
    }

    /// The address of the other end; `unix:` with an empty path for a unix client.
    package borrowing func peerAddress() throws(SystemError) -> SocketAddress {
        // SAFETY: the pointers go from `address` to the call unchanged.
        unsafe try address("getpeername") { unsafe getpeername($0, $1, $2) }
    }

    private borrowing func address(
        _ operation: String,
        _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let number = rawValue
        // SAFETY: the call writes at most `length` bytes into a structure of that size.
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe call(number, $0, &length)
            }
        }
        guard status == 0 else { throw .last(operation) }
        guard let address = SocketAddress(storage, length: Int(length)) else {
            throw SystemError(errno: EAFNOSUPPORT, operation: operation)
        }
        return address
    }

    /// Sets an integer socket option.
    package borrowing func setOption(_ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        // SAFETY: setsockopt reads the four bytes of the number.
        guard unsafe setsockopt(rawValue, level, name, &value, 4) == 0 else { throw .last("setsockopt") }
    }

    /// Reads an integer socket option.
    package borrowing func option(_ level: Int32, _ name: Int32) throws(SystemError) -> Int32 {
        var value: Int32 = 0
        var length: socklen_t = 4
        // SAFETY: getsockopt writes at most four bytes into the number.
        guard unsafe getsockopt(rawValue, level, name, &value, &length) == 0 else {
            throw .last("getsockopt")
        }
        return value
    }

    /// Waits until reading would not block, or the other side hung up.
    /// - Returns: `false` past the deadline.
    package borrowing func waitReadable(until limit: MonotonicInstant) throws(SystemError) -> Bool {
        try wait(for: POLLIN, until: limit)
    }

    /// Waits until writing would not block, or the other side hung up.
    /// - Returns: `false` past the deadline.
    package borrowing func waitWritable(until limit: MonotonicInstant) throws(SystemError) -> Bool {
        try wait(for: POLLOUT, until: limit)
    }

    private borrowing func wait(for events: Int32, until limit: MonotonicInstant) throws(SystemError) -> Bool {
        while true {
            let left = limit.millisecondsLeft(from: .now())
            var place = pollfd(fd: rawValue, events: Int16(events), revents: 0)
            // SAFETY: poll reads and writes the one structure it is given.
            let count = unsafe poll(&place, 1, left)
            if count > 0 { return true }
            if count == 0, MonotonicInstant.now() >= limit { return false }
            if count < 0, Glibc.errno != EINTR { throw .last("poll") }
        }
    }
}

/// Which directions of a connection to close.
package enum ShutdownDirection: Int32, Sendable {
    case reading = 0
    case writing = 1
    case both = 2
}
