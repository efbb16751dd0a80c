extension Walker {
    /// Does what a builtin does to the state, and walks what it runs.
    /// - Returns: Whether the word is done with; false when it is to be looked at as a program too.
    mutating func runBuiltin(_ builtin: Builtin, _ name: String, _ fields: ArraySlice<Field>) -> Bool {
        let arguments = fields.dropFirst()
        switch builtin {
        case .harmless:
            lastOutput = name == ":" || name == "true" ? [] : nil
        case .changeFolder, .directories: changeFolder(name, arguments)
        case .evaluate: evaluateText(fields)
        case .source: sourceFile(name, fields)
        case .trap: setTrap(arguments)
        case .exec: runExec(arguments)
        case .command, .builtin: runCommandBuiltin(builtin, name, arguments)
        case .alias: defineAliases(arguments)
        case .declare: declare(name, arguments)
        case .read: readVariables(arguments)
        case .mapfile: readArray(arguments)
        case .printf: printFormatted(fields)
        case .echo: printWords(arguments)
        case .test: testWords(arguments)
        case .letArithmetic: for field in arguments { noteOperand(value(field), field.range) }
        case .unset: unsetVariables(arguments)
        case .hash, .enable, .jobs, .completion, .history: runLoaders(builtin, name, arguments)
        case .set: setOptions(arguments)
        case .wait: noteNamedVariables(arguments, option: UInt8(ascii: "p"))
        case .shopt: break
        case .getopts:
            guard arguments.count >= 2 else { break }
            setNamed(arguments[arguments.startIndex + 1], "getopts")
            assign("OPTARG", to: .unknown, range: fields[fields.startIndex].range)
        }
        return true
    }

    /// The value of a field.
    func value(_ field: Field) -> Value {
        field.isDynamic ? .unknown : .constant(Array(bytes(field)))
    }

    private mutating func changeFolder(_ name: String, _ arguments: ArraySlice<Field>) {
        guard name != "dirs" else { return }
        let operands = arguments.drop { $0.isLiteral && bytes($0).first == Byte.minus && bytes($0).count > 1 }
        guard operands.count == 1, let target = operands.first, target.isLiteral else {
            if name == "cd", operands.isEmpty { state.directory = "~" }
            if !operands.isEmpty || name != "cd" { state.directory = nil }
            return
        }
        addOperand(target, .unknown, via: via + [name], isCertain: true)
        let path = string(target)
        if path.hasPrefix("/") {
            state.directory = path
        } else if path == "-" || target.hasTilde || state.value(of: "CDPATH") != nil {
            state.directory = target.hasTilde ? path : nil
        } else if let directory = state.directory, directory.utf8.count + path.utf8.count < 4_096 {
            state.directory = directory + "/" + path
        } else {
            state.directory = nil
        }
    }

    private mutating func evaluateText(_ fields: ArraySlice<Field>) {
        var arguments = fields.dropFirst()
        if let first = arguments.first, bytes(first).elementsEqual([Byte.minus, Byte.minus]) {
            arguments = arguments.dropFirst()
        }
        guard let first = arguments.first else { return }
        for field in arguments where field.isDynamic {
            hidden.anythingIsUnsafe = true
            return report(.dynamicScript("eval"), field.range)
        }
        if arguments.count == 1 { return reparse(Array(bytes(first)), origin(first), via: "eval") }
        var text: [UInt8] = []
        for field in arguments {
            if !text.isEmpty { text.append(Byte.space) }
            text.append(contentsOf: bytes(field))
        }
        reparse(text, Origin(base: first.range.lowerBound, isExact: false, length: first.range.count), via: "eval")
    }

    private mutating func sourceFile(_ name: String, _ fields: ArraySlice<Field>) {
        guard let file = fields.dropFirst().first(where: { !bytes($0).elementsEqual([Byte.minus, Byte.minus]) }) else {
            return
        }
        if file.capture >= 0, let text = captures[file.capture] {
            let origin = Origin(base: file.range.lowerBound, isExact: false, length: file.range.count)
            return reparse(text, origin, via: name)
        }
        if file.isLiteral, Self.isStandardInput(string(file)) {
            return readInput(name, file.range, keepsState: true)
        }
        readScript(name, file)
        state.forgetVariables()
        hidden.anythingIsUnsafe = true
    }

    private mutating func setTrap(_ arguments: ArraySlice<Field>) {
        var rest = arguments
        if let first = rest.first, bytes(first).elementsEqual([Byte.minus, Byte.minus]) { rest = rest.dropFirst() }
        guard let action = rest.first else { return }
        if action.isLiteral {
            let text = bytes(action)
            if text.isEmpty || text.first == Byte.minus || rest.count == 1 { return }
        }
        guard !action.isDynamic else { return report(.dynamicScript("trap"), action.range) }
        let outer = state
        state.forgetVariables()
        state.directory = nil
        let before = hidden.unsafeNames.count + hidden.aliases.count
        reparse(Array(bytes(action)), origin(action), via: "trap")
        let changed =
            state.variables.count != outer.variables.count
            || hidden.unsafeNames.count + hidden.aliases.count != before
            || state.variables.contains { $0.value != .unknown }
        state = outer
        // The action runs at any time: what it writes may have any of its values at any place.
        if changed { hidden.anythingIsUnsafe = true }
        lastOutput = nil
    }

    private mutating func runExec(_ arguments: ArraySlice<Field>) {
        var scan = Scan(rest: arguments, tail: .command)
        guard scanOptions(Self.execGrammar, "exec", &scan) else { return }
        guard !scan.rest.isEmpty else {
            // Redirections alone change descriptors for good.
            lastingInput = state.input
            return
        }
        runWrapped(scan.rest, by: "exec")
    }

    private static let execGrammar = OptionGrammar("-cl -a:")
    private static let commandGrammar = OptionGrammar("-p -v!stops -V!stops")
    private static let builtinGrammar = OptionGrammar("")

    private mutating func runCommandBuiltin(_ builtin: Builtin, _ name: String, _ arguments: ArraySlice<Field>) {
        var scan = Scan(rest: arguments, tail: .command)
        let grammar = builtin == .command ? Self.commandGrammar : Self.builtinGrammar
        guard scanOptions(grammar, name, &scan), !scan.stops, let first = scan.rest.first else { return }
        guard first.isLiteral else { return report(.dynamicArguments(name), first.range) }
        let functions = state.functions
        let outer = via
        state.functions = []
        via.append(name)
        run(scan.rest)
        via = outer
        state.functions = functions
    }

    private mutating func defineAliases(_ arguments: ArraySlice<Field>) {
        for field in arguments {
            let text = bytes(field)
            guard let equals = text.firstIndex(of: Byte.equals),
                !field.isDynamic || field.knownPrefix > equals - field.start
            else {
                if field.isDynamic, !accepts(field, by: "alias") { report(.poisonedContext("an alias"), field.range) }
                continue
            }
            let name = String(decoding: text[..<equals], as: UTF8.self)
            let value = text[(equals + 1)...]
            let isPlain =
                !field.isDynamic
                && value.allSatisfy {
                    Byte.continuesName($0) || Byte.isBlank($0) || "-./=:,+@%".utf8.contains($0)
                }
            guard isPlain, value.last != Byte.space, aliases.count < 64 else {
                // What it means shows where it is used: it may even open a quote or a loop.
                // The programs in it count; what cannot be decided in it matters only where it is used.
                let known = analysis.undecidable
                if !field.isDynamic, !value.isEmpty { runText(piece(of: field, from: equals + 1), by: "alias") }
                analysis.undecidable = known
                opaqueAliases.append(name)
                if !field.isDynamic, value.last == Byte.space || aliases.count >= 64 {
                    report(.poisonedContext("the alias \(name)"), field.range)
                }
                continue
            }
            if ProgramTable.isShadowedDangerously(name) {
                report(.poisonedContext("the alias \(name)"), field.range)
            }
            let outer = state
            reparse(Array(value), origin(piece(of: field, from: equals + 1)), via: "alias")
            state = outer
            let words = value.split { Byte.isBlank($0) }.map { Array($0) }
            aliases.append((name, words))
        }
    }

    private mutating func declare(_ name: String, _ arguments: ArraySlice<Field>) {
        var looksThrough = false
        for field in arguments {
            let text = bytes(field)
            if field.isDynamic {
                declareUnknown(name, field)
                continue
            }
            if text.first == Byte.minus || text.first == Byte.plus {
                if text.contains(UInt8(ascii: "n")), name != "export" {
                    report(.poisonedContext("a name reference"), field.range)
                    looksThrough = true
                }
                if text.contains(UInt8(ascii: "i")) { looksThrough = true }
                if name == "export", text.contains(UInt8(ascii: "f")) {
                    report(.poisonedContext("an exported function"), field.range)
                }
                continue
            }
            let equals = text.firstIndex(of: Byte.equals) ?? text.endIndex
            let variable = String(decoding: text[..<equals], as: UTF8.self)
            noteVariableName(.constant(Array(text[..<equals])), field.range, name)
            if looksThrough { hidden.noteUse(variable, field.range, name) }
            guard equals < text.endIndex else { continue }
            let value = Array(text[(equals + 1)...])
            if looksThrough { noteOperand(.constant(value), field.range) }
            if value.first == Byte.open, Self.mayEvaluate(value) { report(.hiddenEvaluation(name), field.range) }
            let trimmed = variable.hasSuffix("+") ? String(variable.dropLast()) : variable
            let isPlain = !looksThrough && trimmed == variable && value.first != Byte.open
            assign(trimmed, to: isPlain ? .constant(value) : .unknown, range: field.range)
        }
    }

    /// `export NAME=…` with a value that is not known.
    private mutating func declareUnknown(_ name: String, _ field: Field) {
        let prefix = bytes(field).prefix(field.knownPrefix)
        if let equals = prefix.firstIndex(of: Byte.equals), equals > prefix.startIndex,
            prefix[..<equals].allSatisfy({ Byte.continuesName($0) })
        {
            return assign(String(decoding: prefix[..<equals], as: UTF8.self), to: .unknown, range: field.range)
        }
        report(.hiddenEvaluation(name), field.range)
        hidden.anythingIsUnsafe = true
    }

    private mutating func readVariables(_ arguments: ArraySlice<Field>) {
        var isFirst = true
        var rest = arguments
        while let field = rest.first, !field.isDynamic, bytes(field).first == Byte.minus, bytes(field).count > 1 {
            rest = rest.dropFirst()
            let letters = bytes(field).dropFirst()
            guard let at = letters.firstIndex(where: { "adinNptu".utf8.contains($0) }) else { continue }
            var value = piece(of: field, from: at + 1)
            if at + 1 == letters.endIndex {
                guard let next = rest.first else { break }
                if next.splits { report(.hiddenEvaluation("read"), next.range) }
                value = next
                rest = rest.dropFirst()
            }
            if letters[at] == UInt8(ascii: "a") { setNamed(value, "read") }
        }
        for field in rest {
            setNamed(field, "read")
            isFirst = false
        }
        if isFirst, let range = arguments.first?.range { assign("REPLY", to: .unknown, range: range) }
        state.input = .unknown
    }

    /// Sets a variable that a word names, to something that is not known.
    private mutating func setNamed(_ field: Field, _ what: String) {
        guard !field.isDynamic else { return report(.hiddenEvaluation(what), field.range) }
        noteVariableName(.constant(Array(bytes(field))), field.range, what)
        let name = String(decoding: bytes(field).prefix { Byte.continuesName($0) }, as: UTF8.self)
        if !name.isEmpty { assign(name, to: .unknown, range: field.range) }
    }

    private mutating func readArray(_ arguments: ArraySlice<Field>) {
        for field in arguments {
            guard !field.isDynamic else {
                report(.hiddenEvaluation("mapfile"), field.range)
                continue
            }
            if bytes(field).first == Byte.minus, bytes(field).contains(UInt8(ascii: "C")) {
                report(.hiddenEvaluation("mapfile -C"), field.range)
            }
            if bytes(field).first != Byte.minus { setNamed(field, "mapfile") }
        }
    }

    private mutating func noteNamedVariables(_ arguments: ArraySlice<Field>, option: UInt8) {
        var rest = arguments
        while let field = rest.first {
            rest = rest.dropFirst()
            if bytes(field).elementsEqual([Byte.minus, option]), let name = rest.first { setNamed(name, "wait -p") }
            if field.isDynamic, field.splits { report(.hiddenEvaluation("wait"), field.range) }
        }
    }

    private mutating func unsetVariables(_ arguments: ArraySlice<Field>) {
        for field in arguments where field.isDynamic || bytes(field).first != Byte.minus {
            let isTame = field.isDynamic && accepts(field, by: "unset") && !Self.mayExpand(bytes(field))
            if !isTame { noteVariableName(value(field), field.range, "unset") }
            guard !field.isDynamic else { continue }
            let name = string(field)
            state.functions.removeAll { $0 == name }
            if name == "IFS" { changesIFS = true }
            if state.value(of: name) != nil { state.set(name, to: .unknown) }
        }
    }

    /// Whether text holds a substitution.
    private static func mayExpand(_ text: ArraySlice<UInt8>) -> Bool {
        text.contains { $0 == Byte.dollar || $0 == Byte.backquote }
    }

    private mutating func testWords(_ arguments: ArraySlice<Field>) {
        var operation = ""
        for field in arguments {
            if operation == "-v" || operation == "-R" { noteVariableName(value(field), field.range, "test -v") }
            if ArithmeticTests.isFileTest(operation), field.isLiteral {
                addOperand(field, .read, via: via + ["test"])
            }
            operation = field.isLiteral ? string(field) : ""
            if field.isDynamic, field.splits, arguments.count > 1 { operation = "-v" }
        }
    }

    private mutating func setOptions(_ arguments: ArraySlice<Field>) {
        hidden.setsPositional = true
        for field in arguments where field.isLiteral && string(field) == "alias" {
            report(.poisonedContext("set"), field.range)
        }
    }

    private mutating func runLoaders(_ builtin: Builtin, _ name: String, _ arguments: ArraySlice<Field>) {
        for field in arguments {
            guard field.isLiteral else {
                if builtin != .history { report(.poisonedContext(name), field.range) }
                continue
            }
            let text = bytes(field)
            guard text.first == Byte.minus else { continue }
            switch builtin {
            case .completion where name == "bind" && !text.contains(UInt8(ascii: "x")): break
            case .hash where text.contains(UInt8(ascii: "p")), .enable where text.contains(UInt8(ascii: "f")):
                report(.poisonedContext(name), field.range)
            case .jobs where text.contains(UInt8(ascii: "x")):
                if let at = arguments.firstIndex(where: { $0.start == field.start }) {
                    runWrapped(arguments[(at + 1)...], by: "jobs -x")
                }
            case .completion where !text.elementsEqual("-p".utf8) && !text.elementsEqual("-r".utf8):
                report(.hiddenEvaluation(name), field.range)
            case .history where name == "fc" && !text.contains(UInt8(ascii: "l")):
                report(.hiddenEvaluation(name), field.range)
            default: break
            }
        }
        if builtin == .history, name == "fc", arguments.isEmpty { report(.opaqueProgram(name), 0..<0) }
    }

    // MARK: Output that is known

    private mutating func printWords(_ arguments: ArraySlice<Field>) {
        var rest = arguments
        var adds = true
        var interprets = isPOSIX
        while let field = rest.first, field.isLiteral {
            let text = bytes(field)
            guard text.first == Byte.minus, text.count > 1,
                text.dropFirst().allSatisfy({ "neE".utf8.contains($0) })
            else { break }
            if isPOSIX { return }
            for letter in text.dropFirst() {
                if letter == UInt8(ascii: "n") { adds = false } else { interprets = letter == UInt8(ascii: "e") }
            }
            rest = rest.dropFirst()
        }
        var output: [UInt8] = []
        for (index, field) in rest.enumerated() {
            guard field.isLiteral else { return }
            if index > 0 { output.append(Byte.space) }
            output.append(contentsOf: bytes(field))
        }
        guard !interprets || !output.contains(Byte.backslash) else { return }
        if adds { output.append(Byte.newline) }
        lastOutput = output
    }

    private mutating func printFormatted(_ fields: ArraySlice<Field>) {
        var rest = fields.dropFirst()
        if let option = rest.first, bytes(option).starts(with: "-v".utf8) {
            if bytes(option).count > 2 {
                setNamed(piece(of: option, from: option.start + 2), "printf -v")
            } else if let name = rest.dropFirst().first {
                setNamed(name, "printf -v")
            }
            return
        }
        if let option = rest.first, option.isDynamic, option.splits, rest.count > 1 {
            report(.hiddenEvaluation("printf"), option.range)
        }
        if let option = rest.first, bytes(option).elementsEqual([Byte.minus, Byte.minus]) { rest = rest.dropFirst() }
        guard let format = rest.first, rest.allSatisfy({ $0.isLiteral }) else { return }
        let text = bytes(format)
        // Only `%s` and `\n` are followed.
        var output: [UInt8] = []
        var values = rest.dropFirst()
        repeat {
            let before = values.count
            guard appendFormat(text, &values, &output) else { return }
            if values.count == before { break }
        } while !values.isEmpty && output.count < limits.maxInputBytes
        lastOutput = output
    }

    private func appendFormat(
        _ format: ArraySlice<UInt8>, _ values: inout ArraySlice<Field>, _ output: inout [UInt8]
    ) -> Bool {
        var index = format.startIndex
        while index < format.endIndex {
            let byte = format[index]
            index += 1
            guard byte == Byte.percent || byte == Byte.backslash else {
                output.append(byte)
                continue
            }
            guard index < format.endIndex else { return false }
            let code = format[index]
            index += 1
            switch (byte, code) {
            case (Byte.percent, UInt8(ascii: "s")):
                if let value = values.popFirst() { output.append(contentsOf: bytes(value)) }
            case (Byte.percent, Byte.percent), (Byte.backslash, Byte.backslash): output.append(code)
            case (Byte.backslash, UInt8(ascii: "n")): output.append(Byte.newline)
            case (Byte.backslash, UInt8(ascii: "t")): output.append(Byte.tab)
            default: return false
            }
        }
        return true
    }
}
