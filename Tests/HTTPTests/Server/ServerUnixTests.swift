import Glibc
import LinuxSystem
import Synchronization
import Testing

@testable import HTTP

@Suite(.timeLimit(.minutes(1)))
struct ServerUnixTests {
    private let path = "/tmp/sandwarden-http-\(UInt64.random(in: 0 ... .max)).sock"

    private func server(_ handler: ClosureHandler = .echo) throws -> HTTPServer {
        var configuration = HTTPServerConfiguration(listeners: ["unix:\(path)"])
        configuration.loops = 2
        return try HTTPServer(configuration: configuration, handler: handler)
    }

    @Test func knowsTheProcess() async throws {
        let seen = Mutex<HTTPPeer?>(nil)
        let server = try server(
            ClosureHandler { request in
                seen.withLock { $0 = request.peer }
                return .now(HTTPResponse())
            })
        let client = try await RawClient.connect("unix:\(path)")
        #expect(try await client.exchange(simpleGet).status == 200)
        #expect(seen.withLock { $0 } == .unix(uid: getuid(), gid: getgid(), pid: getpid()))
        #expect(await server.drain(deadline: .seconds(10)))
    }

    @Test func theFileIsTheOwnersAndGoesWithTheServer() async throws {
        let server = try server()
        var status = stat()
        // SAFETY: stat fills the one structure it is given.
        var answer = unsafe stat(path, &status)
        #expect(answer == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        #expect(await server.drain(deadline: .seconds(10)))
        answer = unsafe stat(path, &status)
        #expect(answer == -1 && errno == ENOENT)
    }

    @Test func replacesAFileThatNobodyListensOn() async throws {
        do {
            // Closed without being removed, as after a crash.
            let address = try #require(SocketAddress("unix:\(path)"))
            _ = try Socket.listen(on: address)
        }
        let server = try server()
        #expect(try await RawClient.connect("unix:\(path)").exchange(simpleGet).status == 200)
        let error = #expect(throws: HTTPServerError.self) { try self.server() }
        #expect(error?.code == .addressInUse)
        #expect(try await RawClient.connect("unix:\(path)").exchange(simpleGet).status == 200)
        #expect(await server.drain(deadline: .seconds(10)))
    }

    @Test func leavesOtherFilesAlone() throws {
        // SAFETY: the paths are read during the calls.
        let file = unsafe open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        #expect(file >= 0)
        _ = close(file)
        defer { _ = unsafe unlink(path) }
        #expect(throws: HTTPServerError.self) { try server() }
        let answer = unsafe access(path, F_OK)
        #expect(answer == 0)
    }
}
