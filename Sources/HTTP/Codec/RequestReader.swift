/// Reads requests from bytes that arrive in pieces, without I/O: a state machine that is fed by
/// ``advance(over:)``.
///
/// However the bytes are cut, the steps describe the same message. Memory is bounded by the limits: nothing
/// is kept of a head before it is complete, and nothing at all of a body.
/// - SeeAlso: RFC 9112.
public struct RequestReader: Sendable {
    /// The head of the present message, from ``MessageStep/head(end:)`` until the next message begins.
    public private(set) var head = HTTPRequestHead()
    /// The trailer fields of the present message, complete at ``MessageStep/end(at:)``.
    public private(set) var trailers = HTTPHeaders()
    /// Longest body of the present message; set it after the head, at every head it starts at the limit
    /// given.
    public var bodyLimit: Int

    private enum State: Sendable {
        case start
        case headers(lineStart: Int)
        case length(remaining: Int)
        case chunked(ChunkedReader)
        case complete
        case rejected(HTTPRejection)
    }

    private let limits: HTTPLimits
    private var state = State.start
    private var scanner = LineScanner()
    private var framing = FramingFields()
    private var headersStart = 0
    private var bodyCount = 0

    /// A reader at the beginning of a connection.
    public init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
        bodyLimit = limits.bodyBytes
    }

    /// Whether a message has begun: its request line has been read, and its end has not.
    public var isInMessage: Bool {
        if case .start = state { return false }
        return true
    }

    /// Reads on.
    /// - Parameter bytes: All bytes that have arrived and have not been dropped.
    /// - Complexity: Each byte is looked at a bounded number of times, however the input is cut.
    public mutating func advance(over bytes: Span<UInt8>) -> MessageStep {
        do throws(HTTPRejection) {
            return try step(bytes)
        } catch {
            state = .rejected(error)
            return .reject(error)
        }
    }

    private mutating func step(_ bytes: Span<UInt8>) throws(HTTPRejection) -> MessageStep {
        switch state {
        case .start:
            return try readRequestLine(bytes)
        case .headers(let lineStart):
            return try readHeaders(bytes, from: lineStart)
        case .length(let remaining):
            guard remaining <= bodyLimit || bodyCount > 0 else { throw Self.bodyTooLarge }
            guard bytes.count > 0 else { return .needMore }
            let taken = min(remaining, bytes.count)
            bodyCount += taken
            state = taken == remaining ? .complete : .length(remaining: remaining - taken)
            return .body(0..<taken)
        case .chunked(var reader):
            let step = try reader.advance(over: bytes, trailers: &trailers)
            state = .chunked(reader)
            if case .body(let range) = step { bodyCount += range.count }
            // Known as soon as the chunk announces itself, so that none of its data is taken.
            guard reader.pendingData <= bodyLimit - bodyCount else { throw Self.bodyTooLarge }
            if case .end = step { begin() }
            return step
        case .complete:
            begin()
            return .end(at: 0)
        case .rejected(let rejection):
            return .reject(rejection)
        }
    }

    private mutating func begin() {
        state = .start
        scanner.reset()
        framing = FramingFields()
        bodyCount = 0
        bodyLimit = limits.bodyBytes
    }

    private static var bodyTooLarge: HTTPRejection { HTTPRejection(.contentTooLarge, .bodyTooLarge) }
}

// MARK: Head

extension RequestReader {
    private mutating func readRequestLine(_ bytes: Span<UInt8>) throws(HTTPRejection) -> MessageStep {
        // One empty line before a request is let pass (RFC 9112, section 2.2); a second one is not.
        var start = 0
        if bytes.count > 0, bytes[0] == 0x0D {
            guard bytes.count > 1 else { return .needMore }
            guard bytes[1] == 0x0A else { throw HTTPRejection(.badRequest, .lineBreak) }
            start = 2
        }
        guard bytes.count > start else { return .needMore }
        // A client that speaks another protocol is told so before it has filled the line.
        guard ByteSet.token.contains(bytes[start]) else { throw HTTPRejection(.badRequest, .requestLine) }
        switch scanner.line(in: bytes, from: start, limit: limits.requestLineBytes) {
        case .partial:
            return .needMore
        case .tooLong:
            throw HTTPRejection(.uriTooLong, .requestLineTooLong)
        case .bare:
            throw HTTPRejection(.badRequest, .lineBreak)
        case .complete(let line):
            try parseRequestLine(bytes, line)
            headersStart = line.upperBound + 2
            state = .headers(lineStart: headersStart)
            return try readHeaders(bytes, from: headersStart)
        }
    }

    private mutating func parseRequestLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>
    ) throws(HTTPRejection) {
        let malformed = HTTPRejection(.badRequest, .requestLine)
        var index = line.lowerBound
        while index < line.upperBound, ByteSet.token.contains(bytes[index]) { index += 1 }
        let methodEnd = index
        guard methodEnd > line.lowerBound, index < line.upperBound, bytes[index] == 0x20 else {
            throw malformed
        }
        guard methodEnd - line.lowerBound <= 32 else { throw HTTPRejection(.notImplemented, .method) }
        index += 1
        let targetStart = index
        while index < line.upperBound, bytes[index] > 0x20, bytes[index] != 0x7F { index += 1 }
        let target = targetStart..<index
        guard !target.isEmpty, index < line.upperBound, bytes[index] == 0x20 else { throw malformed }
        let minor = try Self.minorVersion(bytes, index + 1..<line.upperBound)
        head.headers.reset()
        head.method = HTTPMethod(bytes, line.lowerBound..<methodEnd)
        guard head.method != .connect else { throw HTTPRejection(.notImplemented, .method) }
        head.target = try RequestTarget(bytes, target, method: head.method)
        head.minorVersion = minor
        head.host = nil
        head.expectsContinue = false
        trailers.reset()
    }

    /// `HTTP/1.x`; a minor version above 1 is spoken to as 1.1 (RFC 9110, section 2.5).
    private static func minorVersion(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(HTTPRejection) -> Int {
        let start = range.lowerBound
        guard range.count == 8, bytes[start] == 0x48, bytes[start + 1] == 0x54, bytes[start + 2] == 0x54,
            bytes[start + 3] == 0x50, bytes[start + 4] == 0x2F, bytes[start + 5].isDigit,
            bytes[start + 6] == 0x2E, bytes[start + 7].isDigit
        else { throw HTTPRejection(.badRequest, .requestLine) }
        guard bytes[start + 5] == 0x31 else { throw HTTPRejection(.versionNotSupported, .version) }
        return bytes[start + 7] == 0x30 ? 0 : 1
    }

    private mutating func readHeaders(
        _ bytes: Span<UInt8>, from start: Int
    ) throws(HTTPRejection) -> MessageStep {
        var lineStart = start
        while true {
            let room = limits.headerBytes - (lineStart - headersStart) - 2
            switch scanner.line(in: bytes, from: lineStart, limit: room) {
            case .partial:
                state = .headers(lineStart: lineStart)
                return .needMore
            case .tooLong:
                throw Self.headersTooLarge
            case .bare:
                throw HTTPRejection(.badRequest, .lineBreak)
            case .complete(let line):
                lineStart = line.upperBound + 2
                if line.isEmpty { return try finishHead(bytes, end: lineStart) }
                guard head.headers.count < limits.headerCount else { throw Self.headersTooLarge }
                let field = try FieldLine.parse(bytes, line, status: .badRequest)
                head.headers.note(field)
                try examine(bytes, field)
            }
        }
    }

    private static var headersTooLarge: HTTPRejection {
        HTTPRejection(.headerFieldsTooLarge, .headersTooLarge)
    }

    /// Fields that decide about framing and routing.
    private mutating func examine(
        _ bytes: Span<UInt8>, _ field: HTTPHeaders.Field
    ) throws(HTTPRejection) {
        let name = field.name
        let value = field.value
        switch field.nameCount {
        case 4 where bytes.matches(name, lowercase: "host"):
            guard head.host == nil, HostField.isValid(bytes, value) else {
                throw HTTPRejection(.badRequest, .host)
            }
            head.host = value
        case 6 where bytes.matches(name, lowercase: "expect"):
            guard bytes.matches(value, lowercase: "100-continue"), !head.expectsContinue else {
                throw HTTPRejection(.expectationFailed, .expectation)
            }
            head.expectsContinue = true
        case 10 where bytes.matches(name, lowercase: "connection"):
            try framing.addConnection(bytes, value, status: .badRequest)
        case 14 where bytes.matches(name, lowercase: "content-length"):
            try framing.addContentLength(bytes, value, status: .badRequest)
        case 17 where bytes.matches(name, lowercase: "transfer-encoding"):
            try framing.addTransferEncoding(bytes, value, status: .badRequest)
        default:
            break
        }
    }

    private mutating func finishHead(_ bytes: Span<UInt8>, end: Int) throws(HTTPRejection) -> MessageStep {
        try framing.check(minorVersion: head.minorVersion, status: .badRequest)
        guard head.host != nil || head.minorVersion == 0 else { throw HTTPRejection(.badRequest, .host) }
        // An HTTP/1.0 client cannot be waiting for an interim response.
        if head.minorVersion == 0 { head.expectsContinue = false }
        head.keepsAlive = framing.keepsAlive(minorVersion: head.minorVersion)
        head.headers.adopt(bytes.extracting(0..<end))
        bodyCount = 0
        bodyLimit = limits.bodyBytes
        if framing.isChunked {
            head.framing = .chunked
            state = .chunked(ChunkedReader(status: .badRequest, limits: limits))
        } else if let length = framing.contentLength {
            head.framing = .length(length)
            state = length == 0 ? .complete : .length(remaining: length)
        } else {
            head.framing = .none
            state = .complete
        }
        return .head(end: end)
    }
}
