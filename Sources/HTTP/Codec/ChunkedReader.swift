/// Reads the chunked transfer coding, without I/O.
///
/// Chunk extensions are checked and ignored; trailers are kept.
/// - SeeAlso: RFC 9112, section 7.1.
struct ChunkedReader: Sendable {
    private enum State: Sendable, Equatable {
        case size
        case data(remaining: Int)
        case dataEnd
        case trailers
    }

    private var state = State.size
    private var scanner = LineScanner()
    private var overhead = 0
    private var trailerBytes = 0
    /// What a broken coding is answered with.
    private let status: HTTPStatus
    private let limits: HTTPLimits

    init(status: HTTPStatus, limits: HTTPLimits) {
        self.status = status
        self.limits = limits
    }

    /// Bytes of the present chunk's data that have not been read.
    var pendingData: Int {
        if case .data(let remaining) = state { return remaining }
        return 0
    }

    /// Reads on.
    /// - Parameter trailers: Where trailer fields are added.
    /// - Returns: What was found at the beginning of `bytes`.
    mutating func advance(
        over bytes: Span<UInt8>, trailers: inout HTTPHeaders
    ) throws(HTTPRejection) -> MessageStep {
        switch state {
        case .size:
            return try readSize(bytes)
        case .data(let remaining):
            guard bytes.count > 0 else { return .needMore }
            let taken = min(remaining, bytes.count)
            state = taken == remaining ? .dataEnd : .data(remaining: remaining - taken)
            return .body(0..<taken)
        case .dataEnd:
            guard bytes.count > 0 else { return .needMore }
            guard bytes[0] == 0x0D else { throw HTTPRejection(status, .chunk) }
            guard bytes.count > 1 else { return .needMore }
            guard bytes[1] == 0x0A else { throw HTTPRejection(status, .chunk) }
            state = .size
            return .framing(end: 2)
        case .trailers:
            return try readTrailer(bytes, &trailers)
        }
    }

    private mutating func readSize(_ bytes: Span<UInt8>) throws(HTTPRejection) -> MessageStep {
        let malformed = HTTPRejection(status, .chunk)
        let line: Range<Int>
        switch scanner.line(in: bytes, from: 0, limit: limits.chunkLineBytes) {
        case .partial: return .needMore
        case .tooLong: throw malformed
        case .bare: throw HTTPRejection(status, .lineBreak)
        case .complete(let found): line = found
        }
        scanner.reset()
        var size = 0
        var index = 0
        while index < line.upperBound, let digit = bytes[index].hexValue {
            // Fifteen digits are more than any length that fits; leading zeros count too.
            guard index < 15 else { throw malformed }
            size = size << 4 | Int(digit)
            index += 1
        }
        guard index > 0 else { throw malformed }
        try checkExtensions(bytes, index..<line.upperBound)
        overhead += line.count + 2
        guard overhead <= limits.chunkOverheadBytes else { throw malformed }
        state = size == 0 ? .trailers : .data(remaining: size)
        return .framing(end: line.upperBound + 2)
    }

    /// `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`
    private func checkExtensions(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(HTTPRejection) {
        var cursor = ExtensionCursor(index: range.lowerBound, end: range.upperBound)
        while cursor.index < cursor.end {
            guard cursor.skipBlanks(bytes), cursor.take(0x3B, bytes), cursor.skipBlanks(bytes),
                cursor.takeToken(bytes)
            else { throw HTTPRejection(status, .chunk) }
            let beforeBlanks = cursor.index
            _ = cursor.skipBlanks(bytes)
            guard cursor.take(0x3D, bytes) else {
                cursor.index = beforeBlanks
                continue
            }
            guard cursor.skipBlanks(bytes), cursor.takeToken(bytes) || cursor.takeQuoted(bytes) else {
                throw HTTPRejection(status, .chunk)
            }
        }
    }

    private mutating func readTrailer(
        _ bytes: Span<UInt8>, _ trailers: inout HTTPHeaders
    ) throws(HTTPRejection) -> MessageStep {
        switch scanner.line(in: bytes, from: 0, limit: limits.headerBytes - trailerBytes - 2) {
        case .partial:
            return .needMore
        case .tooLong:
            throw HTTPRejection(tooLarge, .headersTooLarge)
        case .bare:
            throw HTTPRejection(status, .lineBreak)
        case .complete(let line):
            scanner.reset()
            if line.isEmpty { return .end(at: 2) }
            trailerBytes += line.count + 2
            guard trailers.count < limits.headerCount else {
                throw HTTPRejection(tooLarge, .headersTooLarge)
            }
            let field = try FieldLine.parse(bytes, line, status: status)
            guard !Self.isForbidden(bytes, field.name) else { throw HTTPRejection(status, .trailer) }
            trailers.add(field, of: bytes)
            return .framing(end: line.upperBound + 2)
        }
    }

    private var tooLarge: HTTPStatus { status == .badRequest ? .headerFieldsTooLarge : status }

    /// Fields that frame, route or authenticate must not come late (RFC 9110, section 6.5.1).
    private static func isForbidden(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
        for forbidden in forbidden where bytes.matches(name, lowercase: forbidden) { return true }
        return false
    }

    private static let forbidden: [StaticString] = [
        "transfer-encoding", "content-length", "host", "connection", "expect", "te", "trailer", "upgrade",
        "content-encoding", "content-type", "content-range", "authorization", "proxy-authorization", "cookie",
        "set-cookie", "cache-control", "range", "if-match", "if-none-match", "max-forwards", "keep-alive",
        "proxy-connection",
    ]
}

/// A place within a chunk-size line.
private struct ExtensionCursor {
    var index: Int
    let end: Int

    /// Always true, so that it can stand in a chain of conditions.
    mutating func skipBlanks(_ bytes: Span<UInt8>) -> Bool {
        while index < end, bytes[index].isBlank { index += 1 }
        return true
    }

    mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard index < end, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    mutating func takeToken(_ bytes: Span<UInt8>) -> Bool {
        let start = index
        while index < end, ByteSet.token.contains(bytes[index]) { index += 1 }
        return index > start
    }

    mutating func takeQuoted(_ bytes: Span<UInt8>) -> Bool {
        guard take(0x22, bytes) else { return false }
        while index < end {
            let byte = bytes[index]
            index += 1
            if byte == 0x22 { return true }
            guard byte.isFieldContent else { return false }
            guard byte == 0x5C else { continue }
            guard index < end, bytes[index].isFieldContent else { return false }
            index += 1
        }
        return false
    }
}
