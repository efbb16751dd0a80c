internal import LinuxSystem

/// How the pool of addresses is cut, and which piece is next.
///
/// The lower half holds pieces of four addresses for `restricted` and `full` (network, host, sandbox,
/// broadcast), the upper half pieces of 256 for `internal`, one for each policy.
struct AddressPlan: Sendable, Hashable {
    /// What a piece is for.
    enum Kind: Sendable, Hashable {
        case pair, network

        var prefixLength: Int { self == .pair ? 30 : 24 }
    }

    let pool: CIDR

    /// - Returns: `nil` unless the pool is IPv4 and /8 to /20.
    init?(pool: CIDR) {
        guard pool.isIPv4, (8...20).contains(pool.prefixLength) else { return nil }
        self.pool = pool
    }

    /// How many pieces of a kind there are.
    func count(_ kind: Kind) -> Int { 1 << (kind.prefixLength - pool.prefixLength - 1) }

    /// A piece by its number, counted round.
    func piece(_ kind: Kind, _ number: Int) -> CIDR {
        let start = kind == .pair ? 0 : UInt32(1) << (31 - UInt32(pool.prefixLength))
        let index = UInt32(truncatingIfNeeded: number & (count(kind) - 1))
        let offset = start + index << (32 - UInt32(kind.prefixLength))
        return CIDR(around: AddressPlan.address(pool, offset), prefixLength: kind.prefixLength)
    }

    /// The first piece from `number` on, round to its beginning, that nobody has.
    ///
    /// Starting behind the last one given keeps a fresh sandbox from getting an address that late packets of
    /// a removed one are still sent to.
    /// - Parameters:
    ///   - taken: Pieces of ours.
    ///   - occupied: What else is in use on the host.
    func next(
        _ kind: Kind, from number: Int, taken: Set<CIDR>, occupied: [CIDR]
    ) -> (number: Int, piece: CIDR)? {
        for step in 0..<count(kind) {
            let candidate = piece(kind, number &+ step)
            if taken.contains(candidate) || occupied.contains(where: { $0.overlaps(candidate) }) { continue }
            return ((number &+ step) & (count(kind) - 1), candidate)
        }
        return nil
    }

    /// The host's address in a pair.
    static func hostAddress(_ pair: CIDR) -> InternetAddress { address(pair, 1) }

    /// The sandbox's address in a pair.
    static func sandboxAddress(_ pair: CIDR) -> InternetAddress { address(pair, 2) }

    /// The lowest free address of a policy's network: .1 to .254.
    static func member(of network: CIDR, taken: Set<InternetAddress>) -> InternetAddress? {
        for offset in UInt32(1)...254 {
            let candidate = address(network, offset)
            if !taken.contains(candidate) { return candidate }
        }
        return nil
    }

    private static func address(_ block: CIDR, _ offset: UInt32) -> InternetAddress {
        guard case .v4(let base) = block.base else { return block.base }
        return .v4(base &+ offset)
    }
}
