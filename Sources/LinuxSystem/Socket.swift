internal import CLinuxShims
internal import Glibc

/// Making stream sockets: listeners, connections, pairs. Every descriptor is close-on-exec.
package enum Socket {
    /// Opens a non-blocking listener.
    ///
    /// A TCP listener sets `SO_REUSEADDR`, and `TCP_NODELAY`, which accepted connections inherit. For IPv6,
    /// `IPV6_V6ONLY` is set: `[::]` does not take IPv4 by the way.
    /// - Parameters:
    ///   - sharesPort: `SO_REUSEPORT`: several listeners of one user share the port, and the kernel spreads
    ///     connections over them.
    ///   - mode: Permission bits of a unix socket's file. They hold from the moment the file exists: the mode
    ///     is set on the unbound socket, so the process's umask can only narrow it.
    ///   - replacingStale: Removes a unix socket file that nobody listens on any more.
    /// - Throws: `EADDRINUSE`; `ENAMETOOLONG` for a unix path over 107 bytes; what the calls say.
    /// - SeeAlso: socket(7), tcp(7), unix(7).
    package static func listen(
        on address: SocketAddress, backlog: Int32 = 4096, sharesPort: Bool = false, mode: UInt32 = 0o600,
        replacingStale: Bool = true
    ) throws(SystemError) -> Descriptor {
        let socket = try open(family: address.family)
        switch address {
        case .internet(let host, _):
            try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
            if sharesPort { try socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1) }
            if case .v6 = host { try socket.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            try socket.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        case .unix(let path):
            guard fchmod(socket.rawValue, mode & 0o777) == 0 else { throw .last("fchmod", path) }
            if replacingStale { try removeStale(address, path) }
        }
        try bind(socket, to: address)
        guard Glibc.listen(socket.rawValue, backlog) == 0 else { throw .last("listen", "\(address)") }
        return socket
    }

    /// Connects, waiting at most `deadline`; the descriptor is left non-blocking.
    /// - Throws: `ETIMEDOUT` past the deadline, `ECONNREFUSED`, `ENOENT`, and what connect(2) says.
    package static func connect(
        to address: SocketAddress, deadline: Duration = .seconds(5)
    ) throws(SystemError) -> Descriptor {
        let socket = try open(family: address.family)
        let limit = MonotonicInstant.now().advanced(by: deadline)
        if case .internet = address { try socket.setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
        while true {
            let number = socket.rawValue
            // SAFETY: the address is read during the call only.
            let answer = unsafe address.withKernelForm { unsafe Glibc.connect(number, $0, $1) }
            guard let answer else { throw SystemError(errno: ENAMETOOLONG, operation: "connect") }
            if answer == 0 { return socket }
            let error = SystemError.last("connect", "\(address)")
            switch error.errno {
            case EINPROGRESS, EINTR, EALREADY:
                guard try socket.waitWritable(until: limit) else {
                    throw SystemError(errno: ETIMEDOUT, operation: "connect", detail: "\(address)")
                }
                let failure = try socket.option(SOL_SOCKET, SO_ERROR)
                guard failure == 0 else {
                    throw SystemError(errno: failure, operation: "connect", detail: "\(address)")
                }
                return socket
            case EAGAIN:
                // A unix listener's backlog is full. Nothing signals room in it, so look again shortly.
                guard MonotonicInstant.now() < limit else {
                    throw SystemError(errno: ETIMEDOUT, operation: "connect", detail: "\(address)")
                }
                usleep(2_000)
            default:
                throw error
            }
        }
    }

    /// Two connected unix stream sockets, non-blocking.
    package static func pair() throws(SystemError) -> SocketPair {
        var numbers: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        // SAFETY: socketpair writes two numbers into an array of two.
        guard unsafe socketpair(AF_UNIX, type, 0, &numbers) == 0 else { throw .last("socketpair") }
        return SocketPair(
            first: Descriptor(owning: numbers[0]), second: Descriptor(owning: numbers[1]))
    }

    /// Opens a non-blocking stream socket of an address family.
    private static func open(family: Int32) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = Glibc.socket(family, type, 0)
        guard number >= 0 else { throw .last("socket") }
        return Descriptor(owning: number)
    }

    private static func bind(
        _ socket: borrowing Descriptor, to address: SocketAddress
    ) throws(SystemError) {
        let number = socket.rawValue
        // SAFETY: the address is read during the call only.
        let answer = unsafe address.withKernelForm { unsafe Glibc.bind(number, $0, $1) }
        guard let answer else {
            throw SystemError(errno: ENAMETOOLONG, operation: "bind", detail: "\(address)")
        }
        guard answer == 0 else { throw .last("bind", "\(address)") }
    }

    /// Removes a socket file on which a connection attempt is refused: its listener is gone.
    private static func removeStale(_ address: SocketAddress, _ path: String) throws(SystemError) {
        do throws(SystemError) {
            _ = try connect(to: address, deadline: .milliseconds(200))
        } catch {
            // Anything but a refusal (no such file, no permission, a live but busy listener, no socket at
            // all: also ECONNREFUSED, hence the look at the type) is for bind to judge.
            guard error.errno == ECONNREFUSED else { return }
            var status = stat()
            // SAFETY: lstat fills the one structure it is given.
            guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
            // SAFETY: the string is passed as a NUL-terminated copy for the call.
            guard unsafe unlink(path) == 0 else { throw .last("unlink", path) }
        }
    }
}

/// Two ends of one connection.
package struct SocketPair: ~Copyable, Sendable {
    package var first: Descriptor
    package var second: Descriptor

    /// The first end; the second is closed.
    package consuming func takeFirst() -> Descriptor {
        first
    }
}

/// Who connected to a unix socket, at the moment when they did.
package struct PeerCredentials: Sendable, Equatable {
    /// Process id in our pid namespace; 0 when it is outside of it. It may have been reused since.
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}
