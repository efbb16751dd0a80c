/// The request line and the header fields of a request that has been found well formed.
public struct HTTPRequestHead: Sendable {
    /// The method.
    public internal(set) var method: HTTPMethod = .get
    /// All header fields. Their order is kept; the framing fields are among them.
    public internal(set) var headers = HTTPHeaders()
    /// 0 for HTTP/1.0, else 1: a higher minor version is spoken to as 1.1.
    public internal(set) var minorVersion = 1
    var target = RequestTarget()
    /// The value of the one Host header.
    var host: Range<Int>?
    /// How the body is framed.
    var framing = Framing.none
    /// Whether the client waits for `100 Continue` before it sends the body.
    public internal(set) var expectsContinue = false
    /// Whether the connection may be used for another request.
    var keepsAlive = true

    /// How the end of a body is found.
    enum Framing: Sendable, Equatable {
        case none
        case length(Int)
        case chunked
    }

    /// An empty `GET` of nothing, to be filled by a reader.
    init() {}

    /// Whether the target is `*`.
    public var isAsteriskForm: Bool { target.isAsterisk }

    /// The path as it was sent, with its leading slash and its escapes; `/` when an absolute target had none.
    public var rawPath: String {
        target.path.isEmpty && !target.isAsterisk ? "/" : text(target.path)
    }

    /// The segments of the path, each with its escapes decoded: `/a/b%2Fc/` is `["a", "b/c", ""]`, `/` is
    /// `[]`.
    ///
    /// Nothing is normalised: `.`, `..` and empty segments stay as they are. Each access makes the array
    /// anew.
    public var path: [String] {
        guard target.path.count > 1 else { return [] }
        let segments = headers.bytes[target.path].dropFirst()
            .split(separator: 0x2F, omittingEmptySubsequences: false)
        // The reader has decoded the whole path, so no segment fails here.
        return segments.map { PercentCoding.decode($0) ?? "" }
    }

    /// Whether the path is exactly `text`, compared as sent; allocates nothing.
    public func isPath(_ text: StaticString) -> Bool {
        guard target.path.count == text.utf8CodeUnitCount else { return false }
        // SAFETY: a StaticString's code units live as long as the program.
        return text.withUTF8Buffer { unsafe headers.bytes[target.path].elementsEqual($0) }
    }

    /// The query as it was sent, without its question mark; `nil` when there was none.
    public var rawQuery: String? { target.query.map(text) }

    /// The parameters of the query in order, decoded, with `+` read as a space. A parameter without `=` has
    /// an empty value; empty parts between ampersands are left out. Each access makes the array anew.
    public var query: [HTTPQueryParameter] {
        guard let range = target.query else { return [] }
        return headers.bytes[range].split(separator: 0x26).map { part in
            let name = part.prefix { $0 != 0x3D }
            let value = part[name.endIndex...].dropFirst()
            return HTTPQueryParameter(
                name: PercentCoding.decode(name, plusIsSpace: true) ?? "",
                value: PercentCoding.decode(value, plusIsSpace: true) ?? "")
        }
    }

    /// Host and optional port that the request is for: of an absolute target, else of the Host header; `nil`
    /// for an HTTP/1.0 request with neither. May be empty.
    public var authority: String? {
        (target.authority ?? host).map(text)
    }

    /// Number of bytes of the body, if it was announced.
    public var contentLength: Int? {
        if case .length(let count) = framing { return count }
        return nil
    }

    /// Whether a body follows, which may turn out to be empty.
    public var hasBody: Bool {
        switch framing {
        case .none: false
        case .length(let count): count > 0
        case .chunked: true
        }
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: headers.bytes[range], as: UTF8.self)
    }
}

/// One parameter of a query.
public struct HTTPQueryParameter: Sendable, Hashable {
    /// The decoded name.
    public let name: String
    /// The decoded value.
    public let value: String
}
