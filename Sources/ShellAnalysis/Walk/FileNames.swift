/// Where lists of file names come from: names that `find` prints lie beyond the text's own control, as long as
/// nothing in the text makes files.
enum FileNames {
    /// Whether a command of a pipeline writes file names of the file system, one a line, and nothing else.
    /// - Parameter hasNames: Whether it reads such a list.
    static func isGiven(by index: Index, _ source: Source, hasNames: Bool) -> Bool {
        let node = source.tree[node: index]
        guard node.kind == .simple, node.second != .none, node.first == .none, node.redirect == .none else {
            return false
        }
        var words: [String] = []
        var word = node.second
        while word != .none {
            let entry = source.tree[word: word]
            words.append(source.string(entry.start, entry.end))
            word = entry.next
        }
        switch words[0] {
        case "find", "/usr/bin/find":
            return !words.contains {
                $0.hasPrefix("-exec") || $0.hasPrefix("-ok")
                    || $0.contains(token: "print") && $0 != "-print" && $0 != "-print0"
            }
                && !words.contains { $0.hasPrefix("$(") || $0.hasPrefix("`") }
        case "sort", "uniq", "head", "tail":
            return hasNames
                && words.dropFirst().allSatisfy { $0.hasPrefix("-") && !$0.hasPrefix("--") && !$0.hasPrefix("-o") }
        case "grep", "egrep", "fgrep":
            return hasNames && words.count <= 3
                && !words.contains { $0.hasPrefix("-") && $0.contains(token: "o") || $0.hasPrefix("--") }
        default: return false
        }
    }

    /// Whether every command outside a text only reads.
    static func areUntouched(_ analysis: ScriptAnalysis, except step: String) -> Bool {
        let writes = analysis.files.contains { file in
            file.operation == .write && file.path != "/dev/null"
                && !file.path.utf8.allSatisfy {
                    Byte.continuesName($0) || "-./,+@%=:~".utf8.contains($0)
                }
        }
        return !writes
            && analysis.commands.allSatisfy { command in
                if command.via.last == step || command.baseName == step { return true }
                switch command.baseName {
                case "find", "xargs", "sort", "uniq", "head", "tail", "grep", "egrep", "fgrep", "ls", "sh", "bash",
                    "ksh", "zsh",
                    "dash", "cd", "pwd", "wc", "true", "[", "test", "cut", "basename", "dirname", "readlink", "du",
                    "stat":
                    return true
                default: return command.via.contains(step)
                }
            }
    }
}
