import HTTP
import SandboxModel
import Testing

@testable import SandwardenAPI

@Suite struct RouteTests {
    static let id = "sb-0123456789"

    @Test(arguments: [
        (HTTPMethod.get, "sandboxes"), (.post, "sandboxes"), (.get, "sandboxes/stats"),
        (.get, "sandboxes/ID"),
        (.patch, "sandboxes/ID"), (.delete, "sandboxes/ID"), (.post, "sandboxes/ID/exec"),
        (.put, "sandboxes/ID/files"),
        (.post, "sandboxes/ID/respond"), (.delete, "sandboxes/ID/monitoring"),
        (.get, "sandboxes/ID/attestation"),
        (.get, "policies"), (.post, "policies/check"), (.put, "policies/strict"),
        (.post, "policies/strict/simulate"),
        (.post, "validate"), (.get, "reports"), (.get, "reports/violations"), (.get, "reports/events"),
        (.get, "reports/ID"), (.get, "reports/ID/incidents/inc-1"), (.get, "metrics"), (.head, "healthz"),
    ])
    func routesAreFound(method: HTTPMethod, path: String) throws {
        let segments = path.replacing("ID", with: Self.id).split(separator: "/").map(String.init)
        _ = try Route(method: method, segments: segments)
    }

    @Test(arguments: [
        "", "sandboxes-old", "sandboxes/..", "sandboxes/sb-short", "sandboxes/SB-0123456789",
        "sandboxes/sb-0123456789/exec/more", "sandboxes/sb-0123456789/unknown", "policies/UPPER",
        "policies/a/b",
        "reports/x", "validate/x", "metrics/x", "ui",
    ])
    func whatIsNoPathIsNotFound(path: String) {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        do throws(Route.Mismatch) {
            let route = try Route(method: .get, segments: segments)
            Issue.record("\(path) is \(route)")
        } catch {
            guard case .notFound = error else {
                Issue.record("\(path): \(error)")
                return
            }
        }
    }

    @Test func aWrongMethodNamesTheRightOnes() {
        do throws(Route.Mismatch) {
            _ = try Route(method: .put, segments: ["sandboxes"])
            Issue.record("PUT /sandboxes is no route")
        } catch {
            #expect(error == .methodNotAllowed([.get, .post]))
        }
    }
}
