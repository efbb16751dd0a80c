internal import SandboxModel

/// Texts in a line.
enum LineText {
    /// The time that a `timestamp` member's text stands for.
    static func milliseconds(_ text: ArraySlice<UInt8>) -> Int64? {
        Timestamp(rfc3339: String(decoding: text, as: UTF8.self))?.milliseconds
    }

    /// Whether a part of a line is that text.
    static func isEqual(_ line: Span<UInt8>, _ range: Range<Int>, _ text: [UInt8]) -> Bool {
        guard range.count == text.count else { return false }
        let other = text.span
        var index = 0
        while index < other.count {
            if line[range.lowerBound + index] != other[index] { return false }
            index += 1
        }
        return true
    }
}
