import LinuxSystem
import Testing

@testable import HTTP

@Suite struct ConnectionTableTests {
    private final class Thing {}

    private func instant(_ nanoseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: nanoseconds)
    }

    /// A place is used again, but not its token.
    @Test func tokensOfThePastFindNothing() {
        var table = ConnectionTable<Thing>()
        let first = table.reserve()
        table[first] = Thing()
        #expect(table[first] != nil && table.count == 1)
        table.remove(first)
        table.remove(first)
        let second = table.reserve()
        table[second] = Thing()
        #expect(first != second && first & 0xFFFF_FFFF == second & 0xFFFF_FFFF)
        #expect(table[first] == nil && table[second] != nil && table.count == 1)
        #expect(table[12_345] == nil)
        #expect(table.all.count == 1)
    }

    @Test func aPlaceNeedsOneTimerHoweverOftenItsDeadlineMoves() {
        var table = ConnectionTable<Thing>()
        let token = table.reserve()
        table[token] = Thing()
        let needs = [100, 200, 100, 50].map { table.needsTimer(token, by: instant($0)) }
        #expect(needs == [true, false, false, true])
        // At 50 the earliest comes due; the one at 100 that is still in the heap means nothing then.
        let timer = table.timerToken(token)
        let due = [49, 50, 100].map { table.takeTimer(timer, now: instant($0)) != nil }
        #expect(due == [false, true, false])
        let needsAgain = table.needsTimer(token, by: instant(300))
        #expect(needsAgain)
    }

    /// Connections that come and go in one place do not add timers.
    @Test func successorsShareTheTimer() {
        var table = ConnectionTable<Thing>()
        var added = 0
        for round in 0..<1000 {
            let token = table.reserve()
            table[token] = Thing()
            if table.needsTimer(token, by: instant(Int64(1000 + round))) { added += 1 }
            table.remove(token)
        }
        #expect(added == 1)
    }
}
