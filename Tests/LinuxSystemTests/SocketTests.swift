import Glibc
import LinuxSystem
import Testing

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    private let soon = MonotonicInstant.now().advanced(by: .seconds(20))

    private func accepted(_ listener: borrowing Descriptor) throws -> Descriptor {
        #expect(try listener.waitReadable(until: soon))
        guard let connection = try listener.accept() else {
            throw SystemError(errno: EAGAIN, operation: "accept")
        }
        return connection
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func carriesBytesOverTCP(_ text: String) throws {
        let address = try #require(SocketAddress(text))
        let listener = try Socket.listen(on: address)
        #expect(try listener.accept() == nil)
        let bound = try listener.localAddress()
        let client = try Socket.connect(to: bound)
        let server = try accepted(listener)
        #expect(try server.peerAddress() == client.localAddress())
        #expect(try client.peerAddress() == bound)
        #expect(try server.option(Int32(IPPROTO_TCP), TCP_NODELAY) != 0)
        #expect(fcntl(server.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(server.rawValue, F_GETFL) & O_NONBLOCK != 0)
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(try server.receive(into: &buffer, from: 0) == .wouldBlock)
        let head: [UInt8] = [1, 2, 3]
        let body: [UInt8] = [4, 5]
        #expect(try client.send(head.span, body.span) == .bytes(5))
        #expect(try client.send(body.span) == .bytes(2))
        #expect(try server.waitReadable(until: soon))
        #expect(try server.receive(into: &buffer, from: 2) == .bytes(7))
        #expect(buffer[2..<9] == [1, 2, 3, 4, 5, 4, 5])
        try client.shutdown(.writing)
        #expect(try server.waitReadable(until: soon))
        #expect(try server.receive(into: &buffer, from: 0) == .endOfStream)
    }

    @Test func aVanishedReaderIsAnErrorAndNoSignal() throws {
        let first = try Socket.pair().takeFirst()
        let byte: [UInt8] = [1]
        #expect(errnoOf { () throws(SystemError) in _ = try first.send(byte.span) } == EPIPE)
        let pair = try Socket.pair()
        let chunk = [UInt8](repeating: 0, count: 1 << 16)
        var sent = 0
        while case .bytes(let count) = try pair.first.send(chunk.span) { sent += count }
        #expect(sent > 0)
        #expect(try pair.first.send(chunk.span) == .wouldBlock)
    }

    @Test func unixSocketsTellThePeerAndKeepTheirMode() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/s"
        let listener = try Socket.listen(on: .unix(path: path), mode: 0o600)
        let status = try HostFiles.status(RawPath(path))
        #expect(status.kind == .socket)
        #expect(status.permissions == 0o600)
        let client = try Socket.connect(to: .unix(path: path))
        let server = try accepted(listener)
        let peer = try server.peerCredentials()
        #expect(peer == PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid()))
        #expect(try client.peerAddress() == .unix(path: path))
        #expect(try server.peerAddress() == .unix(path: ""))
        #expect(
            errnoOf { () throws(SystemError) in _ = try Socket.listen(on: .unix(path: path)) } == EADDRINUSE)
    }

    @Test func onlyADeadSocketFileIsReplaced() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/s"
        do {
            _ = try Socket.listen(on: .unix(path: path))
        }
        #expect(
            errnoOf { () throws(SystemError) in
                _ = try Socket.listen(on: .unix(path: path), replacingStale: false)
            } == EADDRINUSE)
        let again = try Socket.listen(on: .unix(path: path))
        _ = try Socket.connect(to: .unix(path: path))
        #expect(try again.waitReadable(until: soon))
        let plain = "\(directory.path)/plain"
        _ = try Descriptor.openAbsolute(RawPath(plain), flags: O_WRONLY | O_CREAT, mode: 0o600)
        #expect(
            errnoOf { () throws(SystemError) in _ = try Socket.listen(on: .unix(path: plain)) } == EADDRINUSE)
        #expect(try HostFiles.status(RawPath(plain)).kind == .regular)
    }

    @Test func refusalsAndDeadlines() throws {
        let listener = try Socket.listen(on: .internet(.v4(0x7f00_0001), port: 0))
        let address = try listener.localAddress()
        let shared = SharedDescriptor(listener)
        #expect(errnoOf { () throws(SystemError) in _ = try Socket.listen(on: address) } == EADDRINUSE)
        _ = shared
        #expect(
            errnoOf { () throws(SystemError) in
                _ = try Socket.connect(to: .unix(path: "/nonexistent"))
            } == ENOENT)
        let pair = try Socket.pair()
        #expect(try pair.first.waitReadable(until: .now()) == false)
    }

    @Test func portsCanBeShared() throws {
        let first = try Socket.listen(on: .internet(.v4(0x7f00_0001), port: 0), sharesPort: true)
        let second = try Socket.listen(on: try first.localAddress(), sharesPort: true)
        #expect(try first.localAddress() == second.localAddress())
    }
}
