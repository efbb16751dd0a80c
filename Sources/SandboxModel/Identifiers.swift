/// Names one sandbox: `sb-` followed by 10 to 40 of `[a-z0-9]`.
public struct SandboxID: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The checked text.
    public let rawValue: String

    /// Accepts `sb-[a-z0-9]{10,40}` and nothing else.
    public init?(rawValue: String) {
        let bytes = rawValue.utf8
        guard (13...43).contains(bytes.count), rawValue.hasPrefix("sb-") else { return nil }
        guard bytes.dropFirst(3).allSatisfy(isLowercaseAlphanumeric) else { return nil }
        self.rawValue = rawValue
    }

    /// Makes a fresh identifier of 20 characters after the prefix (about 103 bits).
    /// - Parameter generator: The system generator outside tests.
    public init(using generator: inout some RandomNumberGenerator) {
        rawValue = "sb-" + randomAlphanumerics(20, using: &generator)
    }

    /// The text for people.
    public var description: String { rawValue }

    /// By the bytes of the text.
    public static func < (left: SandboxID, right: SandboxID) -> Bool { left.rawValue < right.rawValue }
}

/// Names a policy: 1 to 63 of `[a-z0-9-]`; `check` is reserved for the route of that name.
public struct PolicyName: RawRepresentable, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The checked text.
    public let rawValue: String

    /// The built-in policy that every other one builds on.
    public static let `default` = PolicyName(checked: "default")

    private init(checked rawValue: String) { self.rawValue = rawValue }

    /// Accepts `[a-z0-9-]{1,63}` but not `check`.
    public init?(rawValue: String) {
        let bytes = rawValue.utf8
        guard (1...63).contains(bytes.count), rawValue != "check" else { return nil }
        guard bytes.allSatisfy({ isLowercaseAlphanumeric($0) || $0 == UInt8(ascii: "-") }) else { return nil }
        self.rawValue = rawValue
    }

    /// The text for people.
    public var description: String { rawValue }

    /// By the bytes of the text.
    public static func < (left: PolicyName, right: PolicyName) -> Bool { left.rawValue < right.rawValue }
}

/// An engine's own name for a container: 1 to 128 of `[A-Za-z0-9_.-]`, not starting with a separator.
public struct EngineID: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The checked text.
    public let rawValue: String

    /// Accepts what Docker and runc use for container identifiers; in particular no `/` and no `..` path.
    public init?(rawValue: String) {
        let bytes = rawValue.utf8
        guard (1...128).contains(bytes.count), let first = bytes.first, isAlphanumeric(first) else {
            return nil
        }
        let separators = Array("_.-".utf8)
        guard bytes.allSatisfy({ isAlphanumeric($0) || separators.contains($0) }) else { return nil }
        self.rawValue = rawValue
    }

    /// The text for people.
    public var description: String { rawValue }
}

/// `count` characters of `[a-z0-9]`, each equally likely.
/// - Parameter generator: The system generator outside tests.
public func randomAlphanumerics(_ count: Int, using generator: inout some RandomNumberGenerator) -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    for _ in 0..<count { bytes.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]) }
    return String(decoding: bytes, as: UTF8.self)
}

func isLowercaseAlphanumeric(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

func isAlphanumeric(_ byte: UInt8) -> Bool {
    isLowercaseAlphanumeric(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
}
