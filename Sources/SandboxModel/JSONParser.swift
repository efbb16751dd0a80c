/// Why a text is not JSON, and where.
public struct JSONSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The byte offset of the first byte that does not fit, from 0.
    public var offset: Int
    /// The same place by line and column.
    public var location: SourceLocation
    /// What was expected there.
    public var detail: String

    /// The text for people.
    public var description: String { "line \(location.line), column \(location.column): \(detail)" }
}

/// Reads strict JSON (RFC 8259) into a tree with places.
///
/// Refused, beyond the grammar: duplicate member names, lone surrogates, text that is not UTF-8, integers
/// outside 64 bits, numbers outside a double, nesting deeper than ``maximumDepth``, anything after the value.
/// A byte order mark is refused. The caller bounds the input's size.
/// - Complexity: linear in the input, but for the duplicate check, which sorts the names of each object.
public struct JSONParser {
    /// How deep lists and objects may nest.
    public static let maximumDepth = 64

    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0

    /// Reads one document.
    /// - Throws: ``JSONSyntaxError`` at the first byte that does not fit.
    public static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> DocumentNode {
        var parser = JSONParser(bytes: bytes)
        parser.skipSpace()
        let node = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == bytes.count else { throw parser.fault("the end of the text was expected") }
        return node
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var location: SourceLocation { SourceLocation(line: line, column: index - lineStart + 1) }
    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func fault(_ detail: String) -> JSONSyntaxError {
        JSONSyntaxError(offset: index, location: location, detail: detail)
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x09, 0x0D: index += 1
            case 0x0A:
                index += 1
                line += 1
                lineStart = index
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> DocumentNode {
        let start = location
        switch current {
        case UInt8(ascii: "{"): return DocumentNode(.object(try object(depth: depth)), at: start)
        case UInt8(ascii: "["): return DocumentNode(.array(try array(depth: depth)), at: start)
        case UInt8(ascii: "\""): return DocumentNode(.string(try string()), at: start)
        case UInt8(ascii: "t"): return DocumentNode(try word("true", .bool(true)), at: start)
        case UInt8(ascii: "f"): return DocumentNode(try word("false", .bool(false)), at: start)
        case UInt8(ascii: "n"): return DocumentNode(try word("null", .null), at: start)
        case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte):
            return DocumentNode(try number(), at: start)
        case nil: throw fault("a value was expected, but the text ends")
        default: throw fault("a value was expected")
        }
    }

    private mutating func word(
        _ text: String, _ content: DocumentNode.Content
    ) throws(JSONSyntaxError) -> DocumentNode.Content {
        for byte in text.utf8 {
            guard current == byte else { throw fault("`\(text)` was expected") }
            index += 1
        }
        return content
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [DocumentNode] {
        guard depth < JSONParser.maximumDepth else {
            throw fault("nesting is deeper than \(JSONParser.maximumDepth)")
        }
        index += 1
        var elements: [DocumentNode] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            index += 1
            return elements
        }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if current == UInt8(ascii: ",") {
                index += 1
            } else if current == UInt8(ascii: "]") {
                index += 1
                return elements
            } else {
                throw fault("`,` or `]` was expected")
            }
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> [DocumentMember] {
        guard depth < JSONParser.maximumDepth else {
            throw fault("nesting is deeper than \(JSONParser.maximumDepth)")
        }
        index += 1
        var members: [DocumentMember] = []
        skipSpace()
        if current == UInt8(ascii: "}") {
            index += 1
            return members
        }
        var names = Set<String>()
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw fault("a member name in quotes was expected") }
            let keyLocation = location
            let keyStart = index
            let key = try string()
            guard names.insert(key).inserted else {
                throw JSONSyntaxError(
                    offset: keyStart, location: keyLocation,
                    detail: "the name \"\(excerpt(key))\" stands twice in this object")
            }
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw fault("`:` was expected after the member name") }
            index += 1
            skipSpace()
            members.append(
                DocumentMember(key: key, keyLocation: keyLocation, value: try value(depth: depth + 1)))
            skipSpace()
            if current == UInt8(ascii: ",") {
                index += 1
            } else if current == UInt8(ascii: "}") {
                index += 1
                return members
            } else {
                throw fault("`,` or `}` was expected")
            }
        }
    }

    private mutating func number() throws(JSONSyntaxError) -> DocumentNode.Content {
        let start = index
        let startLocation = location
        if current == UInt8(ascii: "-") { index += 1 }
        guard let first = current, isDigit(first) else { throw fault("a digit was expected") }
        index += 1
        if first != UInt8(ascii: "0") { skipDigits() }
        if let next = current, isDigit(next) { throw fault("a number may not begin with 0") }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            guard let next = current, isDigit(next) else {
                throw fault("a digit was expected after the point")
            }
            skipDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
            guard let next = current, isDigit(next) else {
                throw fault("a digit was expected in the exponent")
            }
            skipDigits()
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        if !isInteger, let value = Double(text), value.isFinite { return .number(value) }
        throw JSONSyntaxError(offset: start, location: startLocation, detail: "the number is out of range")
    }

    private mutating func skipDigits() {
        while let byte = current, isDigit(byte) { index += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private mutating func string() throws(JSONSyntaxError) -> String {
        index += 1
        let start = index
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
            index += 1
        }
        if current == UInt8(ascii: "\"") {
            let text = try validated(bytes[start..<index], from: start)
            index += 1
            return text
        }
        var buffer = Array(bytes[start..<index])
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                let text = try validated(buffer[...], from: start)
                index += 1
                return text
            case UInt8(ascii: "\\"): try escape(into: &buffer)
            case 0..<0x20: throw fault("a control character in a string must be escaped")
            default:
                buffer.append(byte)
                index += 1
            }
        }
        throw fault("the text ends inside a string")
    }

    private func validated(_ slice: ArraySlice<UInt8>, from start: Int) throws(JSONSyntaxError) -> String {
        if let text = String(validating: slice, as: UTF8.self) { return text }
        throw JSONSyntaxError(
            offset: start, location: SourceLocation(line: line, column: start - lineStart + 1),
            detail: "the string is not valid UTF-8")
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(JSONSyntaxError) {
        index += 1
        guard let byte = current else { throw fault("the text ends inside an escape") }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            index += 1
            let scalar = try unicodeEscape()
            buffer.append(contentsOf: String(scalar).utf8)
            return
        default: throw fault("this escape does not exist")
        }
        index += 1
    }

    private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try hexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard (0xD800..<0xDC00).contains(first), current == UInt8(ascii: "\\"), index + 1 < bytes.count,
            bytes[index + 1] == UInt8(ascii: "u")
        else { throw fault("a lone surrogate stands in an escape") }
        index += 2
        let second = try hexDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw fault("a lone surrogate stands in an escape") }
        return scalar
    }

    private mutating func hexDigits() throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80
            else {
                throw fault("four hexadecimal digits were expected")
            }
            value = value << 4 | UInt32(digit)
            index += 1
        }
        return value
    }
}
