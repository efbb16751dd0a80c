/// Reserved words.
enum Keyword: UInt8 {
    case `if`, then, `else`, elif, fi, `do`, done, `for`, `while`, until, `case`, esac, `in`
    case select, function, time, coproc, bang, openBrace, closeBrace, openTest, none

    /// - Parameter packed: The word's bytes, the first one lowest.
    init?(packed: UInt64, count: Int) {
        switch count {
        case 1:
            switch UInt8(truncatingIfNeeded: packed) {
            case Byte.bang: self = .bang
            case Byte.openBrace: self = .openBrace
            case Byte.closeBrace: self = .closeBrace
            default: return nil
            }
        case 2:
            switch packed {
            case 0x6669: self = .if
            case 0x6966: self = .fi
            case 0x6f64: self = .do
            case 0x6e69: self = .in
            case 0x5b5b: self = .openTest
            default: return nil
            }
        case 3:
            guard packed == 0x726f66 else { return nil }
            self = .for
        case 4:
            switch packed {
            case 0x6e65_6874: self = .then
            case 0x6573_6c65: self = .else
            case 0x6669_6c65: self = .elif
            case 0x656e_6f64: self = .done
            case 0x6573_6163: self = .case
            case 0x6361_7365: self = .esac
            case 0x656d_6974: self = .time
            default: return nil
            }
        case 5:
            switch packed {
            case 0x65_6c69_6877: self = .while
            case 0x6c_6974_6e75: self = .until
            default: return nil
            }
        case 6:
            switch packed {
            case 0x7463_656c_6573: self = .select
            case 0x636f_7270_6f63: self = .coproc
            default: return nil
            }
        case 8:
            guard packed == 0x6e6f_6974_636e_7566 else { return nil }
            self = .function
        default: return nil
        }
    }
}

extension Keyword {
    /// Whether the word ends a list of commands.
    var isClosing: Bool {
        switch self {
        case .then, .else, .elif, .fi, .do, .done, .esac, .closeBrace: true
        default: false
        }
    }
}

extension Parser {
    /// The byte `offset` behind the position, or 0 past the end. NUL never occurs in a text that is parsed.
    @inline(__always) func peek(_ offset: Int = 0) -> UInt8 {
        let index = position + offset
        return index < end ? text[index] : 0
    }

    /// Whether the byte `offset` behind the position cannot belong to a word.
    func endsWord(_ offset: Int) -> Bool {
        switch peek(offset) {
        case 0, Byte.space, Byte.tab, Byte.newline, Byte.semicolon, Byte.ampersand, Byte.pipe, Byte.less,
            Byte.greater, Byte.open, Byte.close:
            true
        default: false
        }
    }

    /// The byte behind the position that would belong to the same operator, over line continuations.
    func operatorByte(_ offset: Int) -> UInt8 {
        var ahead = offset
        while peek(ahead) == Byte.backslash, peek(ahead + 1) == Byte.newline { ahead += 2 }
        return peek(ahead)
    }

    /// Skips the bytes of an operator and the line continuations among them.
    mutating func takeOperator(_ count: Int) {
        for _ in 0..<count {
            skipContinuations()
            position += 1
        }
        skipContinuations()
    }

    mutating func skipContinuations() {
        while peek() == Byte.backslash, peek(1) == Byte.newline { position += 2 }
    }

    /// Skips blanks, line continuations and a comment.
    mutating func skipBlanks() {
        while position < end {
            let byte = text[position]
            if Byte.isBlank(byte) {
                position += 1
            } else if byte == Byte.backslash, peek(1) == Byte.newline {
                position += 2
            } else if byte == Byte.hash, isAtTokenStart() {
                while position < end, text[position] != Byte.newline { position += 1 }
            } else {
                return
            }
        }
    }

    /// `#` begins a comment where a word could begin. After a line continuation bash looks at the byte before
    /// it, as the two bytes are gone when words are cut.
    private func isAtTokenStart() -> Bool {
        var before = position - 1
        while before >= 1, text[before] == Byte.newline, text[before - 1] == Byte.backslash { before -= 2 }
        guard before >= 0 else { return true }
        switch text[before] {
        case Byte.space, Byte.tab, Byte.newline, Byte.semicolon, Byte.ampersand, Byte.pipe, Byte.less,
            Byte.greater, Byte.open, Byte.close, Byte.backquote:
            return true
        default: return false
        }
    }

    /// Skips blanks, comments and newlines; reads the here-documents that begin behind them.
    mutating func skipNewlines() throws(ParseFailure) {
        skipBlanks()
        while peek() == Byte.newline {
            try takeNewline()
            skipBlanks()
        }
    }

    mutating func takeNewline() throws(ParseFailure) {
        position += 1
        if !pending.isEmpty { try readHereDocuments() }
    }

    /// The reserved word at the position and how many bytes it takes, line continuations included.
    func peekKeyword() -> (keyword: Keyword, length: Int)? {
        var packed: UInt64 = 0
        var count = 0
        var ahead = 0
        while true {
            let byte = peek(ahead)
            if byte == Byte.backslash, peek(ahead + 1) == Byte.newline {
                ahead += 2
                continue
            }
            if endsWord(ahead) { break }
            let isLetter = byte &- 0x61 < 26
            guard count < 8, isLetter || count < 2 && Self.isPunctuated(byte) else { return nil }
            packed |= UInt64(byte) << UInt64(8 * count)
            count += 1
            ahead += 1
        }
        guard count > 0, let keyword = Keyword(packed: packed, count: count) else { return nil }
        return (keyword, ahead)
    }

    private static func isPunctuated(_ byte: UInt8) -> Bool {
        byte == Byte.bang || byte == Byte.openBrace || byte == Byte.closeBrace || byte == Byte.openBracket
    }

    /// Requires a reserved word and steps over it.
    mutating func expect(_ keyword: Keyword, _ name: String) throws(ParseFailure) {
        skipBlanks()
        guard let (found, length) = peekKeyword(), found == keyword else {
            throw syntaxError("expected '\(name)'")
        }
        position += length
    }

    func syntaxError(_ detail: String) -> ParseFailure {
        ParseFailure(reason: .syntax(detail), offset: min(position, end))
    }

    /// Counts work and nesting; called on the way into every construct.
    mutating func descend() throws(ParseFailure) {
        depth += 1
        if depth > maxDepth { throw ParseFailure(reason: .limit("nesting depth"), offset: position) }
        try work(1)
    }

    mutating func work(_ amount: Int) throws(ParseFailure) {
        steps += amount
        if steps > stepLimit { throw ParseFailure(reason: .limit("work"), offset: position) }
    }

    /// Remembers that the text uses something that POSIX does not define.
    mutating func note(_ what: @autoclosure () -> String, from start: Int) {
        if recordsExtensions { extensions.append((what(), start..<max(start, position))) }
    }

    mutating func addNode(_ kind: NodeKind) -> Index { addNode(kind, start: Int32(position)) }

    mutating func addNode(_ kind: NodeKind, start: Int32) -> Index {
        var node = Node(kind: kind, start: start)
        node.firstAssignment = Index(tree.assignments.count)
        tree.nodes.append(node)
        return Index(tree.nodes.count - 1)
    }

    mutating func finish(_ node: Index) -> Index {
        tree.nodes[Int(node)].end = Int32(position)
        tree.nodes[Int(node)].endAssignment = Index(tree.assignments.count)
        return node
    }
}
