import SandboxModel

/// A pattern of `blocked_file_patterns`: a set of files and of folders with all that is below them.
///
/// `/x/` and `/x` name that tree. Otherwise a component may hold `*` (any text without a slash), `?` and
/// `[…]`, and the component `**` stands for any number of components. A pattern without a slash before its
/// end (`*.pem`, `.ssh/`) is looked for at every level. A match on a folder covers what is below it, so
/// `**/.ssh` and `**/.ssh/**` mean the same. Bytes are compared as they are: no case folding, no Unicode
/// normalisation, no decoding.
struct PathPattern: Sendable, Hashable {
    /// One component of a pattern.
    private enum Component: Sendable, Hashable {
        /// Any number of components.
        case anyDepth
        case name(NamePattern)
    }

    /// The pattern as it was written.
    let text: String
    private let components: [Component]
    /// The path of the tree where no component is a wildcard: compared by bytes, which is what most policies
    /// need.
    let tree: [UInt8]?

    /// Reads a pattern.
    static func parse(_ text: String) -> Result<PathPattern, EntryRefusal> {
        func refuse(_ detail: String) -> Result<PathPattern, EntryRefusal> { .failure(EntryRefusal(detail)) }
        let bytes = Array(text.utf8)
        if let problem = LexicalPath.problem(in: bytes) { return refuse(problem.detail) }
        if bytes.contains(UInt8(ascii: "{")) {
            return refuse("braces have no meaning here; write one pattern for each")
        }
        if bytes.first == UInt8(ascii: "~") { return refuse("`~` has no meaning here; write the folder") }
        var body = bytes[...]
        if body.count > 1, body.last == UInt8(ascii: "/") { body.removeLast() }
        let isRooted = body.first == UInt8(ascii: "/")
        if isRooted { body.removeFirst() }
        var components: [Component] = isRooted ? [] : [.anyDepth]
        let parts = body.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if !isRooted, parts.count > 1, !parts[0].elementsEqual("**".utf8) {
            return refuse("begin it with `/`, or with `**/` to look for it at every level")
        }
        for part in parts where !(isRooted && body.isEmpty) {
            if part.isEmpty { return refuse("two slashes stand together") }
            if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) {
                return refuse("`.` and `..` cannot match: paths are normalised first")
            }
            if part.elementsEqual("**".utf8) {
                if components.last != .anyDepth { components.append(.anyDepth) }
                continue
            }
            switch NamePattern.parse(part) {
            case .success(let name): components.append(.name(name))
            case .failure(.unclosedSet): return refuse("a `[` is not closed; write `\\[` for the character")
            case .failure(.emptySet): return refuse("a `[]` is empty")
            case .failure(.danglingEscape): return refuse("it ends in a backslash")
            case .failure(.reversedRange): return refuse("a range in `[…]` runs backwards")
            }
        }
        return .success(PathPattern(text: text, components: components))
    }

    private init(text: String, components: [Component]) {
        self.text = text
        // Below a match everything matches, so a trailing `**` says nothing.
        var kept = components
        while kept.last == .anyDepth { kept.removeLast() }
        self.components = kept
        var tree: [UInt8]? = []
        for component in kept {
            guard case .name(let name) = component, let literal = name.literal else {
                tree = nil
                break
            }
            tree?.append(UInt8(ascii: "/"))
            tree?.append(contentsOf: literal)
        }
        self.tree = tree
    }

    /// Whether the pattern is looked for at every level, and so can be held against the end of a path.
    var isFloating: Bool { components.first == .anyDepth }

    /// Whether the pattern covers a normalised absolute path: names it, or a folder above it.
    /// - Complexity: the product of both lengths.
    func covers(_ path: [UInt8]) -> Bool {
        if let tree { return LexicalPath.contains(tree, path) }
        return covers(LexicalPath.components(path)) { $0.matches($1) }
    }

    /// Whether the pattern could cover something that a shell's pattern expands to.
    /// - Parameter path: An absolute normalised path whose components may be patterns of the shell.
    func mayCover(shellPattern path: [UInt8]) -> Bool {
        let names = LexicalPath.components(path).map { part in
            switch NamePattern.parse(part) {
            case .success(let pattern): pattern
            case .failure: NamePattern(literally: part)
            }
        }
        return covers(names[...]) { $0.intersects(shellPattern: $1) }
    }

    /// Whether the tree of the pattern lies in a folder, so that doing away with the folder does away with
    /// it.
    func isLiteralTree(below folder: [UInt8]) -> Bool {
        guard let tree, tree.count > folder.count else { return false }
        return LexicalPath.contains(folder, tree)
    }

    // The components are matched like a text whose letters are names and whose star is `**`; the pattern may
    // end before the path does.
    private func covers<Names: RandomAccessCollection>(
        _ names: Names, by matches: (NamePattern, Names.Element) -> Bool
    ) -> Bool where Names.Index == Int {
        var component = 0
        var position = names.startIndex
        var retry: (component: Int, position: Int)?
        while component < components.count {
            if case .anyDepth = components[component] {
                retry = (component, position)
                component += 1
            } else if position < names.endIndex, case .name(let pattern) = components[component],
                matches(pattern, names[position])
            {
                component += 1
                position += 1
            } else if let last = retry, last.position < names.endIndex {
                retry = (last.component, last.position + 1)
                component = last.component + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return true
    }
}
