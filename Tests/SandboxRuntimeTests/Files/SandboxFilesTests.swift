import Glibc
import LinuxSystem
import Testing

@testable import SandboxRuntime

@Suite(.enabled(if: mayChangeIdentity, "needs root to act as another user"), .timeLimit(.minutes(1)))
struct SandboxFilesTests {
    let files = SandboxFiles()

    private func open(
        _ path: String, _ intent: SandboxFileIntent, in tree: SandboxFileTree
    ) async throws -> SandboxFileTarget {
        try await files.open(Array(path.utf8), in: tree.root, for: intent)
    }

    private func code(
        _ path: String, _ intent: SandboxFileIntent, in tree: SandboxFileTree
    ) async throws -> RuntimeError.Code? {
        do throws(RuntimeError) {
            _ = try await files.open(Array(path.utf8), in: tree.root, for: intent)
            return nil
        } catch {
            return error.code
        }
    }

    // MARK: Reading

    @Test func readsAFile() async throws {
        let tree = try SandboxFileTree()
        try tree.file("work/a.txt", "hello")
        let target = try await open("/work/./../work//a.txt", .read, in: tree)
        #expect(target.resolvedPath == "/work/a.txt")
        #expect(target.kind == .file)
        #expect(target.sizeBytes == 5)
        #expect(try await files.read(target, limit: 5) == Array("hello".utf8))
    }

    @Test func aFileLargerThanTheLimitIsNotRead() async throws {
        let tree = try SandboxFileTree()
        try tree.file("work/a", "hello")
        let target = try await open("/work/a", .read, in: tree)
        let error = await #expect(throws: RuntimeError.self) { try await files.read(target, limit: 4) }
        #expect(error?.code == .tooLarge)
        try tree.file("work/a", "longer than it was")
        let grown = await #expect(throws: RuntimeError.self) { try await files.read(target, limit: 5) }
        #expect(grown?.code == .tooLarge)
    }

    @Test func whatIsReadIsWhatWasOpened() async throws {
        let tree = try SandboxFileTree()
        try tree.file("work/a", "first")
        try tree.file("secret", "second")
        let target = try await open("/work/a", .read, in: tree)
        try HostFiles.rename(RawPath("\(tree.path)/work/a"), to: RawPath("\(tree.path)/work/b"))
        try tree.link("work/a", to: "/secret")
        #expect(try await files.read(target, limit: 100) == Array("first".utf8))
    }

    @Test func linksStayInsideTheRoot() async throws {
        let tree = try SandboxFileTree()
        try tree.folder("etc", owner: SandboxUser(uid: 0, gid: 0))
        try tree.file("etc/shadow", "inside", mode: 0o644, owner: SandboxUser(uid: 0, gid: 0))
        try tree.link("work/abs", to: "/etc/shadow")
        try tree.link("work/rel", to: "../../../../../../../etc/shadow")
        try tree.link("work/all", to: "/")
        for path in ["/work/abs", "/work/rel", "/work/all/etc/shadow", "/../../etc/shadow", "/work/../../etc/shadow"] {
            let target = try await open(path, .read, in: tree)
            #expect(target.resolvedPath == "/etc/shadow", "\(path)")
            #expect(try await files.read(target, limit: 100) == Array("inside".utf8))
        }
    }

    @Test func aPlantedLinkNeverReadsTheHostsFile() async throws {
        let tree = try SandboxFileTree()
        try tree.link("work/abs", to: "/etc/shadow")
        try tree.link("work/up", to: "../../../../etc/shadow")
        try tree.link("work/proc", to: "/proc/self/root/etc/shadow")
        try tree.link("work/fd", to: "/proc/self/fd")
        for path in ["/work/abs", "/work/up", "/work/proc", "/work/fd/3"] {
            #expect(try await code(path, .read, in: tree) == .notFound, "\(path)")
        }
    }

    @Test func theUsersPermissionsCount() async throws {
        let tree = try SandboxFileTree()
        let root = SandboxUser(uid: 0, gid: 0)
        try tree.file("work/private", "x", mode: 0o600, owner: root)
        try tree.file("work/group", "x", mode: 0o640, owner: root)
        try tree.folder("closed", owner: root)
        try Descriptor.openDirectory(RawPath("\(tree.path)/closed")).changeMode(0o700)
        try tree.file("closed/x", "x")
        for path in ["/work/private", "/work/group"] {
            let target = try await open(path, .read, in: tree)
            let error = await #expect(throws: RuntimeError.self) { try await files.read(target, limit: 10) }
            #expect(error?.code == .denied, "\(path)")
        }
        #expect(try await code("/closed/x", .read, in: tree) == .denied)
        let target = try await open("/work/private", .write, in: tree)
        // The folder is the user's, so the file's name is too.
        #expect(try await files.write([1], to: target, limit: 10) == .replaced)
        #expect(try await code("/closed/new", .write, in: tree) == .denied)
    }

    @Test func whatIsNeitherFileNorFolderIsDenied() async throws {
        let tree = try SandboxFileTree()
        try tree.fifo("work/fifo")
        try tree.socket("work/sock")
        try tree.device("work/null", major: 1, minor: 3)
        try tree.link("work/to-fifo", to: "fifo")
        for path in ["/work/fifo", "/work/sock", "/work/null", "/work/to-fifo"] {
            #expect(try await code(path, .read, in: tree) == .denied, "\(path)")
            #expect(try await code(path, .write, in: tree) == .denied, "\(path)")
        }
        #expect(try await code("/work/fifo", .remove, in: tree) == .denied)
        #expect(try await code("/work/to-fifo", .remove, in: tree) == nil)
    }

    @Test func circlesAndFilesAsFoldersAreNamed() async throws {
        let tree = try SandboxFileTree()
        try tree.file("work/f", "")
        try tree.link("work/loop", to: "loop")
        #expect(try await code("/work/loop", .read, in: tree) == .denied)
        #expect(try await code("/work/loop", .write, in: tree) == .denied)
        #expect(try await code("/work/f/x", .read, in: tree) == .conflict)
        #expect(try await code("/work/f/", .read, in: tree) == .conflict)
        #expect(try await code("/work/f/x", .write, in: tree) == .conflict)
        #expect(try await code("/work/none", .read, in: tree) == .notFound)
        #expect(try await code("/work/f/..", .read, in: tree) == .conflict)
    }

    // MARK: Writing

    @Test func createsAndReplaces() async throws {
        let tree = try SandboxFileTree()
        let new = try await open("/work/a/b/c.txt", .write, in: tree)
        #expect(new.kind == .missing)
        #expect(new.resolvedPath == "/work/a/b/c.txt")
        #expect(try await files.write(Array("one".utf8), to: new, limit: 10) == .created)
        #expect(try tree.text("work/a/b/c.txt") == "one")
        for name in ["work/a", "work/a/b", "work/a/b/c.txt"] {
            let status = try tree.status(name)
            #expect(status.permissions == (status.kind == .directory ? 0o755 : 0o644), "\(name)")
            #expect(status.uid == SandboxFileTree.user.uid, "\(name)")
            #expect(status.gid == SandboxFileTree.user.gid, "\(name)")
        }
        try Descriptor.openAbsolute(RawPath("\(tree.path)/work/a/b/c.txt")).changeMode(0o4750)
        let old = try await open("/work/a/b/c.txt", .write, in: tree)
        #expect(old.kind == .file)
        #expect(try await files.write(Array("two".utf8), to: old, limit: 10) == .replaced)
        #expect(try tree.text("work/a/b/c.txt") == "two")
        #expect(try tree.status("work/a/b/c.txt").permissions == 0o750)
        let names = try Descriptor.openDirectory(RawPath("\(tree.path)/work/a/b")).list(limit: 10).entries.map(\.name)
        #expect(names == [Array("c.txt".utf8)])
    }

    @Test func exclusiveNeverReplaces() async throws {
        let tree = try SandboxFileTree()
        let first = try await open("/work/x", .write, in: tree)
        let second = try await open("/work/x", .write, in: tree)
        #expect(try await files.write([1], to: first, limit: 10, exclusive: true) == .created)
        let late = await #expect(throws: RuntimeError.self) {
            try await files.write([2], to: second, limit: 10, exclusive: true)
        }
        #expect(late?.code == .conflict)
        let third = try await open("/work/x", .write, in: tree)
        let known = await #expect(throws: RuntimeError.self) {
            try await files.write([2], to: third, limit: 10, exclusive: true)
        }
        #expect(known?.code == .conflict)
        #expect(try tree.text("work/x") == "\u{1}")
        #expect(try await files.write([3], to: second, limit: 10) == .replaced)
    }

    @Test func aFolderOrTooMuchIsNotWritten() async throws {
        let tree = try SandboxFileTree()
        let folder = try await open("/work", .write, in: tree)
        #expect(folder.kind == .folder)
        let error = await #expect(throws: RuntimeError.self) { try await files.write([1], to: folder, limit: 10) }
        #expect(error?.code == .conflict)
        let file = try await open("/work/x", .write, in: tree)
        let large = await #expect(throws: RuntimeError.self) { try await files.write([1, 2], to: file, limit: 1) }
        #expect(large?.code == .tooLarge)
        #expect(try !tree.exists("work/x"))
        #expect(try await code("/work/new/", .write, in: tree) == .invalid)
    }

    @Test func aLinkIsWrittenThroughToWhereItLeads() async throws {
        let tree = try SandboxFileTree()
        try tree.folder("work/real")
        try tree.file("work/real/f", "old")
        try tree.link("work/l", to: "/work/real/f")
        try tree.link("work/d", to: "real")
        let target = try await open("/work/l", .write, in: tree)
        #expect(target.resolvedPath == "/work/real/f")
        #expect(try await files.write(Array("new".utf8), to: target, limit: 10) == .replaced)
        #expect(try tree.text("work/real/f") == "new")
        #expect(try tree.status("work/l").kind == .symbolicLink)
        let below = try await open("/work/d/g/h", .write, in: tree)
        #expect(below.resolvedPath == "/work/real/g/h")
        #expect(try await files.write([], to: below, limit: 10) == .created)
        #expect(try tree.exists("work/real/g/h"))
    }

    @Test func aLinkThatLeadsNowhereIsNotWrittenThrough() async throws {
        let tree = try SandboxFileTree()
        try tree.link("work/l", to: "/elsewhere/x")
        try tree.link("work/m", to: "n")
        #expect(try await code("/work/l", .write, in: tree) == .conflict)
        #expect(try await code("/work/m", .write, in: tree) == .conflict)
        #expect(try await code("/work/m/x", .write, in: tree) == .conflict)
    }

    @Test func aLinkPlantedAfterOpeningIsReplacedNotFollowed() async throws {
        let tree = try SandboxFileTree()
        try tree.file("victim", "safe")
        let target = try await open("/work/x", .write, in: tree)
        try tree.link("work/x", to: "/victim")
        let error = await #expect(throws: RuntimeError.self) { try await files.write([1], to: target, limit: 10) }
        #expect(error?.code == .conflict)
        #expect(try tree.text("victim") == "safe")
        let deep = try await open("/work/p/q", .write, in: tree)
        try tree.folder("other")
        try tree.link("work/p", to: "/other")
        await #expect(throws: RuntimeError.self) { try await files.write([1], to: deep, limit: 10) }
        #expect(try !tree.exists("other/q"))
    }

    @Test func aFullFileSystemIsSaidAndLeavesNothing() async throws {
        let tree = try SandboxFileTree()
        try tree.folder("work/small")
        let place = RawPath("\(tree.path)/work/small")
        try Mount.mount("tmpfs", at: place, type: "tmpfs", flags: [], options: "size=64k,mode=777")
        defer {
            do { try Mount.unmount(place) } catch { print("left mounted: \(place): \(error)") }
        }
        let target = try await open("/work/small/f", .write, in: tree)
        let bytes = [UInt8](repeating: 1, count: 1 << 20)
        let error = await #expect(throws: RuntimeError.self) {
            try await files.write(bytes, to: target, limit: 1 << 21)
        }
        #expect(error?.code == .exhausted)
        #expect(try Descriptor.openDirectory(place).list(limit: 10).entries.isEmpty)
        let mountPoint = try await open("/work/small", .remove, in: tree)
        let busy = await #expect(throws: RuntimeError.self) { try await files.remove(mountPoint, recursive: true) }
        #expect(busy?.code == .conflict)
    }

    // MARK: Listing

    @Test func listsAFolder() async throws {
        let tree = try SandboxFileTree()
        try tree.file("work/a.txt", "12345", mode: 0o640)
        try tree.folder("work/sub")
        try tree.link("work/l", to: "a.txt")
        try tree.fifo("work/p")
        let odd: [UInt8] = [0x7A, 0xFF]
        let folder = try Descriptor.openDirectory(RawPath("\(tree.path)/work"))
        try folder.makeDirectory(RawPath(bytes: odd), mode: 0o755)
        let target = try await open("/work/", .read, in: tree)
        let first = try await files.list(target, limit: 2, cursor: nil)
        #expect(first.entries.map(\.text) == ["a.txt", "l"])
        #expect(first.entries.map(\.kind) == [.file, .link])
        #expect(first.entries[0].sizeBytes == 5)
        #expect(first.entries[0].mode == 0o640)
        let second = try await files.list(target, limit: 1000, cursor: first.cursor)
        #expect(second.entries.map(\.name) == [Array("p".utf8), Array("sub".utf8), odd])
        #expect(second.entries.map(\.kind) == [.other, .folder, .folder])
        #expect(second.entries[2].text == nil)
        #expect(second.cursor == nil)
        let file = try await open("/work/a.txt", .read, in: tree)
        let error = await #expect(throws: RuntimeError.self) { try await files.list(file, limit: 1, cursor: nil) }
        #expect(error?.code == .conflict)
        let notAFile = await #expect(throws: RuntimeError.self) { try await files.read(target, limit: 1) }
        #expect(notAFile?.code == .conflict)
    }

    // MARK: Removing

    @Test func removesAFileAndALinkItself() async throws {
        let tree = try SandboxFileTree()
        try tree.file("work/f", "x")
        try tree.link("work/l", to: "f")
        let link = try await open("/work/l", .remove, in: tree)
        #expect(link.kind == .link)
        #expect(link.resolvedPath == "/work/l")
        #expect(try await files.remove(link) == 1)
        #expect(try tree.exists("work/f"))
        #expect(try await files.remove(try await open("/work/f", .remove, in: tree)) == 1)
        #expect(try !tree.exists("work/f"))
        #expect(try await code("/work/f", .remove, in: tree) == .notFound)
        #expect(try await code("/", .remove, in: tree) == .invalid)
        #expect(try await code("/work/..", .remove, in: tree) == .invalid)
    }

    @Test func aFullFolderNeedsToBeMeant() async throws {
        let tree = try SandboxFileTree()
        try tree.folder("outside")
        try tree.file("outside/keep", "x")
        try tree.folder("work/d/e")
        try tree.file("work/d/e/f", "x")
        try tree.fifo("work/d/p")
        try tree.link("work/d/l", to: "/outside")
        let target = try await open("/work/d", .remove, in: tree)
        let error = await #expect(throws: RuntimeError.self) { try await files.remove(target) }
        #expect(error?.code == .conflict)
        #expect(try await files.remove(target, recursive: true) == 5)
        #expect(try !tree.exists("work/d"))
        #expect(try tree.exists("outside/keep"))
    }

    @Test func aNestThatIsTooDeepIsRefused() async throws {
        let tree = try SandboxFileTree()
        let depth = SandboxFileTarget.removalDepth + 3
        try tree.folder("work/" + (0..<depth).map { _ in "d" }.joined(separator: "/"))
        let target = try await open("/work/d", .remove, in: tree)
        let error = await #expect(throws: RuntimeError.self) { try await files.remove(target, recursive: true) }
        #expect(error?.code == .tooLarge)
    }

    @Test func anotherFileUnderTheNameIsNotRemoved() async throws {
        let tree = try SandboxFileTree()
        try tree.file("work/f", "old")
        let target = try await open("/work/f", .remove, in: tree)
        try HostFiles.rename(RawPath("\(tree.path)/work/f"), to: RawPath("\(tree.path)/work/g"))
        try tree.file("work/f", "new")
        let error = await #expect(throws: RuntimeError.self) { try await files.remove(target) }
        #expect(error?.code == .conflict)
        #expect(try tree.text("work/f") == "new")
    }

    // MARK: The holder

    @Test func aReusedPidIsNoLiveProcess() throws {
        let ticks = try ProcessDirectory(pid: getpid()).stat().startTicks
        let error = #expect(throws: RuntimeError.self) {
            try SandboxFileRoot(
                holder: HolderProcess(pid: getpid(), startTicks: ticks + 1), user: SandboxFileTree.user)
        }
        #expect(error?.code == .conflict)
    }

    @Test func aFullQueueIsSaid() async throws {
        let tree = try SandboxFileTree()
        let queue = BlockingQueue(label: "full", width: 1, waitingLimit: 0)
        let pair = try Socket.pair()
        let number = pair.first.rawValue
        // The one place of the queue is held until the other end of the pair is closed.
        #expect(
            queue.submit {
                var place = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
                // SAFETY: one structure for the call.
                _ = unsafe poll(&place, 1, 30_000)
            })
        let busy = SandboxFiles(queue: queue)
        let error = await #expect(throws: RuntimeError.self) {
            try await busy.open(Array("/work".utf8), in: tree.root, for: .read)
        }
        #expect(error?.code == .exhausted)
        try pair.second.shutdown(.both)
        while queue.load > 0 { await Task.yield() }
    }
}
