import SandboxModel

/// What one entry of each list of a policy must look like, and how it is stored.
enum PolicyEntries {
    /// The result of reading one entry: its stored form, or why it is refused.
    typealias Reading = Result<String, EntryRefusal>

    private static func refuse(_ detail: String) -> Reading { .failure(EntryRefusal(detail)) }
    private static func shown(_ text: String) -> String { "`\(excerpt(text, limit: 64))`" }

    /// A program's base name: 1 to 255 bytes, no slash, no space, no pattern, not beginning with `-`.
    static func isProgramName(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard (1...255).contains(bytes.count), text != ".", text != "..",
            bytes.first != UInt8(ascii: "-")
        else {
            return false
        }
        return bytes.allSatisfy { byte in
            byte > 0x20 && byte != 0x7F && !"/*?\\\"'`$;|&<>(){}@".utf8.contains(byte)
        }
    }

    /// A program that is blocked: a base name, or a group such as `@network`.
    static func blockedCommand(_ text: String) -> Reading {
        if text.hasPrefix("@") {
            if CommandGroup(rawValue: String(text.dropFirst())) != nil { return .success(text) }
            let names = CommandGroup.allCases.map { "@" + $0.rawValue }
            if let near = nearestName(to: text, among: names) {
                return refuse("the group \(shown(text)) is not known; did you mean `\(near)`?")
            }
            return refuse("the group \(shown(text)) is not known; known are " + names.joined(separator: ", "))
        }
        if let name = text.split(separator: "/").last, text.contains("/"), isProgramName(String(name)) {
            return refuse("programs are blocked by base name: write `\(name)` for \(shown(text))")
        }
        guard isProgramName(text) else { return refuse("\(shown(text)) is not a program's name") }
        return .success(text)
    }

    /// A program that is allowed: a base name found on the fixed `PATH`, or an absolute normalised path.
    static func allowedCommand(_ text: String) -> Reading {
        if text.hasPrefix("@") {
            return refuse("groups can only be blocked; list the programs that are allowed")
        }
        guard text.contains("/") else {
            return isProgramName(text) ? .success(text) : refuse("\(shown(text)) is not a program's name")
        }
        if let problem = pathProblem(text) { return refuse(problem) }
        return .success(text)
    }

    /// Why a text is not an absolute, normalised path; `nil` when it is one.
    static func pathProblem(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/") else { return "\(shown(text)) is not an absolute path" }
        if let problem = LexicalPath.problem(in: bytes) { return "\(shown(text)): \(problem.detail)" }
        let normal = LexicalPath.normalize(bytes, base: [])
        guard normal == bytes else {
            return
                "\(shown(text)) is not normalised: write "
                + "`\(excerpt(String(decoding: normal, as: UTF8.self)))`"
        }
        return nil
    }

    /// A file name extension with its dot, such as `.py` or `.tar.gz`.
    static func fileExtension(_ text: String) -> Reading {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: ".") else {
            if !bytes.isEmpty, !bytes.contains(UInt8(ascii: "/")), !bytes.contains(UInt8(ascii: "*")) {
                return refuse("an extension begins with a dot: write `.\(excerpt(text, limit: 32))`")
            }
            return refuse("\(shown(text)) is not an extension; write one such as `.py`")
        }
        let isFine =
            (2...64).contains(bytes.count) && !bytes.contains(UInt8(ascii: "/"))
            && bytes.last != UInt8(ascii: ".")
            && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2A && $0 != 0x3F }
        return isFine ? .success(text) : refuse("\(shown(text)) is not an extension; write one such as `.py`")
    }

    /// A pattern of paths, see ``PathPattern``.
    static func filePattern(_ text: String) -> Reading {
        switch PathPattern.parse(text) {
        case .success: .success(text)
        case .failure(let refusal): refuse("\(shown(text)): \(refusal.detail)")
        }
    }

    /// A domain name, or `*.` and one for its subdomains; stored in lower case.
    static func domain(_ text: String) -> Reading {
        if text == "*" { return refuse("an empty list already means any public name") }
        let name = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        if case .failure(.malformed) = CIDRBlock.parse(String(name)) {
        } else {
            return refuse("\(shown(text)) is an address; addresses belong into allowed_cidrs")
        }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.count >= 2 else {
            return refuse("\(shown(text)) is not a domain name of at least two labels, such as `example.org`")
        }
        let areFine = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-")
                && label.last != UInt8(ascii: "-")
                && label.allSatisfy {
                    isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                }
        }
        guard areFine else {
            return refuse(
                "\(shown(text)) is not a domain name; letters beyond ASCII are written in punycode (`xn--…`)")
        }
        return .success(text.lowercased())
    }

    /// A block in CIDR notation.
    static func cidr(_ text: String) -> Reading {
        switch CIDRBlock.parse(text) {
        case .success(let block): .success(block.description)
        case .failure(.malformed):
            refuse("\(shown(text)) is not a block of addresses, such as `192.0.2.0/24`")
        case .failure(.missingPrefix(let block)):
            refuse("\(shown(text)) has no prefix length: write `\(block)` for this one address")
        case .failure(.hostBits(let block)):
            refuse("\(shown(text)) has bits set beyond its prefix: write `\(block)`")
        }
    }

    /// A capability's name with `CAP_`.
    static func capability(_ text: String) -> Reading {
        if Capability.known.contains(text) {
            if let reason = Capability.refused[text] {
                return refuse("\(text) is not given to sandboxes: \(reason)")
            }
            return .success(text)
        }
        let upper = text.uppercased()
        let full = upper.hasPrefix("CAP_") ? upper : "CAP_" + upper
        if Capability.known.contains(full) { return refuse("write `\(full)` for \(shown(text))") }
        if upper == "ALL" || upper == "CAP_ALL" { return refuse("capabilities are listed one by one") }
        if let near = nearestName(to: full.lowercased(), among: Capability.known.map { $0.lowercased() }) {
            return refuse("the capability \(shown(text)) is not known; did you mean `\(near.uppercased())`?")
        }
        return refuse("the capability \(shown(text)) is not known")
    }

    /// The name of a control as it stands in a sandbox's `applied`.
    static func control(_ text: String) -> Reading {
        let bytes = Array(text.utf8)
        let isFine =
            (1...63).contains(bytes.count)
            && bytes.allSatisfy { isLowercaseLetter($0) || $0 == UInt8(ascii: "_") }
        return isFine ? .success(text) : refuse("\(shown(text)) is not a control's name, such as `memory`")
    }

    private static func isLowercaseLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte) }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isLowercaseLetter(byte) || (65...90).contains(byte) || (48...57).contains(byte)
    }
}
