/// A request target, taken apart into ranges of the request's bytes.
///
/// - SeeAlso: RFC 9112, section 3.2; RFC 3986.
struct RequestTarget: Sendable, Equatable {
    /// The path with its leading slash; empty for `*`.
    var path: Range<Int>
    /// The query without its question mark.
    var query: Range<Int>?
    /// Host and port of an absolute-form target.
    var authority: Range<Int>?
    /// Whether the target is `*`, which asks about the server as a whole.
    var isAsterisk = false

    /// Reads a target.
    ///
    /// Accepted are origin-form, absolute-form with the scheme `http`, and `*` for OPTIONS. Bytes that a URI
    /// cannot hold, fragments, broken escapes, escaped NUL and escapes that do not make UTF-8 are refused.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>, method: HTTPMethod) throws(HTTPRejection) {
        guard let first = range.first else { throw Self.malformed }
        if bytes[first] == 0x2A {
            guard range.count == 1, method == .options else { throw Self.malformed }
            self.init(path: range.upperBound..<range.upperBound)
            isAsterisk = true
            return
        }
        var start = first
        if bytes[first] != 0x2F {
            let scheme = first..<min(first + 7, range.upperBound)
            guard bytes.matches(scheme, lowercase: "http://") else { throw Self.malformed }
            start = first + 7
            while start < range.upperBound, bytes[start] != 0x2F, bytes[start] != 0x3F { start += 1 }
            let authority = (first + 7)..<start
            guard !authority.isEmpty, HostField.isValid(bytes, authority) else { throw Self.malformed }
            try self.init(bytes, pathAndQuery: start..<range.upperBound)
            self.authority = authority
            return
        }
        try self.init(bytes, pathAndQuery: start..<range.upperBound)
    }

    /// An empty target.
    init(path: Range<Int> = 0..<0) {
        self.path = path
    }

    private init(_ bytes: Span<UInt8>, pathAndQuery range: Range<Int>) throws(HTTPRejection) {
        var index = range.lowerBound
        var hasEscapes = false
        while index < range.upperBound, bytes[index] != 0x3F {
            if bytes[index] == 0x25 { hasEscapes = true }
            guard ByteSet.path.contains(bytes[index]) || bytes[index] == 0x25 else { throw Self.malformed }
            index += 1
        }
        path = range.lowerBound..<index
        if index < range.upperBound {
            let start = index + 1
            index = start
            while index < range.upperBound {
                if bytes[index] == 0x25 { hasEscapes = true }
                guard ByteSet.query.contains(bytes[index]) || bytes[index] == 0x25 else {
                    throw Self.malformed
                }
                index += 1
            }
            query = start..<index
        }
        guard hasEscapes else { return }
        var copy: [UInt8] = []
        copy.append(copying: bytes.extracting(range))
        guard PercentCoding.decode(copy[...]) != nil else { throw Self.malformed }
    }

    private static var malformed: HTTPRejection { HTTPRejection(.badRequest, .target) }
}

/// The form of the Host header and of a target's authority.
///
/// - SeeAlso: RFC 9110, section 7.2; RFC 3986, section 3.2.
enum HostField {
    /// Whether the bytes are a host with an optional port: a name, an IPv4 address, or an IPv6 address in
    /// brackets. An empty host is well formed.
    static func isValid(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        let end = range.upperBound
        if index < end, bytes[index] == 0x5B {
            index += 1
            let start = index
            while index < end, bytes[index] != 0x5D {
                guard bytes[index].hexValue != nil || bytes[index] == 0x3A || bytes[index] == 0x2E else {
                    return false
                }
                index += 1
            }
            guard index < end, index - start >= 2, index - start <= 45 else { return false }
            index += 1
        } else {
            while index < end, bytes[index] != 0x3A {
                if bytes[index] == 0x25 {
                    guard index + 2 < end, bytes[index + 1].hexValue != nil, bytes[index + 2].hexValue != nil
                    else { return false }
                    index += 3
                } else {
                    guard ByteSet.registeredName.contains(bytes[index]) else { return false }
                    index += 1
                }
            }
        }
        guard index < end else { return true }
        guard bytes[index] == 0x3A, index > range.lowerBound, end - index <= 6 else { return false }
        var port = 0
        for digit in index + 1..<end {
            guard bytes[digit].isDigit else { return false }
            port = port * 10 + Int(bytes[digit] - 0x30)
        }
        return port <= 65_535
    }
}
