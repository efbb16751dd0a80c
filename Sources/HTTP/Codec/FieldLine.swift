/// The grammar of one header or trailer line.
///
/// - SeeAlso: RFC 9112, section 5.
enum FieldLine {
    /// Reads a line that has lost its line break.
    /// - Returns: Where name and value lie; the value without blanks around it.
    static func parse(
        _ bytes: Span<UInt8>, _ line: Range<Int>, status: HTTPStatus
    ) throws(HTTPRejection) -> HTTPHeaders.Field {
        guard line.upperBound <= Int(Int32.max) else { throw HTTPRejection(status, .headersTooLarge) }
        if let first = line.first, bytes[first].isBlank { throw HTTPRejection(status, .folding) }
        var colon = line.lowerBound
        while colon < line.upperBound, ByteSet.token.contains(bytes[colon]) { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == 0x3A else {
            throw HTTPRejection(status, .fieldName)
        }
        let value = bytes.trimmed(colon + 1..<line.upperBound)
        for index in value where !bytes[index].isFieldContent {
            throw HTTPRejection(status, bytes[index] == 0x0D ? .lineBreak : .fieldValue)
        }
        return HTTPHeaders.Field(
            nameStart: Int32(truncatingIfNeeded: line.lowerBound),
            nameCount: Int32(truncatingIfNeeded: colon - line.lowerBound),
            valueStart: Int32(truncatingIfNeeded: value.lowerBound),
            valueCount: Int32(truncatingIfNeeded: value.count))
    }
}

/// Finds lines in bytes that arrive in pieces, looking at each byte once.
struct LineScanner: Sendable {
    /// Bytes of the present line that have been searched already, counted from the start of the input.
    private var scanned = 0

    /// What was found.
    enum Line: Equatable {
        /// A line without its CR LF; the next one starts two bytes after its end.
        case complete(Range<Int>)
        /// More bytes are needed.
        case partial
        /// A LF without a CR before it.
        case bare
        /// More than `limit` bytes without a line break.
        case tooLong
    }

    /// The line that starts at `start`. The answer does not depend on how the input was cut.
    /// - Parameter limit: Most bytes of a line, without its line break.
    mutating func line(in bytes: Span<UInt8>, from start: Int, limit: Int) -> Line {
        guard let feed = bytes.firstIndex(of: 0x0A, from: max(scanned, start)) else {
            scanned = bytes.count
            // The last byte may be the CR of the line break.
            return bytes.count - start > limit + 1 ? .tooLong : .partial
        }
        scanned = feed + 1
        guard feed - start <= limit + 1 else { return .tooLong }
        guard feed > start, bytes[feed - 1] == 0x0D else { return .bare }
        return .complete(start..<feed - 1)
    }

    /// Starts again at the beginning of another input.
    mutating func reset() {
        scanned = 0
    }
}
