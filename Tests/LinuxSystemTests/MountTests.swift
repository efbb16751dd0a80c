import Glibc
import LinuxSystem
import Testing

@Suite(.timeLimit(.minutes(1))) struct MountTests {
    /// Runs in a mount namespace whose mounts the host does not see.
    private func apart<Value: Sendable>(
        _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) throws -> Value {
        try NamespaceThread.runInNew([.mount]) { () throws(SystemError) in
            try Mount.setPropagation([.isPrivate, .recursive], at: "/")
            return try body()
        }
    }

    @Test(.enabled(if: Host.canUnshare, "needs root and namespaces"))
    func readOnlyReachesTheMountsBelow() throws {
        let directory = try TemporaryDirectory()
        let results = try apart { () throws(SystemError) in
            let top = RawPath(directory.path)
            try Mount.mount("tmpfs", at: top, type: "tmpfs", options: "size=1m,mode=755")
            try HostFiles.makeDirectory(directory.file("below"), mode: 0o755)
            try Mount.mount("tmpfs", at: directory.file("below"), type: "tmpfs", options: "size=1m")
            try HostFiles.makeDirectory(directory.file("view"), mode: 0o755)
            try Mount.bind(top, at: directory.file("view"), recursively: true)
            try Mount.setAttributes([.readOnly, .noSetuid], at: directory.file("view"), recursively: true)
            let refused = ["view/x", "view/below/x"].map { name in
                errnoOf { () throws(SystemError) in
                    try HostFiles.makeDirectory(directory.file(name), mode: 0o755)
                }
            }
            try HostFiles.makeDirectory(directory.file("below/x"), mode: 0o755)
            try Mount.unmount(directory.file("view"))
            try Mount.unmount(top)
            return refused
        }
        #expect(results == [EROFS, EROFS])
        #expect(errnoOf { () throws(SystemError) in try Mount.unmount(directory.file("view")) } == ENOENT)
        #expect(try Descriptor.openDirectory(RawPath(directory.path)).list(limit: 9).entries.isEmpty)
    }

    @Test(.enabled(if: Host.hasLoopDevices && Host.canUnshare, "needs root and loop devices"))
    func aFileBecomesADiskAndGoesAgain() async throws {
        guard let mkfs = ChildCommand.locate("mkfs.ext4") else { return }
        let directory = try TemporaryDirectory()
        let image = directory.file("image")
        let file = try Descriptor.openAbsolute(image, flags: O_RDWR | O_CREAT, mode: 0o600)
        try file.truncate(to: 8 << 20)
        let made = try await ChildProcess.run(
            ChildCommand(mkfs, ["-q", "-F", "\(directory.path)/image"], deadline: .seconds(60)))
        try #require(made.exit == .code(0), "\(made.stderrText)")
        let shared = SharedDescriptor(file)
        let inode = try shared.descriptor.status().inode
        let (number, total) = try apart { () throws(SystemError) in
            let device = try LoopDevice.attach(file: shared.descriptor, name: "image")
            guard try device.backingInode() == inode else {
                throw SystemError(errno: EIO, operation: "inode")
            }
            try HostFiles.makeDirectory(directory.file("disk"), mode: 0o755)
            try Mount.mount(
                RawPath(device.path), at: directory.file("disk"), type: "ext4",
                flags: [.noSetuid, .noDevices])
            let space = try Descriptor.openDirectory(directory.file("disk")).fileSystemSpace()
            try Mount.unmount(directory.file("disk"), detached: false)
            return (device.number, space.totalBytes)
        }
        #expect(total > 4 << 20 && total < 8 << 20)
        // Autoclear: once unmounted and let go of, the device has no file any more.
        let limit = MonotonicInstant.now().advanced(by: .seconds(20))
        var answer: Int32 = 0
        while MonotonicInstant.now() < limit {
            answer = errnoOf { () throws(SystemError) in try LoopDevice.detach(number: number) }
            if answer == ENXIO { break }
            await Task.yield()
        }
        #expect(answer == ENXIO)
    }

    @Test(.enabled(if: Host.canUnshare, "needs root and namespaces"))
    func aVisitLeavesNoThreadChanged() throws {
        let before = try Namespaces.ownIdentity(.network)
        let inside = try NamespaceThread.runInNew([.network]) { () throws(SystemError) in
            SharedDescriptor(try Namespaces.openOfThisThread(.network))
        }
        let identity = try inside.descriptor.status().inode
        #expect(identity != before)
        let again = try NamespaceThread.run(in: inside, kind: .network) { () throws(SystemError) in
            try Namespaces.openOfThisThread(.network).status().inode
        }
        #expect(again == identity)
        #expect(
            errnoOf { () throws(SystemError) in
                try NamespaceThread.run(in: inside, kind: .mount) {}
            } == EINVAL)
        #expect(try Namespaces.ownIdentity(.network) == before)
        #expect(try Namespaces.openOfThisThread(.network).status().inode == before)
        #expect(try Namespaces.identity(.network, of: getpid()) == before)
    }

    @Test func aProcessIsHeldForCertain() async throws {
        let child = try await ChildProcess.spawn(ChildCommand("/bin/sleep", ["300"]))
        let handle = try ProcessHandle(pid: child.pid)
        #expect(try !handle.hasEnded())
        try handle.send(signal: 0)
        try handle.send(signal: SIGKILL)
        #expect(try handle.waitForEnd(until: .now().advanced(by: .seconds(30))))
        #expect(await child.wait() == .signal(SIGKILL))
        #expect(errnoOf { () throws(SystemError) in try handle.send(signal: 0) } == ESRCH)
        #expect(errnoOf { () throws(SystemError) in _ = try ProcessHandle(pid: Int32.max) } != 0)
    }
}
