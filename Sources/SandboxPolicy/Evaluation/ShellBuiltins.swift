/// Commands that a shell carries out itself and that touch nothing but the shell: they need no entry in
/// `allowed_commands`, for without them no text could be written. They can still be blocked by name.
///
/// Not here, and so held against the list: what acts on other processes or on the system (`kill`, `ulimit`,
/// `fg`, `bg`, `suspend`, `disown`, `logout`), and what loads code or changes what names mean (`enable`,
/// `hash`, `fc`, `bind`, `complete`). What `eval`, `exec`, `command`, `.` and their like run is a command of
/// its own and is held against the list by itself.
enum ShellBuiltins {
    static let harmless = NameSet([
        ":", ".", "source", "true", "false", "[", "[[", "((", "test", "echo", "printf", "cd", "pwd", "pushd",
        "popd",
        "dirs", "export", "unset", "set", "shift", "local", "declare", "typeset", "readonly", "read",
        "readarray",
        "mapfile", "let", "return", "exit", "break", "continue", "eval", "exec", "command", "builtin", "type",
        "times",
        "umask", "wait", "jobs", "getopts", "trap", "alias", "unalias", "shopt", "caller", "time",
    ])
}

/// The folders in which the names of programs are looked up in every sandbox, in order.
enum FixedSearchPath {
    static let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    private static let bytes = folders.map { Array($0.utf8) }

    /// Whether a value of `PATH` names nothing but these folders, and those where Debian keeps games and
    /// snaps.
    static func isMadeOf(_ value: String) -> Bool {
        let further = ["/usr/games", "/usr/local/games", "/snap/bin"]
        return value.split(separator: ":", omittingEmptySubsequences: false).allSatisfy { part in
            folders.contains { $0 == part } || further.contains { $0 == part }
        }
    }

    /// Whether a normalised path is a file directly in one of the folders.
    static func holds(_ path: [UInt8]) -> Bool {
        guard let slash = path.lastIndex(of: UInt8(ascii: "/")), slash + 1 < path.count else { return false }
        return bytes.contains { path[..<slash].elementsEqual($0) }
    }
}
