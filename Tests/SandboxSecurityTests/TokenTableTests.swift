import SandboxModel
import Testing

@testable import SandboxSecurity

@Suite struct TokenTableTests {
    static func document(_ text: String) throws -> DocumentNode { try JSONParser.parse(Array(text.utf8)) }

    @Test func anIssuedTokenIsFound() throws {
        var generator = SystemRandomNumberGenerator()
        let token = try TokenTable.issue(name: "ci", role: .operator, using: &generator)
        let digest = token.line.split(separator: " ").last.map { String($0.dropLast()) } ?? ""
        let read = TokenTable.read(
            try Self.document(#"{"tokens":[{"name":"ci","role":"operator","sha256":"\#(digest)"}]}"#))
        #expect(read.faults.isEmpty)
        #expect(read.table.principal(for: token.secret.utf8) == Principal(name: "ci", role: .operator))
        #expect(read.table.principal(for: (token.secret + "x").utf8) == nil)
        #expect(read.table.principal(for: "".utf8) == nil)
        #expect(!token.line.contains(token.secret))
    }

    @Test(arguments: [
        (#"{}"#, "/tokens"),
        (#"{"tokens":{}}"#, "/tokens"),
        (#"{"tokens":[],"more":1}"#, "/more"),
        (#"{"tokens":[{"name":"a b","role":"viewer","sha256":"00"}]}"#, "/tokens/0/name"),
        (#"{"tokens":[{"name":"a","role":"root","sha256":"00"}]}"#, "/tokens/0/role"),
        (#"{"tokens":[{"name":"a","role":"admin","sha256":"zz"}]}"#, "/tokens/0/sha256"),
        (#"{"tokens":[{"name":"a","role":"admin","sha256":"00","x":1}]}"#, "/tokens/0/x"),
    ])
    func faultsNameTheirPlace(text: String, pointer: String) throws {
        let read = TokenTable.read(try Self.document(text))
        #expect(read.faults.contains { $0.pointer == pointer })
        #expect(read.table.entries.isEmpty)
    }

    @Test func aNameThatCannotBeIsRefused() {
        var generator = SystemRandomNumberGenerator()
        #expect(throws: SecurityError.self) {
            try TokenTable.issue(name: "a: b}", role: .admin, using: &generator)
        }
    }
}
