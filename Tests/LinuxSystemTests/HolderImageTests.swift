import Glibc
import LinuxSystem
import Testing

@Suite(.timeLimit(.minutes(2))) struct HolderImageTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/holder"
        let file = try Descriptor.openAbsolute(
            RawPath(path), flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o700)
        try file.writeAll(HolderImage.elf().span)
        try file.changeMode(0o755)
    }

    private func number(_ image: [UInt8], _ offset: Int, _ width: Int) -> UInt64 {
        (0..<width).reduce(0) { $0 | UInt64(image[offset + $1]) << UInt64(8 * $1) }
    }

    @Test func isOneSegmentWithoutAnythingWritable() {
        let image = HolderImage.elf()
        #expect(image.count > 300 && image.count < 8192)
        #expect(Array(image.prefix(7)) == [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
        #expect(number(image, 16, 2) == 2)
        #expect([62, 183].contains(number(image, 18, 2)))
        #expect(number(image, 32, 8) == 64 && number(image, 54, 2) == 56 && number(image, 56, 2) == 2)
        // The segment to load: type, readable and executable, the whole file.
        #expect(number(image, 64, 4) == 1 && number(image, 68, 4) == 5)
        #expect(number(image, 72, 8) == 0)
        let address = number(image, 80, 8)
        #expect(number(image, 96, 8) == UInt64(image.count) && number(image, 104, 8) == UInt64(image.count))
        // The stack: not executable.
        #expect(number(image, 120, 4) == 0x6474_e551 && number(image, 124, 4) == 6)
        let entry = number(image, 24, 8)
        #expect(entry >= address + 192 && entry < address + UInt64(image.count))
    }

    @Test func holdsUntilItIsTold() async throws {
        let child = try await ChildProcess.spawn(ChildCommand(path, HolderImage.holdArguments))
        let process = try ProcessDirectory(pid: child.pid)
        let limit = MonotonicInstant.now().advanced(by: .seconds(30))
        // SIGCHLD is ignored once it has come to rest: bit 16.
        while try !process.ignores(signal: SIGCHLD), MonotonicInstant.now() < limit { await Task.yield() }
        #expect(try process.ignores(signal: SIGCHLD))
        #expect(child.exit == nil)
        child.kill(SIGTERM)
        #expect(await child.wait() == .code(0))
    }

    @Test func refusesWhatItDoesNotKnow() async throws {
        for arguments in [
            [], ["hold", "x"], ["holds"], ["hol"], ["gate"], ["gate", "a", "b"], ["x", "y", "z", "w"],
        ] {
            let result = try await ChildProcess.run(ChildCommand(path, arguments, deadline: .seconds(30)))
            #expect(result.exit == .code(125), "\(arguments)")
            #expect(result.stdout.isEmpty && result.stderr.isEmpty)
        }
    }

    @Test func theGateOpensForOneByte() async throws {
        let fifo = "\(directory.path)/fifo"
        try HostFiles.makeFIFO(RawPath(fifo), mode: 0o600)
        let arguments = HolderImage.gateArguments(
            fifo: fifo, program: "/bin/sh",
            arguments: ["name", "-c", "echo $0 $A; ls /proc/self/fd; cat", "zero"])
        let child = try await ChildProcess.spawn(
            ChildCommand(path, arguments, environment: ["A": "b"], input: .bytes(Array("in".utf8))))
        // Opening for writing waits for the gate's own open; until the byte nothing of the program runs.
        let queue = BlockingQueue(label: "test.gate", width: 1, waitingLimit: 1)
        let writer = try await Blocking.run(on: queue) { () throws(SystemError) in
            SharedDescriptor(try Descriptor.openAbsolute(RawPath(fifo), flags: O_WRONLY))
        }
        #expect(try ProcessDirectory(pid: child.pid).executable().text == path)
        let byte: [UInt8] = [1]
        #expect(try writer.descriptor.write(byte.span) == 1)
        var output: [UInt8] = []
        while let piece = await child.nextOutput() { output += piece.bytes }
        #expect(String(decoding: output, as: UTF8.self) == "zero b\n0\n1\n2\n3\nin")
        #expect(await child.wait() == .code(0))
    }

    @Test func theGateStaysShutAtTheEndOfThePipe() async throws {
        let fifo = "\(directory.path)/fifo"
        try HostFiles.makeFIFO(RawPath(fifo), mode: 0o600)
        let child = try await ChildProcess.spawn(
            ChildCommand(
                path, HolderImage.gateArguments(fifo: fifo, program: "/bin/true", arguments: ["true"])))
        let queue = BlockingQueue(label: "test.gate", width: 1, waitingLimit: 1)
        try await Blocking.run(on: queue) { () throws(SystemError) in
            _ = try Descriptor.openAbsolute(RawPath(fifo), flags: O_WRONLY)
        }
        #expect(await child.wait() == .code(125))
        let missing = try await ChildProcess.run(
            ChildCommand(
                path,
                HolderImage.gateArguments(fifo: "/nonexistent", program: "/bin/true", arguments: ["true"])))
        #expect(missing.exit == .code(125))
    }

    @Test(arguments: [("/nonexistent", 127), ("/etc/passwd", 126), ("/proc", 126)])
    func theGateSaysWhyTheProgramCannotRun(_ program: String, _ code: Int32) async throws {
        let file = "\(directory.path)/byte"
        let written = try Descriptor.openAbsolute(RawPath(file), flags: O_WRONLY | O_CREAT, mode: 0o600)
        try written.writeAll("x")
        let result = try await ChildProcess.run(
            ChildCommand(path, HolderImage.gateArguments(fifo: file, program: program, arguments: ["x"])))
        #expect(result.exit == .code(code))
    }

    @Test(.enabled(if: Host.canUnshare && ChildCommand.locate("unshare") != nil, "needs root and unshare(1)"))
    func asFirstProcessItLeavesNoZombies() async throws {
        let unshare = try #require(ChildCommand.locate("unshare"))
        // The shell becomes the holder, so that its children, which end at once, are the holder's.
        let script = "sleep 0.01 & sleep 0.02 & (sleep 0.03 &) ; exec \(path) hold"
        let child = try await ChildProcess.spawn(
            ChildCommand(unshare, ["--pid", "--fork", "--kill-child", "/bin/sh", "-c", script]))
        let limit = MonotonicInstant.now().advanced(by: .seconds(60))
        var holder: Int32?
        var left: [Int32] = [0]
        while MonotonicInstant.now() < limit {
            if holder == nil { holder = try ProcessDirectory(pid: child.pid).children().first }
            if let holder, try ProcessDirectory(pid: holder).ignores(signal: SIGCHLD) {
                left = try ProcessDirectory(pid: holder).children()
                if left.isEmpty { break }
            }
            await Task.yield()
        }
        #expect(left.isEmpty)
        let first = try #require(holder)
        #expect(try ProcessDirectory(pid: first).status().namespacePIDs.last == 1)
        // As the first process of its namespace it still hears SIGTERM.
        #expect(kill(first, SIGTERM) == 0)
        #expect(await child.wait() == .code(0))
    }
}

extension ProcessDirectory {
    /// Whether the process ignores a signal.
    borrowing func ignores(signal: Int32) throws(SystemError) -> Bool {
        let bytes = try HostFiles.read(RawPath("/proc/\(pid)/status"), limit: 64 * 1024)
        for line in KernelText.lines(bytes[...]) where line.starts(with: "SigIgn:".utf8) {
            let mask = KernelText.hexadecimal(KernelText.trimmed(line.dropFirst(7))) ?? 0
            return mask >> UInt64(signal - 1) & 1 == 1
        }
        return false
    }
}
