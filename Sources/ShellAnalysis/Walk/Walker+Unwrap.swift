extension Walker {
    /// The words that are left once a program's options are read.
    struct Scan {
        var rest: ArraySlice<Field>
        var tail: OptionGrammar.Tail
        /// The token that xargs replaces.
        var replaced: String?
        var stops = false
    }

    /// Runs what a wrapper wraps.
    mutating func unwrap(_ grammar: OptionGrammar, _ name: String, _ fields: ArraySlice<Field>) {
        var scan = Scan(rest: fields.dropFirst(), tail: grammar.tail)
        guard scanOptions(grammar, name, &scan), !scan.stops else { return }
        if grammar.takesAssignments { takeAssignments(&scan.rest) }
        for _ in 0..<(scan.stops ? 0 : grammar.skips) {
            guard let operand = scan.rest.first else { break }
            if operand.splits { return report(.dynamicArguments(name), operand.range) }
            scan.rest = scan.rest.dropFirst()
        }
        // `setarch ARCH -R program`: options may stand behind the operand as well.
        if grammar.skips > 0, grammar.rescans {
            guard scanOptions(grammar, name, &scan), !scan.stops else { return }
        }
        finish(scan, name, fields)
    }

    private mutating func finish(_ scan: Scan, _ name: String, _ fields: ArraySlice<Field>) {
        let range = fields[fields.startIndex].range
        var rest = scan.rest
        switch scan.tail {
        case .nothing: break
        case .command: runWrapped(rest, by: name)
        case .commandOrShell:
            if rest.isEmpty { readInput(name, range) } else { runWrapped(rest, by: name) }
        case .commandWithInput:
            guard !rest.isEmpty else { return }
            if let token = scan.replaced, !token.isEmpty {
                rest = hide(token, in: rest, areFileNames: state.readsFileNames)
            } else {
                var words = Array(rest)
                var input = unknownField(range)
                input.isExternal = state.readsFileNames
                words.append(input)
                rest = words[...]
            }
            runWrapped(rest, by: name)
        case .text:
            guard !rest.isEmpty else { return }
            runJoined(rest, by: name)
        case .shellArguments:
            // `capsh -- -c text` starts bash with what follows.
            guard let first = rest.first else { return }
            runShell("bash", [first] + rest)
        }
    }

    /// A stand-in for words that are read from elsewhere.
    func unknownField(_ range: Range<Int>) -> Field {
        var field = Field(start: pool.count, end: pool.count, range: range)
        field.isDynamic = true
        field.splits = true
        return field
    }

    /// Makes every field that holds a token unknown.
    mutating func hide(
        _ token: String, in fields: ArraySlice<Field>, areFileNames: Bool
    ) -> ArraySlice<Field> {
        var result = Array(fields)
        for index in result.indices where string(result[index]).contains(token: token) {
            let isWhole = bytes(result[index]).elementsEqual(token.utf8)
            if areFileNames, !isWhole, !result[index].isDynamic {
                // The rest of the word is known: `$0` stands for the name, as a shell would see it.
                let text = replace(Array(token.utf8), in: Array(bytes(result[index])))
                result[index] = makeField(text, like: result[index])
                result[index].holdsFileName = true
            }
            result[index].knownPrefix = bytes(result[index]).prefix { $0 != token.utf8.first }.count
            result[index].isDynamic = true
            result[index].isExternal = areFileNames
        }
        return result[...]
    }

    private func replace(_ token: [UInt8], in text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index...].starts(with: token) {
                result += [Byte.dollar, Byte.zero]
                index += token.count
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    /// Joins words with blanks and analyses the text that a shell would read.
    mutating func runJoined(_ fields: ArraySlice<Field>, by name: String) {
        guard let first = fields.first else { return }
        if fields.count == 1 { return runText(first, by: name) }
        var text: [UInt8] = []
        for field in fields {
            var piece = field
            if field.isDynamic {
                guard field.externalCount > 0, !field.listsFileNames, accepts(field, by: name) else {
                    return report(.dynamicScript(name), field.range)
                }
                piece = withReferences(field)
            }
            if !text.isEmpty { text.append(Byte.space) }
            text.append(contentsOf: bytes(piece))
        }
        runText(makeField(text, like: first), by: name)
    }

    /// Takes `NAME=value` words in front of a command.
    mutating func takeAssignments(_ rest: inout ArraySlice<Field>) {
        while let field = rest.first {
            let text = bytes(field)
            guard let equals = text.firstIndex(of: Byte.equals), equals > text.startIndex else { return }
            if field.isDynamic, assignedName(field) == nil { return }
            let name = String(decoding: text[..<equals], as: UTF8.self)
            let value: Value = field.isDynamic ? .unknown : .constant(Array(text[(equals + 1)...]))
            checkHazard(name, value, field.range)
            if name.hasPrefix("BASH_FUNC_") { checkExportedFunction(value, field) }
            rest = rest.dropFirst()
        }
    }

    /// The name in a `NAME=…` whose value is not known but stays within its word.
    private mutating func assignedName(_ field: Field) -> String? {
        let prefix = bytes(field).prefix(field.knownPrefix)
        guard let equals = prefix.firstIndex(of: Byte.equals), equals > prefix.startIndex,
            prefix[..<equals].allSatisfy({ Byte.continuesName($0) }), !field.splits || accepts(field, by: "env")
        else { return nil }
        return String(decoding: prefix[..<equals], as: UTF8.self)
    }

    /// `BASH_FUNC_name%%=() { …; }` defines a function in every bash that is started.
    private mutating func checkExportedFunction(_ value: Value, _ field: Field) {
        guard case .constant(let body) = value else { return }
        let outer = state
        let text = Array("f".utf8) + body
        let origin = Origin(base: field.range.lowerBound, isExact: false, length: field.range.count)
        reparse(text, origin, via: "BASH_FUNC_")
        state = outer
    }

    // MARK: Options

    /// Reads the options at the front.
    /// - Returns: Whether the rest is known to begin with operands.
    mutating func scanOptions(_ grammar: OptionGrammar, _ name: String, _ scan: inout Scan) -> Bool {
        while let field = scan.rest.first {
            let text = bytes(field)
            if field.isDynamic {
                if grammar.takesAssignments, assignedName(field) != nil { return true }
                // A word that begins like no option is none, whatever follows.
                if field.knownPrefix > 0, text.first != Byte.minus { return true }
                // Unknown words may be options.
                report(.dynamicArguments(name), field.range)
                return false
            }
            guard text.first == Byte.minus else { return true }
            if text.count == 1 {
                guard grammar.takesMinus else { return true }
                scan.rest = scan.rest.dropFirst()
                continue
            }
            scan.rest = scan.rest.dropFirst()
            if text.elementsEqual([Byte.minus, Byte.minus]) { return true }
            let isKnown =
                text[text.startIndex + 1] == Byte.minus
                ? takeLong(text.dropFirst(2), grammar, name, field, &scan)
                : takeShort(text.dropFirst(), grammar, name, field, &scan)
            guard isKnown else {
                if grammar.isComplete { return false }
                report(.unknownOption(name), field.range)
                return false
            }
            if scan.stops { return true }
        }
        return true
    }

    private mutating func takeLong(
        _ text: ArraySlice<UInt8>, _ grammar: OptionGrammar, _ name: String, _ field: Field, _ scan: inout Scan
    ) -> Bool {
        let end = text.firstIndex(of: Byte.equals) ?? text.endIndex
        guard let rule = grammar.longRule(text[..<end]) else { return false }
        if rule.value == .two {
            scan.rest = scan.rest.dropFirst(2)
            return true
        }
        if end < text.endIndex {
            let value = piece(of: field, from: end + 1)
            act(rule.action, value, name, &scan)
        } else if rule.value == .required {
            takeNext(rule.action, name, field, &scan)
        } else {
            act(rule.action, nil, name, &scan, range: field.range)
        }
        return true
    }

    private mutating func takeShort(
        _ letters: ArraySlice<UInt8>, _ grammar: OptionGrammar, _ name: String, _ field: Field, _ scan: inout Scan
    ) -> Bool {
        if grammar.takesDigits, letters.allSatisfy({ Byte.isDigit($0) || $0 == Byte.minus }) { return true }
        var index = letters.startIndex
        while index < letters.endIndex {
            guard let rule = grammar.short[letters[index]] else { return false }
            index += 1
            if rule.value == .no {
                act(rule.action, nil, name, &scan, range: field.range)
                continue
            }
            if index < letters.endIndex {
                act(rule.action, piece(of: field, from: index), name, &scan)
            } else if rule.value == .required {
                takeNext(rule.action, name, field, &scan)
            } else {
                act(rule.action, nil, name, &scan, range: field.range)
            }
            return true
        }
        return true
    }

    /// The end of a field, from a place in the pool.
    func piece(of field: Field, from start: Int) -> Field {
        var value = field
        value.start = start
        if field.base >= 0 { value.base = field.base + start - field.start }
        return value
    }

    private mutating func takeNext(
        _ action: OptionAction, _ name: String, _ option: Field, _ scan: inout Scan
    ) {
        guard let value = scan.rest.first else { return }
        if value.splits { report(.dynamicArguments(name), value.range) }
        scan.rest = scan.rest.dropFirst()
        act(action, value, name, &scan)
    }

    /// Does what an option asks for.
    private mutating func act(
        _ action: OptionAction, _ value: Field?, _ name: String, _ scan: inout Scan, range: Range<Int>? = nil
    ) {
        switch action {
        case .none: break
        case .stops: scan.stops = true
        case .textFollows: scan.tail = .text
        case .replace: scan.replaced = value.map { string($0) } ?? "{}"
        case .read: if let value { addOperand(value, .read, via: via + [name], isCertain: true) }
        case .write: if let value { addOperand(value, .write, via: via + [name], isCertain: true) }
        case .opaque: report(.opaqueProgram(name), value?.range ?? range ?? 0..<0)
        case .text, .split:
            guard let value else { return }
            if name == "env" { return runEnvText(value, &scan) }
            withUnknownInput { $0.runText(value, by: name) }
        case .program:
            // The program gets arguments and input that are not shown here.
            guard let value else { return }
            withUnknownInput { walker in
                if name == "su" || name == "runuser" {
                    // The shell's text and input are looked at apart.
                    walker.state.input = walker.makeInput([], walker.origin(value))
                    return walker.runWrapped([value], by: name)
                }
                walker.runWrapped([value, walker.unknownField(value.range)], by: name)
            }
        case .remote: if let value { checkRemoteOption(value, name) }
        case .code: if let value { checkCode(value, name) }
        }
    }

    /// Runs something whose standard input another program writes.
    mutating func withUnknownInput(_ body: (inout Walker) -> Void) {
        let outer = state.input
        state.input = .unknown
        body(&self)
        state.input = outer
    }

    /// `env -S text`: the text's words stand in front of the rest.
    private mutating func runEnvText(_ value: Field, _ scan: inout Scan) {
        guard value.isLiteral || !value.isDynamic else { return report(.dynamicArguments("env"), value.range) }
        let text = bytes(value)
        let isPlain = text.allSatisfy { byte in
            Byte.continuesName(byte) || Byte.isBlank(byte) || "-./=:,+@%".utf8.contains(byte)
        }
        guard isPlain else {
            // Quotes, `${VAR}` and escapes of its own: read as shell text, and left undecided beyond that.
            runText(value, by: "env -S")
            return report(.dynamicArguments("env -S"), value.range)
        }
        var words: [Field] = []
        var start = value.start
        for index in value.start...value.end {
            guard index == value.end || Byte.isBlank(pool[index]) else { continue }
            if start < index {
                var word = piece(of: value, from: start)
                word.end = index
                words.append(word)
            }
            start = index + 1
        }
        scan.rest = words[...] + scan.rest
    }

    // MARK: Programs with a few dangerous options

    /// Looks for the listed options anywhere among a program's words.
    mutating func searchCarrier(_ grammar: OptionGrammar, _ name: String, _ fields: ArraySlice<Field>) {
        var scan = Scan(rest: fields.dropFirst(), tail: .nothing)
        while let field = scan.rest.first {
            scan.rest = scan.rest.dropFirst()
            let text = bytes(field)
            if field.isDynamic, field.knownPrefix == 0, !accepts(field, by: name) {
                if grammar.startsPrograms, field.capture < 0 { report(.dynamicArguments(name), field.range) }
            }
            guard text.first == Byte.minus, text.count > 1 else { continue }
            if text.elementsEqual([Byte.minus, Byte.minus]) { return }
            if text[text.startIndex + 1] == Byte.minus {
                searchLong(text.dropFirst(2), grammar, name, field, &scan)
            } else {
                searchShort(text.dropFirst(), grammar, name, field, &scan)
            }
        }
    }

    private mutating func searchLong(
        _ text: ArraySlice<UInt8>, _ grammar: OptionGrammar, _ name: String, _ field: Field, _ scan: inout Scan
    ) {
        let end = text.firstIndex(of: Byte.equals) ?? text.endIndex
        guard end > text.startIndex, let rule = grammar.possibleRules(text[..<end]).first else { return }
        if end < text.endIndex {
            act(rule.action, piece(of: field, from: end + 1), name, &scan)
        } else if rule.value == .required, let value = scan.rest.first {
            act(rule.action, value, name, &scan)
        }
    }

    private mutating func searchShort(
        _ letters: ArraySlice<UInt8>, _ grammar: OptionGrammar, _ name: String, _ field: Field, _ scan: inout Scan
    ) {
        // `-TT` and `-wrapper` are written like short options but are whole names.
        if letters.count > 1, let rule = grammar.long.first(where: { $0.name.elementsEqual(letters) })?.rule {
            if let value = scan.rest.first { act(rule.action, value, name, &scan) }
            return
        }
        var index = letters.startIndex
        while index < letters.endIndex {
            let rule = grammar.short[letters[index]]
            index += 1
            guard let rule, rule.action != .none else { continue }
            if index < letters.endIndex, rule.value != .no {
                act(rule.action, piece(of: field, from: index), name, &scan)
            } else if rule.value == .required, let value = scan.rest.first {
                act(rule.action, value, name, &scan)
            }
            return
        }
    }

    /// Looks at commands of another program's language.
    mutating func checkCode(_ value: Field, _ name: String) {
        guard value.isLiteral else { return report(.opaqueProgram(name), value.range) }
        let text = string(value)
        if name == "tar" || name == "gtar" || name == "bsdtar" {
            guard let start = text.firstIndex(of: "="), text.hasPrefix("exec") else { return }
            let offset = text.utf8.distance(from: text.startIndex, to: start) + 1
            return withUnknownInput { $0.runText($0.piece(of: value, from: value.start + offset), by: name) }
        }
        let signs = ["!", "|", "\\!", "`", "%(", "shell", "system", "exec", "=", "Command", "invoke", ";"]
        if signs.contains(where: { text.contains(token: $0) }) { report(.opaqueProgram(name), value.range) }
    }
}

extension String {
    /// Whether the string holds another one, byte by byte.
    func contains(token: String) -> Bool {
        let needle = Array(token.utf8)
        guard let first = needle.first else { return true }
        var bytes = utf8[...]
        while let index = bytes.firstIndex(of: first) {
            if bytes[index...].starts(with: needle) { return true }
            bytes = bytes[bytes.index(after: index)...]
        }
        return false
    }
}
