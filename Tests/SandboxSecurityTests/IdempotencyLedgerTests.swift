import SandboxModel
import Testing

@testable import SandboxSecurity

@Suite struct IdempotencyLedgerTests {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    @Test func theSecondRequestIsAnsweredFromTheFirst() {
        var ledger = IdempotencyLedger()
        guard case .proceed = ledger.admit(key: "k", body: "b", resource: "sb-0123456789", at: Self.start)
        else {
            Issue.record("the first must proceed")
            return
        }
        #expect(ledger.admit(key: "k", body: "b", resource: nil, at: Self.start) == .inFlight)
        #expect(ledger.admit(key: "k", body: "other", resource: nil, at: Self.start) == .otherBody)
        _ = ledger.finish(key: "k", status: 201, resource: "sb-0123456789")
        #expect(
            ledger.admit(key: "k", body: "b", resource: nil, at: Self.start)
                == .replay(status: 201, resource: "sb-0123456789"))
    }

    @Test func anAbandonedKeyIsFree() {
        var ledger = IdempotencyLedger()
        _ = ledger.admit(key: "k", body: "b", resource: nil, at: Self.start)
        ledger.abandon(key: "k")
        guard case .proceed = ledger.admit(key: "k", body: "other", resource: nil, at: Self.start) else {
            Issue.record("it must proceed")
            return
        }
    }

    @Test func entriesLastADay() {
        var ledger = IdempotencyLedger()
        _ = ledger.admit(key: "k", body: "b", resource: nil, at: Self.start)
        _ = ledger.finish(key: "k", status: 201, resource: nil)
        let later = Self.start.advanced(bySeconds: 24 * 3600 + 1)
        guard case .proceed = ledger.admit(key: "k", body: "other", resource: nil, at: later) else {
            Issue.record("it must proceed")
            return
        }
    }

    @Test func theBoundMakesRoomOnlyFromFinishedOnes() {
        var ledger = IdempotencyLedger()
        for index in 0..<IdempotencyLedger.maximumCount {
            _ = ledger.admit(key: "k\(index)", body: "b", resource: nil, at: Self.start)
        }
        #expect(ledger.admit(key: "more", body: "b", resource: nil, at: Self.start) == .full)
        _ = ledger.finish(key: "k7", status: 201, resource: nil)
        guard case .proceed = ledger.admit(key: "more", body: "b", resource: nil, at: Self.start) else {
            Issue.record("a finished one makes room")
            return
        }
        #expect(ledger.all.count == IdempotencyLedger.maximumCount)
    }

    @Test func entriesSurviveTheirText() throws {
        for outcome in [
            IdempotencyLedger.Outcome.inFlight(resource: "sb-0123456789"), .inFlight(resource: nil),
            .finished(status: 201, resource: nil), .finished(status: 200, resource: "x"),
        ] {
            let entry = IdempotencyLedger.Entry(key: "k", body: "b", at: Self.start, outcome: outcome)
            let json = try JSONParser.parse(entry.json.bytes).json
            #expect(IdempotencyLedger.Entry(json: json) == entry)
        }
    }

    @Test func scopesDoNotMix() {
        let one = IdempotencyLedger.digest(key: "k", principal: "a", route: "b")
        #expect(one != IdempotencyLedger.digest(key: "k", principal: "ab", route: ""))
        #expect(one != IdempotencyLedger.digest(key: "bk", principal: "a", route: ""))
        #expect(
            !IdempotencyLedger.isKey("") && !IdempotencyLedger.isKey("a b") && IdempotencyLedger.isKey("a-1"))
    }
}
