extension Parser {
    /// Parses one command with its redirections.
    mutating func parseCommand() throws(ParseFailure) -> Index {
        try descend()
        defer { depth -= 1 }
        skipBlanks()
        let node: Index
        if peek() == Byte.open {
            node = try parseParenthesis()
        } else if let (keyword, length) = peekKeyword() {
            guard let compound = try parseCompound(keyword, length) else { return try parseSimple() }
            node = compound
        } else {
            return try parseSimple()
        }
        try parseTrailingRedirects(of: node)
        return finish(node)
    }

    private mutating func parseTrailingRedirects(of node: Index) throws(ParseFailure) {
        var last = Index.none
        while true {
            skipBlanks()
            guard let redirect = try parseRedirect() else { return }
            if last == .none {
                tree.nodes[Int(node)].redirect = redirect
            } else {
                tree.redirects[Int(last)].next = redirect
            }
            last = redirect
        }
    }

    /// Parses the construct that a reserved word begins; `nil` if the word is only an ordinary name here.
    private mutating func parseCompound(_ keyword: Keyword, _ length: Int) throws(ParseFailure) -> Index? {
        let start = position
        switch keyword {
        case .if:
            position += length
            return try parseConditional(from: start)
        case .while, .until:
            position += length
            return try parseLoop(from: start)
        case .for:
            position += length
            return try parseFor(from: start)
        case .select:
            note("select", from: start)
            position += length
            return try parseEach(.select, from: start)
        case .case:
            position += length
            return try parseCase(from: start)
        case .function:
            note("the reserved word function", from: start)
            position += length
            return try parseFunctionKeyword(from: start)
        case .openBrace:
            position += length
            return try parseGroup(from: start)
        case .openTest:
            note("[[", from: start)
            position += length
            return try parseTest(from: start)
        case .coproc:
            note("coproc", from: start)
            position += length
            return try parseCoprocess(from: start)
        case .bang, .time, .in:
            return nil
        default:
            throw syntaxError("a reserved word stands where a command is expected")
        }
    }

    private mutating func parseConditional(from start: Int) throws(ParseFailure) -> Index {
        let node = addNode(.conditional, start: Int32(start))
        let condition = try parseList(until: .keywords(.then, .none, .none))
        try expect(.then, "then")
        let consequence = try parseList(until: .keywords(.elif, .else, .fi))
        tree.nodes[Int(node)].first = condition
        tree.nodes[Int(node)].second = consequence
        guard let (keyword, length) = peekKeyword() else { throw syntaxError("expected 'fi'") }
        let branchStart = position
        position += length
        if keyword == .elif {
            try descend()
            tree.nodes[Int(node)].third = try parseConditional(from: branchStart)
            depth -= 1
        } else if keyword == .else {
            tree.nodes[Int(node)].third = try parseList(until: .keywords(.fi, .none, .none))
            try expect(.fi, "fi")
        }
        return finish(node)
    }

    private mutating func parseLoop(from start: Int) throws(ParseFailure) -> Index {
        let node = addNode(.loop, start: Int32(start))
        tree.nodes[Int(node)].first = try parseList(until: .keywords(.do, .none, .none))
        tree.nodes[Int(node)].second = try parseDoGroup()
        return node
    }

    private mutating func parseDoGroup() throws(ParseFailure) -> Index {
        try skipNewlines()
        if let (keyword, length) = peekKeyword(), keyword == .openBrace {
            // bash's undocumented `for …; { … }`.
            note("a loop body in braces", from: position)
            position += length
            return try parseGroup(from: position)
        }
        try expect(.do, "do")
        let body = try parseList(until: .keywords(.done, .none, .none))
        try expect(.done, "done")
        return body
    }

    private mutating func parseFor(from start: Int) throws(ParseFailure) -> Index {
        skipBlanks()
        guard peek() == Byte.open, peek(1) == Byte.open else { return try parseEach(.each, from: start) }
        note("for ((", from: start)
        let node = addNode(.arithmeticFor, start: Int32(start))
        position += 2
        tree.nodes[Int(node)].first = try parseArithmetic(closing: .doubleParenthesis)
        skipBlanks()
        if peek() == Byte.semicolon { position += 1 }
        tree.nodes[Int(node)].second = try parseDoGroup()
        return node
    }

    private mutating func parseEach(_ kind: NodeKind, from start: Int) throws(ParseFailure) -> Index {
        let node = addNode(kind, start: Int32(start))
        skipBlanks()
        let nameStart = position
        while !endsWord(0) { position += 1 }
        guard nameStart < position else { throw syntaxError("a loop has no variable") }
        tree.nodes[Int(node)].nameStart = Int32(nameStart)
        tree.nodes[Int(node)].nameEnd = Int32(position)
        try skipNewlines()
        if let (keyword, length) = peekKeyword(), keyword == .in {
            position += length
            tree.nodes[Int(node)].first = try parseWordList()
        }
        skipBlanks()
        if peek() == Byte.semicolon { position += 1 }
        tree.nodes[Int(node)].second = try parseDoGroup()
        return node
    }

    /// Parses words up to `;`, `&` or a newline.
    private mutating func parseWordList() throws(ParseFailure) -> Index {
        var first = Index.none
        var last = Index.none
        while true {
            skipBlanks()
            if endsWord(0), !isAtProcessSubstitution() { break }
            let word = try parseWord()
            if last == .none { first = word } else { tree.words[Int(last)].next = word }
            last = word
        }
        return first
    }

    private mutating func parseCase(from start: Int) throws(ParseFailure) -> Index {
        let node = addNode(.choice, start: Int32(start))
        skipBlanks()
        tree.nodes[Int(node)].first = try parseWord()
        try skipNewlines()
        try expect(.in, "in")
        var last = Index.none
        while true {
            try skipNewlines()
            if let (keyword, length) = peekKeyword(), keyword == .esac {
                position += length
                break
            }
            let (branch, isLast) = try parseBranch()
            if last == .none {
                tree.nodes[Int(node)].second = branch
            } else {
                tree.nodes[Int(last)].next = branch
            }
            last = branch
            if isLast {
                try expect(.esac, "esac")
                break
            }
        }
        return node
    }

    private mutating func parseBranch() throws(ParseFailure) -> (Index, isLast: Bool) {
        let branch = addNode(.branch)
        if peek() == Byte.open {
            takeOperator(1)
        }
        var last = Index.none
        while true {
            skipBlanks()
            let word = try parseWord()
            if last == .none {
                tree.nodes[Int(branch)].first = word
            } else {
                tree.words[Int(last)].next = word
            }
            last = word
            skipBlanks()
            guard peek() == Byte.pipe else { break }
            takeOperator(1)
        }
        guard peek() == Byte.close else { throw syntaxError("expected ')' behind a pattern") }
        takeOperator(1)
        let list = try parseList(until: .branchEnd, allowsEmpty: true)
        tree.nodes[Int(branch)].second = list
        guard peek() == Byte.semicolon else { return (finish(branch), true) }
        let start = position
        position += 2
        if peek(-1) == Byte.ampersand || peek() == Byte.ampersand {
            if peek() == Byte.ampersand { position += 1 }
            note("falling through in case", from: start)
        }
        return (finish(branch), false)
    }

    private mutating func parseFunctionKeyword(from start: Int) throws(ParseFailure) -> Index {
        skipBlanks()
        let nameStart = position
        while !endsWord(0) {
            if peek() == Byte.dollar || peek() == Byte.backquote {
                throw syntaxError("a function's name is dynamic")
            }
            position += 1
        }
        let nameEnd = position
        guard nameStart < nameEnd else { throw syntaxError("a function has no name") }
        skipBlanks()
        if peek() == Byte.open, peek(1) == Byte.close { position += 2 }
        return try parseFunctionBody(from: start, name: nameStart..<nameEnd)
    }

    /// Parses the body behind `name ()`.
    mutating func parseFunctionBody(from start: Int, name: Range<Int>) throws(ParseFailure) -> Index {
        let node = addNode(.function, start: Int32(start))
        tree.nodes[Int(node)].nameStart = Int32(name.lowerBound)
        tree.nodes[Int(node)].nameEnd = Int32(name.upperBound)
        try skipNewlines()
        if peek() != Byte.open {
            guard let (keyword, _) = peekKeyword() else { throw syntaxError("a function has no compound body") }
            switch keyword {
            case .if, .while, .until, .for, .case, .select, .openBrace, .openTest: break
            default: throw syntaxError("a function has no compound body")
            }
            if keyword != .openBrace { note("a function body without braces", from: start) }
        }
        tree.nodes[Int(node)].first = try parseCommand()
        return finish(node)
    }

    mutating func parseGroup(from start: Int) throws(ParseFailure) -> Index {
        let node = addNode(.group, start: Int32(start))
        tree.nodes[Int(node)].first = try parseList(until: .keywords(.closeBrace, .none, .none))
        try expect(.closeBrace, "}")
        return node
    }

    /// Parses `( … )` or `(( … ))`.
    private mutating func parseParenthesis() throws(ParseFailure) -> Index {
        let start = position
        if operatorByte(1) == Byte.open, let node = try parseArithmeticCommand() { return node }
        takeOperator(1)
        let node = addNode(.subshell, start: Int32(start))
        tree.nodes[Int(node)].first = try parseList(until: .close)
        guard peek() == Byte.close else { throw syntaxError("expected ')'") }
        position += 1
        return node
    }

    /// Parses `(( … ))`; `nil`, back at the start, when it is not arithmetic.
    private mutating func parseArithmeticCommand() throws(ParseFailure) -> Index? {
        let start = position
        let noted = extensions.count
        takeOperator(2)
        guard let part = try attemptArithmetic(at: start) else {
            extensions.removeSubrange(noted...)
            return nil
        }
        let node = addNode(.arithmetic, start: Int32(start))
        tree.nodes[Int(node)].first = part.first
        note("((", from: start)
        return node
    }

    private mutating func parseCoprocess(from start: Int) throws(ParseFailure) -> Index {
        let node = addNode(.coprocess, start: Int32(start))
        skipBlanks()
        // A name stands only in front of a compound command.
        let before = position
        while Byte.continuesName(peek()) { position += 1 }
        let nameEnd = position
        skipBlanks()
        if nameEnd > before, nameEnd < position, beginsCompound() {
            tree.nodes[Int(node)].nameStart = Int32(before)
            tree.nodes[Int(node)].nameEnd = Int32(nameEnd)
        } else {
            position = before
        }
        tree.nodes[Int(node)].first = try parseCommand()
        return node
    }

    private func beginsCompound() -> Bool {
        if peek() == Byte.open { return true }
        switch peekKeyword()?.keyword {
        case .if, .while, .until, .for, .case, .select, .openBrace, .openTest: return true
        default: return false
        }
    }
}
