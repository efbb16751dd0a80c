/// Reads responses from bytes that arrive in pieces, without I/O; the client's side of ``RequestReader``.
///
/// Interim responses (1xx but 101) are read and left out, a bounded number of them.
/// - SeeAlso: RFC 9112, sections 4 and 6.3.
package struct ResponseReader: Sendable {
    /// The head of the present message, from ``MessageStep/head(end:)`` until the next message begins.
    package private(set) var head = HTTPResponseHead()
    /// The trailer fields of the present message, complete at ``MessageStep/end(at:)``.
    package private(set) var trailers = HTTPHeaders()

    private enum State: Sendable {
        case start
        case headers(lineStart: Int)
        case length(remaining: Int)
        case chunked(ChunkedReader)
        case untilClose
        case complete
        case rejected(HTTPRejection)
    }

    /// Every fault of a server is the same to its client.
    private static let status = HTTPStatus.badGateway
    private static let mostInterim = 8

    private let limits: HTTPLimits
    private let method: HTTPMethod
    private var state = State.start
    private var scanner = LineScanner()
    private var framing = FramingFields()
    private var headersStart = 0
    private var bodyCount = 0
    private var interim = 0

    /// A reader for the response to one request.
    /// - Parameters:
    ///   - method: The request's method; a response to HEAD has no body.
    ///   - limits: `requestLineBytes` bounds the status line, `bodyBytes` the body.
    package init(method: HTTPMethod, limits: HTTPLimits = HTTPLimits()) {
        self.method = method
        self.limits = limits
    }

    /// Whether the head has been read and the message has not ended.
    package var isInBody: Bool {
        switch state {
        case .length, .chunked, .untilClose: true
        case .start, .headers, .complete, .rejected: false
        }
    }

    /// Reads on; see ``MessageStep``. After `.end` the reader is spent.
    package mutating func advance(over bytes: Span<UInt8>) -> MessageStep {
        do throws(HTTPRejection) {
            return try step(bytes)
        } catch {
            state = .rejected(error)
            return .reject(error)
        }
    }

    /// The connection has ended; call it after all bytes have been read.
    /// - Returns: `.end(at: 0)` for a body that ends with the connection, else a rejection.
    package mutating func finish() -> MessageStep {
        if case .untilClose = state {
            state = .complete
            return .end(at: 0)
        }
        if case .rejected(let rejection) = state { return .reject(rejection) }
        let rejection = HTTPRejection(Self.status, .truncated)
        state = .rejected(rejection)
        return .reject(rejection)
    }

    private mutating func step(_ bytes: Span<UInt8>) throws(HTTPRejection) -> MessageStep {
        switch state {
        case .start:
            return try readStatusLine(bytes)
        case .headers(let lineStart):
            return try readHeaders(bytes, from: lineStart)
        case .length(let remaining):
            guard bytes.count > 0 else { return .needMore }
            let taken = min(remaining, bytes.count)
            try count(taken)
            state = taken == remaining ? .complete : .length(remaining: remaining - taken)
            return .body(0..<taken)
        case .chunked(var reader):
            let step = try reader.advance(over: bytes, trailers: &trailers)
            state = .chunked(reader)
            if case .body(let range) = step { bodyCount += range.count }
            guard reader.pendingData <= limits.bodyBytes - bodyCount else {
                throw HTTPRejection(Self.status, .bodyTooLarge)
            }
            if case .end = step { state = .complete }
            return step
        case .untilClose:
            guard bytes.count > 0 else { return .needMore }
            try count(bytes.count)
            return .body(0..<bytes.count)
        case .complete:
            return .end(at: 0)
        case .rejected(let rejection):
            return .reject(rejection)
        }
    }

    private mutating func count(_ bytes: Int) throws(HTTPRejection) {
        guard bodyCount <= limits.bodyBytes - bytes else { throw HTTPRejection(Self.status, .bodyTooLarge) }
        bodyCount += bytes
    }

    private mutating func readStatusLine(_ bytes: Span<UInt8>) throws(HTTPRejection) -> MessageStep {
        let malformed = HTTPRejection(Self.status, .statusLine)
        guard bytes.count > 0 else { return .needMore }
        guard bytes[0] == 0x48 else { throw malformed }
        switch scanner.line(in: bytes, from: 0, limit: limits.requestLineBytes) {
        case .partial:
            return .needMore
        case .tooLong:
            throw malformed
        case .bare:
            throw HTTPRejection(Self.status, .lineBreak)
        case .complete(let line):
            try parseStatusLine(bytes, line)
            headersStart = line.upperBound + 2
            state = .headers(lineStart: headersStart)
            return try readHeaders(bytes, from: headersStart)
        }
    }

    /// `HTTP/1.x SP 3DIGIT SP [ reason ]`
    private mutating func parseStatusLine(
        _ bytes: Span<UInt8>, _ line: Range<Int>
    ) throws(HTTPRejection) {
        let malformed = HTTPRejection(Self.status, .statusLine)
        guard line.count >= 13, bytes.matches(0..<7, lowercase: "http/1."), bytes[1] == 0x54,
            bytes[7].isDigit, bytes[8] == 0x20, bytes[12] == 0x20
        else { throw malformed }
        var code = 0
        for index in 9..<12 {
            guard bytes[index].isDigit else { throw malformed }
            code = code * 10 + Int(bytes[index] - 0x30)
        }
        guard code >= 100 else { throw malformed }
        for index in 13..<line.upperBound where !bytes[index].isFieldContent { throw malformed }
        head.headers.reset()
        head.minorVersion = bytes[7] == 0x30 ? 0 : 1
        head.status = HTTPStatus(code)
        framing = FramingFields()
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
                throw HTTPRejection(Self.status, .headersTooLarge)
            case .bare:
                throw HTTPRejection(Self.status, .lineBreak)
            case .complete(let line):
                lineStart = line.upperBound + 2
                if line.isEmpty { return try finishHead(bytes, end: lineStart) }
                guard head.headers.count < limits.headerCount else {
                    throw HTTPRejection(Self.status, .headersTooLarge)
                }
                let field = try FieldLine.parse(bytes, line, status: Self.status)
                head.headers.note(field)
                try examine(bytes, field)
            }
        }
    }

    private mutating func examine(
        _ bytes: Span<UInt8>, _ field: HTTPHeaders.Field
    ) throws(HTTPRejection) {
        let name = field.name
        switch field.nameCount {
        case 10 where bytes.matches(name, lowercase: "connection"):
            try framing.addConnection(bytes, field.value, status: Self.status)
        case 14 where bytes.matches(name, lowercase: "content-length"):
            try framing.addContentLength(bytes, field.value, status: Self.status)
        case 17 where bytes.matches(name, lowercase: "transfer-encoding"):
            try framing.addTransferEncoding(bytes, field.value, status: Self.status)
        default:
            break
        }
    }

    private mutating func finishHead(_ bytes: Span<UInt8>, end: Int) throws(HTTPRejection) -> MessageStep {
        try framing.check(minorVersion: head.minorVersion, status: Self.status)
        let code = head.status.code
        if code < 200, code != 101 {
            interim += 1
            guard interim <= Self.mostInterim else { throw HTTPRejection(Self.status, .statusLine) }
            state = .start
            scanner.reset()
            return .framing(end: end)
        }
        head.headers.adopt(bytes.extracting(0..<end))
        head.keepsAlive = framing.keepsAlive(minorVersion: head.minorVersion)
        if code == 101 {
            head.framing = .upgrade
            state = .complete
        } else if head.status.isBodiless || method == .head {
            head.framing = .none
            state = .complete
        } else if framing.isChunked {
            head.framing = .chunked
            state = .chunked(ChunkedReader(status: Self.status, limits: limits))
        } else if let length = framing.contentLength {
            guard length <= limits.bodyBytes else { throw HTTPRejection(Self.status, .bodyTooLarge) }
            head.framing = .length(length)
            state = length == 0 ? .complete : .length(remaining: length)
        } else {
            head.framing = .untilClose
            head.keepsAlive = false
            state = .untilClose
        }
        return .head(end: end)
    }
}
