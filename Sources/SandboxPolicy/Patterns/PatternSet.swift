/// All patterns of a policy, with those that are plain trees laid out for comparing bytes. Immutable.
final class PatternSet: Sendable {
    private let patterns: [PathPattern]
    /// The trees' paths one behind the other.
    private let treeBytes: [UInt8]
    /// For each tree, where its path begins and ends in ``treeBytes``, and which pattern it is.
    private let trees: [(start: Int, end: Int, index: Int)]
    /// The indices of the patterns that are no plain trees.
    private let globs: [Int]

    init(_ patterns: [PathPattern]) {
        var bytes: [UInt8] = []
        var trees: [(start: Int, end: Int, index: Int)] = []
        var globs: [Int] = []
        for (index, pattern) in patterns.enumerated() {
            if let tree = pattern.tree {
                trees.append((bytes.count, bytes.count + tree.count, index))
                bytes += tree
            } else {
                globs.append(index)
            }
        }
        self.patterns = patterns
        self.trees = trees
        self.globs = globs
        treeBytes = bytes
    }

    /// Whether there is no pattern.
    var isEmpty: Bool { patterns.isEmpty }

    /// The first pattern that covers a normalised path, trees before globs.
    func first(covering path: [UInt8]) -> PathPattern? {
        for tree in trees where contains(tree.start, tree.end, path) { return patterns[tree.index] }
        for index in globs where patterns[index].covers(path) { return patterns[index] }
        return nil
    }

    private func contains(_ start: Int, _ end: Int, _ path: [UInt8]) -> Bool {
        let count = end - start
        guard path.count >= count else { return false }
        // From the end: paths of one file system begin alike and differ behind.
        var offset = count
        while offset > 0 {
            offset -= 1
            if treeBytes[start + offset] != path[offset] { return false }
        }
        return count <= 1 || path.count == count || path[count] == UInt8(ascii: "/")
    }

    /// The first tree that lies below a folder.
    func first(treeBelow folder: [UInt8]) -> PathPattern? {
        patterns.first { $0.isLiteralTree(below: folder) }
    }

    /// The first pattern that could cover something that a shell's pattern expands to.
    func first(mayCover path: [UInt8]) -> PathPattern? { patterns.first { $0.mayCover(shellPattern: path) } }

    /// The first pattern looked for at every level that covers the end of a path.
    func first(floatingOver path: [UInt8]) -> PathPattern? {
        patterns.first { $0.isFloating && $0.covers(path) }
    }
}
