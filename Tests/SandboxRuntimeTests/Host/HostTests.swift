import Glibc
import LinuxSystem
import Testing

@testable import SandboxRuntime

@Suite(.timeLimit(.minutes(1)), .enabled(if: geteuid() == 0, "needs root"))
struct HostFolderTests {
    @Test func entriesHaveTheirModesWhateverTheMask() throws {
        try TestFolder.with { path in
            let before = umask(0o077)
            defer { umask(before) }
            let folder = try HostFolder(making: "\(path)/f", mode: 0o755)
            try folder.makeFolders("a/b", mode: 0o1777)
            try folder.makeFolders("a/b", mode: 0o700)
            try folder.write("a/file", "text")
            try folder.write("a/file", "other")
            try folder.makeFIFO("pipe", mode: 0o444)
            try folder.link("l", to: "nowhere")
            func permissions(_ name: String) throws -> UInt32 {
                try HostFiles.status(RawPath("\(path)/f/\(name)"), followingLink: false).permissions
            }
            #expect(try permissions("") == 0o755)
            #expect(try permissions("a/b") == 0o1777)
            #expect(try permissions("a/file") == 0o644)
            #expect(try permissions("pipe") == 0o444)
            #expect(try HostFiles.read(RawPath("\(path)/f/a/file"), limit: 99) == Array("other".utf8))
            try HostTree.remove("\(path)/f")
            try HostTree.remove("\(path)/f")
            #expect(try HostPath.status("\(path)/f") == nil)
        }
    }

    @Test func linksAreNotFollowed() throws {
        try TestFolder.with { path in
            try HostFiles.makeDirectory(RawPath("\(path)/kept"), mode: 0o755)
            let outside = try HostFolder(making: "\(path)/kept", mode: 0o755)
            try outside.write("file", "text")
            let folder = try HostFolder(making: "\(path)/f", mode: 0o755)
            try folder.link("out", to: "../kept")
            #expect(throws: SystemError.self) { try folder.write("out/file", "changed") }
            #expect(throws: SystemError.self) { _ = try HostFolder(making: "\(path)/f/out", mode: 0o777) }
            try HostTree.remove("\(path)/f/out")
            try HostTree.remove("\(path)/f")
            #expect(try HostFiles.read(RawPath("\(path)/kept/file"), limit: 99) == Array("text".utf8))
        }
    }

    @Test func aMountBelowStopsTheRemoval() throws {
        try TestFolder.with { path in
            let folder = try HostFolder(making: "\(path)/f", mode: 0o755)
            try folder.makeFolders("a/m")
            try Mount.mount("tmpfs", at: RawPath("\(path)/f/a/m"), type: "tmpfs", options: "size=64k")
            let failure = #expect(throws: SystemError.self) { try HostTree.remove("\(path)/f") }
            #expect(failure?.errno == EBUSY)
            try HostMount.unmountAll("\(path)/f/a/m")
            try HostMount.unmountAll("\(path)/f/a/m")
            #expect(try !HostMount.isMountPoint("\(path)/f/a/m"))
            try HostTree.remove("\(path)/f")
        }
    }
}

@Suite(.timeLimit(.minutes(2)), .enabled(if: OCIHost.canRun, Comment(rawValue: OCIHost.missing)))
struct WorkspaceTests {
    private let owner = SandboxUser(uid: 231_999, gid: 231_999)

    @Test(arguments: [1, 2, 16, 512, 4096]) func isOfItsSizeAndItsOwners(size: Int) async throws {
        try await TestFolder.with { path in
            let workspace = Workspace(directory: path, sizeMB: size, owner: owner)
            try await workspace.create()
            let space = try workspace.space()
            #expect(space.totalBytes <= UInt64(size) << 20)
            #expect(space.availableBytes > UInt64(size) << 19)
            let root = try HostFiles.status(RawPath(workspace.mountPath))
            #expect(root.uid == owner.uid && root.gid == owner.gid)
            #expect(try Descriptor.openDirectory(RawPath(workspace.mountPath)).list(limit: 9).entries.isEmpty)
            let mount = try #require(
                try MountTable.readOwn().last { $0.point == RawPath(workspace.mountPath) })
            #expect(mount.options.isSuperset(of: ["nosuid", "nodev"]))
            #expect(!mount.options.contains("noexec"))
            let image = try HostFiles.status(RawPath(workspace.imagePath))
            #expect(image.permissions == 0o600)
            #expect(image.allocatedBytes < 64 << 20)
            try await workspace.remove()
            try await workspace.remove()
            #expect(try HostPath.status(workspace.imagePath) == nil)
            #expect(try HostPath.status(workspace.mountPath) == nil)
        }
    }

    @Test func comesBackAfterItsMountIsGone() async throws {
        try await TestFolder.with { path in
            let workspace = Workspace(directory: path, sizeMB: 4, owner: owner)
            try await workspace.create()
            try HostFolder(making: "\(workspace.mountPath)/d", mode: 0o755).write("f", "kept")
            #expect(try await !workspace.remount())
            try HostMount.unmountAll(workspace.mountPath)
            #expect(throws: RuntimeError.self) { _ = try workspace.space() }
            #expect(try await workspace.remount())
            #expect(
                try HostFiles.read(RawPath("\(workspace.mountPath)/d/f"), limit: 9) == Array("kept".utf8))
            try await workspace.remove()
        }
    }

    @Test func whatCannotBeIsRefused() async throws {
        try await TestFolder.with { path in
            for size in [-1, 0, Workspace.maximumSizeMB + 1] {
                let failure = await #expect(throws: RuntimeError.self) {
                    try await Workspace(directory: path, sizeMB: size, owner: owner).create()
                }
                #expect(failure?.code == .invalid)
            }
            let workspace = Workspace(directory: path, sizeMB: 2, owner: owner)
            try await workspace.create()
            let again = await #expect(throws: RuntimeError.self) { try await workspace.create() }
            #expect(again?.code == .conflict)
            try await workspace.remove()
            let gone = await #expect(throws: RuntimeError.self) { _ = try await workspace.remount() }
            #expect(gone != nil)
        }
    }
}

@Suite struct UserAllocatorTests {
    private func sources(
        passwd: String = "", subordinate: String = "", processes: Set<UInt32> = []
    ) -> UserSources {
        UserSources(
            passwd: { () throws(SystemError) in Array(passwd.utf8) },
            subordinate: { () throws(SystemError) in Array(subordinate.utf8) },
            processes: { () throws(SystemError) in processes })
    }

    @Test func whoIsTakenIsPassedOver() throws {
        let users = UserAllocator(
            range: 100..<110, start: 100,
            sources: sources(
                passwd: "a:x:100:1:::\nbroken\nb:x:nine:::\nc:x:102:::", subordinate: "d:103:2\ne:x:y\n",
                processes: [0, 106]))
        users.reserve(101)
        let given = try (0..<4).map { _ in try users.allocate().uid }
        #expect(given == [105, 107, 108, 109])
        let full = #expect(throws: RuntimeError.self) { _ = try users.allocate() }
        #expect(full?.code == .exhausted)
        users.release(107)
        #expect(try users.allocate() == SandboxUser(uid: 107, gid: 107))
    }

    @Test func aNumberComesAgainAsLateAsPossible() throws {
        let users = UserAllocator(range: 10..<13, start: 10, sources: sources())
        var given: [UInt32] = []
        for _ in 0..<4 {
            let uid = try users.allocate().uid
            given.append(uid)
            users.release(uid)
        }
        #expect(given == [10, 11, 12, 10])
    }

    @Test func whoIsTakenMustBeKnown() {
        var broken = sources()
        broken.processes = { () throws(SystemError) in throw SystemError(errno: EACCES, operation: "list") }
        let users = UserAllocator(range: 10..<13, start: 10, sources: broken)
        let failure = #expect(throws: RuntimeError.self) { _ = try users.allocate() }
        #expect(failure?.code == .unavailable)
    }

    @Test func theHostsOwnSourcesCanBeRead() throws {
        let taken = try UserSources.host.read()
        #expect(taken.contains(0))
        #expect(taken.contains(geteuid()))
    }

    @Test func everybodyGetsAnother() async throws {
        let users = UserAllocator(range: 1000..<1064, start: 1020, sources: sources())
        let given = try await withThrowingTaskGroup(of: UInt32.self) { group in
            for _ in 0..<64 { group.addTask { try users.allocate().uid } }
            return try await group.reduce(into: Set<UInt32>()) { $0.insert($1) }
        }
        #expect(given.count == 64)
    }
}

@Suite(.timeLimit(.minutes(1)), .enabled(if: geteuid() == 0, "needs root"))
struct GateFolderTests {
    @Test func aPipeOpensOnceSomebodyWaits() throws {
        try TestFolder.with { path in
            let gate = GateFolder(path: "\(path)/gate")
            try gate.create()
            try gate.create()
            for name in ["init", "stdio"] {
                #expect(try HostFiles.status(RawPath("\(gate.path)/\(name)")).permissions == 0o555)
            }
            try gate.makePipe("x")
            #expect(throws: RuntimeError.self) { try gate.makePipe("x") }
            let early = try gate.openPipe("x")
            let isEarly = early != nil
            #expect(!isEarly)
            let reader = try Descriptor.openAbsolute(RawPath("\(gate.path)/x"), flags: O_RDONLY | O_NONBLOCK)
            guard let writer = try gate.openPipe("x") else {
                Issue.record("nothing could be opened")
                return
            }
            try writer.writeAll("\n")
            #expect(try reader.readPrefix(limit: 1) == [0x0a])
            try gate.removePipe("x")
            try gate.removePipe("x")
            try gate.remove()
            try gate.remove()
        }
    }

    @Test func theStreamsAreTakenFromThreeToFive() async throws {
        try await TestFolder.with { path in
            let gate = GateFolder(path: "\(path)/gate")
            try gate.create()
            func run(_ arguments: String) async throws -> ChildResult {
                try await ChildProcess.run(
                    ChildCommand(
                        "/bin/sh",
                        [
                            "-c",
                            "exec \(gate.path)/stdio \(arguments) 3<&0 4>&1 5>&2 </dev/null >/dev/null 2>/dev/null",
                        ], input: .bytes(Array("in".utf8)), deadline: .seconds(20)))
            }
            let result = try await run("/bin/sh -c 'cat; echo err >&2; ls /proc/$$/fd; exit 9'")
            #expect(result.exitCode == 9)
            #expect(result.stdoutText == "in0\n1\n2\n")
            #expect(result.stderrText == "err\n")
            #expect(try await run("/no/such/program").exitCode == 127)
            #expect(try await run("").exitCode == 127)
            let bare = try await ChildProcess.run(
                ChildCommand("\(gate.path)/stdio", ["/bin/true"], deadline: .seconds(20)))
            #expect(bare.exitCode == 127)
        }
    }
}

/// A folder below `/tmp` for one test.
enum TestFolder {
    static func with<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let path = try make()
        let result: Result<Value, any Error>
        do { result = .success(try await body(path)) } catch { result = .failure(error) }
        try clean(path)
        return try result.get()
    }

    static func with<Value>(_ body: (String) throws -> Value) throws -> Value {
        let path = try make()
        let result = Result { try body(path) }
        try clean(path)
        return try result.get()
    }

    private static func make() throws -> String {
        let path = "/tmp/sw-t\(UInt64.random(in: 0..<1 << 40))"
        try HostFiles.makeDirectory(RawPath(path), mode: 0o755)
        return path
    }

    private static func clean(_ path: String) throws {
        for entry in try MountTable.readOwn() where entry.point.description.hasPrefix("\(path)/") {
            try HostMount.unmountAll(entry.point.description)
        }
        try HostTree.remove(path)
    }
}
