import SandboxModel
import SandboxPolicy
import Testing

/// Layouts of links and folders, with the path that each question really leads to. The layout is a small
/// model here: what is tested is the verdict on a path and on what it resolves to, not the walk through a
/// real file system.
extension PathCorpusTests {
    @Test("Paths through links are judged by where they lead")
    func linkedPaths() throws {
        guard let rows = try Corpus.rows("paths_fs_cases") else { return }
        let policy = try compile(
            "name: corpus\nworkspace: /base/ROOT\nallowed_file_extensions: []\nblocked_file_patterns: []")
        var checked = 0
        for row in rows {
            guard let layout = row["fs"]?.array?.compactMap(\.string), let path = row["path"]?.string,
                let label = row["label"]?.string, ["allow", "deny"].contains(label)
            else { continue }
            // Whether something is there, and whether `..` may leave the root and come back, is for the call
            // that opens it.
            if row["notes"]?.string?.contains("directory does not exist") ?? false { continue }
            let model = LinkModel(layout, root: "/base/ROOT")
            let resolved = model.resolve(path)
            if label == "deny", resolved?.hasPrefix("/base/ROOT/") ?? false { continue }
            checked += 1
            var check = PathCheck(path)
            check.resolvedPath = Array((resolved ?? "").utf8)
            let verdict = policy.evaluate(path: check)
            #expect(
                (verdict.decision == .allow) == (label == "allow"),
                "\(row["id"]?.string ?? "") \(verdict.reasons)")
            if label == "allow", let target = row["target"]?.string {
                #expect(resolved == "/base/ROOT/\(target)")
            }
        }
        #expect(checked >= 15)
        try judgeRootedTargets(rows, policy)
    }

    // The larger layout's answers are given for a walk that takes the root for `/`; a target inside is fine.
    private func judgeRootedTargets(_ rows: [JSONValue], _ policy: CompiledPolicy) throws {
        var checked = 0
        for row in rows where row["label"]?.string == "in-root" && row["remaining"]?.string == "" {
            let path = try #require(row["path"]?.string)
            let target = try #require(row["target"]?.string)
            var check = PathCheck("/base/ROOT/" + path)
            check.resolvedPath = Array(("/base/ROOT" + target).utf8)
            let verdict = policy.evaluate(path: check)
            // A path that leaves the root by its text alone is refused, whatever a rooted walk would make of
            // it.
            let text = path.split(separator: "/").reduce(0) { depth, part in
                depth < 0 ? depth : part == ".." ? depth - 1 : part == "." ? depth : depth + 1
            }
            if text >= 0 { #expect(verdict.decision == .allow, "\(path) \(verdict.reasons)") }
            checked += 1
        }
        #expect(checked >= 10)
    }
}

/// Folders and links by path.
private struct LinkModel {
    private var links: [String: String] = [:]
    private let root: String

    init(_ layout: [String], root: String) {
        self.root = root
        for line in layout {
            let parts = line.split(separator: " ")
            guard parts.count == 3, parts[1] == "=>" else { continue }
            var target = String(parts[2])
            if target.hasPrefix("$ABS") { target = root + target.dropFirst(4) }
            links[root + "/" + parts[0]] = target
        }
    }

    /// The path that a name leads to, from the root's folder; `nil` for a circle.
    func resolve(_ path: String) -> String? {
        guard !path.isEmpty else { return nil }
        var pending = path.split(separator: "/").map(String.init)
        var current = path.hasPrefix("/") ? "" : root
        var hops = 0
        while !pending.isEmpty {
            let name = pending.removeFirst()
            if name == "." { continue }
            if name == ".." {
                current = current.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
                continue
            }
            let next = current + "/" + name
            guard let target = links[next] else {
                current = next
                continue
            }
            hops += 1
            guard hops <= 40 else { return nil }
            if target.hasPrefix("/") { current = "" }
            pending = target.split(separator: "/").map(String.init) + pending
        }
        return current.isEmpty ? "/" : current
    }
}
