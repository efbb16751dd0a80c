internal import Crypto
public import SandboxModel

/// The tokens that may call the daemon. Only their SHA-256 is kept; a secret is shown once, when it is made.
public struct TokenTable: Sendable, Hashable {
    /// One token.
    public struct Entry: Sendable, Hashable {
        /// Stands in the audit stream; `[A-Za-z0-9._-]{1,63}`.
        public var name: String
        /// What the caller may do.
        public var role: Role
        /// SHA-256 of the secret, 32 bytes.
        public var digest: [UInt8]

        /// A token's entry.
        public init(name: String, role: Role, digest: [UInt8]) {
            self.name = name
            self.role = role
            self.digest = digest
        }
    }

    /// The tokens, in the order of the file.
    public private(set) var entries: [Entry]

    /// The most tokens a file may hold; each unauthenticated request is compared with all of them.
    public static let maximumCount = 1000

    /// A table of the given tokens.
    public init(entries: [Entry] = []) { self.entries = entries }

    /// Reads the document of a token file: `{tokens: [{name, role, sha256}]}`.
    /// - Returns: The table, or every fault that was found.
    public static func read(_ document: DocumentNode) -> (table: TokenTable, faults: [DocumentFault]) {
        var faults: [DocumentFault] = []
        var entries: [Entry] = []
        func fault(_ pointer: String, _ node: DocumentNode, _ detail: String) {
            faults.append(DocumentFault(pointer: pointer, location: node.location, detail: detail))
        }
        for member in document.members ?? [] where member.key != "tokens" {
            faults.append(
                DocumentFault(
                    pointer: DocumentFault.pointer("", member.key), location: member.keyLocation,
                    detail: "unknown field; a token file has `tokens` only"))
        }
        guard let list = document["tokens"]?.array else {
            fault("/tokens", document, "a list of {name, role, sha256} was expected")
            return (TokenTable(), faults)
        }
        guard list.count <= maximumCount else {
            fault("/tokens", document, "at most \(maximumCount) tokens were expected, found \(list.count)")
            return (TokenTable(), faults)
        }
        for (index, node) in list.enumerated() {
            let pointer = "/tokens/\(index)"
            for member in node.members ?? [] where !["name", "role", "sha256"].contains(member.key) {
                faults.append(
                    DocumentFault(
                        pointer: DocumentFault.pointer(pointer, member.key), location: member.keyLocation,
                        detail: "unknown field; `name`, `role` and `sha256` were expected"))
            }
            let name = node["name"]?.string ?? ""
            let role = node["role"]?.string.flatMap(Role.init(rawValue:))
            let digest = node["sha256"]?.string.flatMap(bytes(hexadecimal:)) ?? []
            if !isName(name) { fault(pointer + "/name", node, "1 to 63 of [A-Za-z0-9._-] were expected") }
            if role == nil { fault(pointer + "/role", node, "viewer, operator or admin was expected") }
            if digest.count != 32 { fault(pointer + "/sha256", node, "64 hexadecimal digits were expected") }
            if entries.contains(where: { $0.name == name }) {
                fault(pointer + "/name", node, "the name \(excerpt(name)) stands twice")
            }
            if let role { entries.append(Entry(name: name, role: role, digest: digest)) }
        }
        return (TokenTable(entries: faults.isEmpty ? entries : []), faults)
    }

    /// Finds whose secret this is. Every entry is compared whole, so the time taken tells nothing of a near miss.
    /// - Complexity: one SHA-256 and 32 bytes for each token.
    public func principal(for secret: some Sequence<UInt8>) -> Principal? {
        let digest = Array(SHA256.hash(data: Array(secret)))
        var found: Entry?
        for entry in entries {
            var difference: UInt8 = entry.digest.count == digest.count ? 0 : 1
            for (left, right) in zip(entry.digest, digest) { difference |= left ^ right }
            if difference == 0 { found = entry }
        }
        return found.map { Principal(name: $0.name, role: $0.role) }
    }

    /// Makes a secret of 256 random bits and the line for the token file.
    public static func issue(
        name: String, role: Role, using generator: inout some RandomNumberGenerator
    ) throws(SecurityError) -> (secret: String, line: String) {
        guard isName(name) else { throw .invalid("/name", "1 to 63 of [A-Za-z0-9._-] were expected") }
        let secret = "swt_" + randomAlphanumerics(50, using: &generator)
        let digest = hexadecimal(Array(SHA256.hash(data: Array(secret.utf8))))
        return (secret, "  - {name: \(name), role: \(role.rawValue), sha256: \(digest)}")
    }

    static func isName(_ name: String) -> Bool {
        (1...63).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains($0))
            }
    }
}

/// Lower-case hexadecimal digits of the bytes.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

/// The bytes of an even number of hexadecimal digits; `nil` for anything else.
func bytes(hexadecimal text: String) -> [UInt8]? {
    var result: [UInt8] = []
    var high: UInt8?
    for byte in text.utf8 {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
        default: return nil
        }
        if let first = high {
            result.append(first << 4 | digit)
            high = nil
        } else {
            high = digit
        }
    }
    return high == nil ? result : nil
}
