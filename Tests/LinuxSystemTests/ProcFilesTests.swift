import Glibc
import LinuxSystem
import Testing

private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

@Suite struct ProcFilesTests {
    private static let status = """
        Name:\ta b) \\nx
        Umask:\t0022
        State:\tS (sleeping)
        Tgid:\t42
        Pid:\t42
        PPid:\t1
        TracerPid:\t0
        Uid:\t100000\t100000\t100000\t100000
        Gid:\t100\t101\t102\t103
        Groups:\t4 24
        NStgid:\t42\t1
        NSpid:\t42\t1
        VmRSS:\t    2048 kB
        Threads:\t3
        CapInh:\t0000000000000000
        CapPrm:\t00000000a80425fb
        CapEff:\t00000000a80425fb
        CapBnd:\t000001fffeffffff
        CapAmb:\t0000000000000001
        NoNewPrivs:\t1
        Seccomp:\t2
        Seccomp_filters:\t3

        """

    @Test func statusIsRead() throws {
        let status = try #require(ProcessStatus.parse(bytes(Self.status)))
        #expect(status.name == "a b) \\nx" && status.state == UInt8(ascii: "S"))
        #expect(status.pid == 42 && status.parent == 1 && status.tracer == 0)
        #expect(status.uids.isAll(100_000) && !status.gids.isAll(100))
        #expect(status.gids == Identities(real: 100, effective: 101, saved: 102, fileSystem: 103))
        #expect(status.groups == [4, 24] && status.namespacePIDs == [42, 1])
        #expect(status.residentBytes == 2048 * 1024 && status.threads == 3)
        #expect(status.capabilities?.effective == 0xa804_25fb)
        #expect(status.capabilities?.bounding == 0x1ff_feff_ffff && status.capabilities?.ambient == 1)
        #expect(status.hasNoNewPrivileges == true && status.seccompMode == 2 && status.seccompFilters == 3)
    }

    @Test func whatIsMissingIsNotMadeUp() throws {
        let short = "Name:\tk\nState:\tZ\nPid:\t2\nPPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
        let status = try #require(ProcessStatus.parse(bytes(short)))
        #expect(status.capabilities == nil && status.hasNoNewPrivileges == nil && status.seccompMode == nil)
        #expect(status.residentBytes == nil && status.threads == nil && status.tracer == nil)
        let four = try #require(
            ProcessStatus.parse(bytes(short + "CapInh:\t0\nCapPrm:\t0\nCapEff:\t0\nCapBnd:\t0\n")))
        #expect(four.capabilities == nil)
    }

    @Test(arguments: [
        ("Uid:\t100000\t100000\t100000\t100000", "Uid:\t1\t2\t3"), ("CapEff:\t00000000a80425fb", "CapEff:\t"),
        ("CapEff:\t00000000a80425fb", "CapEff:\t0x5"),
        ("CapEff:\t00000000a80425fb", "CapEff:\t11111111111111111"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\tyes"), ("Seccomp:\t2", "Seccomp:\t-1"),
        ("PPid:\t1", "PPid:\t99999999999"),
        ("Name:", "Nane:"), ("NSpid:\t42\t1", "NSpid:\t42\tx"),
    ])
    func malformedStatusIsRefused(_ good: String, _ bad: String) {
        let pieces = Self.status.split(separator: "\n", omittingEmptySubsequences: false)
        let text = pieces.map { $0.hasPrefix(good) ? bad : String($0) }.joined(separator: "\n")
            .split(separator: "\n").map { $0.hasPrefix("Name:") && good == "Name:" ? "Nane:\tx" : String($0) }
            .joined(separator: "\n")
        #expect(text != Self.status)
        #expect(ProcessStatus.parse(bytes(text)) == nil)
    }

    @Test func theFirstLineOfAKeyCounts() throws {
        let status = try #require(ProcessStatus.parse(bytes(Self.status + "CapEff:\t0000000000000000\n")))
        #expect(status.capabilities?.effective == 0xa804_25fb)
    }

    @Test func statTakesTheLastParenthesis() throws {
        let rest = "S 7 8 9 0 -1 4194560 1 2 3 4 55 66 0 0 20 0 5 0 123456 1000 77 18446744073709551615 1 1"
        for name in ["sh", "a b", ") S 1 2 (", "((", ""] {
            let stat = try #require(ProcessStat.parse(bytes("42 (\(name)) \(rest)\n")))
            #expect(stat.pid == 42 && stat.name == name && stat.state == UInt8(ascii: "S"))
            #expect(stat.parent == 7 && stat.processGroup == 8 && stat.session == 9)
            #expect(stat.userTicks == 55 && stat.systemTicks == 66 && stat.threads == 5)
            #expect(stat.startTicks == 123_456 && stat.residentPages == 77)
        }
        let whole = "42 (sh) \(rest)"
        for cut in 0..<whole.utf8.count {
            let stat = ProcessStat.parse(bytes(whole).prefix(cut))
            if let stat { #expect(stat.startTicks == 123_456, "cut at \(cut)") }
        }
        for text in ["", "()", ")(", "x (sh) \(rest)", "42 (sh) S 7", "42 sh \(rest)"] {
            #expect(ProcessStat.parse(bytes(text)) == nil)
        }
    }

    @Test func limitsAreRead() throws {
        let text = """
            Limit                     Soft Limit           Hard Limit           Units
            Max cpu time              unlimited            unlimited            seconds
            Max open files            1024                 20000                files
            Max processes             50                   unlimited            processes
            Max nice priority         0                    x

            """
        let limits = try #require(ProcessLimits.parse(bytes(text)))
        #expect(limits.openFiles?.soft == .value(1024) && limits.openFiles?.hard == .value(20_000))
        #expect(limits.processes?.hard == .unlimited)
        #expect(limits.byName["Max nice priority"] == nil && limits.byName["Limit"] == nil)
        #expect(ProcessLimits.parse(bytes("nothing\n")) == nil)
    }

    @Test func mountTablesAreReadThroughTheirEscapes() throws {
        let text = """
            36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue
            40 23 0:24 / /a\\040b\\134\\011c ro,nosuid - tmpfs none rw,size=4k
            41 23 0:24 / /x\\999 rw - tmpfs  rw
            bad line
            42 23 0:24 / /y rw shared:1
            43 23 024 / /y rw - tmpfs t rw

            """
        let (entries, malformed) = MountTable.parse(bytes(text))
        #expect(entries.count == 3 && malformed == 3)
        #expect(entries[0].id == 36 && entries[0].parent == 35 && entries[0].device == 98 << 32)
        #expect(entries[0].root == "/mnt1" && entries[0].point == "/mnt2" && entries[0].type == "ext3")
        #expect(entries[0].propagation == ["master:1", "shared:7"] && !entries[0].isReadOnly)
        #expect(entries[1].point == "/a b\\\tc" && entries[1].isReadOnly)
        #expect(entries[1].options == ["ro", "nosuid"] && entries[1].superOptions == ["rw", "size=4k"])
        #expect(entries[2].point == "/x\\999" && entries[2].source == "")
        #expect(KernelText.unescapedOctal(bytes("\\04\\0400\\777\\")) == Array("\\04 0\\777\\".utf8))
    }

    @Test func networkCountersAreRead() {
        var counts = SocketCounts()
        let isFirstKnown = counts.add(
            bytes(
                "sockets: used 290\nTCP: inuse 5 orphan 1 tw 2 alloc 9 mem 1\nUDP: inuse 3 mem 0\n"
                    + "UDPLITE: inuse 0\nRAW: inuse 1\nFRAG: inuse 0 memory 0\n"))
        let isSecondKnown = counts.add(
            bytes("TCP6: inuse 2\nUDP6: inuse 1\nUDPLITE6: inuse 0\nRAW6: inuse 0\n"))
        #expect(isFirstKnown && isSecondKnown)
        #expect(counts.tcp == 7 && counts.tcpOrphaned == 1 && counts.tcpTimeWait == 2)
        #expect(counts.udp == 4 && counts.raw == 1)
        let isOtherKnown = counts.add(bytes("nothing here\nTCP inuse 4\n"))
        #expect(!isOtherKnown)
        var odd = SocketCounts()
        let isOddKnown = odd.add(bytes("TCP: inuse\nUDP: inuse x\n"))
        #expect(isOddKnown)
        #expect(odd.tcp == 0 && odd.udp == 0)

        let interfaces = InterfaceCounters.parse(
            bytes(
                """
                Inter-|   Receive                                                |  Transmit
                 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop
                    lo:    1008      12    0    1 0 0 0 0     2008      13    0    2    0     0       0  0
                  eth0:5 6 0 0 0 0 0 0 7 8 0 0 0 0 0 0
                  bad0: 1 2 3

                """))
        #expect(interfaces.map(\.name) == ["lo", "eth0"])
        #expect(interfaces[0].receivedBytes == 1008 && interfaces[0].receivedDropped == 1)
        #expect(interfaces[0].sentPackets == 13 && interfaces[0].sentDropped == 2)
        #expect(interfaces[1].receivedBytes == 5 && interfaces[1].sentBytes == 7)

        let snmp = ProtocolCounters.parse(
            bytes(
                """
                Tcp: RtoAlgorithm MaxConn ActiveOpens
                Tcp: 1 -1 42
                Udp: InDatagrams
                Icmp: InMsgs
                Icmp: 7

                """))
        #expect(snmp.values["Tcp"] == ["RtoAlgorithm": 1, "MaxConn": -1, "ActiveOpens": 42])
        #expect(snmp.values["Icmp"] == ["InMsgs": 7] && snmp.values["Udp"] == nil)
    }

    @Test func numbersAreWholeOrNothing() {
        #expect(KernelText.unsigned(bytes("18446744073709551615")) == .max)
        for text in ["", "18446744073709551616", "1 ", " 1", "-1", "+1", "0x1", "1\n", "٣"] {
            #expect(KernelText.unsigned(bytes(text)) == nil, "\(text)")
        }
        #expect(KernelText.signed(bytes("-9223372036854775807")) == -.max)
        for text in ["-9223372036854775808", "9223372036854775808", "-", "--1"] {
            #expect(KernelText.signed(bytes(text)) == nil, "\(text)")
        }
        let stat = bytes("nr_periods 12\nnr_periods_x 5\nthrottled 7")
        #expect(KernelText.number(after: "nr_periods", in: stat) == 12)
        #expect(KernelText.number(after: "throttled", in: stat) == 7)
        #expect(KernelText.number(after: "throttle", in: stat) == nil)
        #expect(KernelText.number(after: "periods", in: stat) == nil)
        #expect(KernelText.number(after: "nr_periods", in: bytes("nr_periods x\n")) == nil)
    }

    @Test func argumentsKeepEmptyOnes() {
        #expect(ProcessDirectory.parseArguments(bytes("a\0\0b\0")) == [[0x61], [], [0x62]])
        #expect(ProcessDirectory.parseArguments(bytes("a\0b")) == [[0x61], [0x62]])
        #expect(ProcessDirectory.parseArguments(bytes("")) == [])
        #expect(ProcessDirectory.parseArguments(bytes("\0")) == [[]])
    }

    @Test func hostFactsAreRead() throws {
        let memory = try #require(
            HostFacts.parseMemory(bytes("MemTotal: 10 kB\nMemFree: 1 kB\nMemAvailable: 5 kB\n")))
        #expect(memory.totalBytes == 10_240 && memory.availableBytes == 5120)
        #expect(HostFacts.parseMemory(bytes("MemTotal: 10 MB\n")) == nil)
        #expect(HostFacts.parseUptime(bytes("12.34 1.00\n")) == .milliseconds(12_340))
        for text in ["", "12 3", "12.3 1", "x.00", "-1.00"] {
            #expect(HostFacts.parseUptime(bytes(text)) == nil)
        }
        #expect(try HostFacts.memory().totalBytes > 1 << 20)
        #expect(try HostFacts.uptime() > .zero)
        #expect(HostFacts.processors >= 1 && HostFacts.ticksPerSecond >= 1 && HostFacts.pageBytes >= 4096)
    }

    @Test func aLiveProcessIsRead() throws {
        let own = try ProcessDirectory(pid: getpid())
        let status = try own.status()
        #expect(status.pid == getpid() && status.parent == getppid() && status.uids.effective == geteuid())
        #expect(status.capabilities != nil && status.seccompMode != nil)
        let stat = try own.stat()
        #expect(stat.pid == getpid() && stat.startTicks > 0)
        #expect(try own.limits().openFiles != nil)
        #expect(try !own.arguments().isEmpty)
        #expect(try own.executable().bytes.first == 0x2f)
        #expect(try own.executableStatus().kind == .regular)
        #expect(try own.openFileCount() >= 3)
        #expect(try own.openRoot().status().kind == .directory)
        #expect(try own.controlGroups() == CgroupMembership.of(pid: getpid()))
        let sockets = try own.openNetworkFile("sockstat").readAll(limit: 4096)
        var counts = SocketCounts()
        let isKnown = counts.add(sockets[...])
        #expect(isKnown)
        #expect(
            InterfaceCounters.parse(try own.openNetworkFile("dev").readAll(limit: 1 << 20)[...]).contains {
                $0.name == "lo"
            })
        #expect(try MountTable.readOwn().contains { $0.point == "/proc" && $0.type == "proc" })
    }

    @Test(.timeLimit(.minutes(1))) func anEndedProcessIsNotSomebodyElse() async throws {
        let child = try await ChildProcess.spawn(ChildCommand("/bin/sleep", ["300"]))
        let process = try ProcessDirectory(pid: child.pid)
        #expect(try process.status().name == "sleep")
        child.kill(SIGKILL)
        _ = await child.wait()
        #expect([ESRCH, ENOENT].contains(errnoOf { () throws(SystemError) in _ = try process.status() }))
        #expect(errnoOf { () throws(SystemError) in _ = try ProcessDirectory(pid: Int32.max) } == ENOENT)
    }
}
