extension Parser {
    /// Parses a `[[ … ]]` behind its opening.
    mutating func parseTest(from start: Int) throws(ParseFailure) -> Index {
        let node = addNode(.test, start: Int32(start))
        var chain = WordChain()
        try parseTestExpression(into: &chain)
        guard isAtTestEnd() else { throw syntaxError("expected ']]'") }
        position += 2
        tree.nodes[Int(node)].first = chain.first
        return finish(node)
    }

    /// The words of one test while they are linked.
    struct WordChain {
        var first = Index.none
        var last = Index.none
    }

    private mutating func append(_ word: Index, to chain: inout WordChain) {
        if chain.last == .none { chain.first = word } else { tree.words[Int(chain.last)].next = word }
        chain.last = word
    }

    private func isAtTestEnd() -> Bool {
        peek() == Byte.closeBracket && peek(1) == Byte.closeBracket && endsWord(2)
    }

    private mutating func parseTestExpression(into chain: inout WordChain) throws(ParseFailure) {
        try descend()
        defer { depth -= 1 }
        while true {
            try skipNewlines()
            try parseTestPrimary(into: &chain)
            try skipNewlines()
            let byte = peek()
            guard byte == Byte.ampersand || byte == Byte.pipe, operatorByte(1) == byte else { return }
            takeOperator(2)
        }
    }

    private mutating func parseTestPrimary(into chain: inout WordChain) throws(ParseFailure) {
        while peek() == Byte.bang, endsWord(1) {
            position += 1
            try skipNewlines()
        }
        if peek() == Byte.open {
            position += 1
            try parseTestExpression(into: &chain)
            guard peek() == Byte.close else { throw syntaxError("expected ')'") }
            position += 1
            return
        }
        if isAtTestEnd() { throw syntaxError("an expression is missing") }
        let left = try parseWord()
        append(left, to: &chain)
        skipBlanks()
        let range = Int(tree[word: left].start)..<Int(tree[word: left].end)
        if range.count == 2, text[range.lowerBound] == Byte.minus, !isAtTestEnd(), !endsTestOperand() {
            if !isAtBinaryOperator() {
                tree.words[Int(left)].flags.insert(.isOperator)
                append(try parseWord(), to: &chain)
                return
            }
        }
        guard isAtBinaryOperator() else { return }
        let sign = try parseTestOperator(into: &chain)
        try skipNewlines()
        append(try parseWord(mode: sign == Byte.tilde ? .expression : .ordinary), to: &chain)
    }

    private func endsTestOperand() -> Bool {
        switch peek() {
        case 0, Byte.newline, Byte.close, Byte.ampersand, Byte.pipe: true
        default: false
        }
    }

    private func isAtBinaryOperator() -> Bool {
        switch (peek(), peek(1)) {
        case (Byte.equals, Byte.equals), (Byte.bang, Byte.equals), (Byte.equals, Byte.tilde): return endsWord(2)
        case (Byte.equals, _): return endsWord(1)
        case (Byte.less, let next), (Byte.greater, let next): return next != Byte.open
        case (Byte.minus, let first):
            guard endsWord(3) else { return false }
            switch (first, peek(2)) {
            case (UInt8(ascii: "e"), UInt8(ascii: "q")), (UInt8(ascii: "n"), UInt8(ascii: "e")),
                (UInt8(ascii: "l"), UInt8(ascii: "t")), (UInt8(ascii: "l"), UInt8(ascii: "e")),
                (UInt8(ascii: "g"), UInt8(ascii: "t")), (UInt8(ascii: "g"), UInt8(ascii: "e")),
                (UInt8(ascii: "n"), UInt8(ascii: "t")), (UInt8(ascii: "o"), UInt8(ascii: "t")),
                (UInt8(ascii: "e"), UInt8(ascii: "f")):
                return true
            default: return false
            }
        default: return false
        }
    }

    /// Parses a binary operator into a word of its own.
    /// - Returns: Its second byte.
    private mutating func parseTestOperator(into chain: inout WordChain) throws(ParseFailure) -> UInt8 {
        let start = position
        var last: UInt8 = 0
        if peek() == Byte.less || peek() == Byte.greater {
            position += 1
        } else {
            position += 1
            while !endsWord(0) {
                last = peek()
                position += 1
            }
        }
        tree.words.append(
            WordNode(part: .none, start: Int32(start), end: Int32(position), flags: [.isOperator]))
        append(Index(tree.words.count - 1), to: &chain)
        return last
    }
}
