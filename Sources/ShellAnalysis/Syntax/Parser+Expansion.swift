extension Parser {
    /// What closes an arithmetic expression.
    enum ArithmeticClosing {
        case doubleParenthesis, bracket, end
    }

    /// Parses what begins with `$` or a backquote, or takes a lone `$` as text.
    mutating func parseExpansion(into chain: inout PartChain, isQuoted: Bool) throws(ParseFailure) {
        try descend()
        defer { depth -= 1 }
        let start = position
        if peek() == Byte.backquote { return try parseBackquote(into: &chain) }
        position += 1
        skipContinuations()
        let byte = peek()
        switch byte {
        case Byte.open: return try parseParenthesised(from: start, into: &chain)
        case Byte.openBrace:
            position += 1
            return try parseBraced(from: start, isQuoted: isQuoted, into: &chain)
        case Byte.openBracket:
            note("$[", from: start)
            position += 1
            let first = try parseArithmetic(closing: .bracket)
            return append(
                Part(kind: .arithmetic, start: Int32(start), end: Int32(position), child: first), to: &chain)
        case Byte.singleQuote where !isQuoted:
            note("$'…'", from: start)
            return try parseSingleQuote(.ansiC, skipping: 1, into: &chain)
        case Byte.doubleQuote where !isQuoted:
            note("$\"…\"", from: start)
            var flags: WordFlags = []
            return try parseDoubleQuote(into: &chain, flags: &flags)
        case Byte.at, Byte.star, Byte.hash, Byte.question, Byte.minus, Byte.dollar, Byte.bang:
            return appendPlainParameter(length: 1, from: start, into: &chain)
        default: break
        }
        if Byte.isDigit(byte) { return appendPlainParameter(length: 1, from: start, into: &chain) }
        guard Byte.beginsName(byte) else {
            return appendLiteral(from: start, to: &chain)
        }
        var length = 1
        while Byte.continuesName(peek(length)) { length += 1 }
        if peek(length) == Byte.backslash, peek(length + 1) == Byte.newline {
            throw ParseFailure(reason: .unsupported("a line continuation inside a name"), offset: position)
        }
        appendPlainParameter(length: length, from: start, into: &chain)
    }

    private mutating func appendPlainParameter(length: Int, from start: Int, into chain: inout PartChain) {
        let name = Int32(position)
        position += length
        tree.parameters.append(Parameter(nameStart: name, nameEnd: Int32(position)))
        let child = Index(tree.parameters.count - 1)
        append(Part(kind: .parameter, start: Int32(start), end: Int32(position), child: child), to: &chain)
    }

    /// Steps over a backquoted text; it is parsed when it is walked, after its backslashes are taken out.
    private mutating func parseBackquote(into chain: inout PartChain) throws(ParseFailure) {
        let opening = position
        position += 1
        let start = position
        while position < end, text[position] != Byte.backquote {
            position += text[position] == Byte.backslash ? 2 : 1
        }
        guard position < end else {
            position = opening
            throw syntaxError("a backquote is not closed")
        }
        append(Part(kind: .backquote, start: Int32(start), end: Int32(position)), to: &chain)
        position += 1
    }

    /// Parses `$(…)` or `$((…))` with the position on the parenthesis.
    private mutating func parseParenthesised(from start: Int, into chain: inout PartChain) throws(ParseFailure) {
        if operatorByte(1) == Byte.open {
            let opening = position
            takeOperator(2)
            if let expression = try attemptArithmetic(at: opening) {
                return append(
                    Part(
                        kind: .arithmetic, start: Int32(start), end: Int32(position), child: expression.first),
                    to: &chain)
            }
        }
        position += 1
        let list = try parseSubstitutedList()
        append(Part(kind: .command, start: Int32(start), end: Int32(position), child: list), to: &chain)
    }

    /// Parses `<(…)` or `>(…)`.
    mutating func parseProcessSubstitution(into chain: inout PartChain) throws(ParseFailure) {
        try descend()
        defer { depth -= 1 }
        let start = position
        note("process substitution", from: start)
        let kind: PartKind = peek() == Byte.less ? .processInput : .processOutput
        position += 2
        let list = try parseSubstitutedList()
        append(Part(kind: kind, start: Int32(start), end: Int32(position), child: list), to: &chain)
    }

    /// Parses the commands of a substitution and its `)`. Here-documents do not cross its border.
    private mutating func parseSubstitutedList() throws(ParseFailure) -> Index {
        let outer = pending
        pending = []
        let list = try parseList(until: .close, allowsEmpty: true)
        guard peek() == Byte.close else { throw syntaxError("expected ')'") }
        guard pending.isEmpty else { throw syntaxError("a here-document has no body inside its substitution") }
        position += 1
        pending = outer
        return list
    }

    /// Tries to read what follows `((` as arithmetic.
    /// - Parameter opening: Offset of the first parenthesis; the position goes back there in vain.
    /// - Returns: The first part of the expression in a one-member box, or `nil` if it is no arithmetic.
    mutating func attemptArithmetic(at opening: Int) throws(ParseFailure) -> (first: Index, Bool)? {
        if notArithmetic.contains(opening) {
            position = opening
            return nil
        }
        let begun = position
        let sizes = tree.sizes
        let waiting = pending
        do {
            let first = try parseArithmetic(closing: .doubleParenthesis)
            return (first, true)
        } catch {
            if case .limit = error.reason { throw error }
            try work(max(1, position - begun))
            tree.truncate(to: sizes)
            pending = waiting
            notArithmetic.append(opening)
            position = opening
            return nil
        }
    }

    /// Parses an expression: text in which expansions are found and parentheses are matched.
    /// - Returns: The first part.
    mutating func parseArithmetic(closing: ArithmeticClosing) throws(ParseFailure) -> Index {
        try descend()
        defer { depth -= 1 }
        var chain = PartChain()
        var run = position
        var level = 0
        var brackets = 0
        while position < end {
            switch text[position] {
            case Byte.open: level += 1
            case Byte.close:
                if level == 0, closing == .doubleParenthesis {
                    appendLiteral(from: run, to: &chain)
                    guard operatorByte(1) == Byte.close else { throw syntaxError("expected '))'") }
                    takeOperator(1)
                    position += 1
                    return chain.first
                }
                level -= 1
            case Byte.openBracket: brackets += 1
            case Byte.closeBracket:
                if brackets == 0, closing == .bracket {
                    appendLiteral(from: run, to: &chain)
                    position += 1
                    return chain.first
                }
                brackets -= 1
            case Byte.backslash:
                appendLiteral(from: run, to: &chain)
                position += 2
                run = position
                continue
            case Byte.dollar, Byte.backquote:
                appendLiteral(from: run, to: &chain)
                try parseExpansion(into: &chain, isQuoted: true)
                run = position
                continue
            default: break
            }
            position += 1
        }
        guard closing == .end else { throw syntaxError("an arithmetic expression is not closed") }
        position = end
        appendLiteral(from: run, to: &chain)
        return chain.first
    }

    /// Parses `${…}` behind its brace.
    private mutating func parseBraced(
        from start: Int, isQuoted: Bool, into chain: inout PartChain
    ) throws(ParseFailure) {
        skipContinuations()
        var parameter = Parameter(nameStart: Int32(position), nameEnd: Int32(position))
        if peek() == Byte.hash, beginsParameter(1), !isOperatorAfterHash() {
            parameter.operation = .length
            position += 1
        } else if peek() == Byte.bang, beginsParameter(1) {
            parameter.isIndirect = true
            position += 1
            note("${!…}", from: start)
        }
        parseParameterName(&parameter)
        if peek() == Byte.openBracket, parameter.nameStart < parameter.nameEnd {
            note("an array subscript", from: start)
            parameter.hasSubscript = true
            position += 1
            parameter.subscriptPart = try parseArithmetic(closing: .bracket)
        }
        skipContinuations()
        if parameter.nameStart == parameter.nameEnd {
            parameter.operation = .invalid
        } else if peek() != Byte.closeBrace {
            takeParameterOperator(&parameter, from: start)
        }
        if peek() != Byte.closeBrace { parameter.word = try parseBraceWord(parameter, isQuoted: isQuoted) }
        guard peek() == Byte.closeBrace else { throw syntaxError("'${' is not closed") }
        position += 1
        tree.parameters.append(parameter)
        let child = Index(tree.parameters.count - 1)
        append(Part(kind: .parameter, start: Int32(start), end: Int32(position), child: child), to: &chain)
    }

    private func beginsParameter(_ offset: Int) -> Bool {
        let byte = peek(offset)
        if Byte.continuesName(byte) { return true }
        switch byte {
        case Byte.at, Byte.star, Byte.hash, Byte.question, Byte.minus, Byte.dollar, Byte.bang: return true
        default: return false
        }
    }

    /// Whether the `#` of `${#` is the parameter itself: `${#-x}`, `${##x}`, `${#?x}`.
    private func isOperatorAfterHash() -> Bool {
        switch peek(1) {
        case Byte.hash, Byte.question, Byte.minus: peek(2) != Byte.closeBrace
        default: false
        }
    }

    private mutating func parseParameterName(_ parameter: inout Parameter) {
        parameter.nameStart = Int32(position)
        let byte = peek()
        if Byte.beginsName(byte) {
            while Byte.continuesName(peek()) { position += 1 }
        } else if Byte.isDigit(byte) {
            while Byte.isDigit(peek()) { position += 1 }
        } else {
            switch byte {
            case Byte.at, Byte.star, Byte.hash, Byte.question, Byte.minus, Byte.dollar, Byte.bang: position += 1
            default: break
            }
        }
        parameter.nameEnd = Int32(position)
    }

    private mutating func takeParameterOperator(_ parameter: inout Parameter, from start: Int) {
        let isLength = parameter.operation == .length
        var byte = peek()
        if byte == Byte.colon, let tested = Self.defaultOperator(peek(1)) {
            parameter.testsEmpty = true
            parameter.operation = tested
            position += 2
        } else if let tested = Self.defaultOperator(byte) {
            parameter.operation = tested
            position += 1
        } else {
            position += 1
            switch byte {
            case Byte.hash, Byte.percent:
                parameter.operation = byte == Byte.hash ? .removePrefix : .removeSuffix
                if peek() == byte { position += 1 }
            case Byte.slash: parameter.operation = .replace
            case Byte.colon: parameter.operation = .substring
            case Byte.caret, Byte.comma: parameter.operation = .changeCase
            case Byte.at, Byte.star:
                parameter.operation = parameter.isIndirect && peek() == Byte.closeBrace ? .names : .transform
                if byte == Byte.star, parameter.operation == .transform { parameter.operation = .invalid }
            default:
                position -= 1
                parameter.operation = .invalid
            }
            byte = 0
            if parameter.operation != .removePrefix, parameter.operation != .removeSuffix {
                note("this form of ${…}", from: start)
            }
        }
        if isLength { parameter.operation = .invalid }
    }

    private static func defaultOperator(_ byte: UInt8) -> ParameterOperator? {
        switch byte {
        case Byte.minus: .useDefault
        case Byte.equals: .assignDefault
        case Byte.question: .fail
        case Byte.plus: .alternative
        default: nil
        }
    }

    /// Parses the word inside `${…}` up to its brace.
    private mutating func parseBraceWord(_ parameter: Parameter, isQuoted: Bool) throws(ParseFailure) -> Index {
        let start = position
        let takesSingleQuotes: Bool
        switch parameter.operation {
        case .removePrefix, .removeSuffix, .replace, .changeCase, .invalid: takesSingleQuotes = true
        default: takesSingleQuotes = !isQuoted
        }
        var chain = PartChain()
        var flags: WordFlags = []
        var run = position
        while position < end, text[position] != Byte.closeBrace {
            switch text[position] {
            case Byte.backslash:
                appendLiteral(from: run, to: &chain)
                if peek(1) == Byte.newline {
                    position += 2
                } else {
                    position = min(end, position + 2)
                    append(Part(kind: .escaped, start: Int32(position - 1), end: Int32(position)), to: &chain)
                }
                flags.insert(.quoted)
                run = position
            case Byte.singleQuote where takesSingleQuotes:
                appendLiteral(from: run, to: &chain)
                try parseSingleQuote(.single, skipping: 1, into: &chain)
                flags.insert(.quoted)
                run = position
            case Byte.doubleQuote:
                appendLiteral(from: run, to: &chain)
                try parseDoubleQuote(into: &chain, flags: &flags)
                flags.insert(.quoted)
                run = position
            case Byte.dollar, Byte.backquote:
                appendLiteral(from: run, to: &chain)
                flags.insert(.expansion)
                try parseExpansion(into: &chain, isQuoted: isQuoted)
                run = position
            case Byte.less, Byte.greater:
                guard !isQuoted, peek(1) == Byte.open else {
                    position += 1
                    continue
                }
                appendLiteral(from: run, to: &chain)
                flags.insert(.expansion)
                try parseProcessSubstitution(into: &chain)
                run = position
            case Byte.star, Byte.question, Byte.openBracket:
                flags.insert(.glob)
                position += 1
            default: position += 1
            }
        }
        appendLiteral(from: run, to: &chain)
        tree.words.append(WordNode(part: chain.first, start: Int32(start), end: Int32(position), flags: flags))
        return Index(tree.words.count - 1)
    }
}

extension SyntaxTree {
    /// The sizes of all tables, to undo an attempt.
    var sizes: [Int] {
        [nodes.count, parts.count, words.count, parameters.count, assignments.count, redirects.count]
    }

    /// Forgets what was added since ``sizes`` was read.
    mutating func truncate(to sizes: [Int]) {
        nodes.removeSubrange(sizes[0]...)
        parts.removeSubrange(sizes[1]...)
        words.removeSubrange(sizes[2]...)
        parameters.removeSubrange(sizes[3]...)
        assignments.removeSubrange(sizes[4]...)
        redirects.removeSubrange(sizes[5]...)
    }
}
