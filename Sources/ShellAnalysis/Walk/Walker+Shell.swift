extension Walker {
    /// Analyses a shell that is started with arguments: its text, its script, or what it reads.
    mutating func runShell(_ name: String, _ fields: ArraySlice<Field>) {
        var rest = fields.dropFirst()
        var takesText = false
        var readsInput = false
        while let field = rest.first {
            guard field.isLiteral else {
                if takesText { break }
                return readScript(name, field)
            }
            let text = bytes(field)
            guard let sign = text.first, sign == Byte.minus || sign == Byte.plus, text.count > 1 else {
                if text.elementsEqual([Byte.minus]) { rest = rest.dropFirst() }
                break
            }
            rest = rest.dropFirst()
            if text.elementsEqual([Byte.minus, Byte.minus]) { break }
            if text.starts(with: [Byte.minus, Byte.minus]) {
                switch string(field) {
                case "--version", "--help": return
                case "--rcfile", "--init-file":
                    report(.unseenScript(name), field.range)
                    rest = rest.dropFirst()
                case "--norc", "--noprofile", "--posix", "--login", "--verbose", "--noediting", "--restricted",
                    "--debugger",
                    "--dump-strings", "--dump-po-strings", "--wordexp", "--protected", "--pretty-print":
                    break
                default: report(.unknownOption(name), field.range)
                }
                continue
            }
            for letter in text.dropFirst() {
                switch letter {
                case UInt8(ascii: "c"): takesText = true
                case UInt8(ascii: "s"): readsInput = true
                case UInt8(ascii: "o"), UInt8(ascii: "O"): rest = rest.dropFirst()
                default: break
                }
            }
        }
        if takesText {
            guard let text = rest.first else { return }
            if rest.count > 1 { hidden.setsPositional = true }
            return runText(text, by: "\(name) -c")
        }
        guard !readsInput, let script = rest.first else {
            return readInput(name, fields[fields.startIndex].range)
        }
        readScript(name, script)
    }

    /// Analyses a script file that a shell reads.
    mutating func readScript(_ name: String, _ field: Field) {
        if field.capture >= 0, let text = captures[field.capture] {
            let outer = state
            state.forgetVariables()
            reparse(text, Origin(base: field.range.lowerBound, isExact: false, length: field.range.count), via: name)
            state = outer
            lastOutput = nil
            return
        }
        if field.isLiteral, Self.isStandardInput(string(field)) { return readInput(name, field.range) }
        if field.isLiteral {
            addOperand(field, .read, via: via + [name], isCertain: true)
            report(.unseenScript(name), field.range)
        } else {
            report(.dynamicScript(name), field.range)
        }
    }

    static func isStandardInput(_ path: String) -> Bool {
        switch path {
        case "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "-": true
        default: false
        }
    }

    /// Analyses what a shell reads on standard input.
    mutating func readInput(_ name: String, _ range: Range<Int>, keepsState: Bool = false) {
        guard case .literal(let text, let origin, let number) = state.input, !consumedInputs.contains(number) else {
            return report(.unseenScript(name), range)
        }
        guard !text.isEmpty else { return }
        let outer = state
        if !keepsState { state.forgetVariables() }
        // The script itself is what is read: commands in it that read, too, are not followed.
        state.input = .unknown
        reparse(text, origin, via: name)
        if !keepsState { state = outer }
        lastOutput = nil
    }

    // MARK: Interpreters of other languages

    mutating func runInterpreter(_ rule: InterpreterRule, _ name: String, _ fields: ArraySlice<Field>) {
        let range = fields[fields.startIndex].range
        var code = InterpreterUse.Code.stdin
        var rest = fields.dropFirst()
        loop: while let field = rest.first {
            rest = rest.dropFirst()
            guard field.isLiteral else {
                code = .argument
                break
            }
            let text = bytes(field)
            guard text.first == Byte.minus, text.count > 1 else {
                code = text.elementsEqual([Byte.minus]) ? .stdin : .file(string(field))
                break
            }
            let option = string(field)
            switch option {
            case "--version", "-V", "--help", "-h":
                if rest.isEmpty { return }
            case "-v" where rest.isEmpty && fields.count == 2: return
            default: break
            }
            if rule.longCode.contains(where: { option.hasPrefix($0) }) {
                code = .argument
                break
            }
            guard !option.hasPrefix("--") else { continue }
            for letter in text.dropFirst() where rule.code.utf8.contains(letter) {
                code = .argument
                break loop
            }
            if text.count == 2, rule.valued.utf8.contains(text[text.startIndex + 1]) { rest = rest.dropFirst() }
        }
        analysis.interpreters.append(InterpreterUse(name: name, code: code, range: range, via: via))
    }
}
