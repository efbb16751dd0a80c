import Glibc
import LinuxSystem
import Testing

@Suite struct DescriptorTests {
    @Test func closesOnceAndGivesAway() throws {
        let number: Int32
        do {
            let file = try Descriptor.openAbsolute("/dev/null")
            number = file.rawValue
            #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        }
        let other = try Descriptor.openAbsolute("/dev/null")
        let copy = try other.duplicate()
        #expect(fcntl(copy.rawValue, F_GETFD) & FD_CLOEXEC != 0)
        let taken = copy.take()
        #expect(fcntl(taken, F_GETFD) >= 0)
        #expect(close(taken) == 0)
    }

    @Test func readsBackWhatItWrote() throws {
        let directory = try TemporaryDirectory()
        let file = try Descriptor.openAbsolute(directory.file("f"), flags: O_RDWR | O_CREAT, mode: 0o600)
        let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        try file.writeAll(content.span)
        try file.fdatasync()
        try file.fsync()
        let again = try Descriptor.openAbsolute(directory.file("f"))
        #expect(try again.readAll(limit: 10_000) == content)
        #expect(
            errnoOf { () throws(SystemError) in
                _ = try Descriptor.openAbsolute(directory.file("f")).readAll(limit: 9_999)
            } == EMSGSIZE)
        #expect(try Descriptor.openAbsolute(directory.file("f")).readPrefix(limit: 9_999).count == 9_999)
        var part = [UInt8](repeating: 0, count: 4)
        var span = part.mutableSpan
        #expect(try again.pread(into: &span, at: 256) == 4)
        #expect(part == [0, 1, 2, 3])
        let patch: [UInt8] = [9, 9]
        #expect(try file.pwrite(patch.span, at: 257) == 2)
        #expect(try again.reread(into: &part) == 4)
        var second = part.mutableSpan
        #expect(try again.pread(into: &second, at: 256) == 4)
        #expect(part == [0, 9, 9, 3])
    }

    @Test func errorsNameTheCallAndTheThing() {
        do throws(SystemError) {
            _ = try Descriptor.openAbsolute("/nonexistent/\u{1b}[31m")
            Issue.record("opened")
        } catch {
            #expect(error.errno == ENOENT)
            #expect(error.operation == "openat2")
            #expect(error.detail == "/nonexistent/\\\\x1b[31m" || error.detail == "/nonexistent/\\x1b[31m")
            #expect(error.description.contains("No such file or directory"))
        }
        #expect(
            errnoOf { () throws(SystemError) in _ = try Descriptor.openAbsolute("/dev/null\0x") } == EINVAL)
    }

    @Test func foreignTextIsBounded() {
        #expect(ForeignText.printable([0x61, 0x00, 0xff, 0x0a]) == "a\\x00\\xff\\x0a")
        #expect(ForeignText.printable([UInt8](repeating: 0x61, count: 500)).count == 129)
    }

    @Test func nonBlockingIsSet() throws {
        let pair = try Socket.pair()
        try pair.first.setNonBlocking(false)
        #expect(fcntl(pair.first.rawValue, F_GETFL) & O_NONBLOCK == 0)
        try pair.first.setNonBlocking(true)
        #expect(fcntl(pair.first.rawValue, F_GETFL) & O_NONBLOCK != 0)
    }
}
