/// A set of names compared by their bytes, for look-ups on the fast path.
///
/// `Set<String>` compares by canonical equivalence and hashes with a keyed function; file names are bytes,
/// and these names come from the policy's author, so a short fixed hash is safe and enough.
struct NameSet: Sendable {
    /// The names, in no particular order; ``index(of:)`` counts in here.
    let names: [String]
    /// Open addressing: the index of a name plus 1, or 0. A power of two, at most half full.
    private let table: [Int32]
    private let mask: Int
    /// Bit n is set when a name of length n (63 for all longer ones) is in the set.
    private let lengths: UInt64

    /// A set of the given names.
    init(_ source: some Sequence<String>) {
        var names: [String] = []
        for name in Set(source.map { Array($0.utf8) }) { names.append(String(decoding: name, as: UTF8.self)) }
        var size = 4
        while size < names.count * 2 + 1 { size *= 2 }
        var table = [Int32](repeating: 0, count: size)
        var lengths: UInt64 = 0
        for (index, name) in names.enumerated() {
            var slot = NameSet.hash(name) & (size - 1)
            while table[slot] != 0 { slot = (slot + 1) & (size - 1) }
            table[slot] = Int32(truncatingIfNeeded: index + 1)
            lengths |= 1 << UInt64(min(63, name.utf8.count))
        }
        self.names = names
        self.table = table
        self.lengths = lengths
        mask = size - 1
    }

    /// Whether the set is empty.
    var isEmpty: Bool { names.isEmpty }

    /// Whether a name with exactly these bytes is in the set.
    func contains(_ name: String) -> Bool { index(of: name) != nil }

    /// Where in ``names`` a name with exactly these bytes stands.
    func index(of name: String) -> Int? {
        guard lengths & (1 << UInt64(min(63, name.utf8.count))) != 0 else { return nil }
        var slot = NameSet.hash(name) & mask
        while table[slot] != 0 {
            let index = Int(table[slot]) - 1
            if names[index].utf8.elementsEqual(name.utf8) { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    // FNV-1a over the bytes.
    private static func hash(_ name: String) -> Int {
        var value: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: value ^ (value >> 32))
    }
}
