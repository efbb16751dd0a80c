extension Walker {
    /// Walks a simple command: words, redirections and assignments, then what they run.
    mutating func walkSimple(_ node: Node, _ source: Source) {
        let mark = pool.count
        defer { pool.removeSubrange(mark...) }
        var fields: [Field] = []
        var declared: [Index] = []
        var word = node.second
        while word != .none, !isExhausted {
            let entry = source.tree[word: word]
            if entry.flags.contains(.compound) {
                declared.append(entry.part)
            } else {
                evaluate(word, source, into: &fields)
            }
            word = entry.next
        }
        guard !isExhausted else { return }
        let outer = state
        let hidesOutput = node.redirect != .none && applyRedirects(node, source)
        lastOutput = nil
        if node.second == .none {
            lastOutput = []
            state.input = outer.input
            walkAssignments(node, source, isPrefix: false)
            return
        }
        walkAssignments(node, source, isPrefix: true)
        for index in declared { walkAssignment(source.tree.assignments[Int(index)], source, isExported: false) }
        if fields.isEmpty {
            // Every word may have vanished: what is left decides, and that is nothing that is known.
            return report(.dynamicCommand, source.range(node.start, node.end))
        }
        runWithAliases(fields[...])
        state.input = lastingInput ?? outer.input
        lastingInput = nil
        if hidesOutput { lastOutput = nil }
        if node.first != .none { restorePrefixes(node, source, outer) }
    }

    /// Puts back variables that were set for one command only. After a builtin or a function they may stay.
    private mutating func restorePrefixes(_ node: Node, _ source: Source, _ outer: ShellState) {
        var index = node.first
        while index != .none {
            let assignment = source.tree.assignments[Int(index)]
            let name = source.string(assignment.nameStart, assignment.nameEnd)
            state.set(name, to: .unknown)
            if let value = outer.value(of: name), value == self.value(of: name) { state.set(name, to: value) }
            index = assignment.next
        }
    }

    // MARK: Assignments

    private mutating func walkAssignments(_ node: Node, _ source: Source, isPrefix: Bool) {
        var index = node.first
        while index != .none {
            let assignment = source.tree.assignments[Int(index)]
            walkAssignment(assignment, source, isExported: isPrefix)
            index = assignment.next
        }
    }

    /// Walks `NAME=value` in front of a command, alone, or as an argument of `declare`.
    mutating func walkAssignment(_ assignment: Assignment, _ source: Source, isExported: Bool) {
        let name = source.string(assignment.nameStart, assignment.nameEnd)
        let range = source.range(assignment.start, assignment.end)
        if assignment.hasSubscript { walkSubscript(assignment.subscriptPart, source) }
        if assignment.isArray {
            let mark = pool.count
            var fields: [Field] = []
            var word = assignment.word
            while word != .none {
                evaluate(word, source, into: &fields)
                word = source.tree[word: word].next
            }
            for field in fields where field.isLiteral && bytes(field).first == Byte.openBracket {
                noteVariableName(.constant(Array(bytes(field))), field.range, "an array subscript")
            }
            pool.removeSubrange(mark...)
            return assign(name, to: .unknown, range: range)
        }
        var value = scalar(ofWord: assignment.word, source)
        if assignment.hasSubscript {
            value = .unknown
        } else if assignment.isAppending {
            value = appended(name, value)
        }
        assign(name, to: value, range: range)
        noteValue(name, value, range)
    }

    private func appended(_ name: String, _ value: Value) -> Value {
        guard case .constant(let old) = self.value(of: name), case .constant(let new) = value else { return .unknown }
        guard old.count + new.count <= limits.maxInputBytes / 16 else { return .unknown }
        return .constant(old + new)
    }

    /// Whether an assignment stores a number, by its text alone.
    func isNumeric(_ assignment: Assignment, _ source: Source) -> Bool {
        guard !assignment.isArray, !assignment.hasSubscript, assignment.word != .none else { return false }
        let word = source.tree[word: assignment.word]
        guard word.part != .none else { return false }
        let part = source.tree[part: word.part]
        guard part.next == .none else { return false }
        switch part.kind {
        case .arithmetic: return true
        case .literal:
            return source.text[Int(part.start)..<Int(part.end)].allSatisfy { Byte.isDigit($0) }
        default: return false
        }
    }

    func isNumeric(_ value: Value) -> Bool {
        switch value {
        case .number: true
        case .constant(let bytes): !bytes.isEmpty && bytes.allSatisfy { Byte.isDigit($0) }
        case .unknown: false
        }
    }

    /// Stores a value, and looks at what the name means to shells and programs.
    mutating func assign(_ name: String, to value: Value, range: Range<Int>) {
        if Hazards.isEvaluatedNumber(name) { noteOperand(value, range) }
        state.set(name, to: value)
        hidden.noteAssignment(name, value)
        checkHazard(name, value, range)
    }

    /// A folder in a variable is a path operand like any other.
    private mutating func noteValue(_ name: String, _ value: Value, _ range: Range<Int>) {
        guard case .constant(let bytes) = value, bytes.first == Byte.slash, !Hazards.isKnown(name) else { return }
        addPath(bytes, .unknown, range)
    }

    // MARK: Redirections

    /// Evaluates the redirections of a command and sets what it reads.
    /// - Returns: Whether descriptor 1 goes elsewhere.
    @discardableResult
    mutating func applyRedirects(_ node: Node, _ source: Source) -> Bool {
        var hidesOutput = false
        var index = node.redirect
        while index != .none, !isExhausted {
            let redirect = source.tree.redirects[Int(index)]
            let descriptor = source.text[Int(redirect.descriptorStart)..<Int(redirect.descriptorEnd)]
            let isInput = applyRedirect(redirect, source)
            switch redirect.kind {
            case .output, .append, .clobber, .duplicateOutput, .bothOutput, .bothAppend:
                if descriptor.isEmpty || descriptor.elementsEqual([UInt8(ascii: "1")]) { hidesOutput = true }
            default:
                if descriptor.isEmpty || descriptor.elementsEqual([Byte.zero]) { state.input = isInput }
            }
            index = redirect.next
        }
        return hidesOutput
    }

    private mutating func applyRedirect(_ redirect: Redirect, _ source: Source) -> Input {
        let word = source.tree[word: redirect.target]
        let range = source.range(word.start, word.end)
        switch redirect.kind {
        case .hereDocument, .hereDocumentStripped:
            guard case .constant(let text) = scalar(ofParts: redirect.body, source, isQuoted: true) else {
                return .unknown
            }
            return makeInput(text, documentOrigin(redirect, text.count, source, range))
        case .hereString:
            guard case .constant(let text) = scalar(ofWord: redirect.target, source) else { return .unknown }
            let base = exactBase(word, source)
            let start = base >= 0 ? base : range.lowerBound
            return makeInput(text, Origin(base: start, isExact: base >= 0, length: range.count))
        default: break
        }
        let mark = pool.count
        defer { pool.removeSubrange(mark...) }
        var fields: [Field] = []
        evaluate(redirect.target, source, into: &fields)
        guard fields.count == 1, let field = fields.first else { return .unknown }
        if field.capture >= 0, let text = captures[field.capture] {
            return makeInput(text, Origin(base: range.lowerBound, isExact: false, length: range.count))
        }
        guard !field.isDynamic else { return .unknown }
        switch redirect.kind {
        case .duplicateInput, .duplicateOutput:
            if bytes(field).allSatisfy({ Byte.isDigit($0) || $0 == Byte.minus }) { return .unknown }
            addOperand(field, .write, via: [], isCertain: true)
        case .input:
            addOperand(field, .read, via: [], isCertain: true)
            if string(field) == "/dev/null" { return makeInput([], Origin(base: 0, isExact: false, length: 0)) }
        default:
            addOperand(field, .write, via: [], isCertain: true)
            noteProduced(string(field))
        }
        return .unknown
    }

    private func documentOrigin(
        _ redirect: Redirect, _ count: Int, _ source: Source, _ range: Range<Int>
    ) -> Origin {
        guard source.origin.isExact, redirect.body != .none else {
            return Origin(base: range.lowerBound, isExact: false, length: range.count)
        }
        let part = source.tree[part: redirect.body]
        guard part.next == .none, Int(part.end - part.start) == count else {
            return Origin(base: range.lowerBound, isExact: false, length: range.count)
        }
        return Origin(base: source.origin.base + Int(part.start), isExact: true, length: count)
    }

    // MARK: Files

    /// Records a path that an operand names.
    /// - Parameter isCertain: Whether the word names a file even without a slash in it.
    mutating func addOperand(
        _ field: Field, _ operation: FileOperand.Operation, via: [String], isCertain: Bool = false
    ) {
        guard !field.isDynamic else { return }
        let text = bytes(field)
        guard let first = text.first, isCertain || text.contains(Byte.slash) || field.hasTilde else { return }
        let path = first == Byte.tilde && !field.hasTilde ? "./" + string(field) : string(field)
        analysis.files.append(
            FileOperand(
                path: path, directory: state.directory, operation: operation, range: field.range, via: via,
                isPattern: field.isPattern))
    }

    mutating func addPath(_ text: [UInt8], _ operation: FileOperand.Operation, _ range: Range<Int>) {
        guard !text.isEmpty, text.contains(Byte.slash) else { return }
        analysis.files.append(
            FileOperand(
                path: String(decoding: text, as: UTF8.self), directory: state.directory, operation: operation,
                range: range, via: via))
    }

    /// Remembers a file that this text makes, so that running it later is not taken for a known program.
    mutating func noteProduced(_ path: String) {
        let folder = path.hasPrefix("/") ? "" : state.directory ?? "unknown/.git"
        if "\(folder)/\(path)/".contains(token: "/.git/") { pendingHazards.append(("a file of git's", 0..<0)) }
        guard producedFiles.count < 256 else { return }
        producedFiles.append(lastComponent(of: path))
    }
}
