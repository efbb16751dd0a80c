public import SandboxModel

extension CompiledPolicy {
    /// Decides whether an operation may be done to a path.
    ///
    /// The path is read as Linux reads it, by components, and never decoded: `%2e%2e` is a name. Rules, in
    /// this order: `path` (no path at all, invisible characters, a shell's pattern), `magic_link`,
    /// `workspace`, `blocked_file_patterns` on the normalised and on the resolved path,
    /// `allowed_file_extensions`. An allowed path may carry notes under the rule `encoding`: text that
    /// another reader might decode into another path.
    /// - Complexity: the length of the path times that of the patterns. Does not block and looks at no file
    ///   system.
    public func evaluate(path check: PathCheck) -> Verdict {
        var reasons = ReasonCollector()
        if let problem = LexicalPath.problem(in: check.path) {
            reasons.deny(VerdictReason(rule: "path", match: shown(check.path), detail: problem.detail))
            return verdict(reasons)
        }
        guard let base = startingFolder(check, &reasons) else { return verdict(reasons) }
        let normal = LexicalPath.normalize(check.path, base: base)
        if normal.count > LexicalPath.maximumBytes {
            let detail = LexicalPath.Problem.tooLong(normal.count).detail
            reasons.deny(VerdictReason(rule: "path", match: shown(check.path), detail: detail))
            return verdict(reasons)
        }
        checkShellPattern(check.path, &reasons)
        checkPlace(normal, check.operation, resolvedFrom: nil, &reasons)
        if let resolved = check.resolvedPath { checkResolved(resolved, normal, check, &reasons) }
        checkExtension(normal, check, &reasons)
        noteEncodings(check.path, &reasons)
        return verdict(reasons)
    }

    private func shown(_ path: [UInt8]) -> String { excerpt(String(decoding: path, as: UTF8.self)) }

    private func startingFolder(_ check: PathCheck, _ reasons: inout ReasonCollector) -> [UInt8]? {
        guard let folder = check.workingDirectory else { return workspace }
        let bytes = Array(folder.utf8)
        let problem = LexicalPath.problem(in: bytes)?.detail
        guard problem == nil, bytes.first == UInt8(ascii: "/") else {
            let detail = "the folder it starts from is no absolute path" + (problem.map { ": " + $0 } ?? "")
            reasons.deny(VerdictReason(rule: "path", match: excerpt(folder), detail: detail))
            return nil
        }
        return LexicalPath.normalize(bytes, base: [])
    }

    private func checkResolved(
        _ path: [UInt8], _ normal: [UInt8], _ check: PathCheck, _ reasons: inout ReasonCollector
    ) {
        guard path.first == UInt8(ascii: "/"), !path.contains(0) else {
            reasons.deny(
                VerdictReason(
                    rule: "path", match: shown(check.path),
                    detail: "where it leads to could not be established"))
            return
        }
        let resolved = LexicalPath.normalize(path, base: [])
        if resolved != normal { checkPlace(resolved, check.operation, resolvedFrom: check.path, &reasons) }
    }

    // Magic links, the workspace and the blocked patterns, for the path as named or as resolved.
    private func checkPlace(
        _ path: [UInt8], _ operation: FileOperation, resolvedFrom origin: [UInt8]?,
        _ reasons: inout ReasonCollector
    ) {
        let means = origin.map { "`\(shown($0))` leads there; " } ?? ""
        if MagicLinks.contains(path) {
            reasons.deny(
                VerdictReason(
                    rule: "magic_link", match: shown(path),
                    detail: means
                        + "this is a link of the kernel that leads past every path; no policy allows it"))
        }
        if !LexicalPath.contains(workspace, path) {
            reasons.deny(
                VerdictReason(
                    rule: "workspace", match: shown(path),
                    detail: means
                        + "it lies outside of the workspace `\(workspaceText)`, the only place for files"))
        } else if operation == .delete, path.count == workspace.count {
            reasons.deny(
                VerdictReason(
                    rule: "workspace", match: shown(path), detail: means + "the workspace itself stays"))
        }
        if let pattern = blockingPattern(path, operation) {
            reasons.deny(
                VerdictReason(
                    rule: "blocked_file_patterns", match: shown(path),
                    detail: means + "`\(excerpt(pattern, limit: 64))` blocks it; "
                        + "it would be allowed without that pattern in blocked_file_patterns of `\(name)`"))
        }
    }

    /// The first pattern that forbids an operation on a normalised path.
    func blockingPattern(_ path: [UInt8], _ operation: FileOperation) -> String? {
        if let pattern = patterns.first(covering: path) { return pattern.text }
        return operation == .delete ? patterns.first(treeBelow: path)?.text : nil
    }

    private func checkExtension(_ path: [UInt8], _ check: PathCheck, _ reasons: inout ReasonCollector) {
        guard !(extensions.isEmpty && longExtensions.isEmpty), !check.isFolder else { return }
        let file = LexicalPath.lastComponent(path)
        guard let dot = FileExtension.start(in: file) else { return }
        let text = String(decoding: file[dot...], as: UTF8.self)
        // A slash behind the name says that a folder is meant, so what looks like an extension is none that
        // was allowed.
        let hasSlash = check.path.last == UInt8(ascii: "/")
        if !hasSlash {
            if extensions.contains(text) { return }
            if longExtensions.contains(where: {
                file.count > $0.count && file.suffix($0.count).elementsEqual($0)
            }) {
                return
            }
        }
        let shown = excerpt(text + (hasSlash ? "/" : ""), limit: 64)
        reasons.deny(
            VerdictReason(
                rule: "allowed_file_extensions", match: shown,
                detail:
                    "the extension `\(shown)` is not among those allowed; extensions are compared byte "
                    + "by byte, and "
                    + "it would be allowed with its entry in allowed_file_extensions of `\(name)`"))
    }

    // A file call takes a path as it stands, but paths travel: a caller that gives this one to a shell gets
    // others. Sets around a plain word (`[id].tsx`) are how web projects name files, and stay.
    private func checkShellPattern(_ path: [UInt8], _ reasons: inout ReasonCollector) {
        guard let pattern = ShellPattern.find(in: path) else { return }
        reasons.undecidable(
            VerdictReason(
                rule: "path", match: shown(path),
                detail: "`\(pattern)` would stand for other paths in a shell; write the path itself"),
            denies: deniesUndecidable)
    }

    private func noteEncodings(_ path: [UInt8], _ reasons: inout ReasonCollector) {
        guard let kind = Encodings.find(in: path) else { return }
        reasons.note(
            VerdictReason(
                rule: "encoding", match: shown(path),
                detail: "\(kind) is taken as it stands; whoever decodes it first means another path"))
    }
}

/// Where a file name's extension begins.
enum FileExtension {
    /// The index of the dot of the last extension. A name's leading dots belong to its stem, so `.env` has
    /// none.
    static func start(in name: ArraySlice<UInt8>) -> Int? {
        let dot = UInt8(ascii: ".")
        guard let last = name.lastIndex(of: dot),
            name[..<last].contains(where: { $0 != dot })
        else { return nil }
        return last
    }
}

/// Links of the kernel that lead to an open file or a root, whatever the path says.
/// - SeeAlso: symlink(7), "Magic links"; proc(5)
enum MagicLinks {
    private static let names: [[UInt8]] = ["root", "cwd", "exe", "fd", "map_files", "ns"].map {
        Array($0.utf8)
    }
    private static let devices: [[UInt8]] =
        ["/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"].map { Array($0.utf8) }

    /// Whether a normalised path is such a link or goes through one.
    static func contains(_ path: [UInt8]) -> Bool {
        if devices.contains(where: { LexicalPath.contains($0, path) }) { return true }
        guard path.starts(with: "/proc/".utf8) else { return false }
        let parts = LexicalPath.components(path)
        return parts.dropFirst(2).contains { part in names.contains { part.elementsEqual($0) } }
    }
}

/// Text in a path that a shell would expand.
enum ShellPattern {
    /// The first `*`, `?`, bracket set or brace list; `nil` where there is none.
    static func find(in path: [UInt8]) -> String? {
        for (index, byte) in path.enumerated() {
            switch byte {
            case UInt8(ascii: "*"): return "*"
            case UInt8(ascii: "?"): return "?"
            case UInt8(ascii: "["):
                guard let end = path[index...].firstIndex(of: UInt8(ascii: "]")) else { continue }
                if !isPlainWord(path[(index + 1)..<end]) {
                    return excerpt(text(path[index...end]), limit: 32)
                }
            case UInt8(ascii: "{"):
                guard let end = path[index...].firstIndex(of: UInt8(ascii: "}")) else { continue }
                let inner = path[(index + 1)..<end]
                if inner.contains(UInt8(ascii: ",")) || text(inner).contains("..") {
                    return excerpt(text(path[index...end]), limit: 32)
                }
            default: continue
            }
        }
        return nil
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func isPlainWord(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count > 1
            && bytes.allSatisfy { byte in
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            }
    }
}

/// Text in a path that another reader may turn into separators or dots.
enum Encodings {
    // Characters that compatibility normalisation turns into a slash or into dots.
    private static let lookalikes: Set<UInt32> = [
        0x2024, 0x2025, 0x2026, 0x2044, 0x2215, 0x29F8, 0xFE52, 0xFF0E, 0xFF0F, 0xFF3C,
    ]

    /// What kind of such text there is, as the beginning of a sentence; `nil` for none.
    static func find(in path: [UInt8]) -> String? {
        if path.first == UInt8(ascii: "~") { return "`~`" }
        for (index, byte) in path.enumerated() {
            if byte == UInt8(ascii: "\\") { return "a backslash" }
            if byte == UInt8(ascii: "%"), index + 2 < path.count, isHex(path[index + 1]),
                isHex(path[index + 2])
            {
                return "a percent encoding"
            }
        }
        guard path.contains(where: { $0 >= 0x80 }) else { return nil }
        let text = String(decoding: path, as: UTF8.self)
        return text.unicodeScalars.contains { lookalikes.contains($0.value) }
            ? "a character that looks like a dot or a slash" : nil
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }
}
