/// What is known of programs by name.
enum ProgramTable {
    /// How a program's words are searched for further programs.
    enum Kind {
        case plain
        case shell
        /// Runs what follows its options.
        case wrapper(OptionGrammar)
        /// Runs what some of its many options say; the others are not listed.
        case carrier(OptionGrammar)
        case interpreter(InterpreterRule)
        case special(SpecialProgram)
        /// What it starts can never be seen in its words.
        case opaque
        /// Runs what files of the project say.
        case project
    }

    /// One program.
    struct Entry {
        var kind = Kind.plain
        var builtin: Builtin?
        var files = FileRole.none
    }

    /// What the operands of a file program are.
    enum FileRole: UInt8 {
        case none
        case read, write, delete
        /// The last one is written, the others read.
        case copy
        /// Like copy, but what was read disappears.
        case move
        /// The first one is a pattern or program, the others read.
        case readBehindFirst
        /// `if=` and `of=`.
        case assignments
    }

    private static let entries: [String: Entry] = build()

    /// The entry of a program, by its name or path.
    static func entry(for name: String) -> Entry {
        if let entry = entries[name] { return entry }
        let base = name.utf8.contains(Byte.slash) ? lastComponent(of: name) : name
        if let entry = entries[base] { return entry }
        return familyEntry(base)
    }

    /// Programs whose names carry versions or architectures.
    private static func familyEntry(_ name: String) -> Entry {
        if name.hasPrefix("ld-linux") || name.hasPrefix("ld-musl") || name.hasPrefix("ld-2") {
            return entries["ld.so"] ?? Entry()
        }
        // python3.11, perl5.36.0, lua5.4, ruby3.1, php8.2, bash-static, gawk-5.2, gcc-12.
        let stem = name.prefix { $0.isLetter || $0 == "_" || $0 == "+" }
        guard stem.count < name.count, stem.count >= 2 else { return Entry() }
        let rest = name[stem.endIndex...]
        guard rest.allSatisfy({ $0.isNumber || $0 == "." || $0 == "-" }) || rest == "-static" else { return Entry() }
        return entries[String(stem)] ?? Entry()
    }

    /// Whether a path lies where the system keeps its programs.
    static func isSystemPath(_ path: String) -> Bool {
        if path.utf8.contains(Byte.dot), path.contains("/../") || path.contains("/./") { return false }
        for prefix in ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/"]
        where path.hasPrefix(prefix) {
            return true
        }
        return path.hasPrefix("/lib") || path.hasPrefix("/usr/lib") || path.hasPrefix("/opt/")
    }

    /// Names whose redefinition would mislead this analysis.
    static func isShadowedDangerously(_ name: String) -> Bool {
        guard let entry = entries[name] else { return false }
        return entry.builtin != nil || isWrapping(entry.kind)
    }

    private static func isWrapping(_ kind: Kind) -> Bool {
        switch kind {
        case .plain, .opaque, .project: false
        default: true
        }
    }

    private static func build() -> [String: Entry] {
        var table: [String: Entry] = [:]
        func add(_ names: String, _ change: (inout Entry) -> Void) {
            for name in names.split(separator: " ") { change(&table[String(name), default: Entry()]) }
        }
        add("sh bash dash ash ksh ksh93 mksh zsh rbash lksh pdksh yash posh hush bosh") { $0.kind = .shell }
        for (names, grammar) in Wrappers.table { add(names) { $0.kind = .wrapper(grammar) } }
        for (names, grammar) in Carriers.table { add(names) { $0.kind = .carrier(grammar) } }
        for (names, rule) in InterpreterRule.table { add(names) { $0.kind = .interpreter(rule) } }
        for (names, special) in SpecialProgram.table { add(names) { $0.kind = .special(special) } }
        add(Carriers.opaque) { $0.kind = .opaque }
        add(Carriers.project) { $0.kind = .project }
        for (names, role) in FilePrograms.table { add(names) { $0.files = role } }
        for (name, builtin) in Builtin.table { add(name) { $0.builtin = builtin } }
        return table
    }
}

/// Programs whose operands are files.
enum FilePrograms {
    static let table: [(String, ProgramTable.FileRole)] = [
        (
            """
            cat tac head tail less more nl od xxd hexdump strings wc sort uniq cut paste join comm diff cmp file \
            stat md5sum sha1sum sha256sum sha512sum cksum b2sum base64 base32 rev fold fmt pr expand unexpand \
            zcat zless bzcat xzcat column tsort ls dir vdir du readlink realpath bat split csplit look view
            """, .read
        ),
        ("tee touch truncate mkdir mkfifo mknod chmod chown chgrp nano vi vim ed ex emacs", .write),
        ("rm unlink rmdir shred", .delete),
        ("cp install ln scp", .copy),
        ("mv rename", .move),
        ("grep egrep fgrep zgrep rg ag ack sed awk gawk mawk nawk jq", .readBehindFirst),
        ("dd", .assignments),
    ]
}
