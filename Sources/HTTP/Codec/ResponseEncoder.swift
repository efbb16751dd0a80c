/// Writes the heads of responses, and the chunked framing of their bodies.
///
/// - SeeAlso: RFC 9112, sections 4, 6 and 7.
enum ResponseEncoder {
    /// How the end of the body is told.
    enum Framing: Equatable {
        /// There is no body, and none is announced.
        case none
        case length(Int)
        case chunked
        /// The body ends with the connection.
        case untilClose
    }

    /// Appends status line, header fields and the empty line.
    /// - Parameters:
    ///   - dateLine: A whole `Date` line.
    ///   - keepsAlive: `false` adds `Connection: close`; `true` adds `keep-alive` for an HTTP/1.0 client.
    static func appendHead(
        to output: inout [UInt8], status: HTTPStatus, headers: HTTPHeaders, dateLine: [UInt8],
        framing: Framing, keepsAlive: Bool, minorVersion: Int
    ) {
        appendStatusLine(status, to: &output)
        output.append(contentsOf: dateLine)
        append(headers, to: &output)
        switch framing {
        case .none, .untilClose:
            break
        case .length(let count):
            output.append("Content-Length: ")
            output.append(decimal: count)
            output.append("\r\n")
        case .chunked:
            output.append("Transfer-Encoding: chunked\r\n")
        }
        if !keepsAlive {
            output.append("Connection: close\r\n")
        } else if minorVersion == 0 {
            output.append("Connection: keep-alive\r\n")
        }
        output.append("\r\n")
    }

    /// Appends `HTTP/1.1`, the code, the phrase and a line break.
    static func appendStatusLine(_ status: HTTPStatus, to output: inout [UInt8]) {
        if status.code == 200 {
            output.append("HTTP/1.1 200 OK\r\n")
            return
        }
        output.append("HTTP/1.1 ")
        output.append(decimal: status.code)
        output.append(0x20)
        output.append(contentsOf: status.phrase.utf8)
        output.append("\r\n")
    }

    /// Appends field lines, but not those that the encoder itself decides about.
    static func append(_ headers: HTTPHeaders, to output: inout [UInt8]) {
        for field in headers.fields where !isOwn(headers.bytes, field) {
            output.append(contentsOf: headers.bytes[field.name])
            output.append(": ")
            output.append(contentsOf: headers.bytes[field.value])
            output.append("\r\n")
        }
    }

    private static let own: [StaticString] = ["connection", "content-length", "transfer-encoding", "date"]

    private static func isOwn(_ bytes: [UInt8], _ field: HTTPHeaders.Field) -> Bool {
        switch field.nameCount {
        case 4, 10, 14, 17: own.contains { bytes.span.matches(field.name, lowercase: $0) }
        default: false
        }
    }

    /// Appends one chunk; nothing for no data, since that would end the body.
    static func appendChunk(_ data: [UInt8], to output: inout [UInt8]) {
        guard !data.isEmpty else { return }
        output.append(hexadecimal: data.count)
        output.append("\r\n")
        output.append(contentsOf: data)
        output.append("\r\n")
    }

    /// Appends the chunk that ends the body, with trailer fields.
    static func appendLastChunk(trailers: HTTPHeaders, to output: inout [UInt8]) {
        output.append("0\r\n")
        append(trailers, to: &output)
        output.append("\r\n")
    }
}
