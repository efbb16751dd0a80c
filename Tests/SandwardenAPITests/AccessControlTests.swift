import HTTP
import SandboxModel
import SandboxSecurity
import Testing

@testable import SandwardenAPI

@Suite struct AccessControlTests {
    static func request(
        _ headers: HTTPHeaders = [:], peer: HTTPPeer = .tcp(address: "127.0.0.1", isLoopback: true),
        listener: String = "127.0.0.1:8722"
    ) throws -> HTTPRequest {
        try #require(HTTPRequest.made(.get, "/sandboxes", headers: headers, peer: peer, listener: listener))
    }

    static func role(_ access: AccessControl, _ request: HTTPRequest) -> Role? {
        do throws(SecurityError) {
            return try access.principal(for: request.head, from: request.peer).role
        } catch {
            return nil
        }
    }

    static func isForeign(_ access: AccessControl, _ request: HTTPRequest) -> Bool {
        do throws(SecurityError) {
            try access.refuseForeign(request)
            return false
        } catch {
            return true
        }
    }

    @Test func withoutTokensOnlyLoopbackIsSomebody() throws {
        let access = AccessControl(AccessControl.Settings())
        #expect(Self.role(access, try Self.request()) == .operator)
        let far = try Self.request(peer: .tcp(address: "203.0.113.5", isLoopback: false))
        #expect(Self.role(access, far) == nil)
    }

    @Test func withTokensLoopbackNeedsOne() throws {
        var generator = SystemRandomNumberGenerator()
        let token = try TokenTable.issue(name: "ci", role: .viewer, using: &generator)
        let line = try #require(token.line.split(separator: " ").last).dropLast()
        let document = try JSONParser.parse(
            Array(#"{"tokens":[{"name":"ci","role":"viewer","sha256":"\#(line)"}]}"#.utf8))
        var settings = AccessControl.Settings()
        settings.tokens = TokenTable.read(document).table
        let access = AccessControl(settings)
        #expect(Self.role(access, try Self.request()) == nil)
        #expect(Self.role(access, try Self.request(["Authorization": "Bearer \(token.secret)"])) == .viewer)
        #expect(Self.role(access, try Self.request(["Authorization": "Bearer wrong"])) == nil)
        #expect(Self.role(access, try Self.request(["Authorization": "Basic eDp5"])) == nil)
        access.replaceTokens(TokenTable())
        #expect(Self.role(access, try Self.request(["Authorization": "Bearer \(token.secret)"])) == nil)
    }

    @Test func unixPeersCountByUID() throws {
        var settings = AccessControl.Settings()
        settings.ownUID = 0
        settings.unixRoles = [1000: .viewer]
        let access = AccessControl(settings)
        for (uid, role) in [(UInt32(0), Role.admin), (1000, .viewer)] {
            let request = try Self.request(
                peer: .unix(uid: uid, gid: 0, pid: 1))
            #expect(Self.role(access, request) == role)
        }
        let stranger = try Self.request(peer: .unix(uid: 1001, gid: 0, pid: 1))
        #expect(Self.role(access, stranger) == nil)
    }

    @Test func foreignOriginsAreRefused() throws {
        var settings = AccessControl.Settings()
        settings.hostNames = ["sandwarden.example"]
        let access = AccessControl(settings)
        #expect(!Self.isForeign(access, try Self.request()))
        #expect(!Self.isForeign(access, try Self.request(["Origin": "http://127.0.0.1:8722"])))
        #expect(!Self.isForeign(access, try Self.request(["Origin": "http://localhost:8722"])))
        #expect(Self.isForeign(access, try Self.request(["Origin": "https://evil.example"])))
        #expect(!Self.isForeign(access, try Self.request(["Origin": "https://sandwarden.example"])))
        #expect(Self.isForeign(access, try Self.request(["Origin": "null"])))
    }
}
