extension Walker {
    // MARK: awk

    mutating func runAwk(_ name: String, _ range: Range<Int>, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        while let field = rest.first {
            rest = rest.dropFirst()
            let text = string(field)
            guard !field.isDynamic else {
                if field.splits || text.isEmpty { return reportLanguage(name, .argument, field.range) }
                return checkAwk(name, field)
            }
            if text == "--" { continue }
            if text == "-" || !text.hasPrefix("-") { return checkAwk(name, field) }
            switch text {
            case "-v", "-F", "--assign", "--field-separator": rest = rest.dropFirst()
            case "-f", "--file", "-i", "--include", "-l", "--load", "-E", "--exec":
                let file = rest.first.map { string($0) } ?? ""
                return reportLanguage(name, .file(file), field.range)
            case "-e", "--source":
                if let program = rest.first { checkAwk(name, program) }
                rest = rest.dropFirst()
            default:
                if text.hasPrefix("--"), !["--posix", "--re-interval", "--traditional", "--sandbox"].contains(text),
                    !text.hasPrefix("--assign="), !text.hasPrefix("--field-separator="), text != "--version"
                {
                    return reportLanguage(name, .argument, field.range)
                }
                if text.hasPrefix("-W") { return reportLanguage(name, .argument, field.range) }
                if text.hasPrefix("-f") || text.hasPrefix("--file=") || text.hasPrefix("-i") || text.hasPrefix("-l")
                    || text.hasPrefix("-E") || text.hasPrefix("-e") || text.hasPrefix("--source=")
                    || text.hasPrefix("--include") || text.hasPrefix("--load") || text.hasPrefix("--exec")
                {
                    return reportLanguage(name, .argument, field.range)
                }
            }
        }
    }

    private mutating func reportLanguage(_ name: String, _ code: InterpreterUse.Code, _ range: Range<Int>) {
        analysis.interpreters.append(InterpreterUse(name: name, code: code, range: range, via: via))
    }

    /// Reads an awk program for what it starts. A program that starts nothing is no finding at all.
    private mutating func checkAwk(_ name: String, _ field: Field) {
        if field.isDynamic { return reportLanguage(name, .argument, field.range) }
        var reader = AwkReader(Array(bytes(field)))
        let found = reader.read()
        for command in found.commands {
            let origin = Origin(base: field.range.lowerBound, isExact: false, length: field.range.count)
            let outer = state
            state.forgetVariables()
            state.input = .unknown
            reparse(command, origin, via: name)
            state = outer
        }
        if found.isOpaque { reportLanguage(name, .argument, field.range) }
        for path in found.files { addPath(path, .write, field.range) }
    }

    // MARK: sed

    mutating func runSed(_ arguments: ArraySlice<Field>) {
        var rest = arguments
        var hasScript = false
        var edits = false
        var operands: [Field] = []
        while let field = rest.first {
            rest = rest.dropFirst()
            let text = bytes(field)
            guard text.first == Byte.minus, text.count > 1, !field.isDynamic else {
                operands.append(field)
                continue
            }
            let option = string(field)
            if option == "--" {
                operands += rest
                break
            }
            if option.hasPrefix("--") {
                // GNU programs take any beginning of a long option that is not ambiguous.
                let key = String(option.prefix { $0 != "=" })
                let value = key == option ? nil : piece(of: field, from: field.start + key.utf8.count + 1)
                if "--expression".hasPrefix(key) {
                    hasScript = true
                    if let script = value ?? rest.first { checkSed(script) }
                    if value == nil { rest = rest.dropFirst() }
                } else if "--file".hasPrefix(key) {
                    hasScript = true
                    reportLanguage("sed", .file((value ?? rest.first).map { string($0) } ?? ""), field.range)
                    if value == nil { rest = rest.dropFirst() }
                } else if "--in-place".hasPrefix(key) {
                    edits = true
                } else if "--line-length".hasPrefix(key), value == nil {
                    rest = rest.dropFirst()
                }
                continue
            }
            var index = text.startIndex + 1
            letters: while index < text.endIndex {
                let letter = text[index]
                index += 1
                switch letter {
                case UInt8(ascii: "e"), UInt8(ascii: "f"):
                    hasScript = true
                    var value = piece(of: field, from: index)
                    if index == text.endIndex {
                        guard let next = rest.first else { return }
                        value = next
                        rest = rest.dropFirst()
                    }
                    if letter == UInt8(ascii: "e") {
                        checkSed(value)
                    } else {
                        reportLanguage("sed", .file(string(value)), value.range)
                    }
                    break letters
                case UInt8(ascii: "i"):
                    edits = true
                    break letters
                case UInt8(ascii: "l"):
                    if index == text.endIndex { rest = rest.dropFirst() }
                    break letters
                default: break
                }
            }
        }
        if !hasScript, let script = operands.first {
            checkSed(script)
            operands.removeFirst()
        }
        for file in operands { addOperand(file, edits ? .write : .read, via: via + ["sed"], isCertain: true) }
    }

    private mutating func checkSed(_ field: Field) {
        if field.isDynamic, !accepts(field, by: "sed") {
            // An expansion inside a script may close its command and add another.
            return report(.dynamicScript("sed"), field.range)
        }
        var reader = SedReader(Array(bytes(field)))
        let found = reader.read()
        for command in found.commands {
            let origin = Origin(base: field.range.lowerBound, isExact: false, length: field.range.count)
            let outer = state
            state.forgetVariables()
            reparse(command, origin, via: "sed")
            state = outer
        }
        if found.isOpaque { report(.opaqueProgram("sed"), field.range) }
        for path in found.files { addPath(path, .write, field.range) }
    }

    // MARK: git

    mutating func runGit(_ arguments: ArraySlice<Field>) {
        var rest = arguments
        while let field = rest.first {
            let text = string(field)
            if field.isDynamic { return report(.dynamicArguments("git"), field.range) }
            guard text.hasPrefix("-") else { break }
            rest = rest.dropFirst()
            switch text {
            case "-c", "--config-env":
                if let setting = rest.first { checkGitSetting(setting) }
                rest = rest.dropFirst()
            case "-C", "--git-dir", "--work-tree", "--namespace", "--super-prefix":
                if let value = rest.first {
                    addOperand(value, .unknown, via: via + ["git"], isCertain: true)
                    if text != "-C" { report(.poisonedContext("git \(text)"), value.range) }
                }
                rest = rest.dropFirst()
            default:
                if text.hasPrefix("-c") { checkGitSetting(piece(of: field, from: field.start + 2)) }
                if text.hasPrefix("--exec-path=") || text.hasPrefix("--config-env=") || text.hasPrefix("--git-dir=") {
                    report(.poisonedContext("git \(text.prefix(11))"), field.range)
                }
            }
        }
        guard let command = rest.first else { return }
        runGitCommand(string(command), rest.dropFirst())
    }

    private mutating func checkGitSetting(_ field: Field) {
        guard !field.isDynamic, let equals = bytes(field).firstIndex(of: Byte.equals) else {
            return report(.poisonedContext("git -c"), field.range)
        }
        let key = String(decoding: bytes(field)[..<equals], as: UTF8.self).lowercased()
        checkGitValue(key, piece(of: field, from: equals + 1), field.range)
    }

    private mutating func checkGitValue(_ key: String, _ value: Field, _ range: Range<Int>) {
        let suffixes = [
            "pager", "editor", "command", "cmd", "sshcommand", "askpass", "external", "textconv", "helper", "driver",
            "clean", "smudge", "process", "program", "proxy", "hookspath", "path", "fsmonitor", "browser", "uploadpack",
            "receivepack", "attributesfile", "packobjectshook", "vcs",
        ]
        if key.hasPrefix("alias.") {
            if bytes(value).first == Byte.bang {
                runText(piece(of: value, from: value.start + 1), by: "git")
            } else {
                let words = [value]
                runGit(words[...])
                if bytes(value).contains(Byte.space) { report(.poisonedContext("git \(key)"), range) }
            }
        } else if key.hasPrefix("include") {
            report(.poisonedContext("git \(key)"), range)
        } else if key.hasPrefix("pager.") || suffixes.contains(where: { key.hasSuffix($0) }) {
            runText(value, by: "git \(key)")
            if key.hasSuffix("path") || key.hasSuffix("attributesfile") {
                report(.poisonedContext("git \(key)"), range)
            }
        }
    }

    private mutating func runGitCommand(_ command: String, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        switch command {
        case "submodule":
            rest = rest.drop { string($0).hasPrefix("-") }
            if let verb = rest.first, string(verb) == "foreach" {
                rest = rest.dropFirst().drop { string($0).hasPrefix("-") }
                runJoined(rest, by: "git submodule foreach")
            }
        case "bisect":
            if let verb = rest.first, string(verb) == "run" { runWrapped(rest.dropFirst(), by: "git bisect run") }
        case "filter-branch", "rebase", "difftool", "mergetool", "clone", "fetch", "pull", "push", "ls-remote",
            "archive",
            "grep", "diff", "log", "show", "config", "daemon", "instaweb", "send-email", "help", "hook", "maintenance":
            checkGitOptions(command, rest)
        default: break
        }
    }

    private mutating func checkGitOptions(_ command: String, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        if command == "config" {
            let words = rest.filter { !string($0).hasPrefix("-") }
            if words.count == 2 { checkGitValue(string(words[0]).lowercased(), words[1], words[1].range) }
            return
        }
        while let field = rest.first {
            rest = rest.dropFirst()
            if field.isDynamic { continue }
            let text = string(field)
            let name = String(text.prefix { $0 != "=" })
            let value = name == text ? rest.first : piece(of: field, from: field.start + name.utf8.count + 1)
            switch name {
            case "-x" where command == "rebase" || command == "difftool", "--exec", "--extcmd", "--upload-pack",
                "--receive-pack", "--tree-filter", "--index-filter", "--msg-filter", "--env-filter", "--commit-filter",
                "--parent-filter", "--tag-name-filter", "--setup", "--open-files-in-pager":
                if let value { runText(value, by: "git \(command)") }
            case "-u" where command == "clone" || command == "fetch":
                if let value { runText(value, by: "git \(command)") }
            case "-c", "--config": if let value { checkGitSetting(value) }
            case "--template": report(.poisonedContext("git \(command) --template"), field.range)
            default:
                if command == "grep", text.hasPrefix("-O"), text.utf8.count > 2 {
                    runText(piece(of: field, from: field.start + 2), by: "git grep")
                }
                if text.hasPrefix("ext::") { runText(piece(of: field, from: field.start + 5), by: "git \(command)") }
                if command == "rebase", text.hasPrefix("-x"), text.utf8.count > 2 {
                    runText(piece(of: field, from: field.start + 2), by: "git rebase")
                }
            }
        }
    }
}
