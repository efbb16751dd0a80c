/// Requests that must be refused, with the status that each is refused with. One table feeds the tests of the
/// reader and of the server.
struct MalformedRequest: CustomStringConvertible {
    let description: String
    let bytes: [UInt8]
    let status: Int

    init(_ description: String, _ text: String, _ status: Int = 400) {
        self.init(description, Array(text.utf8), status)
    }

    init(_ description: String, _ bytes: [UInt8], _ status: Int = 400) {
        self.description = description
        self.bytes = bytes
        self.status = status
    }

    /// A request whose header section is `lines`.
    static func headers(_ description: String, _ lines: String, _ status: Int = 400) -> MalformedRequest {
        MalformedRequest(description, "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\nabc", status)
    }

    /// A chunked request with this body.
    static func chunked(_ description: String, _ body: String, _ status: Int = 400) -> MalformedRequest {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        return MalformedRequest(description, head + body, status)
    }

    static let all = requestLines + targets + lineBreaks + fields + hosts + lengths + codings + chunks + sizes

    private static let requestLines: [MalformedRequest] =
        [
            ("empty method", " / HTTP/1.1"), ("no target", "GET  HTTP/1.1"), ("no version", "GET /"),
            ("HTTP/0.9 with a blank", "GET / "), ("method alone", "GET"),
            ("two blanks after the method", "GET  / HTTP/1.1"),
            ("two blanks before the version", "GET /  HTTP/1.1"), ("tab after the method", "GET\t/ HTTP/1.1"),
            ("tab before the version", "GET /\tHTTP/1.1"), ("blank after the version", "GET / HTTP/1.1 "),
            ("blank before the method", " GET / HTTP/1.1"), ("text after the version", "GET / HTTP/1.1 x"),
            ("lower-case protocol", "GET / http/1.1"), ("mixed-case protocol", "GET / Http/1.1"),
            ("other protocol", "GET / XTTP/1.1"), ("no minor version", "GET / HTTP/1"),
            ("no minor digit", "GET / HTTP/1."), ("two minor digits", "GET / HTTP/1.10"),
            ("two major digits", "GET / HTTP/11.1"), ("letter as version", "GET / HTTP/1.x"),
            ("comma in the version", "GET / HTTP/1,1"), ("no slash in the version", "GET / HTTP1.1"),
            ("sign in the version", "GET / HTTP/+1.1"), ("blank in the version", "GET / HTTP/ 1.1"),
            ("parenthesis in the method", "GE(T / HTTP/1.1"), ("quote in the method", "\"GET\" / HTTP/1.1"),
            ("colon in the method", "GET: / HTTP/1.1"), ("slash in the method", "G/T / HTTP/1.1"),
            ("at sign in the method", "G@T / HTTP/1.1"), ("brace in the method", "{GET / HTTP/1.1"),
            ("vertical tab", "GET\u{0B}/ HTTP/1.1"), ("form feed", "GET\u{0C}/ HTTP/1.1"),
            ("no-break space", "GET\u{A0}/ HTTP/1.1"),
        ].map { MalformedRequest("request line: \($0)", "\($1)\r\nHost: a\r\n\r\n") }
        + [
            MalformedRequest("second empty line", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            MalformedRequest(
                "TLS hello", [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03]),
            MalformedRequest("NUL in the method", "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"),
            MalformedRequest("header before the request line", "Host: a\r\nGET / HTTP/1.1\r\n\r\n"),
            MalformedRequest("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            MalformedRequest("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            MalformedRequest("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
            MalformedRequest("HTTP/3.1", "GET / HTTP/3.1\r\nHost: a\r\n\r\n", 505),
            MalformedRequest("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
            MalformedRequest(
                "method of 33 bytes", String(repeating: "M", count: 33) + " / HTTP/1.1\r\nHost: a\r\n\r\n",
                501),
        ]

    private static let targets: [MalformedRequest] =
        [
            ("relative", "a/b"), ("empty authority", "http:///x"), ("fragment", "/a#b"),
            ("fragment alone", "#"),
            ("backslash", "/a\\b"), ("quote", "/a\"b"), ("angle bracket", "/<a>"), ("brace", "/{a}"),
            ("pipe", "/a|b"), ("caret", "/a^b"), ("backtick", "/a`b"), ("square bracket", "/a[0]"),
            ("NUL", "/a\0b"), ("control byte", "/a\u{01}b"), ("DEL", "/a\u{7F}b"),
            ("bytes above ASCII", "/é"),
            ("cut escape", "/a%"), ("half an escape", "/a%4"), ("no hexadecimal escape", "/a%zz"),
            ("half a hexadecimal escape", "/a%4g"), ("escape across the query", "/a%4?1"),
            ("escaped NUL", "/a%00b"), ("escaped bytes that are not UTF-8", "/%ff"),
            ("overlong UTF-8", "/%c0%af"), ("escaped surrogate", "/%ed%a0%80"), ("cut UTF-8", "/%e2%82"),
            ("escaped NUL in the query", "/?a=%00"), ("broken escape in the query", "/?a=%1"),
            ("no UTF-8 in the query", "/?a=%80"), ("quote in the query", "/?a=\"b\""),
            ("bytes above ASCII in the query", "/?a=é"), ("fragment after the query", "/?a#b"),
            ("https", "https://a/"), ("ftp", "ftp://a/"), ("user information", "http://u@a/"),
            ("user and password", "http://u:p@a/"), ("two colons", "http://a:1:2/"),
            ("port that is no number", "http://a:b/"), ("port too large", "http://a:65536/"),
            ("open bracket", "http://[::1/"), ("asterisk for GET", "*"), ("asterisk and more", "*/"),
            ("scheme alone", "http:"), ("authority form", "a:80"),
        ].map { MalformedRequest("target: \($0)", "GET \($1) HTTP/1.1\r\nHost: a\r\n\r\n") }

    private static let lineBreaks: [MalformedRequest] = [
        ("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        ("bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        ("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
        ("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        ("bare CR in the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        ("bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
        ("bare CR in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\rY: a\r\n\r\n"),
        ("bare CR hides a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rContent-Length: 3\r\n\r\nabc"),
        ("two CRs", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
        ("CR CR LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"),
        ("LF CR", "GET / HTTP/1.1\n\rHost: a\n\r\n\r"),
        ("leading LF", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("leading CR", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ].map { MalformedRequest("line break: \($0)", $1) }

    private static let fields: [MalformedRequest] =
        [
            ("folded", "X: a\r\n b"), ("folded with a tab", "X: a\r\n\tb"), ("first line folded", " X: a"),
            ("blank before the colon", "X : a"), ("tab before the colon", "X\t: a"), ("no colon", "X"),
            ("empty name", ": a"), ("blank in the name", "X Y: a"), ("parenthesis in the name", "X(Y): a"),
            ("slash in the name", "X/Y: a"), ("quote in the name", "\"X\": a"),
            ("at sign in the name", "X@Y: a"),
            ("bracket in the name", "X[0]: a"), ("comma in the name", "X,Y: a"),
            ("equals in the name", "X=Y: a"),
            ("name above ASCII", "Xé: a"), ("control byte in the name", "X\u{01}: a"),
            ("blank before Content-Length's colon", "Content-Length : 3"),
            ("folded Transfer-Encoding", "Transfer-Encoding:\r\n chunked"),
            ("control byte before Transfer-Encoding", "\u{0B}Transfer-Encoding: chunked"),
            ("Connection that is no token", "Connection: clo se"),
            ("Connection with a quote", "Connection: \"close\""),
        ].map { MalformedRequest.headers("field: \($0)", $1) }
        + (Array(0...8) + Array(11...12) + Array(14...31) + [127]).map { (byte: UInt8) in
            MalformedRequest(
                "field: byte \(byte) in a value",
                Array("GET / HTTP/1.1\r\nHost: a\r\nX: a".utf8) + [byte] + Array("b\r\n\r\n".utf8))
        }
        + [
            .headers("unknown expectation", "Expect: 200-ok", 417),
            .headers("empty expectation", "Expect:", 417),
            .headers("two expectations", "Expect: 100-continue, x=y", 417),
            .headers("repeated expectation", "Expect: 100-continue\r\nExpect: 100-continue", 417),
        ]

    private static let hosts: [MalformedRequest] =
        [
            ("missing", ""), ("twice", "Host: a\r\nHost: a\r\n"),
            ("twice and different", "Host: a\r\nHost: b\r\n"),
            ("list", "Host: a, b\r\n"), ("with a blank", "Host: a b\r\n"), ("with a slash", "Host: a/b\r\n"),
            ("with a user", "Host: u@a\r\n"), ("with a scheme", "Host: http://a\r\n"),
            ("port alone", "Host: :80\r\n"), ("letters as port", "Host: a:b\r\n"),
            ("port too large", "Host: a:65536\r\n"), ("port of six digits", "Host: a:000080\r\n"),
            ("two ports", "Host: a:1:2\r\n"), ("negative port", "Host: a:-1\r\n"),
            ("open bracket", "Host: [::1\r\n"), ("empty brackets", "Host: []\r\n"),
            ("zone", "Host: [fe80::1%25lo]\r\n"), ("text after the bracket", "Host: [::1]a\r\n"),
            ("question mark", "Host: a?b\r\n"), ("number sign", "Host: a#b\r\n"),
            ("backslash", "Host: a\\b\r\n"),
            ("broken escape", "Host: a%2\r\n"), ("bytes above ASCII", "Host: é\r\n"),
            ("brace", "Host: {a}\r\n"),
        ].map { MalformedRequest("host: \($0)", "GET / HTTP/1.1\r\n\($1)\r\n") }
        + [
            MalformedRequest("host: absolute form without", "GET http://a/ HTTP/1.1\r\n\r\n"),
            MalformedRequest("host: HTTP/1.0 with two", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
        ]

    private static let lengths: [MalformedRequest] = [
        ("twice, equal", "Content-Length: 3\r\nContent-Length: 3"),
        ("twice, different", "Content-Length: 3\r\nContent-Length: 4"),
        ("list of equals", "Content-Length: 3, 3"), ("list", "Content-Length: 3, 4"),
        ("empty", "Content-Length:"), ("blank", "Content-Length:  "), ("negative", "Content-Length: -3"),
        ("plus sign", "Content-Length: +3"), ("hexadecimal", "Content-Length: 0x3"),
        ("letters", "Content-Length: abc"), ("digits and letters", "Content-Length: 3a"),
        ("blank between digits", "Content-Length: 3 3"), ("fraction", "Content-Length: 3.0"),
        ("exponent", "Content-Length: 3e0"), ("comma at the end", "Content-Length: 3,"),
        ("quoted", "Content-Length: \"3\""), ("underscore", "Content-Length: 1_0"),
        ("beyond 64 bits", "Content-Length: 18446744073709551619"),
        ("19 digits", "Content-Length: 9999999999999999999"),
        ("many zeros", "Content-Length: 0000000000000000003"),
        ("other digits", "Content-Length: ３"),
        ("with Transfer-Encoding", "Content-Length: 3\r\nTransfer-Encoding: chunked"),
        ("after Transfer-Encoding", "Transfer-Encoding: chunked\r\nContent-Length: 3"),
        ("zero with Transfer-Encoding", "Content-Length: 0\r\nTransfer-Encoding: chunked"),
    ].map { MalformedRequest.headers("length: \($0)", $1) }

    private static let codings: [MalformedRequest] =
        [
            ("unknown", "Transfer-Encoding: x"), ("identity", "Transfer-Encoding: identity"),
            ("empty", "Transfer-Encoding:"), ("gzip alone", "Transfer-Encoding: gzip"),
            ("chunked not last", "Transfer-Encoding: chunked, gzip"),
            ("chunked, then identity", "Transfer-Encoding: chunked, identity"),
            ("chunked twice in one", "Transfer-Encoding: chunked, chunked"),
            ("two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            ("gzip and chunked in two fields", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
            ("identity before chunked", "Transfer-Encoding: identity, chunked"),
            ("unknown before chunked", "Transfer-Encoding: x, chunked"),
            ("quoted", "Transfer-Encoding: \"chunked\""),
            ("with a parameter", "Transfer-Encoding: chunked;q=1"),
            ("prefix", "Transfer-Encoding: xchunked"), ("suffix", "Transfer-Encoding: chunkedx"),
            ("blank inside", "Transfer-Encoding: chu nked"), ("comma first", "Transfer-Encoding: , chunked"),
            ("comma last", "Transfer-Encoding: chunked,"),
        ].map { MalformedRequest.headers("coding: \($0)", $1) }
        + [
            .headers("coding: gzip before chunked", "Transfer-Encoding: gzip, chunked", 501),
            MalformedRequest(
                "coding: in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ]

    private static let chunks: [MalformedRequest] =
        [
            ("no size", "\r\n"), ("no number", "x\r\n"), ("prefix 0x", "0x3\r\nabc\r\n0\r\n\r\n"),
            ("plus sign", "+3\r\nabc\r\n0\r\n\r\n"), ("minus sign", "-3\r\n"),
            ("blank before the size", " 3\r\nabc\r\n"),
            ("blank after the size", "3 \r\nabc\r\n0\r\n\r\n"), ("tab after the size", "3\t\r\nabc\r\n"),
            ("bare LF after the size", "3\nabc\r\n0\r\n\r\n"), ("bare CR after the size", "3\rabc\r\n"),
            ("sixteen digits", "0000000000000003\r\nabc\r\n"), ("too large", "fffffffffffffffff\r\n"),
            ("64 bits", "10000000000000003\r\nabc\r\n0\r\n\r\n"),
            ("data longer than the size", "2\r\nabc\r\n0\r\n\r\n"),
            ("data shorter than the size", "4\r\nabc\r\n0\r\n\r\n"),
            ("bare LF after the data", "3\r\nabc\n0\r\n\r\n"),
            ("bare CR after the data", "3\r\nabc\rx0\r\n\r\n"),
            ("nothing after the data", "3\r\nabc0\r\n\r\n"), ("empty extension", "3;\r\nabc\r\n0\r\n\r\n"),
            ("extension without a name", "3;=a\r\nabc\r\n0\r\n\r\n"),
            ("extension without a value", "3;a=\r\nabc\r\n"),
            ("open quote in an extension", "3;a=\"b\r\nabc\r\n"),
            ("blank in an extension", "3;a b\r\nabc\r\n"),
            ("control byte in an extension", "3;a=\u{01}\r\nabc\r\n"),
            ("NUL in an extension", "3;a\0\r\nabc\r\n"),
            ("bare CR in an extension", "3;a\rb\r\nabc\r\n"),
            ("bare LF in an extension", "3;a\nb\r\nabc\r\n"),
            ("CR in a quoted extension", "3;a=\"\r\"\r\nabc\r\n"), ("comma after the size", "3,a\r\nabc\r\n"),
            ("bare LF as the last line", "0\r\n\n"), ("trailer without a colon", "0\r\nX\r\n\r\n"),
            ("folded trailer", "0\r\nX: a\r\n b\r\n\r\n"),
            ("blank before a trailer's colon", "0\r\nX : a\r\n\r\n"),
            ("control byte in a trailer", "0\r\nX: a\u{01}\r\n\r\n"),
            ("Content-Length as trailer", "0\r\nContent-Length: 3\r\n\r\n"),
            ("Transfer-Encoding as trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ("Host as trailer", "0\r\nHost: b\r\n\r\n"),
            ("Authorization as trailer", "0\r\nAuthorization: b\r\n\r\n"),
            ("request line as trailer", "0\r\nGET /x HTTP/1.1\r\n\r\n"),
        ].map { MalformedRequest.chunked("chunk: \($0)", $1) }
        + [
            .chunked("chunk: size line too long", "3;a=\(String(repeating: "b", count: 1024))\r\nabc\r\n"),
            .chunked("chunk: size line without end", String(repeating: "0", count: 2000)),
        ]

    private static let sizes: [MalformedRequest] = [
        MalformedRequest("target too long", "GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n", 414),
        MalformedRequest("request line without end", "GET /\(String(repeating: "a", count: 9000))", 414),
        .headers("value too long", "X: \(String(repeating: "a", count: 17_000))", 431),
        .headers("name too long", "\(String(repeating: "X", count: 17_000)): a", 431),
        MalformedRequest(
            "header without end", "GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 17_000))", 431),
        .headers("too many fields", String(repeating: "X: a\r\n", count: 100) + "X: a", 431),
        .headers(
            "sum of fields too long",
            String(repeating: "X: \(String(repeating: "a", count: 200))\r\n", count: 90) + "X: a", 431),
        .headers("body too large", "Content-Length: 1048577", 413),
        .headers("body far too large", "Content-Length: 999999999999999999", 413),
        .chunked(
            "chunk too large", "100001\r\n\(String(repeating: "a", count: 1_048_577))\r\n0\r\n\r\n", 413),
        .chunked(
            "trailers too long", "0\r\nX: \(String(repeating: "a", count: 17_000))\r\n\r\n", 431),
        .chunked("too many trailers", "0\r\n\(String(repeating: "X: a\r\n", count: 101))\r\n", 431),
    ]
}
