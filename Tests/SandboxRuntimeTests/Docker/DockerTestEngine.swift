import Glibc
import HTTP
import LinuxSystem
import Logging
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxRuntime

/// What this machine offers to the tests of the docker driver.
enum DockerHost {
    /// Why the tests are skipped; empty when they are not.
    static let missing: String = {
        if geteuid() != 0 { return "needs root" }
        for program in ["mke2fs", "busybox", "tar"] where ChildCommand.locate(program) == nil {
            return "needs \(program)"
        }
        if named == nil, ChildCommand.locate("dockerd") == nil { return "needs dockerd" }
        return ""
    }()
    static let canRun = missing.isEmpty

    /// The engine that `SANDWARDEN_TEST_DOCKER` names (`unix:///path`).
    static var named: String? {
        // SAFETY: nothing in the tests changes the environment while it is read.
        guard let value = unsafe getenv("SANDWARDEN_TEST_DOCKER") else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}

/// An engine for the tests: the one that is named, or one of their own with its own folders and no network.
final class DockerTestEngine: Sendable {
    static let plain = "sandwarden-driver-test:plain"
    /// Declares volumes, variables, a health check, a user, an entry point and labels of its own.
    static let hostile = "sandwarden-driver-test:hostile"

    let socketPath: String
    private let directory: String?
    private let process: ChildProcess?

    /// The engine of the running suite.
    @TaskLocal static var current: DockerTestEngine?

    private init(socketPath: String, directory: String?, process: ChildProcess?) {
        self.socketPath = socketPath
        self.directory = directory
        self.process = process
    }

    static func start() async throws -> DockerTestEngine {
        let engine: DockerTestEngine
        if let named = DockerHost.named {
            let path = try DockerSocket.resolve(configured: named, dockerHost: nil) { _ in true }
            engine = DockerTestEngine(socketPath: path, directory: nil, process: nil)
        } else {
            var generator = SystemRandomNumberGenerator()
            let directory = "/tmp/swd-" + randomAlphanumerics(6, using: &generator)
            let dockerd = try #require(ChildCommand.locate("dockerd"))
            try HostFiles.makeDirectory(RawPath(directory), mode: 0o700)
            let command = ChildCommand(
                dockerd,
                [
                    "--iptables=false", "--bridge=none", "--ip-forward=false", "--data-root", "\(directory)/data",
                    "--exec-root", "\(directory)/exec", "-H", "unix://\(directory)/s", "-p", "\(directory)/pid",
                ])
            let process = try await ChildProcess.spawn(command)
            // Its log is not kept, but has to be read.
            Task.detached { while await process.nextOutput() != nil {} }
            engine = DockerTestEngine(socketPath: "\(directory)/s", directory: directory, process: process)
        }
        do {
            try await engine.waitUntilReady()
            try await engine.makeImages()
        } catch {
            try await engine.stop()
            throw error
        }
        return engine
    }

    func stop() async throws {
        guard let directory, let process else { return }
        process.kill(SIGTERM)
        _ = await process.wait()
        for entry in try MountTable.readOwn().reversed() where "\(entry.point)".hasPrefix(directory + "/") {
            try Mount.unmount(entry.point)
        }
        try HostTree.remove(directory)
    }

    private func waitUntilReady() async throws {
        for _ in 0..<600 {
            let engine = try DockerEngine(socketPath: socketPath, answerTime: .seconds(5))
            do throws(RuntimeError) {
                _ = try await engine.facts()
                return
            } catch {
                guard error.code == .unavailable, process?.exit == nil else { throw error }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw RuntimeError(.timedOut, operation: "test engine", detail: "it does not answer")
    }

    // MARK: Images

    private func makeImages() async throws {
        let driver = try DockerDriver(
            settings: DockerSettings(socketPath: socketPath, instanceID: "images"), logger: Logger(label: "test"))
        let archive = try await Self.archive()
        if try await !driver.hasImage(Self.plain) { try await importImage(archive, tag: "plain", changes: []) }
        if try await !driver.hasImage(Self.hostile) {
            try await importImage(
                archive, tag: "hostile",
                changes: [
                    "VOLUME /data /work/inner", "ENV LD_PRELOAD=/evil.so", "ENV BASH_ENV=/x", "USER root",
                    "HEALTHCHECK --interval=1s CMD touch /data/x", "ENTRYPOINT [\"/bin/sh\"]",
                    "LABEL \(DockerCreateBody.instanceLabel)=forged",
                ])
        }
    }

    private func importImage(_ archive: [UInt8], tag: String, changes: [String]) async throws {
        let client = try HTTPClient(address: .unix(path: socketPath))
        let query = changes.map { "&changes=" + DockerEngine.query($0) }.joined()
        let target = "/images/create?fromSrc=-&repo=sandwarden-driver-test&tag=\(tag)" + query
        let response = try await client.request(
            .post, target, headers: ["Content-Type": "application/x-tar"], body: archive, timeout: .seconds(60))
        guard response.status.code == 200 else {
            throw RuntimeError(.failed, operation: "import", detail: String(decoding: response.body, as: UTF8.self))
        }
        await client.shutdown()
    }

    /// Busybox and links to its applets, as a tar archive.
    private static func archive() async throws -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let root = "/tmp/swd-image-" + randomAlphanumerics(6, using: &generator)
        defer {
            do { try HostTree.remove(root) } catch { print("left behind: \(root): \(error)") }
        }
        try makeTree(root)
        let tar = try #require(ChildCommand.locate("tar"))
        let result = try await ChildProcess.run(
            ChildCommand(tar, ["-C", root, "-cf", "-", "."], deadline: .seconds(60)), outputLimit: 64 << 20)
        guard result.exit.isSuccess, !result.isTruncated else {
            throw RuntimeError(.failed, operation: "tar", detail: String(decoding: result.stderr, as: UTF8.self))
        }
        return result.stdout
    }

    private static func makeTree(_ root: String) throws {
        for folder in ["bin", "etc", "tmp", "usr/bin", "home"] {
            try HostFiles.makeDirectories(RawPath("\(root)/\(folder)"), mode: 0o755)
        }
        let busybox = try #require(ChildCommand.locate("busybox"))
        try write(try HostFiles.read(RawPath(busybox), limit: 64 << 20), to: "\(root)/bin/busybox", mode: 0o755)
        let applets = [
            "sh", "cat", "ls", "id", "env", "sleep", "dd", "head", "touch", "mkdir", "rm", "mount", "true", "echo",
            "wc", "ln", "readlink", "mkfifo", "seq", "kill", "setsid", "df", "stat", "chmod", "cp", "sort",
        ]
        let folder = try Descriptor.openDirectory(RawPath("\(root)/bin"))
        for applet in applets { try folder.makeSymbolicLink(RawPath(applet), target: "busybox") }
        try write(Array("root:x:0:0:root:/:/bin/sh\n".utf8), to: "\(root)/etc/passwd", mode: 0o644)
        try write(Array("root:image-secret:::\n".utf8), to: "\(root)/etc/shadow", mode: 0o600)
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: UInt32) throws {
        let file = try Descriptor.openAbsolute(RawPath(path), flags: O_WRONLY | O_CREAT, mode: mode)
        try file.writeAll(bytes.span)
    }
}

/// Starts the engine for a suite and stops it afterwards.
struct DockerEngineTrait: SuiteTrait, TestScoping {
    let isRecursive = false

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard DockerHost.canRun else { return try await function() }
        let engine = try await DockerTestEngine.start()
        let result: Result<Void, any Error>
        do {
            result = .success(
                try await DockerTestEngine.$current.withValue(engine) { try await function() })
        } catch {
            result = .failure(error)
        }
        try await engine.stop()
        try result.get()
    }
}

extension Trait where Self == DockerEngineTrait {
    static var engine: DockerEngineTrait { DockerEngineTrait() }
}
