/// Why a message is refused. After a rejection the connection is closed: what follows cannot be told apart.
public struct HTTPRejection: Error, Sendable, Hashable {
    /// The status to answer a request with; 502 from the reader of responses.
    public let status: HTTPStatus
    /// Which rule was broken.
    public let reason: Reason

    /// Rules of the grammar and the limits. Raw values are labels of `sandwarden_http_rejections_total`.
    public enum Reason: String, Sendable, Hashable, CaseIterable {
        case requestLine = "request_line"
        case statusLine = "status_line"
        case method
        case target
        case version
        case lineBreak = "line_break"
        case folding
        case fieldName = "field_name"
        case fieldValue = "field_value"
        case host
        case contentLength = "content_length"
        case transferEncoding = "transfer_encoding"
        case connection
        case expectation
        case chunk
        case trailer
        case requestLineTooLong = "request_line_too_long"
        case headersTooLarge = "headers_too_large"
        case bodyTooLarge = "body_too_large"
        case contentEncoding = "content_encoding"
        case truncated
    }

    init(_ status: HTTPStatus, _ reason: Reason) {
        self.status = status
        self.reason = reason
    }

    /// A sentence for the reply, without anything that the client sent.
    public var detail: String {
        switch reason {
        case .requestLine: "The request line is malformed."
        case .statusLine: "The status line is malformed."
        case .method: "The method is not supported."
        case .target: "The request target is malformed."
        case .version: "Only HTTP/1.1 and HTTP/1.0 are spoken here."
        case .lineBreak: "Lines must end in CR LF."
        case .folding: "Folded header lines are not accepted."
        case .fieldName: "A header line has no well-formed name."
        case .fieldValue: "A header value contains a control byte."
        case .host: "There must be one well-formed Host header."
        case .contentLength: "The Content-Length is malformed or contradicted."
        case .transferEncoding: "The Transfer-Encoding is malformed, repeated or not chunked."
        case .connection: "The Connection header is malformed."
        case .expectation: "The expectation cannot be met."
        case .chunk: "The chunked body is malformed."
        case .trailer: "The trailer section is malformed or names a forbidden field."
        case .requestLineTooLong: "The request line is too long."
        case .headersTooLarge: "The header section is too large."
        case .bodyTooLarge: "The body is too large."
        case .contentEncoding: "The content encoding is not supported or broken."
        case .truncated: "The message ended early."
        }
    }
}
