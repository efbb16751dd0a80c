/// A request method; names are case-sensitive.
///
/// - SeeAlso: RFC 9110, section 9.
public enum HTTPMethod: Sendable, Hashable, CustomStringConvertible {
    case get, head, post, put, delete, patch, options, trace, connect
    /// Any other token, at most 32 bytes long.
    case other(String)

    /// The method of that name.
    public init(_ name: String) {
        self = Self.known.first { $0.description == name } ?? .other(name)
    }

    /// The name as it stands in a request line.
    public var description: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .other(let name): name
        }
    }

    /// The methods that have a case of their own.
    static let known: [HTTPMethod] = [.get, .head, .post, .put, .delete, .patch, .options, .trace, .connect]

    /// Reads a method that has been found to be a token.
    init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var word: UInt64 = 0
        if range.count <= 8 { for index in range { word = word << 8 | UInt64(bytes[index]) } }
        switch word {
        case 0x47_4554: self = .get
        case 0x48_4541_44: self = .head
        case 0x50_4F53_54: self = .post
        case 0x50_5554: self = .put
        case 0x44_454C_4554_45: self = .delete
        case 0x50_4154_4348: self = .patch
        case 0x4F_5054_494F_4E53: self = .options
        case 0x54_5241_4345: self = .trace
        case 0x43_4F4E_4E45_4354: self = .connect
        default:
            var name: [UInt8] = []
            name.append(copying: bytes.extracting(range))
            self = .other(String(decoding: name, as: UTF8.self))
        }
    }

    /// A lower-case label for metrics, one of ten.
    var label: String {
        if case .other = self { return "other" }
        return description.lowercased()
    }

    /// Position of the label in an array with one element for each.
    var labelIndex: Int {
        switch self {
        case .get: 0
        case .head: 1
        case .post: 2
        case .put: 3
        case .delete: 4
        case .patch: 5
        case .options: 6
        case .trace: 7
        case .connect: 8
        case .other: 9
        }
    }
}
