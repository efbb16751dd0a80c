/// One line of a segment as it stands there.
struct RawLine: Sendable, Hashable {
    /// The bytes without the newline; empty when the line is longer than the format allows.
    var bytes: [UInt8]
    /// Where it begins, in bytes of the uncompressed segment.
    var offset: Int64
    /// Its number from 1; 0 where the reading did not begin at the segment's start.
    var number: Int
    /// Whether a newline follows; only the last line of a file can be without.
    var isTerminated: Bool
    /// Whether it is longer than the format allows.
    var isTooLong = false
}

/// How lines are read.
enum LineReading {
    /// How many bytes are read at once.
    static let chunkBytes = 128 * 1024
    /// What a line may take before it is given up: the longest line of the format.
    static let limitBytes = RecordLine.maximumBytes

    /// The first newline at or after `start`.
    static func newline(in bytes: [UInt8], from start: Int) -> Int? {
        let span = bytes.span
        var index = start
        while index < span.count {
            if span[index] == 0x0A { return index }
            index += 1
        }
        return nil
    }

    /// The last newline before `end` and not before `start`.
    static func newline(in bytes: [UInt8], before end: Int, notBefore start: Int) -> Int? {
        let span = bytes.span
        var index = end
        while index > start {
            index -= 1
            if span[index] == 0x0A { return index }
        }
        return nil
    }
}
