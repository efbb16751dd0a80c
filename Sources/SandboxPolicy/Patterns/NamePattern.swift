/// A pattern for one component of a path: literal text, `?`, `*` and `[…]`.
///
/// `?` and `[…]` stand for one Unicode scalar; a byte that belongs to none stands for itself. Matching is
/// bounded by the product of both lengths.
struct NamePattern: Sendable, Hashable {
    /// One piece of a pattern.
    enum Token: Sendable, Hashable {
        case scalar(UInt32)
        /// Any one scalar.
        case any
        /// Any number of scalars.
        case star
        /// One scalar inside, or outside, of the ranges.
        case set([ClosedRange<UInt32>], isNegated: Bool)
    }

    /// Why a text is no pattern.
    enum Refusal: Error, Sendable, Hashable {
        case unclosedSet, emptySet, danglingEscape, reversedRange
    }

    let tokens: [Token]
    /// The text, where no token is a wildcard.
    let literal: [UInt8]?

    /// Reads a pattern for one component.
    static func parse(_ text: ArraySlice<UInt8>) -> Result<NamePattern, Refusal> {
        let scalars = NamePattern.scalars(text)
        var tokens: [Token] = []
        var index = 0
        while index < scalars.count {
            switch scalars[index] {
            case UInt32(UInt8(ascii: "*")):
                if tokens.last != .star { tokens.append(.star) }
                index += 1
            case UInt32(UInt8(ascii: "?")):
                tokens.append(.any)
                index += 1
            case UInt32(UInt8(ascii: "\\")):
                guard index + 1 < scalars.count else { return .failure(.danglingEscape) }
                tokens.append(.scalar(scalars[index + 1]))
                index += 2
            case UInt32(UInt8(ascii: "[")):
                switch readSet(scalars, &index) {
                case .success(let token): tokens.append(token)
                case .failure(let refusal): return .failure(refusal)
                }
            default:
                tokens.append(.scalar(scalars[index]))
                index += 1
            }
        }
        return .success(NamePattern(tokens: tokens))
    }

    /// A pattern that stands for exactly this text.
    init(literally text: ArraySlice<UInt8>) { self.init(tokens: NamePattern.scalars(text).map(Token.scalar)) }

    private init(tokens: [Token]) {
        self.tokens = tokens
        var bytes: [UInt8]? = []
        for token in tokens {
            guard case .scalar(let value) = token else {
                bytes = nil
                break
            }
            bytes?.append(contentsOf: NamePattern.bytes(of: value))
        }
        literal = bytes
    }

    private static func readSet(_ scalars: [UInt32], _ index: inout Int) -> Result<Token, Refusal> {
        var position = index + 1
        var ranges: [ClosedRange<UInt32>] = []
        let isNegated =
            position < scalars.count
            && (scalars[position] == UInt32(UInt8(ascii: "!"))
                || scalars[position] == UInt32(UInt8(ascii: "^")))
        if isNegated { position += 1 }
        let first = position
        while position < scalars.count {
            var low = scalars[position]
            if low == UInt32(UInt8(ascii: "]")), position > first {
                guard !ranges.isEmpty else { return .failure(.emptySet) }
                index = position + 1
                return .success(.set(ranges, isNegated: isNegated))
            }
            if low == UInt32(UInt8(ascii: "\\")) {
                position += 1
                guard position < scalars.count else { return .failure(.danglingEscape) }
                low = scalars[position]
            }
            position += 1
            var high = low
            if position + 1 < scalars.count, scalars[position] == UInt32(UInt8(ascii: "-")),
                scalars[position + 1] != UInt32(UInt8(ascii: "]"))
            {
                high = scalars[position + 1]
                position += 2
            }
            guard low <= high else { return .failure(.reversedRange) }
            ranges.append(low...high)
        }
        return .failure(.unclosedSet)
    }

    /// Whether a component is one that the pattern stands for.
    /// - Complexity: the product of both lengths at worst; linear without `*`.
    func matches(_ name: ArraySlice<UInt8>) -> Bool {
        if let literal { return name.elementsEqual(literal) }
        return matches(NamePattern.scalars(name))
    }

    private func matches(_ scalars: [UInt32]) -> Bool {
        var (token, position) = (0, 0)
        var retry: (token: Int, position: Int)?
        while position < scalars.count {
            if token < tokens.count, case .star = tokens[token] {
                retry = (token, position)
                token += 1
            } else if token < tokens.count, NamePattern.accepts(tokens[token], scalars[position]) {
                token += 1
                position += 1
            } else if let last = retry {
                // Only the last star can usefully take more: what the ones before it took stays taken.
                retry = (last.token, last.position + 1)
                token = last.token + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        while token < tokens.count, tokens[token] == .star { token += 1 }
        return token == tokens.count
    }

    private static func accepts(_ token: Token, _ scalar: UInt32) -> Bool {
        switch token {
        case .scalar(let value): value == scalar
        case .any, .star: true
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(scalar) } != isNegated
        }
    }

    /// Whether there is a name that both patterns stand for. A shell's pattern does not begin to match at a
    /// dot that it does not write, which is why it comes second.
    /// - Complexity: the product of both lengths.
    func intersects(shellPattern other: NamePattern) -> Bool {
        if let literal = other.literal { return matches(literal[...]) }
        let dot = Token.scalar(UInt32(UInt8(ascii: ".")))
        if tokens.first == dot, other.tokens.first != dot { return false }
        // reachable[j]: the first i tokens here and the first j there can stand for the same text so far.
        var reachable = [Bool](repeating: false, count: other.tokens.count + 1)
        reachable[0] = true
        NamePattern.closeOverStars(&reachable, other.tokens)
        for token in tokens {
            var next = [Bool](repeating: false, count: reachable.count)
            for j in reachable.indices where reachable[j] {
                if token == .star { next[j] = true }
                guard j < other.tokens.count else { continue }
                if other.tokens[j] == .star { next[j] = true }
                if token == .star || NamePattern.overlap(token, other.tokens[j]) { next[j + 1] = true }
            }
            if token == .star {
                // A star here takes any number of the other's tokens.
                for j in 1..<max(1, next.count) where next[j - 1] { next[j] = true }
            }
            NamePattern.closeOverStars(&next, other.tokens)
            reachable = next
        }
        return reachable[other.tokens.count]
    }

    private static func closeOverStars(_ states: inout [Bool], _ tokens: [Token]) {
        for j in tokens.indices where states[j] && tokens[j] == .star { states[j + 1] = true }
    }

    private static func overlap(_ left: Token, _ right: Token) -> Bool {
        switch (left, right) {
        case (.scalar(let value), let other), (let other, .scalar(let value)): accepts(other, value)
        // Two sets are taken to meet: telling for certain is not worth the code, and the answer errs to
        // caution.
        default: true
        }
    }

    /// Unicode scalars of a text; a byte that is no part of valid UTF-8 becomes a value beyond Unicode.
    private static func scalars(_ bytes: ArraySlice<UInt8>) -> [UInt32] {
        var result: [UInt32] = []
        result.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            let length =
                byte < 0x80 ? 1 : byte < 0xC2 ? 0 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF5 ? 4 : 0
            if length == 1 {
                result.append(UInt32(byte))
                index += 1
            } else if length > 1, index + length <= bytes.endIndex,
                let text = String(validating: bytes[index..<index + length], as: UTF8.self),
                let scalar = text.unicodeScalars.first
            {
                result.append(scalar.value)
                index += length
            } else {
                result.append(invalidBase + UInt32(byte))
                index += 1
            }
        }
        return result
    }

    private static let invalidBase: UInt32 = 0x11_0000

    private static func bytes(of value: UInt32) -> [UInt8] {
        if value >= invalidBase { return [UInt8(truncatingIfNeeded: value - invalidBase)] }
        guard let scalar = Unicode.Scalar(value) else { return [] }
        return Array(String(scalar).utf8)
    }
}
