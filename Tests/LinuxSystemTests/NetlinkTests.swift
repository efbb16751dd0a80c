import Glibc
import LinuxSystem
import Testing

@Suite struct NetlinkTests {
    @Test func messagesAreReadOrRefusedWhole() {
        var writer = NetlinkWriter(type: 20, flags: 0x301, sequence: 7)
        writer.add([1, 2, 3])
        writer.addAttribute(5, [9, 9])
        let message = writer.finished()
        #expect(message.count == 28 && message[0] == 28)
        let twice = message + message
        let parsed = NetlinkMessage.parse(twice[...])
        #expect(parsed?.count == 2)
        #expect(parsed?[0].type == 20 && parsed?[0].flags == 0x301 && parsed?[1].sequence == 7)
        #expect(parsed.map { Array($0[0].payload) } == [1, 2, 3, 0, 6, 0, 5, 0, 9, 9, 0, 0])
        for cut in 1..<twice.count where cut != message.count {
            #expect(NetlinkMessage.parse(twice[..<cut]) == nil, "cut at \(cut)")
        }
        for length in [UInt8](0..<16) + [29, 255] {
            var damaged = message
            damaged[0] = length
            #expect(NetlinkMessage.parse(damaged[...]) == nil, "length \(length)")
        }
    }

    @Test func attributesAreReadOrRefused() {
        let bytes: [UInt8] = [6, 0, 5, 0, 9, 8, 0, 0, 4, 0, 7, 0x80]
        let parsed = NetlinkAttribute.parse(bytes[...])
        #expect(parsed?.map(\.type) == [5, 7])
        #expect(parsed.map { Array($0[0].value) } == [9, 8])
        for cut in [4, 5] { #expect(NetlinkAttribute.parse(bytes[..<cut]) == nil) }
        for length: UInt8 in [0, 3, 13] {
            var damaged = bytes
            damaged[0] = length
            #expect(NetlinkAttribute.parse(damaged[...]) == nil)
        }
    }

    @Test func errorsCarryTheirNumber() {
        var writer = NetlinkWriter(type: 2, flags: 0, sequence: 1)
        writer.add([0xff, 0xff, 0xff, 0xff])
        #expect(NetlinkMessage.parse(writer.finished()[...])?.first?.errorNumber == 1)
        var least = NetlinkWriter(type: 2, flags: 0, sequence: 1)
        least.add([0, 0, 0, 0x80])
        #expect(NetlinkMessage.parse(least.finished()[...])?.first?.errorNumber == .max)
    }

    private static let tcp: [UInt8] =
        [0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 93, 184, 216, 34] + [
            0x12, 0x34, 0x01, 0xbb,
        ]
    private static let udp6: [UInt8] =
        [0x60, 0, 0, 0, 0, 16, 0, 64] + [UInt8](repeating: 0, count: 15) + [1]
        + [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [2]
        + [17, 0, 0, 0, 0, 0, 0, 0] + [0, 1, 0, 53]

    @Test func packetsTellWhereTheyGo() throws {
        let head = try #require(PacketHead.parse(Self.tcp[...]))
        #expect(
            head.source == InternetAddress("10.0.0.1") && head.destination == InternetAddress("93.184.216.34")
        )
        #expect(head.transport == 6 && head.sourcePort == 0x1234 && head.destinationPort == 443)
        let six = try #require(PacketHead.parse(Self.udp6[...]))
        #expect(six.destination == InternetAddress("2001:db8::2") && six.transport == 17)
        #expect(six.destinationPort == 53)
        var fragment = Self.tcp
        fragment[7] = 5
        #expect(PacketHead.parse(fragment[...])?.destinationPort == nil)
        var short = Self.tcp
        short[0] = 0x44
        #expect(PacketHead.parse(short[...]) == nil)
        #expect(PacketHead.parse([]) == nil && PacketHead.parse([0x50]) == nil)
    }

    @Test func packetsCutAnywhereAreReadAsFarAsTheyGo() {
        for cut in 0...Self.tcp.count {
            let head = PacketHead.parse(Self.tcp[..<cut])
            #expect((head != nil) == (cut >= 20), "cut at \(cut)")
            #expect((head?.destinationPort != nil) == (cut >= 24), "cut at \(cut)")
        }
        for cut in 0...Self.udp6.count {
            let head = PacketHead.parse(Self.udp6[..<cut])
            #expect((head != nil) == (cut >= 40), "cut at \(cut)")
            #expect((head?.destinationPort != nil) == (cut >= 52), "cut at \(cut)")
        }
    }

    @Test func noBytesMakeAParserTrap() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            let count = Int.random(in: 0..<120, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count > 4, Bool.random(using: &generator) { (bytes[0], bytes[1]) = (UInt8(count), 0) }
            _ = NetlinkMessage.parse(bytes[...])
            _ = NetlinkAttribute.parse(bytes[...])
            _ = LoggedPacket.parse(bytes[...])
            _ = PacketHead.parse(bytes[...])
            _ = FileEvent.parse(bytes[...])
            _ = DirectoryListing.parse(bytes[...])
            _ = ProcessStatus.parse(bytes[...])
            _ = ProcessStat.parse(bytes[...])
            _ = MountTable.parse(bytes[...])
        }
    }

    @Test func loggedPacketsCarryTheRulesPrefix() throws {
        var writer = NetlinkWriter(type: 4 << 8, flags: 0, sequence: 0)
        writer.add([2, 0, 0, 5])
        writer.addAttribute(5, [0, 0, 0, 3])
        writer.addAttribute(10, Array("deny".utf8) + [0])
        writer.addAttribute(9, Self.tcp)
        writer.addAttribute(11, [0, 0, 3, 232])
        writer.addAttribute(12, [0, 0, 0, 9])
        let payload = Array(writer.finished().dropFirst(16))
        let packet = try #require(LoggedPacket.parse(payload[...]))
        #expect(packet.prefix == "deny" && packet.uid == 1000 && packet.sequence == 9)
        #expect(packet.outInterface == 3 && packet.inInterface == 0)
        #expect(packet.head?.destinationPort == 443)
        #expect(LoggedPacket.parse(payload.prefix(3)) == nil)
        #expect(LoggedPacket.parse(payload.dropLast(payload.count - 9)) == nil)
    }

    @Test func ownSocketsAreListed() throws {
        let listener = try Socket.listen(on: .internet(.v4(0x7f00_0001), port: 0))
        let six = try Socket.listen(on: .internet(.v6(0, 1), port: 0))
        let client = try Socket.connect(to: try listener.localAddress())
        var diagnostics = try SocketDiagnostics()
        let list = try diagnostics.list(.tcp, limit: 100_000)
        func port(_ address: SocketAddress) -> UInt16 {
            if case .internet(_, let port) = address { port } else { 0 }
        }
        let bound = port(try listener.localAddress())
        let listening = list.entries.filter { $0.state == .listening }
        let entry = try #require(listening.first { $0.localPort == bound })
        #expect(entry.localAddress == InternetAddress("127.0.0.1") && entry.uid == geteuid())
        #expect(entry.remoteAddress.isUnspecified && entry.remotePort == 0)
        let link = try Descriptor.openDirectory("/proc/self/fd").readLink("\(listener.rawValue)")
        #expect(String(decoding: link, as: UTF8.self) == "socket:[\(entry.inode)]")
        let sixPort = port(try six.localAddress())
        #expect(listening.contains { $0.localPort == sixPort && $0.localAddress == InternetAddress("::1") })
        let own = port(try client.localAddress())
        #expect(
            list.entries.contains {
                $0.localPort == own && $0.state == .established && $0.remotePort == bound
            })
        let only = try diagnostics.list(.tcp, states: [.listening], limit: 100_000)
        #expect(only.entries.allSatisfy { $0.state == .listening } && !only.isCut)
        let cut = try diagnostics.list(.tcp, limit: 1)
        #expect(cut.entries.count == 1 && cut.isCut)
        _ = try diagnostics.list(.udp, limit: 100_000)
    }

    @Test(.enabled(if: Host.canUnshare, "needs root and network namespaces"))
    func anotherNamespacesSocketsAreListedFromHere() throws {
        let (namespace, socket) = try NamespaceThread.runInNew([.network]) { () throws(SystemError) in
            let socket = SharedDescriptor(try Socket.listen(on: .internet(.v4(0), port: 8080)))
            return (SharedDescriptor(try Namespaces.openOfThisThread(.network)), socket)
        }
        var diagnostics = try SocketDiagnostics(in: namespace)
        let list = try diagnostics.list(.tcp, limit: 10)
        #expect(list.entries.map(\.localPort) == [8080])
        _ = socket.descriptor.rawValue
    }

    @Test(
        .enabled(
            if: Host.canUnshare && ChildCommand.locate("nft") != nil && ChildCommand.locate("ip") != nil,
            "needs root, network namespaces, nft and ip"), .timeLimit(.minutes(1)))
    func deniedPacketsAreReported() async throws {
        let namespace = try NamespaceThread.runInNew([.network]) { () throws(SystemError) in
            SharedDescriptor(try Namespaces.openOfThisThread(.network))
        }
        let rules = """
            table inet t {
              chain out {
                type filter hook output priority 0;
                ip daddr 127.0.0.9 log prefix "sw-deny " group 77 drop
              }
            }

            """
        let ip = try #require(ChildCommand.locate("ip"))
        let nft = try #require(ChildCommand.locate("nft"))
        let up = try await ChildProcess.run(
            ChildCommand(
                ip, ["link", "set", "lo", "up"], networkNamespace: namespace, deadline: .seconds(30)))
        try #require(up.exit.isSuccess, "\(up.stderrText)")
        let set = try await ChildProcess.run(
            ChildCommand(
                nft, ["-f", "-"], input: .bytes(Array(rules.utf8)), networkNamespace: namespace,
                deadline: .seconds(30)))
        try #require(set.exit.isSuccess, "\(set.stderrText)")
        var log = try PacketLog(in: namespace, group: 77)
        #expect(errnoOf { () throws(SystemError) in _ = try PacketLog(in: namespace, group: 77) } == EPERM)
        #expect(try log.receive().isEmpty)
        for port in [UInt16(4444), 4445] {
            let refusal = try NamespaceThread.run(in: namespace, kind: .network) { () throws(SystemError) in
                errnoOf { () throws(SystemError) in
                    _ = try Socket.connect(
                        to: .internet(.v4(0x7f00_0009), port: port), deadline: .milliseconds(1))
                }
            }
            #expect(refusal == ETIMEDOUT)
        }
        var packets: [LoggedPacket] = []
        while packets.count < 2 {
            try #require(try log.wait(until: .now().advanced(by: .seconds(20))))
            packets += try log.receive()
        }
        #expect(packets.allSatisfy { $0.prefix == "sw-deny " && $0.head?.transport == 6 })
        #expect(packets[0].head?.destination == InternetAddress("127.0.0.9"))
        #expect(packets[0].head?.destinationPort == 4444)
        #expect(packets.contains { $0.head?.destinationPort == 4445 })
        #expect(packets[0].sequence == 0)
        #expect(log.lost == 0 && log.overruns == 0 && log.malformed == 0)
    }

    @Test(.timeLimit(.minutes(1))) func changesOfFilesAreTold() throws {
        let directory = try TemporaryDirectory()
        let watch = try FileWatch()
        #expect(try watch.receive().isEmpty)
        let number = try watch.add(
            RawPath(directory.path), mask: FileWatch.closedAfterWriting | FileWatch.names)
        let bytes: [UInt8] = [1]
        try HostFiles.replace(directory.file("f"), with: bytes.span)
        var events: [FileEvent] = []
        let limit = MonotonicInstant.now().advanced(by: .seconds(20))
        while !events.contains(where: { $0.name == [0x66] && $0.mask & 0x80 != 0 }) {
            try #require(try watch.wait(until: limit))
            events += try watch.receive()
        }
        #expect(events.allSatisfy { $0.watch == number })
        #expect(events.contains { $0.name == Array("f.new".utf8) && $0.mask & 0x8 != 0 })
        #expect(errnoOf { () throws(SystemError) in _ = try watch.add("/nonexistent", mask: 1) } == ENOENT)
        let record: [UInt8] = [1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0x61, 0, 0, 0]
        #expect(FileEvent.parse(record[...]) == [FileEvent(watch: 1, mask: 8, name: [0x61])])
        for cut in 1..<record.count { #expect(FileEvent.parse(record[..<cut]) == nil) }
    }
}
