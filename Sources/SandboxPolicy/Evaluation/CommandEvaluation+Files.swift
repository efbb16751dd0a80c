import SandboxModel
import ShellAnalysis

extension CommandEvaluation {
    /// Devices that hold nothing: a blocked `/dev/` is not about them, and `2>/dev/null` stands in every
    /// other script. `/dev/fd` and its like are here what the shell itself has open; as paths of file calls
    /// they are refused.
    static let harmlessDevices: [[UInt8]] = [
        "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/stdin",
        "/dev/stdout",
        "/dev/stderr", "/dev/fd",
    ].map { Array($0.utf8) }

    /// Holds a file that the text names against `blocked_file_patterns`, and against nothing else: what is
    /// not in the workspace may still be read by programs, and the kernel decides about that.
    mutating func judgeFile(_ file: FileOperand) {
        guard let path = absolutePath(of: file) else {
            judgeFloating(file)
            return
        }
        if path.starts(with: "/dev/".utf8),
            CommandEvaluation.harmlessDevices.contains(where: { LexicalPath.contains($0, path) })
        {
            return
        }
        // A program's own place (`/bin/ls`) is what lists of commands are about.
        if file.operation == .execute, FixedSearchPath.holds(path) { return }
        let operation: FileOperation = file.operation == .delete ? .delete : .read
        if let pattern = policy.blockingPattern(path, operation) {
            reasons.deny(reason(file, path, "`\(excerpt(pattern, limit: 64))` blocks it"))
        } else if file.isPattern, let pattern = policy.patterns.first(mayCover: path) {
            reasons.undecidable(
                reason(
                    file, path, "it may stand for a file that `\(excerpt(pattern.text, limit: 64))` blocks"),
                denies: policy.deniesUndecidable)
        }
    }

    private func reason(_ file: FileOperand, _ path: [UInt8], _ detail: String) -> VerdictReason {
        VerdictReason(
            rule: "blocked_file_patterns", match: excerpt(String(decoding: path, as: UTF8.self)),
            detail:
                "\(file.operation.verb) `\(excerpt(file.path))`: \(detail)\(reached(file.via)); it "
                + "would be allowed "
                + "without that pattern in blocked_file_patterns of `\(policy.name)`",
            range: file.range)
    }

    // A relative path behind a `cd` to a place that is not known can only be held against patterns that are
    // looked for at every level; where it really leads is the kernel's to hold.
    private mutating func judgeFloating(_ file: FileOperand) {
        guard !file.path.hasPrefix("/"), !file.path.hasPrefix("~") else { return }
        let path = LexicalPath.normalize(Array(file.path.utf8), base: [])
        guard let pattern = policy.patterns.first(floatingOver: path) else { return }
        reasons.deny(reason(file, path, "`\(excerpt(pattern.text, limit: 64))` blocks it"))
    }

    private func absolutePath(of file: FileOperand) -> [UInt8]? {
        let bytes = Array(file.path.utf8)
        guard let first = bytes.first else { return [UInt8(ascii: "/")] }
        if first == UInt8(ascii: "/") { return LexicalPath.normalize(bytes, base: []) }
        if first == UInt8(ascii: "~") { return home(bytes) }
        guard let folder = file.directory else { return nil }
        return LexicalPath.normalize(bytes, base: LexicalPath.normalize(Array(folder.utf8), base: []))
    }

    // `~` is the client's HOME, else the workspace; `~name` is looked up in a file that nobody read yet, so
    // it is taken for the place where such folders are.
    private func home(_ bytes: [UInt8]) -> [UInt8] {
        let end = bytes.firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
        let name = String(decoding: bytes[1..<end], as: UTF8.self)
        let folder: String
        switch name {
        case "", "+": folder = check.environment["HOME"] ?? policy.workspaceText
        case "root": folder = "/root"
        default: folder = "/home/" + name
        }
        return LexicalPath.normalize(Array(folder.utf8) + bytes[end...], base: [])
    }
}

extension FileOperand.Operation {
    /// What is done, as the beginning of a clause.
    fileprivate var verb: String {
        switch self {
        case .read: "reading"
        case .write: "writing"
        case .delete: "deleting"
        case .execute: "running"
        case .unknown: "using"
        }
    }
}
