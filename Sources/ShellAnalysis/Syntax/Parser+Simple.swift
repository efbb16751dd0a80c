extension Parser {
    /// Parses assignments, words and redirections in any order, or `name () body`.
    mutating func parseSimple() throws(ParseFailure) -> Index {
        let start = position
        let node = addNode(.simple)
        var lastAssignment = Index.none
        var lastWord = Index.none
        var lastRedirect = Index.none
        while true {
            skipBlanks()
            if let redirect = try parseRedirect() {
                if lastRedirect == .none {
                    tree.nodes[Int(node)].redirect = redirect
                } else {
                    tree.redirects[Int(lastRedirect)].next = redirect
                }
                lastRedirect = redirect
                continue
            }
            if endsWord(0), !isAtProcessSubstitution() {
                if peek() == Byte.open, lastWord != .none, lastAssignment == .none,
                    tree.nodes[Int(node)].second == lastWord, lastRedirect == .none
                {
                    return try parseFunction(named: lastWord, from: start)
                }
                break
            }
            if lastWord == .none, let assignment = try parseAssignment() {
                if lastAssignment == .none {
                    tree.nodes[Int(node)].first = assignment
                } else {
                    tree.assignments[Int(lastAssignment)].next = assignment
                }
                lastAssignment = assignment
                continue
            }
            let declares = lastWord != .none && isDeclaration(tree.nodes[Int(node)].second)
            let word = try declares ? parseDeclarationWord() : parseWord()
            if lastWord == .none {
                tree.nodes[Int(node)].second = word
            } else {
                tree.words[Int(lastWord)].next = word
            }
            lastWord = word
            try work(1)
        }
        if position == start || lastWord == .none && lastAssignment == .none && lastRedirect == .none {
            throw syntaxError("a command is missing")
        }
        if peek() == Byte.open { throw syntaxError("unexpected '('") }
        return finish(node)
    }

    private mutating func parseFunction(named word: Index, from start: Int) throws(ParseFailure) -> Index {
        let name = tree[word: word]
        takeOperator(1)
        skipBlanks()
        guard peek() == Byte.close else { throw syntaxError("unexpected '('") }
        position += 1
        guard !name.flags.contains(.expansion) else {
            throw ParseFailure(reason: .unsupported("a function's dynamic name"), offset: start)
        }
        return try parseFunctionBody(from: start, name: Int(name.start)..<Int(name.end))
    }

    /// Whether a word names a builtin whose arguments may be `NAME=(…)`.
    private func isDeclaration(_ index: Index) -> Bool {
        let word = tree[word: index]
        let range = Int(word.start)..<Int(word.end)
        guard (3...8).contains(range.count) else { return false }
        switch text[range.lowerBound] | 0x20 {
        case UInt8(ascii: "d"), UInt8(ascii: "t"), UInt8(ascii: "l"), UInt8(ascii: "e"), UInt8(ascii: "r"),
            UInt8(ascii: "a"):
            break
        default: return false
        }
        switch String(decoding: text[range], as: UTF8.self) {
        case "declare", "typeset", "local", "export", "readonly", "eval", "let", "alias": return true
        default: return false
        }
    }

    /// Parses a word that may be `NAME=(…)`.
    private mutating func parseDeclarationWord() throws(ParseFailure) -> Index {
        let start = position
        var ahead = position
        while ahead < end, Byte.continuesName(text[ahead]) { ahead += 1 }
        guard ahead > position, Byte.beginsName(text[position]) else { return try parseWord() }
        if ahead < end, text[ahead] == Byte.plus { ahead += 1 }
        guard ahead + 1 < end, text[ahead] == Byte.equals, text[ahead + 1] == Byte.open,
            let assignment = try parseAssignment()
        else { return try parseWord() }
        tree.words.append(
            WordNode(part: assignment, start: Int32(start), end: Int32(position), flags: [.compound]))
        return Index(tree.words.count - 1)
    }

    /// Parses an assignment; `nil`, at the same position, when the word is none.
    mutating func parseAssignment() throws(ParseFailure) -> Index? {
        guard Byte.beginsName(peek()) else { return nil }
        let start = position
        var ahead = position + 1
        while ahead < end, Byte.continuesName(text[ahead]) { ahead += 1 }
        guard ahead < end else { return nil }
        var assignment = Assignment(nameStart: Int32(start), nameEnd: Int32(ahead), start: Int32(start))
        if text[ahead] == Byte.openBracket {
            guard let close = try findBracket(from: ahead + 1) else { return nil }
            var behind = close + 1
            if behind < end, text[behind] == Byte.plus { behind += 1 }
            guard behind < end, text[behind] == Byte.equals else { return nil }
            let outer = end
            position = ahead + 1
            end = close
            let part = try parseArithmetic(closing: .end)
            end = outer
            assignment.hasSubscript = true
            assignment.subscriptPart = part
            note("an array subscript", from: start)
            ahead = close + 1
        }
        if text[ahead] == Byte.plus {
            assignment.isAppending = true
            ahead += 1
        }
        guard ahead < end, text[ahead] == Byte.equals else {
            position = start
            return nil
        }
        position = ahead + 1
        if assignment.isAppending { note("+=", from: start) }
        if peek() == Byte.open {
            note("an array", from: start)
            assignment.isArray = true
            assignment.word = try parseArrayElements()
        } else {
            let word = try parseWord(allowsEmpty: true)
            assignment.word = word
        }
        assignment.end = Int32(position)
        tree.assignments.append(assignment)
        return Index(tree.assignments.count - 1)
    }

    private mutating func parseArrayElements() throws(ParseFailure) -> Index {
        try descend()
        defer { depth -= 1 }
        position += 1
        var first = Index.none
        var last = Index.none
        while true {
            try skipNewlines()
            if peek() == Byte.close { break }
            if endsWord(0), !isAtProcessSubstitution() { throw syntaxError("expected ')' behind array elements") }
            let word = try parseWord()
            if last == .none { first = word } else { tree.words[Int(last)].next = word }
            last = word
        }
        position += 1
        return first
    }

    /// Finds the `]` that closes a subscript. Quotes and nested brackets are stepped over; a newline or the end
    /// means that there is none.
    func findBracket(from start: Int) throws(ParseFailure) -> Int? {
        var level = 0
        var index = start
        while index < end {
            switch text[index] {
            case Byte.backslash: index += 1
            case Byte.singleQuote, Byte.doubleQuote, Byte.backquote:
                let quote = text[index]
                index += 1
                while index < end, text[index] != quote {
                    if quote != Byte.singleQuote, text[index] == Byte.backslash { index += 1 }
                    index += 1
                }
            case Byte.openBracket: level += 1
            case Byte.closeBracket:
                if level == 0 { return index }
                level -= 1
            case Byte.newline: return nil
            default: break
            }
            index += 1
        }
        return nil
    }

    /// Parses a redirection; `nil`, at the same position, when there is none.
    mutating func parseRedirect() throws(ParseFailure) -> Index? {
        let start = position
        var ahead = position
        let byte = peek()
        if Byte.isDigit(byte) {
            while ahead < end, Byte.isDigit(text[ahead]) { ahead += 1 }
        } else if byte == Byte.openBrace {
            guard Byte.beginsName(peek(1)) else { return nil }
            ahead += 1
            while ahead < end, Byte.continuesName(text[ahead]) { ahead += 1 }
            guard ahead < end, text[ahead] == Byte.closeBrace else { return nil }
            ahead += 1
        } else if byte != Byte.less, byte != Byte.greater, byte != Byte.ampersand {
            return nil
        }
        guard ahead < end else { return nil }
        let descriptorEnd = ahead
        let sign = text[ahead]
        guard sign == Byte.less || sign == Byte.greater || sign == Byte.ampersand else { return nil }
        if sign == Byte.ampersand, ahead > start { return nil }
        if ahead == start, isAtProcessSubstitution() { return nil }
        position = ahead
        guard let kind = try takeRedirectOperator() else {
            position = start
            return nil
        }
        if byte == Byte.openBrace { note("{name} before a redirection", from: start) }
        skipBlanks()
        if endsWord(0), !isAtProcessSubstitution() { throw syntaxError("a redirection has no target") }
        let target = try parseWord()
        var redirect = Redirect(
            kind: kind, descriptorStart: Int32(start), descriptorEnd: Int32(descriptorEnd), target: target,
            start: Int32(start))
        redirect.isQuoted = tree[word: target].flags.contains(.quoted)
        tree.redirects.append(redirect)
        let index = Index(tree.redirects.count - 1)
        if kind == .hereDocument || kind == .hereDocumentStripped { pending.append(index) }
        return index
    }

    private mutating func takeRedirectOperator() throws(ParseFailure) -> RedirectKind? {
        let start = position
        let sign = peek()
        takeOperator(1)
        switch (sign, peek()) {
        case (Byte.ampersand, Byte.greater):
            takeOperator(1)
            note("&>", from: start)
            guard peek() == Byte.greater else { return .bothOutput }
            takeOperator(1)
            return .bothAppend
        case (Byte.ampersand, _): return nil
        case (Byte.less, Byte.less):
            takeOperator(1)
            if peek() == Byte.less {
                takeOperator(1)
                note("<<<", from: start)
                return .hereString
            }
            guard peek() == Byte.minus else { return .hereDocument }
            takeOperator(1)
            return .hereDocumentStripped
        case (Byte.less, Byte.ampersand), (Byte.less, Byte.greater):
            let kind = peek() == Byte.ampersand ? RedirectKind.duplicateInput : .readWrite
            takeOperator(1)
            return kind
        case (Byte.less, _): return .input
        case (_, Byte.greater):
            takeOperator(1)
            return .append
        case (_, Byte.pipe):
            takeOperator(1)
            return .clobber
        case (_, Byte.ampersand):
            takeOperator(1)
            return .duplicateOutput
        default: return .output
        }
    }

    /// Whether `<(` or `>(` stands here.
    func isAtProcessSubstitution() -> Bool {
        (peek() == Byte.less || peek() == Byte.greater) && peek(1) == Byte.open
    }
}
