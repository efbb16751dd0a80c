extension Walker {
    /// Runs fields as the shell does: aliases first.
    mutating func runWithAliases(_ fields: ArraySlice<Field>) {
        guard !aliases.isEmpty || !opaqueAliases.isEmpty, let first = fields.first, first.isPlain else {
            return run(fields)
        }
        let name = string(first)
        if opaqueAliases.contains(name) { report(.poisonedContext("the alias \(name)"), first.range) }
        run(fields)
        // Whether an alias is expanded depends on options and lines; both readings count.
        for alias in aliases where alias.name == name {
            let words = alias.words.map { makeField($0, like: first) }
            let outer = via
            via.append("alias")
            run(words[...] + fields.dropFirst())
            via = outer
        }
    }

    /// Finds out what a list of words runs.
    /// - Parameter isShell: Whether the shell itself looks the name up, so that builtins and functions count.
    mutating func run(_ fields: ArraySlice<Field>, isShell: Bool = true) {
        guard let first = fields.first, !isExhausted else { return }
        runDepth += 1
        defer { runDepth -= 1 }
        guard runDepth + depth <= limits.maxDepth * 2 else {
            isExhausted = true
            return report(.limit("nesting depth"), first.range)
        }
        guard first.isLiteral, first.start < first.end else {
            lastOutput = nil
            return report(.dynamicCommand, first.range)
        }
        let name = string(first)
        let entry = ProgramTable.entry(for: name)
        let isBuiltin = isShell && entry.builtin != nil && !name.utf8.contains(Byte.slash)
        let isFunction = isShell && state.functions.contains(name)
        record(name, fields, isBuiltin: isBuiltin, isFunction: isFunction)
        guard !isExhausted else { return }
        lastOutput = nil
        if isShell, hidden.functionNames.contains(name) { afterFunctionCall() }
        defer { consumeInput(entry, isBuiltin: isBuiltin) }
        if isFunction, !isBuiltin { return }
        if isBuiltin, let builtin = entry.builtin, runBuiltin(builtin, name, fields) { return }
        if !isBuiltin { meetHazards(name, first.range) }
        runProgram(name, entry, fields)
    }

    private mutating func record(
        _ name: String, _ fields: ArraySlice<Field>, isBuiltin: Bool, isFunction: Bool
    ) {
        guard analysis.commands.count < limits.maxCommands, let first = fields.first else {
            isExhausted = true
            if let first = fields.first { report(.limit("commands"), first.range) }
            return
        }
        var words: [String?] = []
        words.reserveCapacity(fields.count)
        for field in fields { words.append(field.isDynamic ? nil : string(field)) }
        analysis.stepCount += fields.count
        analysis.commands.append(
            FoundCommand(
                name: name, words: words, range: first.range, via: via, isBuiltin: isBuiltin,
                isFunction: isFunction))
    }

    /// After a program or a reading builtin nothing is known of what is left of the input.
    private mutating func consumeInput(_ entry: ProgramTable.Entry, isBuiltin: Bool) {
        guard case .literal(let text, _, let number) = state.input, !text.isEmpty else { return }
        if isBuiltin, let builtin = entry.builtin, !builtin.reads { return }
        consumedInputs.insert(number)
    }

    private mutating func afterFunctionCall() {
        for name in hidden.functionWrites { state.set(name, to: .unknown) }
        state.directory = nil
    }

    /// Unwraps a program that is not a builtin.
    private mutating func runProgram(_ name: String, _ entry: ProgramTable.Entry, _ fields: ArraySlice<Field>) {
        checkProgramPath(name, fields)
        addFileOperands(name, entry, fields)
        switch entry.kind {
        case .plain: break
        case .shell: runShell(lastComponent(of: name), fields)
        case .wrapper(let grammar): unwrap(grammar, lastComponent(of: name), fields)
        case .carrier(let options): searchCarrier(options, lastComponent(of: name), fields)
        case .interpreter(let interpreter): runInterpreter(interpreter, name, fields)
        case .special(let special): runSpecial(special, lastComponent(of: name), fields)
        case .opaque: report(.opaqueProgram(lastComponent(of: name)), fields[fields.startIndex].range)
        case .project:
            analysis.interpreters.append(
                InterpreterUse(name: name, code: .project, range: fields[fields.startIndex].range, via: via))
        }
    }

    /// A program given by a path that is no system folder is itself code that is not known.
    private mutating func checkProgramPath(_ name: String, _ fields: ArraySlice<Field>) {
        let range = fields[fields.startIndex].range
        if producedFiles.contains(lastComponent(of: name)) { report(.producedProgram(name), range) }
        guard name.utf8.contains(Byte.slash) else { return }
        analysis.files.append(
            FileOperand(path: name, directory: state.directory, operation: .execute, range: range, via: via))
        if ProgramTable.isSystemPath(name) { return }
        analysis.interpreters.append(InterpreterUse(name: name, code: .program, range: range, via: via))
    }

    /// Whether a word that is not known may be taken for an ordinary operand: what it holds comes from variables
    /// that nothing in the text sets. Checked again once the whole text is walked.
    mutating func accepts(_ field: Field, by program: String) -> Bool {
        guard field.isDynamic, field.isExternal, field.externalCount < 0x7ff else { return false }
        if field.listsFileNames { nameTexts.append((program, field.range)) }
        for index in field.firstExternal..<field.firstExternal + field.externalCount
        where externals.indices.contains(index) {
            externalUses.append((externals[index].name, program, field.range))
        }
        return true
    }

    // MARK: Texts that are parsed again

    /// Parses and walks a text that a shell reads, in the current state.
    mutating func reparse(_ text: [UInt8], _ origin: Origin, via step: String?) {
        guard !isExhausted else { return }
        reparseBudget -= text.count + 16
        depth += 1
        defer { depth -= 1 }
        guard reparseBudget >= 0, depth <= limits.maxDepth else {
            isExhausted = true
            let bound = reparseBudget < 0 ? "text that is parsed again" : "nesting depth"
            return report(.limit(bound), origin.range(0, text.count))
        }
        guard !text.contains(0) else { return report(.invalidText, origin.range(0, text.count)) }
        let outer = via
        if let step { via.append(step) }
        walk(text: text, origin: origin)
        via = outer
    }

    /// Where the text of a field stands.
    func origin(_ field: Field) -> Origin {
        guard field.base >= 0 else {
            return Origin(base: field.range.lowerBound, isExact: false, length: field.range.count)
        }
        return Origin(base: field.base, isExact: true, length: field.end - field.start)
    }

    /// Analyses a field as text for a new shell; the new shell shares no constant with this one.
    mutating func runText(_ field: Field, by step: String) {
        var field = field
        if field.isDynamic, field.holdsFileName {
            nameTexts.append((step, field.range))
        } else if field.externalCount > 0, !field.listsFileNames, accepts(field, by: step) {
            field = withReferences(field)
        } else if field.isDynamic {
            return report(.dynamicScript(step), field.range)
        }
        let outer = state
        state.forgetVariables()
        state.functions = []
        reparse(Array(bytes(field)), origin(field), via: step)
        state = outer
        lastOutput = nil
    }

    /// The text of a field with `${name}` where values from outside stand.
    mutating func withReferences(_ field: Field) -> Field {
        var text: [UInt8] = []
        var position = field.start
        for external in externals[field.firstExternal..<field.firstExternal + field.externalCount] {
            guard external.offset >= position, external.offset <= field.end else { continue }
            text += pool[position..<external.offset]
            text += Array("${\(external.name)}".utf8)
            position = external.offset
        }
        text += pool[position..<field.end]
        return makeField(text, like: field)
    }

    /// Runs words that a program starts directly, without a shell.
    mutating func runWrapped(_ fields: ArraySlice<Field>, by step: String) {
        guard let first = fields.first else { return }
        guard first.isLiteral, first.start < first.end else {
            return report(.dynamicArguments(step), first.range)
        }
        let outer = via
        via.append(step)
        run(fields, isShell: false)
        via = outer
        lastOutput = nil
    }

    /// Splits a field at blanks and runs the words: what programs do that take `COMMAND ARGUMENTS` in one option.
    mutating func runSplit(_ field: Field, by step: String) {
        // A text that a program splits itself reads like a shell's text, at most with fewer meanings.
        runText(field, by: step)
    }
}

extension Walker {
    /// Records the operands of a program as files.
    mutating func addFileOperands(_ name: String, _ entry: ProgramTable.Entry, _ fields: ArraySlice<Field>) {
        let arguments = fields.dropFirst()
        guard !arguments.isEmpty else { return }
        let step = via + [name]
        var operands: [Field] = []
        var isRest = false
        for field in arguments {
            let text = bytes(field)
            if !isRest, text.first == Byte.minus, text.count > 1 {
                if text.elementsEqual([Byte.minus, Byte.minus]) { isRest = true }
                addAttachedPath(field, step)
            } else {
                operands.append(field)
            }
        }
        switch entry.files {
        case .none: for field in operands { addOperand(field, .unknown, via: step) }
        case .read: for field in operands { addOperand(field, .read, via: step, isCertain: true) }
        case .write: for field in operands { addOperand(field, .write, via: step, isCertain: true) }
        case .delete: for field in operands { addOperand(field, .delete, via: step, isCertain: true) }
        case .readBehindFirst:
            for field in operands.dropFirst() { addOperand(field, .read, via: step, isCertain: true) }
        case .copy, .move:
            let operation: FileOperand.Operation = entry.files == .move ? .delete : .read
            for field in operands.dropLast() { addOperand(field, operation, via: step, isCertain: true) }
            if let last = operands.last { addOperand(last, .write, via: step, isCertain: true) }
        case .assignments:
            for field in operands {
                let text = bytes(field)
                guard let equals = text.firstIndex(of: Byte.equals) else { continue }
                let value = piece(of: field, from: equals + 1)
                if text.starts(with: "if=".utf8) { addOperand(value, .read, via: step, isCertain: true) }
                if text.starts(with: "of=".utf8) { addOperand(value, .write, via: step, isCertain: true) }
            }
        }
        if entry.files == .write || entry.files == .copy || entry.files == .move, let last = operands.last {
            noteProduced(string(last))
        }
    }

    /// `--file=/path` and `-o/path`.
    private mutating func addAttachedPath(_ field: Field, _ step: [String]) {
        let text = bytes(field)
        guard let slash = text.firstIndex(of: Byte.slash) else { return }
        let start = text.firstIndex(of: Byte.equals).map { $0 < slash ? $0 + 1 : slash } ?? slash
        addOperand(piece(of: field, from: start), .unknown, via: step)
    }
}
