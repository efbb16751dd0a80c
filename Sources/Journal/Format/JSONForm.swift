/// Whether a line is JSON, told without building anything from it.
///
/// The grammar of RFC 8259 to the letter, UTF-8 included. Repeated names and numbers out of range pass.
struct JSONForm {
    /// As deep as the parser goes.
    private static let maximumDepth = 64

    /// Whether the bytes are one JSON object and nothing else, no space around it.
    static func isObject(_ bytes: Span<UInt8>) -> Bool {
        do {
            _ = try UTF8Span(validating: bytes)
        } catch {
            return false
        }
        var index = 0
        guard bytes.count >= 2, bytes[0] == UInt8(ascii: "{") else { return false }
        return value(bytes, &index, depth: 0) && index == bytes.count
    }

    private static func value(_ bytes: Span<UInt8>, _ index: inout Int, depth: Int) -> Bool {
        guard index < bytes.count, depth <= maximumDepth else { return false }
        switch bytes[index] {
        case UInt8(ascii: "{"): return members(bytes, &index, depth: depth, isObject: true)
        case UInt8(ascii: "["): return members(bytes, &index, depth: depth, isObject: false)
        case UInt8(ascii: "\""): return string(bytes, &index)
        case UInt8(ascii: "t"): return word("true", bytes, &index)
        case UInt8(ascii: "f"): return word("false", bytes, &index)
        case UInt8(ascii: "n"): return word("null", bytes, &index)
        default: return number(bytes, &index)
        }
    }

    private static func members(
        _ bytes: Span<UInt8>, _ index: inout Int, depth: Int, isObject: Bool
    ) -> Bool {
        let closing = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        index += 1
        skipSpace(bytes, &index)
        if take(closing, bytes, &index) { return true }
        while true {
            skipSpace(bytes, &index)
            if isObject {
                guard string(bytes, &index) else { return false }
                skipSpace(bytes, &index)
                guard take(UInt8(ascii: ":"), bytes, &index) else { return false }
                skipSpace(bytes, &index)
            }
            guard value(bytes, &index, depth: depth + 1) else { return false }
            skipSpace(bytes, &index)
            if take(closing, bytes, &index) { return true }
            guard take(UInt8(ascii: ","), bytes, &index) else { return false }
        }
    }

    private static func skipSpace(_ bytes: Span<UInt8>, _ index: inout Int) {
        while index < bytes.count, bytes[index] == 0x20 || bytes[index] == 0x09 || bytes[index] == 0x0D {
            index += 1
        }
    }

    private static func take(_ byte: UInt8, _ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        guard index < bytes.count, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    private static func word(_ text: StaticString, _ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        for byte in text.description.utf8 {
            guard take(byte, bytes, &index) else { return false }
        }
        return true
    }

    private static func string(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        guard take(UInt8(ascii: "\""), bytes, &index) else { return false }
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): guard escape(bytes, &index) else { return false }
            case 0..<0x20: return false
            default: continue
            }
        }
        return false
    }

    private static func escape(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        guard index < bytes.count else { return false }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        case UInt8(ascii: "u"):
            guard index + 4 <= bytes.count else { return false }
            for place in index..<index + 4 where !isHexadecimal(bytes[place]) { return false }
            index += 4
            return true
        default: return false
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func number(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        _ = take(UInt8(ascii: "-"), bytes, &index)
        let first = index
        guard digits(bytes, &index), bytes[first] != 0x30 || index == first + 1 else { return false }
        if take(UInt8(ascii: "."), bytes, &index), !digits(bytes, &index) { return false }
        if take(UInt8(ascii: "e"), bytes, &index) || take(UInt8(ascii: "E"), bytes, &index) {
            _ = take(UInt8(ascii: "+"), bytes, &index) || take(UInt8(ascii: "-"), bytes, &index)
            return digits(bytes, &index)
        }
        return true
    }

    private static func digits(_ bytes: Span<UInt8>, _ index: inout Int) -> Bool {
        let start = index
        while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
        return index > start
    }
}
