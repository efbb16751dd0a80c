import Glibc
import LinuxSystem
import Testing

@Suite struct FilesTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func resolvingStaysInside() throws {
        let root = try Descriptor.openDirectory(RawPath(directory.path))
        try root.makeDirectory("work", mode: 0o755)
        try root.makeSymbolicLink("absolute", target: "/etc/passwd")
        try root.makeSymbolicLink("up", target: "../../../../etc/passwd")
        try root.makeSymbolicLink("inside", target: "/work")
        try root.makeSymbolicLink("magic", target: "/proc/self/root/etc/passwd")
        func failure(_ path: RawPath, _ resolve: ResolveFlags) -> Int32 {
            errnoOf { () throws(SystemError) in
                _ = try Descriptor.open(at: root, path: path, flags: O_RDONLY, resolve: resolve)
            }
        }
        #expect(failure("absolute", []) == 0)
        #expect(failure("absolute", .inRoot) == ENOENT)
        #expect(failure("up", .inRoot) == ENOENT)
        #expect(failure("../../etc/passwd", .inRoot) == ENOENT)
        #expect(failure("inside", [.inRoot, .noMagiclinks]) == 0)
        #expect(failure("absolute", .beneath) == EXDEV)
        #expect(failure("inside", .noSymlinks) == ELOOP)
        #expect(failure("magic", [.noMagiclinks]) == ELOOP)
        #expect(failure("work\0", []) == EINVAL)
    }

    @Test func statusNamesAndLinks() throws {
        let root = try Descriptor.openDirectory(RawPath(directory.path))
        let file = try Descriptor.open(
            at: root, path: "f", flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o640)
        try file.truncate(to: 5000)
        try file.allocate(from: 0, count: 4096)
        try file.changeMode(0o604)
        try file.setModified(1_700_000_000_123_456_789)
        let status = try root.status(of: "f")
        #expect(status.kind == .regular && status.sizeBytes == 5000 && status.permissions == 0o604)
        #expect(status.modifiedNanoseconds == 1_700_000_000_123_456_789)
        #expect(status.allocatedBytes >= 4096 && status.links == 1)
        #expect(try file.status().inode == status.inode)
        try root.link("f", to: root, "g")
        #expect(try root.status(of: "g").links == 2)
        #expect(errnoOf { () throws(SystemError) in try root.rename("f", to: root, "g", flags: 1) } == EEXIST)
        try root.makeFIFO("p", mode: 0o600)
        #expect(try root.status(of: "p").kind == .fifo)
        try root.makeSymbolicLink("l", target: "f")
        #expect(try root.status(of: "l").kind == .symbolicLink)
        #expect(try root.readLink("l") == [0x66])
        let names = try root.list(limit: 100)
        #expect(
            names.entries.map { String(decoding: $0.name, as: UTF8.self) }.sorted() == ["f", "g", "l", "p"])
        #expect(!names.isCut)
        let cut = try root.list(limit: 3)
        #expect(cut.isCut && cut.entries.count == 3)
        #expect(try !root.list(limit: 4).isCut)
    }

    @Test func temporaryFilesGetANameLast() throws {
        let root = try Descriptor.openDirectory(RawPath(directory.path))
        let file = try Descriptor.open(
            at: root, path: ".", flags: O_WRONLY | Descriptor.temporary, mode: 0o600)
        try file.writeAll("whole")
        #expect(try root.list(limit: 10).entries.isEmpty)
        try file.linkInto(root, "named")
        #expect(try HostFiles.read(directory.file("named"), limit: 10) == Array("whole".utf8))
        #expect(errnoOf { () throws(SystemError) in try file.linkInto(root, "named") } == EEXIST)
    }

    @Test func filesAreReplacedWhole() throws {
        let path = directory.file("state")
        for text in ["first", "second"] {
            let bytes = Array(text.utf8)
            try HostFiles.replace(path, with: bytes.span)
            #expect(try HostFiles.read(path, limit: 100) == bytes)
        }
        #expect(try HostFiles.status(path).permissions == 0o600)
        #expect(try Descriptor.openDirectory(RawPath(directory.path)).list(limit: 9).entries.count == 1)
    }

    @Test func directoriesAreMadeDown() throws {
        let path = directory.file("a/b/c")
        try HostFiles.makeDirectories(path, mode: 0o700)
        try HostFiles.makeDirectories(path, mode: 0o700)
        #expect(try HostFiles.status(path).kind == .directory)
        _ = try Descriptor.openAbsolute(directory.file("file"), flags: O_CREAT | O_WRONLY, mode: 0o600)
        #expect(
            errnoOf { () throws(SystemError) in
                try HostFiles.makeDirectories(directory.file("file/x"), mode: 0o700)
            } == ENOTDIR)
    }

    @Test func locksExclude() throws {
        let first = try Descriptor.openAbsolute(directory.file("lock"), flags: O_CREAT | O_RDWR, mode: 0o600)
        let second = try Descriptor.openAbsolute(directory.file("lock"), flags: O_RDWR)
        #expect(try first.lock())
        #expect(try !second.lock())
        #expect(try !second.lock(exclusive: false))
        try first.close()
        #expect(try second.lock())
    }

    @Test func spaceIsCounted() throws {
        let space = try Descriptor.openDirectory(RawPath(directory.path)).fileSystemSpace()
        #expect(space.totalBytes >= space.freeBytes && space.freeBytes >= space.availableBytes)
        #expect(space.usedBytes == space.totalBytes - space.freeBytes)
    }

    @Test func damagedDirectoryRecordsEndTheWalk() {
        func record(_ name: String, length: Int? = nil) -> [UInt8] {
            var bytes: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
            let whole = length ?? 19 + name.utf8.count + 1
            bytes += [UInt8(whole & 0xff), UInt8(whole >> 8), 8] + Array(name.utf8) + [0]
            return bytes
        }
        let good = record(".") + record("a") + record("..") + record("bc")
        let parsed = DirectoryListing.parse(good[...])
        #expect(parsed?.map(\.name) == [[0x61], [0x62, 0x63]])
        #expect(parsed?.first?.inode == 5 && parsed?.first?.kind == .regular)
        for cut in 1..<good.count {
            // Whole records parse, anything in between is refused; nothing traps.
            let part = DirectoryListing.parse(good[..<cut])
            if let part { #expect(part.count < 2 && [21, 42, 64].contains(cut), "cut at \(cut)") }
        }
        for length in [0, 18, 19, 255] {
            #expect(DirectoryListing.parse(record("a", length: length)[...]) == nil)
        }
    }

    @Test(.enabled(if: Host.isRoot, "needs root"))
    func anotherUserIsHeldToItsOwnRights() throws {
        let own = geteuid()
        let secret = directory.file("secret")
        _ = try Descriptor.openAbsolute(secret, flags: O_CREAT | O_WRONLY, mode: 0o600)
        let root = try Descriptor.openDirectory(RawPath(directory.path))
        try root.changeMode(0o777)
        let refusal = errnoOf { () throws(SystemError) in
            try FileSystemIdentity.with(uid: 12345, gid: 12346) { () throws(SystemError) in
                _ = try Descriptor.openAbsolute(secret)
            }
        }
        #expect(refusal == EACCES)
        try FileSystemIdentity.with(uid: 12345, gid: 12346) { () throws(SystemError) in
            try root.makeDirectory("mine", mode: 0o700)
        }
        let made = try root.status(of: "mine")
        #expect(made.uid == 12345 && made.gid == 12346)
        _ = try Descriptor.openAbsolute(secret)
        try root.changeOwner(of: "mine", uid: own, gid: 0)
        #expect(try root.status(of: "mine").uid == own)
    }
}
