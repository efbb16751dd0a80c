extension Parser {
    /// How the bytes of a word are read.
    enum WordMode {
        case ordinary
        /// The right side of `=~`: parentheses, bars and angle brackets belong to the word.
        case expression
    }

    /// Parses one word.
    /// - Parameter allowsEmpty: Whether an empty word is fine: the value of an assignment.
    mutating func parseWord(mode: WordMode = .ordinary, allowsEmpty: Bool = false) throws(ParseFailure) -> Index {
        let start = position
        var chain = PartChain()
        var flags: WordFlags = []
        try parseParts(into: &chain, flags: &flags, mode: mode)
        if position == start, !allowsEmpty { throw syntaxError("a word is missing") }
        steps += 1
        tree.words.append(WordNode(part: chain.first, start: Int32(start), end: Int32(position), flags: flags))
        return Index(tree.words.count - 1)
    }

    /// The parts of one word while they are linked.
    struct PartChain {
        var first = Index.none
        var last = Index.none
    }

    mutating func append(_ part: Part, to chain: inout PartChain) {
        let index = Index(tree.parts.count)
        tree.parts.append(part)
        if chain.last == .none { chain.first = index } else { tree.parts[Int(chain.last)].next = index }
        chain.last = index
    }

    mutating func appendLiteral(from start: Int, to chain: inout PartChain) {
        guard start < position else { return }
        append(Part(kind: .literal, start: Int32(start), end: Int32(position)), to: &chain)
    }

    private mutating func parseParts(
        into chain: inout PartChain, flags: inout WordFlags, mode: WordMode
    ) throws(ParseFailure) {
        var run = position
        var level = 0
        while position < end {
            let byte = text[position]
            switch byte {
            case Byte.space, Byte.tab, Byte.newline, Byte.semicolon, Byte.ampersand, Byte.pipe, Byte.less,
                Byte.greater, Byte.open, Byte.close:
                if byte == Byte.less || byte == Byte.greater, peek(1) == Byte.open {
                    appendLiteral(from: run, to: &chain)
                    flags.insert(.expansion)
                    try parseProcessSubstitution(into: &chain)
                    run = position
                    continue
                }
                guard mode == .expression, takesInExpression(byte, level: &level) else {
                    appendLiteral(from: run, to: &chain)
                    return
                }
                position += 1
            case Byte.backslash, Byte.singleQuote, Byte.doubleQuote:
                appendLiteral(from: run, to: &chain)
                try parseQuote(into: &chain, flags: &flags)
                run = position
            case Byte.dollar, Byte.backquote:
                appendLiteral(from: run, to: &chain)
                let before = chain.last
                try parseExpansion(into: &chain, isQuoted: false)
                classify(from: before, chain: chain, flags: &flags)
                run = position
            case Byte.star, Byte.question, Byte.plus, Byte.at, Byte.bang:
                if byte == Byte.star || byte == Byte.question { flags.insert(.glob) }
                guard peek(1) == Byte.open, mode == .ordinary else {
                    position += 1
                    continue
                }
                appendLiteral(from: run, to: &chain)
                flags.insert(.glob)
                try parsePattern(into: &chain, flags: &flags)
                run = position
            case Byte.openBracket:
                flags.insert(.glob)
                position += 1
            case Byte.openBrace:
                flags.insert(.brace)
                position += 1
            case Byte.tilde:
                flags.insert(.tilde)
                position += 1
            default:
                position += 1
            }
        }
        appendLiteral(from: run, to: &chain)
    }

    private func takesInExpression(_ byte: UInt8, level: inout Int) -> Bool {
        switch byte {
        case Byte.open:
            level += 1
            return true
        case Byte.close:
            guard level > 0 else { return false }
            level -= 1
            return true
        case Byte.pipe, Byte.less, Byte.greater: return true
        case Byte.semicolon, Byte.ampersand, Byte.space, Byte.tab: return level > 0
        default: return false
        }
    }

    /// Notes what `parseExpansion` added: a `$` that stands for itself is literal text.
    private func classify(from before: Index, chain: PartChain, flags: inout WordFlags) {
        let added = before == .none ? chain.first : tree[part: before].next
        guard added != .none else { return }
        switch tree[part: added].kind {
        case .literal: break
        case .ansiC, .double: flags.insert(.quoted)
        default: flags.insert(.expansion)
        }
    }

    /// Parses a backslash and its byte, or a quoted piece.
    private mutating func parseQuote(into chain: inout PartChain, flags: inout WordFlags) throws(ParseFailure) {
        switch text[position] {
        case Byte.backslash:
            if peek(1) == Byte.newline {
                position += 2
                return
            }
            if position + 1 >= end {
                // A backslash at the very end stands for itself.
                position += 1
                append(Part(kind: .escaped, start: Int32(position - 1), end: Int32(position)), to: &chain)
            } else {
                position += 2
                append(Part(kind: .escaped, start: Int32(position - 1), end: Int32(position)), to: &chain)
            }
        case Byte.singleQuote:
            try parseSingleQuote(.single, skipping: 1, into: &chain)
        default:
            try parseDoubleQuote(into: &chain, flags: &flags)
        }
        flags.insert(.quoted)
    }

    /// Parses `'…'`, or `$'…'` when `skipping` is 2.
    mutating func parseSingleQuote(
        _ kind: PartKind, skipping prefix: Int, into chain: inout PartChain
    ) throws(ParseFailure) {
        let opening = position
        position += prefix
        let start = position
        while position < end, text[position] != Byte.singleQuote {
            if kind == .ansiC, text[position] == Byte.backslash { position += 1 }
            position += 1
        }
        guard position < end else {
            position = opening
            throw syntaxError("a single quote is not closed")
        }
        append(Part(kind: kind, start: Int32(start), end: Int32(position)), to: &chain)
        position += 1
    }

    /// Parses `"…"` with the position on the opening quote.
    mutating func parseDoubleQuote(into chain: inout PartChain, flags: inout WordFlags) throws(ParseFailure) {
        let opening = position
        position += 1
        var inner = PartChain()
        try parseQuotedText(into: &inner, closing: Byte.doubleQuote)
        guard peek() == Byte.doubleQuote else {
            position = opening
            throw syntaxError("a double quote is not closed")
        }
        position += 1
        var part = inner.first
        while part != .none {
            switch tree[part: part].kind {
            case .literal, .escaped: break
            default: flags.insert(.expansion)
            }
            part = tree[part: part].next
        }
        append(
            Part(kind: .double, start: Int32(opening), end: Int32(position), child: inner.first), to: &chain)
    }

    /// Parses text in which only `$`, backquotes and some backslashes are special.
    /// - Parameter closing: The byte that ends it, or `nil` for a here-document, which runs to ``end``.
    mutating func parseQuotedText(
        into chain: inout PartChain, closing: UInt8?, stripsTabs: Bool = false
    ) throws(ParseFailure) {
        var run = position
        while position < end {
            let byte = text[position]
            if byte == closing { break }
            if byte == Byte.backslash {
                appendLiteral(from: run, to: &chain)
                run = parseQuotedBackslash(into: &chain, closing: closing)
            } else if byte == Byte.dollar || byte == Byte.backquote {
                appendLiteral(from: run, to: &chain)
                try parseExpansion(into: &chain, isQuoted: true)
                run = position
            } else if byte == Byte.newline, stripsTabs {
                position += 1
                appendLiteral(from: run, to: &chain)
                while peek() == Byte.tab { position += 1 }
                run = position
            } else {
                position += 1
            }
        }
        appendLiteral(from: run, to: &chain)
    }

    /// - Returns: Where the next literal run begins.
    private mutating func parseQuotedBackslash(into chain: inout PartChain, closing: UInt8?) -> Int {
        switch peek(1) {
        case Byte.newline where position + 1 < end:
            position += 2
            return position
        case Byte.dollar, Byte.backquote, Byte.backslash:
            position += 2
        case Byte.doubleQuote where closing != nil:
            position += 2
        default:
            let run = position
            position += 1
            return run
        }
        append(Part(kind: .escaped, start: Int32(position - 1), end: Int32(position)), to: &chain)
        return position
    }

    /// Parses `?(…)` and its like with the position on the sign.
    private mutating func parsePattern(into chain: inout PartChain, flags: inout WordFlags) throws(ParseFailure) {
        try descend()
        defer { depth -= 1 }
        let start = position
        note("an extended pattern", from: start)
        position += 2
        var inner = PartChain()
        var run = position
        var level = 0
        while true {
            guard position < end else { throw syntaxError("a pattern is not closed") }
            switch text[position] {
            case Byte.close where level == 0:
                appendLiteral(from: run, to: &inner)
                position += 1
                append(
                    Part(kind: .pattern, start: Int32(start), end: Int32(position), child: inner.first),
                    to: &chain)
                return
            case Byte.close: level -= 1; position += 1
            case Byte.open: level += 1; position += 1
            case Byte.backslash, Byte.singleQuote, Byte.doubleQuote:
                appendLiteral(from: run, to: &inner)
                try parseQuote(into: &inner, flags: &flags)
                run = position
            case Byte.dollar, Byte.backquote:
                appendLiteral(from: run, to: &inner)
                flags.insert(.expansion)
                try parseExpansion(into: &inner, isQuoted: false)
                run = position
            default: position += 1
            }
        }
    }
}
