/// bash's brace expansion over the atoms of a word.
enum BraceExpansion {
    /// The words that a word stands for.
    /// - Parameter budget: Most words; below zero afterwards when there are more.
    static func expand(_ atoms: [Atom], budget: inout Int) -> [[Atom]] {
        expand(atoms[...], level: 0, budget: &budget)
    }

    private static func expand(_ atoms: ArraySlice<Atom>, level: Int, budget: inout Int) -> [[Atom]] {
        var index = atoms.startIndex
        while index < atoms.endIndex {
            if atoms[index] == Atom(Byte.openBrace), let group = group(at: index, in: atoms) {
                return combine(atoms, at: index, group, level: level, budget: &budget)
            }
            index += 1
        }
        budget -= 1
        return [Array(atoms)]
    }

    private struct Group {
        var close: Int
        var commas: [Int]
    }

    private static func combine(
        _ atoms: ArraySlice<Atom>, at open: Int, _ group: Group, level: Int, budget: inout Int
    ) -> [[Atom]] {
        guard level < 32 else {
            budget = -1
            return []
        }
        let prefix = atoms[..<open]
        var middles: [[Atom]] = []
        if group.commas.isEmpty {
            middles = sequence(atoms[(open + 1)..<group.close], budget: &budget) ?? []
        } else {
            var start = open + 1
            for end in group.commas + [group.close] {
                middles += expand(atoms[start..<end], level: level + 1, budget: &budget)
                start = end + 1
                if budget < 0 { return [] }
            }
        }
        let suffixes = expand(atoms[(group.close + 1)...], level: level + 1, budget: &budget)
        guard budget >= 0, middles.count * max(1, suffixes.count) <= budget + middles.count + suffixes.count else {
            budget = -1
            return []
        }
        var result: [[Atom]] = []
        for middle in middles {
            for suffix in suffixes { result.append(prefix + middle + suffix) }
        }
        budget -= max(0, result.count - middles.count - suffixes.count)
        return result
    }

    /// The brace that closes the one at an offset, when the pair is one that bash expands.
    private static func group(at open: Int, in atoms: ArraySlice<Atom>) -> Group? {
        var level = 0
        var commas: [Int] = []
        var index = open + 1
        while index < atoms.endIndex {
            switch atoms[index] {
            case Atom(Byte.openBrace): level += 1
            case Atom(Byte.comma) where level == 0: commas.append(index)
            case Atom(Byte.closeBrace):
                if level == 0 {
                    if !commas.isEmpty { return Group(close: index, commas: commas) }
                    var budget = 1 << 16
                    guard sequence(atoms[(open + 1)..<index], budget: &budget) != nil || budget < 0 else { return nil }
                    return Group(close: index, commas: [])
                }
                level -= 1
            default: break
            }
            index += 1
        }
        return nil
    }

    /// The words of `a..c`, `1..9` or `1..9..2`; `nil` if it is none of these.
    private static func sequence(_ inner: ArraySlice<Atom>, budget: inout Int) -> [[Atom]]? {
        guard inner.count >= 4, inner.allSatisfy({ $0 < 0x80 }) else { return nil }
        let text = String(decoding: inner.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
        var ends: [Substring] = []
        var rest = text[...]
        while let dots = rest.firstRange(ofDots: ()) {
            ends.append(rest[..<dots.lowerBound])
            rest = rest[dots.upperBound...]
        }
        ends.append(rest)
        guard ends.count == 2 || ends.count == 3 else { return nil }
        var step = 1
        if ends.count == 3 {
            guard let given = Int(ends[2]), given.magnitude < 1 << 31 else { return nil }
            step = max(1, abs(given))
        }
        if let first = Int(ends[0]), let last = Int(ends[1]), first.magnitude < 1 << 31, last.magnitude < 1 << 31 {
            return numbers(first, last, step, ends, budget: &budget)
        }
        guard ends[0].utf8.count == 1, ends[1].utf8.count == 1, let first = ends[0].utf8.first,
            let last = ends[1].utf8.first
        else { return nil }
        var result: [[Atom]] = []
        for value in stride(from: Int(first), through: Int(last), by: first <= last ? step : -step) {
            result.append([Atom(value) | .quoted])
        }
        budget -= result.count
        return result
    }

    private static func numbers(
        _ first: Int, _ last: Int, _ step: Int, _ ends: [Substring], budget: inout Int
    ) -> [[Atom]] {
        let count = abs(last - first) / step + 1
        guard count <= budget else {
            budget = -1
            return []
        }
        let pads = ends[..<2].contains { isPadded($0) }
        let width = pads ? max(ends[0].utf8.count, ends[1].utf8.count) : 0
        var result: [[Atom]] = []
        for value in stride(from: first, through: last, by: first <= last ? step : -step) {
            let digits = String(value.magnitude)
            let sign = value < 0 ? "-" : ""
            let zeros = String(repeating: "0", count: max(0, width - digits.utf8.count - sign.utf8.count))
            result.append((sign + zeros + digits).utf8.map { Atom($0) | .quoted })
        }
        budget -= result.count
        return result
    }

    private static func isPadded(_ text: Substring) -> Bool {
        let digits = text.utf8.drop { $0 == Byte.minus }
        return digits.count > 1 && digits.first == Byte.zero
    }
}

extension Substring {
    /// The place of the first `..`.
    func firstRange(ofDots: Void) -> Range<Index>? {
        var index = startIndex
        while index < endIndex {
            let next = self.index(after: index)
            if self[index] == ".", next < endIndex, self[next] == "." { return index..<self.index(after: next) }
            index = next
        }
        return nil
    }
}

/// Decoding of `$'…'`.
enum AnsiQuote {
    /// Appends the decoded bytes as quoted atoms.
    static func decode(_ text: ArraySlice<UInt8>, into atoms: inout [Atom]) {
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            index += 1
            guard byte == Byte.backslash, index < text.endIndex else {
                atoms.append(Atom(byte) | .quoted)
                continue
            }
            let code = text[index]
            index += 1
            guard decode(code, text, &index, &atoms) else { return }
        }
    }

    /// - Returns: False when a NUL ends the string.
    private static func decode(
        _ code: UInt8, _ text: ArraySlice<UInt8>, _ index: inout Int, _ atoms: inout [Atom]
    ) -> Bool {
        func add(_ byte: UInt8) { atoms.append(Atom(byte) | .quoted) }
        switch code {
        case UInt8(ascii: "a"): add(7)
        case UInt8(ascii: "b"): add(8)
        case UInt8(ascii: "e"), UInt8(ascii: "E"): add(27)
        case UInt8(ascii: "f"): add(12)
        case UInt8(ascii: "n"): add(10)
        case UInt8(ascii: "r"): add(13)
        case UInt8(ascii: "t"): add(9)
        case UInt8(ascii: "v"): add(11)
        case Byte.backslash, Byte.singleQuote, Byte.doubleQuote, Byte.question: add(code)
        case UInt8(ascii: "c"):
            guard index < text.endIndex else { return true }
            let control = text[index] & 0x1f
            index += 1
            guard control != 0 else { return false }
            add(control)
        case Byte.zero...UInt8(ascii: "7"):
            index -= 1
            let value = digits(text, &index, base: 8, most: 3) ?? 0
            guard value & 0xff != 0 else { return false }
            add(UInt8(truncatingIfNeeded: value))
        case UInt8(ascii: "x"):
            guard let value = hexadecimal(text, &index) else {
                add(Byte.backslash)
                add(code)
                return true
            }
            guard value & 0xff != 0 else { return false }
            add(UInt8(truncatingIfNeeded: value))
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            guard let value = digits(text, &index, base: 16, most: code == UInt8(ascii: "u") ? 4 : 8) else {
                add(Byte.backslash)
                add(code)
                return true
            }
            guard value != 0 else { return false }
            for byte in String(Unicode.Scalar(value) ?? "\u{fffd}").utf8 { add(byte) }
        default:
            add(Byte.backslash)
            add(code)
        }
        return true
    }

    /// `\xHH`, or bash's `\x{…}`.
    private static func hexadecimal(_ text: ArraySlice<UInt8>, _ index: inout Int) -> UInt32? {
        guard index < text.endIndex, text[index] == Byte.openBrace else {
            return digits(text, &index, base: 16, most: 2)
        }
        var ahead = index + 1
        guard let value = digits(text, &ahead, base: 16, most: 8), ahead < text.endIndex,
            text[ahead] == Byte.closeBrace
        else { return digits(text, &index, base: 16, most: 2) }
        index = ahead + 1
        return value
    }

    private static func digits(
        _ text: ArraySlice<UInt8>, _ index: inout Int, base: UInt32, most: Int
    ) -> UInt32? {
        var value: UInt32 = 0
        var count = 0
        while count < most, index < text.endIndex {
            let byte = text[index]
            let digit: UInt32
            switch byte {
            case Byte.zero...Byte.nine: digit = UInt32(byte - Byte.zero)
            case 0x41...0x46: digit = UInt32(byte - 0x41 + 10)
            case 0x61...0x66: digit = UInt32(byte - 0x61 + 10)
            default: digit = 99
            }
            guard digit < base else { break }
            value = value &* base &+ digit
            index += 1
            count += 1
        }
        return count == 0 ? nil : value
    }
}
