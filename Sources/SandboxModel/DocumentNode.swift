/// A place in a text: line and column count from 1, the offset from 0; columns and offsets count UTF-8 bytes.
public struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    /// The line, from 1; 0 where the value has no text behind it.
    public var line: Int
    /// The column in bytes, from 1.
    public var column: Int

    /// A location in a text.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The location of values that were not read from a text.
    public static let none = SourceLocation(line: 0, column: 0)

    /// The text for people.
    public var description: String { "\(line):\(column)" }
}

/// One value of a parsed document (JSON or YAML) with the place it was read from.
///
/// Both readers make this tree, so that policies and configuration are checked by one piece of code that can
/// name a fault by JSON pointer and by line and column.
public struct DocumentNode: Sendable, Hashable {
    /// What stands there.
    public enum Content: Sendable, Hashable {
        case null
        case bool(Bool)
        case integer(Int64)
        case number(Double)
        case string(String)
        case array([DocumentNode])
        case object([DocumentMember])
    }

    /// What stands there.
    public var content: Content
    /// Where its first byte stands.
    public var location: SourceLocation

    /// A node with its place.
    public init(_ content: Content, at location: SourceLocation = .none) {
        self.content = content
        self.location = location
    }

    /// The member of an object by name; `nil` where there is none or this is no object.
    public subscript(name: String) -> DocumentNode? {
        guard case .object(let members) = content else { return nil }
        for member in members where member.key == name { return member.value }
        return nil
    }

    /// The type's name as users know it: `null`, `boolean`, `integer`, `number`, `string`, `list`, `map`.
    public var typeName: String {
        switch content {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "list"
        case .object: "map"
        }
    }

    /// The text, where this is a string.
    public var string: String? { if case .string(let value) = content { value } else { nil } }
    /// The number, where this is an integer.
    public var integer: Int64? { if case .integer(let value) = content { value } else { nil } }
    /// The number, where this is an integer or a number.
    public var double: Double? {
        switch content {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
    /// The truth value, where this is a boolean.
    public var bool: Bool? { if case .bool(let value) = content { value } else { nil } }
    /// The elements, where this is a list.
    public var array: [DocumentNode]? { if case .array(let value) = content { value } else { nil } }
    /// The members in order, where this is a map.
    public var members: [DocumentMember]? { if case .object(let value) = content { value } else { nil } }
    /// Whether this is an explicit null.
    public var isNull: Bool { if case .null = content { true } else { false } }

    /// The same value without its places.
    public var json: JSONValue {
        switch content {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .array(let nodes): .array(nodes.map(\.json))
        case .object(let members): .object(members.map { JSONMember($0.key, $0.value.json) })
        }
    }
}

/// One named value of a map.
public struct DocumentMember: Sendable, Hashable {
    /// The name; unique in its map.
    public var key: String
    /// Where the name stands.
    public var keyLocation: SourceLocation
    /// The value.
    public var value: DocumentNode

    /// A named value.
    public init(key: String, keyLocation: SourceLocation, value: DocumentNode) {
        self.key = key
        self.keyLocation = keyLocation
        self.value = value
    }
}

/// One fault of a document: what is wrong, where, and what was expected.
public struct DocumentFault: Sendable, Hashable, CustomStringConvertible {
    /// RFC 6901 pointer to the value, `""` for the whole document.
    public var pointer: String
    /// Where it stands in the text, or ``SourceLocation/none``.
    public var location: SourceLocation
    /// One sentence that names what was found and what was expected.
    public var detail: String

    /// A fault at a place.
    public init(pointer: String, location: SourceLocation, detail: String) {
        self.pointer = pointer
        self.location = location
        self.detail = detail
    }

    /// The text for people.
    public var description: String {
        location == .none ? "\(pointer): \(detail)" : "\(location): \(pointer): \(detail)"
    }

    /// Joins a reference token to a pointer, escaping `~` and `/` (RFC 6901, section 3).
    public static func pointer(_ parent: String, _ token: String) -> String {
        var result = parent + "/"
        for character in token.unicodeScalars {
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

/// Foreign text made safe to show: control and format characters escaped, cut after `limit` bytes.
public func excerpt(_ text: String, limit: Int = 128) -> String {
    // Most names and paths are plain; looking up the properties of each character costs a hundred times as much.
    if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        let piece: String
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            piece = "\\u{" + String(scalar.value, radix: 16) + "}"
        default: piece = String(scalar)
        }
        guard result.utf8.count + piece.utf8.count <= limit else { return result + "…" }
        result += piece
    }
    return result
}
