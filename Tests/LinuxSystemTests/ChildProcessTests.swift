import Glibc
import LinuxSystem
import Testing

@Suite(.timeLimit(.minutes(2))) struct ChildProcessTests {
    private func shell(
        _ script: String, input: ChildCommand.Input = .nothing, deadline: Duration? = .seconds(30)
    ) -> ChildCommand {
        ChildCommand("/bin/sh", ["-c", script], input: input, deadline: deadline)
    }

    @Test func keepsBothStreamsAndTheCode() async throws {
        let result = try await ChildProcess.run(shell("echo out; echo err >&2; exit 7"))
        #expect(result.exit == .code(7) && result.exitCode == 7 && result.termSignal == nil)
        #expect(result.stdoutText == "out\n" && result.stderrText == "err\n")
        #expect(!result.isTruncated && !result.isTimedOut)
        let killed = try await ChildProcess.run(shell("kill -SEGV $$"))
        #expect(killed.exit == .signal(SIGSEGV) && killed.exit.shellCode == 139)
    }

    @Test func startsWithNothingInherited() async throws {
        // A descriptor without close-on-exec, a blocked signal and an ignored one must not reach the child.
        // SAFETY: the path is a literal.
        let leaked = unsafe open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        let script = "ls /proc/self/fd; grep -E '^Sig(Blk|Ign)' /proc/self/status; env | sort; pwd"
        let result = try await ChildProcess.run(
            ChildCommand("/bin/sh", ["-c", script], environment: ["A": "b c"], workingDirectory: "/tmp"))
        let lines = result.stdoutText.split(separator: "\n")
        #expect(lines.prefix(4) == ["0", "1", "2", "3"])
        #expect(lines.contains { $0.hasPrefix("SigBlk") && $0.hasSuffix("\t0000000000000000") })
        // Signals 32 and 33 are the C library's own: its posix_spawn leaves them ignored.
        let ignored = lines.first { $0.hasPrefix("SigIgn") }?.split(separator: "\t").last
        #expect(ignored.flatMap { UInt64($0, radix: 16) }.map { $0 & ~0x1_8000_0000 } == 0)
        #expect(lines.contains("A=b c"))
        #expect(!lines.contains { $0.hasPrefix("HOME=") })
        #expect(lines.last == "/tmp")
    }

    @Test func feedsInputLargerThanAPipe() async throws {
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        let result = try await ChildProcess.run(
            ChildCommand("/bin/cat", input: .bytes(bytes), deadline: .seconds(60)), outputLimit: 4_000_000)
        #expect(result.stdout == bytes)
        let unread = try await ChildProcess.run(
            ChildCommand("/bin/true", input: .bytes(bytes), deadline: .seconds(60)))
        #expect(unread.exit == .code(0))
    }

    @Test func cutsOutputAndSaysSo() async throws {
        let result = try await ChildProcess.run(shell("head -c 2000000 /dev/zero"), outputLimit: 1000)
        #expect(result.stdout == [UInt8](repeating: 0, count: 1000))
        #expect(result.isTruncated && result.exit == .code(0))
        let exact = try await ChildProcess.run(shell("head -c 1000 /dev/zero"), outputLimit: 1000)
        #expect(!exact.isTruncated && exact.stdout.count == 1000)
    }

    @Test func theDeadlineEndsTheWholeGroup() async throws {
        let result = try await ChildProcess.run(
            shell("echo before; sleep 300 & sleep 300; echo after", deadline: .milliseconds(300)))
        #expect(result.isTimedOut)
        #expect(result.exit == .signal(SIGKILL))
        #expect(result.stdoutText == "before\n")
    }

    @Test func aDescendantThatHoldsTheOutputDoesNotHoldTheCaller() async throws {
        let child = try await ChildProcess.spawn(shell("setsid sleep 300 & echo $!"))
        let piece = try #require(await child.nextOutput())
        let pid = try #require(Int32(String(decoding: piece.bytes, as: UTF8.self).dropLast()))
        #expect(await child.nextOutput() == nil)
        #expect(await child.wait() == .code(0))
        #expect(kill(pid, SIGKILL) == 0)
    }

    @Test func streamsBothWays() async throws {
        let child = try await ChildProcess.spawn(ChildCommand("/bin/cat", input: .stream))
        for text in ["one", "two", "three"] {
            try await child.write(Array(text.utf8))
            let piece = await child.nextOutput()
            #expect(piece == ChildOutput(stream: .stdout, bytes: Array(text.utf8)))
        }
        #expect(child.exit == nil)
        child.closeInput()
        #expect(await child.nextOutput() == nil)
        #expect(await child.wait() == .code(0))
        await #expect(throws: SystemError(errno: EPIPE, operation: "write", detail: "stdin")) {
            try await child.write([1])
        }
    }

    @Test func aSlowReaderHoldsTheWriterBack() async throws {
        let total = 8 << 20
        let child = try await ChildProcess.spawn(shell("head -c \(total) /dev/zero; echo done >&2"))
        // Nobody reads: the program can fill the window and its pipe, and then has to wait.
        var seen = 0
        let first = try #require(await child.nextOutput())
        seen += first.bytes.count
        for _ in 0..<2000 { await Task.yield() }
        #expect(child.exit == nil)
        while let piece = await child.nextOutput() {
            if piece.stream == .stdout { seen += piece.bytes.count }
        }
        #expect(seen == total)
        #expect(await child.wait() == .code(0))
    }

    @Test func signalsReachARunningProgramOnly() async throws {
        let child = try await ChildProcess.spawn(ChildCommand("/bin/sleep", ["300"]))
        child.kill(SIGTERM)
        #expect(await child.wait() == .signal(SIGTERM))
        child.kill(SIGKILL)
        #expect(child.exit == .signal(SIGTERM))
    }

    @Test func cancellingTheCallerEndsTheProgram() async throws {
        let command = ChildCommand("/bin/sleep", ["300"])
        let task = Task { try await ChildProcess.run(command) }
        for _ in 0..<100 { await Task.yield() }
        task.cancel()
        let result = try await task.value
        #expect(result.exit == .signal(SIGKILL))
    }

    @Test(arguments: [
        ("/nonexistent", ENOENT), ("/etc/passwd", EACCES), ("true", EINVAL), ("/bin/tr\0ue", EINVAL),
    ])
    func saysWhyItCouldNotStart(_ program: String, _ number: Int32) async {
        do throws(SystemError) {
            _ = try await ChildProcess.run(ChildCommand(program))
            Issue.record("started \(program)")
        } catch {
            #expect(error.errno == number)
        }
    }

    @Test func refusesTextsThatTheKernelWouldCut() async {
        for command in [
            ChildCommand("/bin/true", ["a\0b"]), ChildCommand("/bin/true", environment: ["A=B": "c"]),
            ChildCommand("/bin/true", environment: ["": "c"]),
            ChildCommand("/bin/true", environment: ["A": "\0"]),
            ChildCommand("/bin/true", workingDirectory: "/tmp\0"),
        ] {
            await #expect(throws: SystemError.self) { _ = try await ChildProcess.run(command) }
        }
        #expect(
            await {
                do throws(SystemError) {
                    _ = try await ChildProcess.run(
                        ChildCommand("/bin/true", workingDirectory: "/nonexistent"))
                    return Int32(0)
                } catch {
                    return error.errno
                }
            }() == ENOENT)
    }

    @Test func manyAtOnceLeaveNoDescriptorBehind() async throws {
        _ = try await ChildProcess.run(shell("true"))
        let before = try Descriptor.openDirectory("/proc/self/fd").list(limit: 100_000).entries.count
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<60 {
                group.addTask {
                    let result = try await ChildProcess.run(
                        ChildCommand("/bin/echo", ["\(number)"], deadline: .seconds(60)))
                    #expect(result.stdoutText == "\(number)\n")
                }
            }
            try await group.waitForAll()
        }
        let limit = MonotonicInstant.now().advanced(by: .seconds(30))
        var after = Int.max
        // Other suites open and close descriptors meanwhile: wait for a moment at which none is left over.
        while after > before + 40, MonotonicInstant.now() < limit {
            after = try Descriptor.openDirectory("/proc/self/fd").list(limit: 100_000).entries.count
            await Task.yield()
        }
        #expect(after <= before + 40)
    }

    @Test(.enabled(if: Host.canUnshare, "needs root and network namespaces"))
    func startsInAnotherNetworkNamespace() async throws {
        let queue = BlockingQueue(label: "test.namespace", width: 1, waitingLimit: 1)
        let namespace = try await Blocking.run(on: queue) { () throws(SystemError) in
            try NamespaceThread.runInNew([.network]) { () throws(SystemError) in
                SharedDescriptor(try Namespaces.openOfThisThread(.network))
            }
        }
        let result = try await ChildProcess.run(
            ChildCommand("/bin/readlink", ["/proc/self/ns/net"], networkNamespace: namespace))
        let inode = try namespace.descriptor.status().inode
        #expect(result.stdoutText == "net:[\(inode)]\n")
        #expect(try Namespaces.ownIdentity(.network) != inode)
    }

    @Test func programsAreFoundInTheSystemsDirectories() {
        #expect(ChildCommand.locate("sh")?.hasSuffix("/sh") == true)
        #expect(ChildCommand.locate("no-such-program") == nil)
        #expect(ChildCommand.locate("../bin/sh") == nil)
        #expect(ChildCommand.locate("") == nil)
    }
}
