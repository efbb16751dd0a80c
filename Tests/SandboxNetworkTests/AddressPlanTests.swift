import LinuxSystem
import Testing

@testable import SandboxNetwork

@Suite struct AddressPlanTests {
    private func plan(_ text: String) throws -> AddressPlan {
        let pool = try #require(CIDR(text))
        return try #require(AddressPlan(pool: pool))
    }

    @Test(arguments: ["10.0.0.0/7", "10.213.0.0/21", "fd00::/8", "0.0.0.0/0"])
    func refusesPoolsOfOtherSizes(_ text: String) throws {
        #expect(AddressPlan(pool: try #require(CIDR(text))) == nil)
    }

    @Test(arguments: ["10.0.0.0/8", "10.213.0.0/16", "10.213.16.0/20"])
    func piecesAreDisjointAndWithinThePool(_ text: String) throws {
        let plan = try plan(text)
        for kind in [AddressPlan.Kind.pair, .network] {
            let count = plan.count(kind)
            let numbers = Array(Set([0, 1, 2, count / 2, count - 2, count - 1])).sorted()
            let pieces = numbers.map { plan.piece(kind, $0) }
            for piece in pieces { #expect(plan.pool.contains(piece)) }
            #expect(Set(pieces).count == numbers.count)
            #expect(plan.piece(kind, count) == plan.piece(kind, 0))
        }
        let lastPair = plan.piece(.pair, plan.count(.pair) - 1)
        let firstNetwork = plan.piece(.network, 0)
        #expect(lastPair < firstNetwork && !lastPair.overlaps(firstNetwork))
    }

    @Test func pairHasHostAndSandbox() throws {
        let pair = try plan("10.213.0.0/16").piece(.pair, 3)
        #expect(pair.description == "10.213.0.12/30")
        #expect(AddressPlan.hostAddress(pair).description == "10.213.0.13")
        #expect(AddressPlan.sandboxAddress(pair).description == "10.213.0.14")
    }

    @Test func nextGoesRoundAndKeepsClear() throws {
        let plan = try plan("10.213.16.0/20")
        let count = plan.count(.network)
        #expect(count == 8)
        let last = try #require(plan.next(.network, from: count - 1, taken: [], occupied: []))
        #expect(last.number == count - 1)
        let round = try #require(plan.next(.network, from: count - 1, taken: [last.piece], occupied: []))
        #expect(round.number == 0)
        let host = try #require(CIDR("10.213.24.0/22"))
        let beside = try #require(plan.next(.network, from: 0, taken: [], occupied: [host]))
        #expect(beside.piece.description == "10.213.28.0/24")
        #expect(plan.next(.network, from: 0, taken: [], occupied: [plan.pool]) == nil)
        let all = Set((0..<count).map { plan.piece(.network, $0) })
        #expect(plan.next(.network, from: 5, taken: all, occupied: []) == nil)
    }

    @Test func networkHas254Members() throws {
        let network = try plan("10.213.0.0/16").piece(.network, 0)
        var taken: Set<InternetAddress> = []
        while let address = AddressPlan.member(of: network, taken: taken) {
            #expect(network.contains(address))
            taken.insert(address)
        }
        #expect(taken.count == 254)
        #expect(!taken.contains(network.base))
    }
}
