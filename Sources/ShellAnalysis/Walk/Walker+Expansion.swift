extension Walker {
    /// Turns the parts of a word into atoms; walks every substitution among them.
    mutating func collectAtoms(_ first: Index, _ source: Source, isQuoted: Bool, into atoms: inout [Atom]) {
        let mark: Atom = isQuoted ? .quoted : 0
        var index = first
        while index != .none, !isExhausted {
            let part = source.tree[part: index]
            analysis.stepCount += 1
            switch part.kind {
            case .literal:
                for byte in source.text[Int(part.start)..<Int(part.end)] { atoms.append(Atom(byte) | mark) }
            case .escaped, .single:
                if part.start == part.end { atoms.append(.empty) }
                for byte in source.text[Int(part.start)..<Int(part.end)] { atoms.append(Atom(byte) | .quoted) }
            case .ansiC:
                atoms.append(.empty)
                AnsiQuote.decode(source.text[Int(part.start)..<Int(part.end)], into: &atoms)
            case .double:
                let before = atoms.count
                collectAtoms(part.child, source, isQuoted: true, into: &atoms)
                if atoms.count == before, !isOnlyAt(part.child, source) { atoms.append(.empty) }
            case .parameter: collectParameter(part, source, isQuoted: isQuoted, into: &atoms)
            case .command: collectSubstitution(part, source, isQuoted: isQuoted, into: &atoms)
            case .backquote: collectBackquote(part, source, isQuoted: isQuoted, into: &atoms)
            case .arithmetic:
                walkArithmetic(part.child, source)
                atoms.append(.number)
            case .processInput, .processOutput: collectProcess(part, source, into: &atoms)
            case .pattern:
                var inner: [Atom] = []
                collectAtoms(part.child, source, isQuoted: isQuoted, into: &inner)
                atoms.append(.pattern)
            }
            index = part.next
        }
    }

    private func isOnlyAt(_ index: Index, _ source: Source) -> Bool {
        index != .none && source.tree[part: index].kind == .parameter && source.tree[part: index].next == .none
    }

    /// Appends known text that came out of an expansion.
    private mutating func append(_ bytes: [UInt8], isQuoted: Bool, into atoms: inout [Atom]) {
        if isQuoted {
            atoms.append(.empty)
            for byte in bytes { atoms.append(Atom(byte) | .quoted) }
        } else if changesIFS, !bytes.isEmpty {
            atoms.append(.unknownFields)
        } else {
            for byte in bytes { atoms.append(Atom(byte) | .expanded) }
        }
    }

    private mutating func appendUnknown(isQuoted: Bool, into atoms: inout [Atom]) {
        atoms.append(isQuoted ? .unknown : .unknownFields)
    }

    // MARK: Substitutions

    private mutating func collectSubstitution(
        _ part: Part, _ source: Source, isQuoted: Bool, into atoms: inout [Atom]
    ) {
        let output = walkSubstitution(part.child, source) ?? workingFolder(part.child, source)
        if var output {
            while output.last == Byte.newline { output.removeLast() }
            append(output, isQuoted: isQuoted, into: &atoms)
        } else if givesNumber(part.child, source) {
            atoms.append(.number)
        } else if let kind = tameOutput(part.child, source) {
            atoms.append(kind)
        } else {
            appendUnknown(isQuoted: isQuoted, into: &atoms)
        }
    }

    /// What `pwd` prints, when the substitution is that and the folder is known.
    private func workingFolder(_ list: Index, _ source: Source) -> [UInt8]? {
        guard list != .none, let directory = state.directory else { return nil }
        let index = source.tree[node: list].first
        guard index != .none, source.tree[node: index].kind == .simple else { return nil }
        let node = source.tree[node: index]
        guard node.next == .none, node.first == .none, node.redirect == .none, node.second != .none else { return nil }
        let word = source.tree[word: node.second]
        guard word.next == .none, source.string(word.start, word.end) == "pwd", !definesFunction("pwd", source) else {
            return nil
        }
        return Array(directory.utf8)
    }

    /// Whether a substitution gives one harmless word, or names of files; `nil` for anything else.
    private func tameOutput(_ list: Index, _ source: Source) -> Atom? {
        guard list != .none else { return nil }
        let index = source.tree[node: list].first
        guard index != .none else { return nil }
        let node = source.tree[node: index]
        guard node.next == .none, node.kind == .simple, node.first == .none, node.second != .none else { return nil }
        if FileNames.isGiven(by: index, source, hasNames: false) { return .fileNames }
        var words: [String] = []
        var word = node.second
        while word != .none, words.count < 8 {
            let entry = source.tree[word: word]
            if !entry.flags.isDisjoint(with: [.expansion, .glob, .brace]) { return nil }
            words.append(source.string(entry.start, entry.end))
            word = entry.next
        }
        guard NumericPrograms.givesWord(words), !definesFunction(words[0], source) else { return nil }
        return .tame
    }

    /// Walks the list of a substitution in a shell of its own.
    /// - Returns: What it writes, when that is known.
    private mutating func walkSubstitution(_ list: Index, _ source: Source) -> [UInt8]? {
        let outer = state
        lastOutput = nil
        walk(list, source)
        state = outer
        let output = lastOutput
        lastOutput = nil
        return output
    }

    private mutating func collectBackquote(
        _ part: Part, _ source: Source, isQuoted: Bool, into atoms: inout [Atom]
    ) {
        let raw = source.text[Int(part.start)..<Int(part.end)]
        var text: [UInt8] = []
        text.reserveCapacity(raw.count)
        var index = raw.startIndex
        while index < raw.endIndex {
            var byte = raw[index]
            if byte == Byte.backslash, index + 1 < raw.endIndex {
                let next = raw[index + 1]
                if next == Byte.backquote || next == Byte.backslash || next == Byte.dollar
                    || isQuoted && next == Byte.doubleQuote
                {
                    index += 1
                    byte = next
                }
            }
            text.append(byte)
            index += 1
        }
        let range = source.range(part.start, part.end)
        let isExact = source.origin.isExact && text.count == raw.count
        let origin = Origin(base: range.lowerBound, isExact: isExact, length: range.count)
        let outer = state
        lastOutput = nil
        reparse(text, origin, via: nil)
        let output = lastOutput
        state = outer
        lastOutput = nil
        // Only the empty substitution and pwd are followed: else the output would be that of the last command.
        if text.elementsEqual("pwd".utf8), let directory = state.directory, !hidden.functionNames.contains("pwd") {
            append(Array(directory.utf8), isQuoted: isQuoted, into: &atoms)
        } else if let output, text.allSatisfy({ Byte.isBlank($0) || $0 == Byte.newline }) {
            append(output, isQuoted: isQuoted, into: &atoms)
        } else if let kind = tameText(text) {
            atoms.append(kind)
        } else {
            appendUnknown(isQuoted: isQuoted, into: &atoms)
        }
    }

    /// As for `$(…)`, for the text between backquotes.
    private func tameText(_ text: [UInt8]) -> Atom? {
        guard hidden.functionNames.isEmpty else { return nil }
        var parser = Parser(text: text, depth: depth, limits: limits, recordsExtensions: false)
        do {
            try parser.parseScript()
        } catch {
            return nil
        }
        guard parser.tree.root != .none, parser.tree[node: parser.tree.root].next == .none else { return nil }
        var tree = parser.tree
        var list = Node(kind: .list, start: 0)
        list.first = tree.root
        tree.nodes.append(list)
        let source = Source(text: text, tree: tree, origin: Origin(base: 0, isExact: false, length: 0))
        return tameOutput(Index(tree.nodes.count - 1), source)
    }

    private mutating func collectProcess(_ part: Part, _ source: Source, into atoms: inout [Atom]) {
        let outer = state
        if part.kind == .processOutput { state.input = .unknown }
        lastOutput = nil
        walk(part.child, source)
        captures.append(part.kind == .processInput ? lastOutput : nil)
        state = outer
        lastOutput = nil
        guard captures.count < 0x8000 else {
            isExhausted = true
            return report(.limit("process substitutions"), source.range(part.start, part.end))
        }
        atoms.append(.capture + Atom(captures.count - 1))
    }

    /// Whether a substitution certainly gives nothing but a number.
    private func givesNumber(_ list: Index, _ source: Source) -> Bool {
        guard list != .none else { return false }
        var index = source.tree[node: list].first
        guard index != .none, source.tree[node: index].next == .none else { return false }
        if source.tree[node: index].kind == .pipeline {
            index = source.tree[node: index].first
            while source.tree[node: index].next != .none { index = source.tree[node: index].next }
        }
        let node = source.tree[node: index]
        guard node.kind == .simple, node.second != .none, node.first == .none else { return false }
        var words: [String] = []
        var word = node.second
        while word != .none {
            let entry = source.tree[word: word]
            guard !entry.flags.contains(.glob), words.count < 8 else { return false }
            let plain = entry.flags.contains(.expansion) ? "$" : source.string(entry.start, entry.end)
            words.append(plain)
            word = entry.next
        }
        return NumericPrograms.givesNumber(words) && !definesFunction(words[0], source)
    }

    /// Whether a text defines a function of a name anywhere.
    private func definesFunction(_ name: String, _ source: Source) -> Bool {
        if hidden.functionNames.contains(name) { return true }
        return source.tree.nodes.contains {
            $0.kind == .function && source.string($0.nameStart, $0.nameEnd) == name
        }
    }

    // MARK: Parameters

    private mutating func collectParameter(
        _ part: Part, _ source: Source, isQuoted: Bool, into atoms: inout [Atom]
    ) {
        let parameter = source.tree.parameters[Int(part.child)]
        let range = source.range(part.start, part.end)
        let name = source.string(parameter.nameStart, parameter.nameEnd)
        if parameter.hasSubscript { walkSubscript(parameter.subscriptPart, source) }
        if parameter.isIndirect, parameter.operation != .names {
            noteEvaluation(of: name, range, "an indirect expansion")
        }
        switch parameter.operation {
        case .invalid:
            report(.unsupported("a form of ${…}"), range)
        case .transform:
            let word = parameter.word == .none ? nil : source.tree[word: parameter.word]
            if let word, source.text[Int(word.start)..<Int(word.end)].contains(UInt8(ascii: "P")) {
                report(.hiddenEvaluation("${…@P}"), range)
            }
        case .substring:
            if parameter.word != .none { walkArithmetic(source.tree[word: parameter.word].part, source) }
        case .length:
            atoms.append(.number)
            return
        case .none where !parameter.hasSubscript && !parameter.isIndirect:
            return appendValue(of: name, isQuoted: isQuoted, into: &atoms)
        case .assignDefault:
            let value = scalar(ofWord: parameter.word, source)
            let joined: Value = state.value(of: name) == value ? value : .unknown
            assign(name, to: joined, range: range)
        case .useDefault, .alternative, .fail:
            return collectDefault(parameter, name, source, isQuoted: isQuoted, into: &atoms)
        default:
            if parameter.word != .none { _ = scalar(ofWord: parameter.word, source) }
        }
        appendUnknown(isQuoted: isQuoted, into: &atoms)
    }

    /// `${x:-word}` and its like: followed where the variable is known.
    private mutating func collectDefault(
        _ parameter: Parameter, _ name: String, _ source: Source, isQuoted: Bool, into atoms: inout [Atom]
    ) {
        let value = parameter.hasSubscript || parameter.isIndirect ? Value.unknown : self.value(of: name)
        let word = scalar(ofWord: parameter.word, source)
        switch (value, parameter.operation, word) {
        case (.constant(let bytes), .useDefault, _) where !bytes.isEmpty,
            (.constant(let bytes), .fail, _) where !bytes.isEmpty:
            append(bytes, isQuoted: isQuoted, into: &atoms)
        case (.constant(let bytes), .alternative, .constant(let other)) where !bytes.isEmpty:
            append(other, isQuoted: isQuoted, into: &atoms)
        case (.unknown, .useDefault, .constant(let other)), (.unknown, .fail, .constant(let other)):
            let isHarmless =
                parameter.operation == .fail
                || other.first != Byte.minus
                    && !other.contains { Byte.isBlank($0) || $0 == Byte.newline }
            guard isHarmless, !parameter.hasSubscript, !parameter.isIndirect, state.value(of: name) == nil,
                externals.count < 0x7ff
            else { return appendUnknown(isQuoted: isQuoted, into: &atoms) }
            atoms.append(.external + Atom(externals.count))
            externals.append((name, isQuoted && name != "@", 0))
        default: appendUnknown(isQuoted: isQuoted, into: &atoms)
        }
    }

    /// What is known of a variable at this point.
    func value(of name: String) -> Value {
        if hidden.anythingIsUnsafe { return .unknown }
        if let value = state.value(of: name) { return value }
        switch name {
        case "?", "#", "$", "!", "LINENO", "RANDOM", "SECONDS", "UID", "EUID", "PPID", "BASHPID", "SHLVL":
            return .number
        case "PWD":
            return state.directory.map { .constant(Array($0.utf8)) } ?? .unknown
        case "HOME":
            return context.environment[name].map { .constant(Array($0.utf8)) } ?? .unknown
        default: return .unknown
        }
    }

    private mutating func appendValue(of name: String, isQuoted: Bool, into atoms: inout [Atom]) {
        switch value(of: name) {
        case .constant(let bytes): append(bytes, isQuoted: isQuoted, into: &atoms)
        case .number: atoms.append(.number)
        case .unknown:
            // "$@" may be no field or several even inside quotes.
            let isOneField = isQuoted && name != "@"
            guard state.value(of: name) == nil, externals.count < 0x7ff else {
                return appendUnknown(isQuoted: isOneField, into: &atoms)
            }
            atoms.append(.external + Atom(externals.count))
            externals.append((name, isOneField, 0))
        }
    }

    // MARK: Arithmetic

    /// Walks an expression: its substitutions run, and the variables it names are evaluated.
    mutating func walkArithmetic(_ first: Index, _ source: Source) {
        var index = first
        while index != .none, !isExhausted {
            let part = source.tree[part: index]
            let range = source.range(part.start, part.end)
            switch part.kind {
            case .literal, .escaped, .single:
                noteNames(source.text[Int(part.start)..<Int(part.end)], range)
            case .double: walkArithmetic(part.child, source)
            case .parameter: walkArithmeticParameter(part, source, range)
            default:
                var atoms: [Atom] = []
                collectAtomsOfOne(part, source, into: &atoms)
                if atoms.contains(.unknown) || atoms.contains(.unknownFields) {
                    report(.hiddenEvaluation("arithmetic"), range)
                }
                let bytes = atoms.filter { $0 < .unknown }.map { UInt8(truncatingIfNeeded: $0) }
                if Self.mayEvaluate(bytes) { report(.hiddenEvaluation("arithmetic"), range) }
                noteNames(bytes[...], range)
            }
            index = part.next
        }
    }

    private mutating func collectAtomsOfOne(_ part: Part, _ source: Source, into atoms: inout [Atom]) {
        switch part.kind {
        case .command: collectSubstitution(part, source, isQuoted: true, into: &atoms)
        case .backquote: collectBackquote(part, source, isQuoted: true, into: &atoms)
        case .arithmetic: walkArithmetic(part.child, source)
        case .ansiC: AnsiQuote.decode(source.text[Int(part.start)..<Int(part.end)], into: &atoms)
        case .processInput, .processOutput: collectProcess(part, source, into: &atoms)
        default: break
        }
    }

    private mutating func walkArithmeticParameter(_ part: Part, _ source: Source, _ range: Range<Int>) {
        let parameter = source.tree.parameters[Int(part.child)]
        let name = source.string(parameter.nameStart, parameter.nameEnd)
        var atoms: [Atom] = []
        collectParameter(part, source, isQuoted: true, into: &atoms)
        if atoms.allSatisfy({ $0 == .number || $0 == .empty || isDigitAtom($0) }) { return }
        if let first = name.utf8.first, Byte.beginsName(first) {
            noteEvaluation(of: name, range, "arithmetic")
            if parameter.word != .none, parameter.operation != .length {
                report(.hiddenEvaluation("arithmetic"), range)
            }
        } else {
            report(.hiddenEvaluation("arithmetic"), range)
        }
    }

    private func isDigitAtom(_ atom: Atom) -> Bool {
        atom < .unknown && Byte.isDigit(UInt8(truncatingIfNeeded: atom))
    }

    /// Notes every variable that an expression names, and sets those that it assigns.
    mutating func noteNames(_ text: ArraySlice<UInt8>, _ range: Range<Int>) {
        var index = text.startIndex
        var afterIncrement = false
        while index < text.endIndex {
            let byte = text[index]
            guard Byte.beginsName(byte) else {
                afterIncrement =
                    index + 1 < text.endIndex && text[index + 1] == byte
                    && (byte == Byte.plus || byte == Byte.minus)
                index += afterIncrement ? 2 : 1
                if Byte.isDigit(byte) {
                    while index < text.endIndex, Byte.continuesName(text[index]) { index += 1 }
                }
                continue
            }
            let start = index
            while index < text.endIndex, Byte.continuesName(text[index]) { index += 1 }
            let name = String(decoding: text[start..<index], as: UTF8.self)
            noteEvaluation(of: name, range, "arithmetic")
            if afterIncrement || writes(text[index...]) { assign(name, to: .number, range: range) }
            afterIncrement = false
        }
    }

    /// Whether the operator behind a name writes it.
    private func writes(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text.drop { Byte.isBlank($0) }
        guard let first = rest.popFirst() else { return false }
        let second = rest.first ?? 0
        switch first {
        case Byte.equals: return second != Byte.equals
        case Byte.plus, Byte.minus: return second == first || second == Byte.equals
        case Byte.star, Byte.slash, Byte.percent, Byte.ampersand, Byte.pipe, Byte.caret, Byte.less, Byte.greater:
            return second == Byte.equals && first != Byte.less && first != Byte.greater || second == first
        default: return false
        }
    }

    /// Remembers that the value of a variable is evaluated here.
    mutating func noteEvaluation(of name: String, _ range: Range<Int>, _ what: String) {
        guard let first = name.utf8.first, Byte.beginsName(first) else {
            if first(isPositional: name) { report(.hiddenEvaluation(what), range) }
            return
        }
        hidden.noteUse(name, range, what)
    }

    private func first(isPositional name: String) -> Bool {
        switch name {
        case "#", "?", "$", "!": false
        default: true
        }
    }

    /// Walks a subscript: arithmetic, unless it is `@` or `*`.
    mutating func walkSubscript(_ part: Index, _ source: Source) {
        guard part != .none else { return }
        let piece = source.tree[part: part]
        if piece.next == .none, piece.end - piece.start == 1, piece.kind == .literal {
            let byte = source.text[Int(piece.start)]
            if byte == Byte.at || byte == Byte.star { return }
        }
        walkArithmetic(part, source)
    }

    // MARK: [[ ]]

    /// Walks `[[ … ]]`.
    mutating func walkTest(_ node: Node, _ source: Source) {
        var index = node.first
        var operation = ""
        var left = Value.constant([])
        while index != .none, !isExhausted {
            let word = source.tree[word: index]
            let range = source.range(word.start, word.end)
            if word.flags.contains(.isOperator) {
                operation = source.string(word.start, word.end)
                if ArithmeticTests.contains(operation) { noteOperand(left, range) }
            } else {
                let value = scalar(ofWord: index, source)
                if ArithmeticTests.contains(operation) { noteOperand(value, range) }
                if operation == "-v" || operation == "-R" { noteVariableName(value, range, "[[ -v ]]") }
                if operation.utf8.count == 2, ArithmeticTests.isFileTest(operation), case .constant(let path) = value {
                    addPath(path, .read, range)
                }
                operation = ""
                left = value
            }
            index = word.next
        }
    }

    /// Whether text holds what an arithmetic evaluation would expand.
    static func mayEvaluate(_ bytes: [UInt8]) -> Bool {
        bytes.contains { $0 == Byte.openBracket || $0 == Byte.dollar || $0 == Byte.backquote }
    }

    /// An operand that is evaluated as arithmetic.
    mutating func noteOperand(_ value: Value, _ range: Range<Int>) {
        switch value {
        case .number: break
        case .unknown: report(.hiddenEvaluation("an arithmetic comparison"), range)
        case .constant(let bytes):
            if Self.mayEvaluate(bytes) { return report(.hiddenEvaluation("an arithmetic comparison"), range) }
            noteNames(bytes[...], range)
        }
    }

    /// A word that names a variable, whose subscript would be evaluated.
    mutating func noteVariableName(_ value: Value, _ range: Range<Int>, _ what: String) {
        switch value {
        case .number: break
        case .unknown: report(.hiddenEvaluation(what), range)
        case .constant(let bytes):
            guard let open = bytes.firstIndex(of: Byte.openBracket) else { return }
            let inner = bytes[(open + 1)...]
            if inner.contains(Byte.dollar) || inner.contains(Byte.backquote) || inner.contains(Byte.openBracket) {
                report(.hiddenEvaluation(what), range)
            } else {
                noteNames(inner, range)
            }
        }
    }
}

/// Operators of `[[ ]]` by what they do with their operands.
enum ArithmeticTests {
    static func contains(_ operation: String) -> Bool {
        switch operation {
        case "-eq", "-ne", "-lt", "-le", "-gt", "-ge": true
        default: false
        }
    }

    static func isFileTest(_ operation: String) -> Bool {
        guard operation.utf8.count == 2, let letter = operation.utf8.last else { return false }
        return "abcdefghkprsuwxGLNOS".utf8.contains(letter)
    }
}

/// Programs whose output is one number and nothing else, when they are used as here.
enum NumericPrograms {
    /// - Parameter words: The words as written; `$` for one that holds an expansion.
    static func givesNumber(_ words: [String]) -> Bool {
        switch words[0] {
        case "nproc": true
        case "id": words.count == 2 && (words[1] == "-u" || words[1] == "-g")
        case "wc": words.count == 2 && words[1].utf8.first == Byte.minus
        case "date":
            words.count(where: { isNumericFormat(unquoted($0)) }) == 1
                && words.allSatisfy { $0 != "$" && !($0.contains(token: "+") && !isNumericFormat(unquoted($0))) }
        case "grep": words.count == 3 && words[1] == "-c"
        case "seq": words.count >= 2 && words.dropFirst().allSatisfy { Int($0) != nil }
        case "stat": words.count == 4 && words[1] == "-c" && (words[2] == "%s" || words[2] == "%Y")
        default: false
        }
    }

    /// Whether the output is one word that begins with no minus and that the text does not choose.
    static func givesWord(_ words: [String]) -> Bool {
        switch words[0] {
        case "hostname", "whoami", "uname", "nproc", "arch", "tty", "logname":
            return words.dropFirst().allSatisfy { $0.hasPrefix("-") && $0.utf8.count == 2 && $0 != "-I" && $0 != "-a" }
        case "which":
            return words.count == 2
                && words[1].utf8.allSatisfy { Byte.continuesName($0) || $0 == Byte.minus || $0 == Byte.dot }
        case "date":
            let formats = words.filter { unquoted($0).hasPrefix("+") }
            return formats.count == 1 && formats.allSatisfy { isWordFormat(unquoted($0)) }
        default: return false
        }
    }

    /// A date format that begins with a directive and gives no blank.
    private static func isWordFormat(_ word: String) -> Bool {
        var bytes = word.utf8.dropFirst()
        guard bytes.first == Byte.percent else { return false }
        while let byte = bytes.popFirst() {
            if byte == Byte.percent {
                guard let directive = bytes.popFirst(), "YmdHMSjsyuFTNIpVGgZabBA".utf8.contains(directive) else {
                    return false
                }
            } else if !Byte.continuesName(byte), byte != Byte.minus, byte != Byte.dot, byte != Byte.colon {
                return false
            }
        }
        return true
    }

    private static func unquoted(_ word: String) -> String {
        String(decoding: word.utf8.filter { $0 != Byte.singleQuote && $0 != Byte.doubleQuote }, as: UTF8.self)
    }

    private static func isNumericFormat(_ word: String) -> Bool {
        switch word {
        case "+%s", "+%Y", "+%m", "+%d", "+%H", "+%M", "+%S", "+%j", "+%u", "+%Y%m%d", "+%N", "+%s%N", "+%y": true
        default: false
        }
    }
}
