import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxSecurity

@Suite struct ResponsePlanTests {
    static func policy(_ change: (inout Policy) -> Void = { _ in }) throws -> Policy {
        var policy = Policy(name: try #require(PolicyName(rawValue: "p")))
        change(&policy)
        return policy
    }

    @Test func theStrongestAnswerWins() throws {
        let policy = try Self.policy { $0.onViolation[.high] = .isolate }
        #expect(ResponsePlan(for: .high, policy: policy, reachesThreshold: false).action == .isolate)
        #expect(ResponsePlan(for: .high, policy: policy, reachesThreshold: true).action == .terminate)
        #expect(ResponsePlan(for: .low, policy: policy, reachesThreshold: false).action == .log)
        #expect(ResponsePlan(for: .critical, policy: policy, reachesThreshold: false).action == .terminate)
    }

    @Test func withoutAutoTerminationTheThresholdOnlyLogs() throws {
        let policy = try Self.policy { $0.autoTerminateOnViolation = false }
        #expect(ResponsePlan(for: .medium, policy: policy, reachesThreshold: true).action == .log)
    }

    @Test func anAuditingPolicyIntendsButDoesNot() throws {
        let policy = try Self.policy { $0.enforcement = .audit }
        let plan = ResponsePlan(for: .critical, policy: policy, reachesThreshold: false)
        #expect(plan.action == .log && plan.intended == .terminate)
    }

    @Test func theWindowForgetsWhatIsOld() {
        var window = ViolationWindow()
        let start = Timestamp(milliseconds: 0)
        let steps: [(Severity, Int64, Bool)] = [
            (.medium, 0, false), (.low, 0, false), (.high, 30, false), (.medium, 61, false), (.medium, 62, true),
        ]
        for (severity, second, expected) in steps {
            let reached = window.record(
                severity, at: start.advanced(bySeconds: second), threshold: 3, windowSeconds: 60)
            #expect(reached == expected, "at \(second)")
        }
    }

    @Test func aThresholdOfOneIsReachedAtOnce() {
        var window = ViolationWindow()
        let reached = window.record(.medium, at: Timestamp(milliseconds: 0), threshold: 1, windowSeconds: 1)
        #expect(reached)
    }
}
