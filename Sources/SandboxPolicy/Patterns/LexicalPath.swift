/// Paths as Linux reads them, by text alone: components between slashes, `.` and `..`, bytes that stand for
/// themselves.
///
/// Nothing here looks at a file system. What `..` means behind a symbolic link only the kernel knows; callers
/// that hold a sandbox check the resolved path as well.
enum LexicalPath {
    /// The longest path that a system call takes, without the NUL that ends it.
    static let maximumBytes = 4095
    /// The longest component.
    static let maximumComponentBytes = 255

    /// Why a text is no path that we take.
    enum Problem: Sendable, Hashable {
        case empty
        case holdsNUL
        case tooLong(Int)
        case componentTooLong(Int)
        case invalidUTF8
        /// A control, bidirectional, zero-width or other invisible character, by its scalar value.
        case invisibleCharacter(UInt32)

        /// One clause for people.
        var detail: String {
            switch self {
            case .empty: "the path is empty"
            case .holdsNUL: "a NUL byte would cut the path short"
            case .tooLong(let count): "the path has \(count) bytes, more than \(LexicalPath.maximumBytes)"
            case .componentTooLong(let count):
                "a name in the path has \(count) bytes, more than \(LexicalPath.maximumComponentBytes)"
            case .invalidUTF8: "the path is not valid UTF-8"
            case .invisibleCharacter(let value):
                "the character U+\(hex(value)) is invisible or changes how text around it is shown"
            }
        }

        private func hex(_ value: UInt32) -> String {
            let digits = String(value, radix: 16, uppercase: true)
            return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }

    /// The first problem of a path, whatever its place in the file system.
    /// - Complexity: linear.
    static func problem(in path: [UInt8]) -> Problem? {
        guard !path.isEmpty else { return .empty }
        guard path.count <= maximumBytes else { return path.contains(0) ? .holdsNUL : .tooLong(path.count) }
        var componentStart = 0
        var isASCII = true
        var control: UInt8?
        for index in path.indices {
            let byte = path[index]
            if byte == 0 { return .holdsNUL }
            if byte < 0x20 || byte == 0x7F { control = control ?? byte }
            if byte >= 0x80 { isASCII = false }
            if byte == UInt8(ascii: "/") { componentStart = index + 1 }
            if index - componentStart >= maximumComponentBytes {
                let end = path[index...].firstIndex(of: UInt8(ascii: "/")) ?? path.count
                return .componentTooLong(end - componentStart)
            }
        }
        if let control { return .invisibleCharacter(UInt32(control)) }
        guard !isASCII else { return nil }
        guard let text = String(validating: path, as: UTF8.self) else { return .invalidUTF8 }
        for scalar in text.unicodeScalars where isInvisible(scalar) {
            return .invisibleCharacter(scalar.value)
        }
        return nil
    }

    /// Whether a scalar shows nothing, or changes how the text around it is shown.
    static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            return true
        default: break
        }
        switch scalar.value {
        // The joiner that shows nothing, the fillers of Hangul, and Braille's blank.
        case 0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800: return true
        // Variation selectors beyond those that choose an emoji's form.
        case 0xFE00...0xFE0D, 0xE0100...0xE01EF, 0x180B...0x180D, 0x180F: return true
        default: return false
        }
    }

    /// Whether a path is absolute and has nothing that ``normalize(_:base:)`` would take away.
    static func isNormal(_ path: [UInt8]) -> Bool {
        guard path.first == UInt8(ascii: "/"), path.count > 1, path.last != UInt8(ascii: "/") else {
            return path.count == 1 && path.first == UInt8(ascii: "/")
        }
        for index in 1..<path.count where path[index - 1] == UInt8(ascii: "/") {
            // A component that begins with a dot may be `.` or `..`: not worth telling apart here.
            if path[index] == UInt8(ascii: "/") || path[index] == UInt8(ascii: ".") { return false }
        }
        return true
    }

    /// The absolute path that a text means: `.`, `..`, repeated and trailing slashes gone.
    /// - Parameter base: The absolute normalised folder that a relative path starts from; empty means `/`.
    /// - Returns: `/`, or components each behind one slash.
    static func normalize(_ path: [UInt8], base: [UInt8]) -> [UInt8] {
        if isNormal(path) { return path }
        var result: [UInt8] = []
        result.reserveCapacity(path.count + base.count + 1)
        if path.first != UInt8(ascii: "/"), base.count > 1 { result.append(contentsOf: base) }
        var index = 0
        while index < path.count {
            var end = index
            while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
            append(path[index..<end], to: &result)
            index = end + 1
        }
        if result.isEmpty { result.append(UInt8(ascii: "/")) }
        return result
    }

    private static func append(_ component: ArraySlice<UInt8>, to result: inout [UInt8]) {
        let dot = UInt8(ascii: ".")
        if component.isEmpty || (component.count == 1 && component.first == dot) { return }
        if component.count == 2, component.first == dot, component.last == dot {
            while let byte = result.popLast(), byte != UInt8(ascii: "/") {}
            return
        }
        result.append(UInt8(ascii: "/"))
        result.append(contentsOf: component)
    }

    /// Whether a normalised path is the tree's root or lies below it.
    static func contains(_ tree: [UInt8], _ path: [UInt8]) -> Bool {
        if tree.count <= 1 { return true }
        guard path.starts(with: tree) else { return false }
        return path.count == tree.count || path[tree.count] == UInt8(ascii: "/")
    }

    /// The components of a normalised path.
    static func components(_ path: [UInt8]) -> [ArraySlice<UInt8>] {
        path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
    }

    /// What stands behind the last slash of a normalised path; empty for `/`.
    static func lastComponent(_ path: [UInt8]) -> ArraySlice<UInt8> {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return path[...] }
        return path[(slash + 1)...]
    }
}
