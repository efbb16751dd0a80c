/// A set of ASCII bytes, tested in a few instructions and without memory access.
struct ByteSet: Sendable {
    private let low: UInt64
    private let high: UInt64

    /// The bytes of `text`, which are ASCII.
    init(_ text: String) {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for byte in text.utf8 {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte & 63) }
        }
        self.init(low: low, high: high)
    }

    private init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// Whether the byte is in the set; bytes above 127 never are.
    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
    }

    func union(_ other: ByteSet) -> ByteSet {
        ByteSet(low: low | other.low, high: high | other.high)
    }

    private static let alphanumeric = ByteSet(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

    /// `tchar` of RFC 9110, section 5.6.2.
    static let token = alphanumeric.union(ByteSet("!#$%&'*+-.^_`|~"))
    /// `pchar` of RFC 3986, section 3.3, but for the percent sign, and the slash between segments.
    static let path = alphanumeric.union(ByteSet("-._~!$&'()*+,;=:@/"))
    /// What may stand in a query (RFC 3986, section 3.4), but for the percent sign.
    static let query = path.union(ByteSet("?"))
    /// `reg-name` of RFC 3986, section 3.2.2, but for the percent sign.
    static let registeredName = alphanumeric.union(ByteSet("-._~!$&'()*+,;="))
}

extension UInt8 {
    /// The byte in lower case, if it is an ASCII letter.
    @inline(__always)
    var lowercased: UInt8 {
        self >= 0x41 && self <= 0x5A ? self | 0x20 : self
    }

    /// Whether the byte is an ASCII digit.
    @inline(__always)
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }

    /// The value of a hexadecimal digit.
    @inline(__always)
    var hexValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }

    /// Whether the byte is a space or a tab.
    @inline(__always)
    var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// Whether the byte may stand inside a field value: visible, blank or above ASCII (RFC 9110, section
    /// 5.5).
    @inline(__always)
    var isFieldContent: Bool { self >= 0x20 ? self != 0x7F : self == 0x09 }
}

extension Span<UInt8> {
    /// The first place of `byte` at or after `start`.
    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        var index = start
        while index < count {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// Whether the bytes of `range` are `text`, which is in lower case, in any case.
    func matches(_ range: Range<Int>, lowercase text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        // SAFETY: a StaticString's code units live as long as the program, and the index is below their
        // number.
        return text.withUTF8Buffer { expected in
            for offset in 0..<expected.count {
                guard unsafe self[range.lowerBound + offset].lowercased == expected[offset] else {
                    return false
                }
            }
            return true
        }
    }

    /// The bytes of `range` without blanks at either end.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start].isBlank { start += 1 }
        while end > start, self[end - 1].isBlank { end -= 1 }
        return start..<end
    }
}

extension [UInt8] {
    /// Appends a copy of the bytes.
    @inline(__always)
    mutating func append(copying bytes: Span<UInt8>) {
        // SAFETY: the span keeps its storage alive for the call, and the pointer does not leave it.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends the text's UTF-8 bytes.
    @inline(__always)
    mutating func append(_ text: StaticString) {
        // SAFETY: a StaticString's code units live as long as the program.
        text.withUTF8Buffer { unsafe append(contentsOf: $0) }
    }

    /// Appends a number in decimal.
    mutating func append(decimal number: Int) {
        guard number > 9 else {
            append(UInt8(truncatingIfNeeded: 0x30 + Swift.max(number, 0)))
            return
        }
        var digits = 0
        var rest = number
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        let start = count
        append(contentsOf: repeatElement(0x30, count: digits))
        rest = number
        var index = start + digits - 1
        while rest > 0 {
            self[index] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
            index -= 1
        }
    }

    /// Appends a number in hexadecimal, without leading zeros.
    mutating func append(hexadecimal number: Int) {
        append(contentsOf: String(number, radix: 16).utf8)
    }
}
