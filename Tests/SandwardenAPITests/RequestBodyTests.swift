import SandboxModel
import SandboxSecurity
import Testing

@testable import SandwardenAPI

@Suite struct RequestBodyTests {
    static func faults(_ body: () throws(SecurityError) -> Void) -> [String] {
        do throws(SecurityError) {
            try body()
            return []
        } catch {
            return error.faults.map(\.pointer)
        }
    }

    @Test func everyFaultIsToldAtOnce() {
        let text = #"{"polcy":"x","policy":7,"ttl_seconds":0,"labels":{"a":1},"runtime":"lxc"}"#
        let found = Self.faults { () throws(SecurityError) in _ = try RequestBody.sandbox(Array(text.utf8)) }
        #expect(Set(found) == ["/polcy", "/policy", "/ttl_seconds", "/labels/a", "/runtime"])
    }

    @Test func brokenJSONNamesLineAndColumn() {
        do throws(SecurityError) {
            _ = try RequestBody.sandbox(Array("{\n  \"policy\": strict}".utf8))
            Issue.record("it must be refused")
        } catch {
            #expect(error.code == .invalid)
            #expect(error.detail.contains("line 2, column 13"))
        }
    }

    @Test func aWholeRequestIsRead() throws {
        let text = #"""
            {"policy":"strict","image":"busybox","runtime":"docker","command":"echo hi","env":{"A":"1"},
             "labels":{"team":"x"},"ttl_seconds":60,"idle_timeout_seconds":30,"allow_degraded":true}
            """#
        let request = try RequestBody.sandbox(Array(text.utf8))
        #expect(
            request.policy.rawValue == "strict" && request.image == "busybox" && request.runtime == .docker)
        #expect(
            request.command == "echo hi" && request.environment == ["A": "1"]
                && request.labels == ["team": "x"])
        #expect(request.ttlSeconds == 60 && request.idleTimeoutSeconds == 30 && request.allowsDegraded)
    }

    @Test(arguments: [
        #"{}"#, #"{"command":"a","argv":["b"]}"#, #"{"command":7}"#, #"{"argv":[1]}"#,
        #"{"command":"a","cwd":7}"#,
        #"{"command":"a","timeout_seconds":"5"}"#, #"{"command":"a","env":{"A":null}}"#, #"[]"#, #""x""#,
    ])
    func wrongExecBodiesAreRefused(text: String) {
        #expect(throws: SecurityError.self) { _ = try RequestBody.exec(Array(text.utf8)) }
    }

    @Test func aPatchMustChangeSomethingAndNullMeansNever() throws {
        #expect(throws: SecurityError.self) { _ = try RequestBody.patch(Array("{}".utf8)) }
        let never = try RequestBody.patch(Array(#"{"ttl_seconds":null}"#.utf8))
        #expect(never.ttlSeconds == .some(nil) && never.policy == nil && never.labels == nil)
    }

    @Test(arguments: [
        #"{"policy":"strict","command":"ls","path":"/work/a"}"#, #"{"policy":"strict"}"#,
        #"{"policy":"strict","sandbox_id":"sb-0123456789","command":"ls"}"#, #"{"command":"ls"}"#,
        #"{"policy":"strict","command":"ls","operation":"read"}"#,
        #"{"policy":"strict","path":"/a","cwd":"/"}"#,
        #"{"policy":"strict","path":"/a","operation":"execute"}"#,
    ])
    func wrongChecksAreRefused(text: String) throws {
        let node = try JSONParser.parse(Array(text.utf8))
        #expect(throws: SecurityError.self) { _ = try ValidationBody.check(node) }
    }
}
