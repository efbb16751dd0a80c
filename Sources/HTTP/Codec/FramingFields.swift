/// What the header fields say about the message's framing, gathered line by line.
///
/// Everything that two parties could read in two ways is refused here.
/// - SeeAlso: RFC 9112, sections 6 and 11.2.
struct FramingFields: Sendable {
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var saysClose = false
    private(set) var saysKeepAlive = false

    /// Takes note of a Content-Length field: one run of digits, once.
    mutating func addContentLength(
        _ bytes: Span<UInt8>, _ value: Range<Int>, status: HTTPStatus
    ) throws(HTTPRejection) {
        let malformed = HTTPRejection(status, .contentLength)
        guard contentLength == nil, !value.isEmpty, value.count <= 18 else { throw malformed }
        var length = 0
        for index in value {
            guard bytes[index].isDigit else { throw malformed }
            length = length * 10 + Int(bytes[index] - 0x30)
        }
        contentLength = length
    }

    /// Takes note of a Transfer-Encoding field: `chunked`, once.
    ///
    /// - Throws: 501 for codings that are registered but not spoken here, with `chunked` behind them; the
    ///   given status for everything else.
    mutating func addTransferEncoding(
        _ bytes: Span<UInt8>, _ value: Range<Int>, status: HTTPStatus
    ) throws(HTTPRejection) {
        let malformed = HTTPRejection(status, .transferEncoding)
        guard !isChunked else { throw malformed }
        isChunked = true
        if bytes.matches(value, lowercase: "chunked") { return }
        let codings = ListField.elements(bytes, value)
        guard let last = codings.last, bytes.matches(last, lowercase: "chunked") else { throw malformed }
        for coding in codings.dropLast() {
            let isKnown =
                bytes.matches(coding, lowercase: "gzip") || bytes.matches(coding, lowercase: "x-gzip")
                || bytes.matches(coding, lowercase: "deflate") || bytes.matches(coding, lowercase: "compress")
                || bytes.matches(coding, lowercase: "x-compress")
            guard isKnown else { throw malformed }
        }
        throw codings.count > 1 ? HTTPRejection(.notImplemented, .transferEncoding) : malformed
    }

    /// Takes note of a Connection field: a list of tokens.
    mutating func addConnection(
        _ bytes: Span<UInt8>, _ value: Range<Int>, status: HTTPStatus
    ) throws(HTTPRejection) {
        for element in ListField.elements(bytes, value) {
            for index in element where !ByteSet.token.contains(bytes[index]) {
                throw HTTPRejection(status, .connection)
            }
            if bytes.matches(element, lowercase: "close") { saysClose = true }
            if bytes.matches(element, lowercase: "keep-alive") { saysKeepAlive = true }
        }
    }

    /// Checks what only the whole section tells.
    func check(minorVersion: Int, status: HTTPStatus) throws(HTTPRejection) {
        guard isChunked else { return }
        guard contentLength == nil else { throw HTTPRejection(status, .contentLength) }
        guard minorVersion >= 1 else { throw HTTPRejection(status, .transferEncoding) }
    }

    /// Whether the connection outlives the message, as far as the other side is concerned.
    func keepsAlive(minorVersion: Int) -> Bool {
        !saysClose && (minorVersion >= 1 || saysKeepAlive)
    }
}

/// Comma-separated lists.
enum ListField {
    /// The elements without blanks around them; empty ones are left out (RFC 9110, section 5.6.1).
    static func elements(_ bytes: Span<UInt8>, _ value: Range<Int>) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        var start = value.lowerBound
        while start <= value.upperBound {
            var end = start
            while end < value.upperBound, bytes[end] != 0x2C { end += 1 }
            let element = bytes.trimmed(start..<end)
            if !element.isEmpty { elements.append(element) }
            start = end + 1
        }
        return elements
    }
}
