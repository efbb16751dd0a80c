extension Walker {
    /// Looks into the words of a program that needs code of its own.
    mutating func runSpecial(_ special: SpecialProgram, _ name: String, _ fields: ArraySlice<Field>) {
        let arguments = fields.dropFirst()
        let range = fields[fields.startIndex].range
        switch special {
        case .find: runFind(name, arguments)
        case .git: runGit(arguments)
        case .awk: runAwk(name, range, arguments)
        case .sed: runSed(arguments)
        case .editor: runEditor(name, arguments)
        case .parallel: runParallel(name, range, arguments)
        case .flock: runFlock(name, arguments)
        case .script, .su: runShellOption(special, name, range, arguments)
        case .ssh: runRemote(name, arguments)
        case .gdb: runDebugger(name, arguments)
        case .startStopDaemon: runDaemon(name, arguments)
        case .at: readInput(name, range)
        case .terminal: runTerminal(name, range, arguments)
        case .crontab:
            let isLook = arguments.contains { ["-l", "-r", "-e", "-i"].contains(string($0)) }
            guard !isLook else { break }
            // What it installs is run by another program, later.
            analysis.interpreters.append(InterpreterUse(name: name, code: .stdin, range: range, via: via))
        }
    }

    private mutating func runFind(_ name: String, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        while let field = rest.first {
            rest = rest.dropFirst()
            if field.isDynamic {
                // One word that is not known can still begin `-exec` for the literal words behind it.
                let isHarmless = field.knownPrefix > 0 && bytes(field).first != Byte.minus && !field.splits
                let isLast = !rest.contains { $0.isDynamic || string($0) == ";" || string($0) == "+" }
                if !isHarmless, field.splits || !isLast, !accepts(field, by: name) {
                    report(.dynamicArguments(name), field.range)
                }
                continue
            }
            switch string(field) {
            case "-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch":
                rest = runFindCommand(name, string(field), rest)
            case "-delete", "-fprint", "-fls", "-fprintf", "-fprint0":
                if let file = rest.first, string(field) != "-delete" {
                    addOperand(file, .write, via: via + [name], isCertain: true)
                }
            case "-files0-from":
                if let file = rest.first { addOperand(file, .read, via: via + [name], isCertain: true) }
            default: break
            }
        }
    }

    /// - Returns: What follows the command's `;` or `+`.
    private mutating func runFindCommand(
        _ name: String, _ action: String, _ rest: ArraySlice<Field>
    ) -> ArraySlice<Field> {
        var end = rest.startIndex
        while end < rest.endIndex {
            let text = bytes(rest[end])
            if !rest[end].isDynamic, text.elementsEqual([Byte.semicolon]) { break }
            if !rest[end].isDynamic, text.elementsEqual([Byte.plus]), end > rest.startIndex,
                string(rest[end - 1]).contains(token: "{}")
            {
                break
            }
            end += 1
        }
        runWrapped(hide("{}", in: rest[..<end], areFileNames: true), by: "\(name) \(action)")
        return end < rest.endIndex ? rest[(end + 1)...] : rest[end...]
    }

    private mutating func runFlock(_ name: String, _ arguments: ArraySlice<Field>) {
        var scan = Scan(rest: arguments, tail: .command)
        guard scanOptions(Self.flockGrammar, name, &scan), !scan.stops, let lock = scan.rest.first else { return }
        if lock.splits { return report(.dynamicArguments(name), lock.range) }
        var rest = scan.rest.dropFirst()
        guard let first = rest.first else { return }
        if first.isLiteral, string(first) == "-c" || string(first) == "--command" {
            rest = rest.dropFirst()
            if let text = rest.first { runText(text, by: name) }
        } else {
            runWrapped(rest, by: name)
        }
    }

    private static let flockGrammar = OptionGrammar(
        """
        -sexunovFhV -w: -E: -c:text --shared --exclusive --unlock --nonblock --timeout: --wait: --close \
        --conflict-exit-code: --command:text --no-fork --verbose --help!stops --version!stops
        """)

    /// `script`, `su` and `runuser`: a shell's text in `-c`, or a shell that reads the terminal. Their options may
    /// stand anywhere.
    private mutating func runShellOption(
        _ special: SpecialProgram, _ name: String, _ range: Range<Int>, _ arguments: ArraySlice<Field>
    ) {
        let grammar = special == .script ? Self.scriptGrammar : Self.suGrammar
        var operands: [Field] = []
        var rest = arguments
        var hasText = false
        while let first = rest.first {
            if first.isDynamic, accepts(first, by: name) {
                operands.append(first)
                rest = rest.dropFirst()
                continue
            }
            let before = rest.startIndex
            var scan = Scan(rest: rest, tail: .nothing)
            guard scanOptions(grammar, name, &scan) else { return }
            if scan.stops { return }
            let options = rest[before..<scan.rest.startIndex]
            if options.contains(where: { givesText(grammar, $0) }) { hasText = true }
            if name == "runuser", options.contains(where: { string($0).hasPrefix("-u") || string($0).hasPrefix("--u") })
            {
                return runWrapped(scan.rest, by: name)
            }
            rest = scan.rest
            if let last = options.last, string(last) == "--" {
                operands += rest
                break
            }
            if let operand = rest.first {
                operands.append(operand)
                rest = rest.dropFirst()
            }
        }
        if special == .script {
            for file in operands { addOperand(file, .write, via: via + [name], isCertain: true) }
        } else if operands.count > 1, let user = operands.first {
            // What follows the user goes to the shell.
            return runShell("sh", [user] + operands.dropFirst())
        }
        if !hasText { readInput(name, range) }
    }

    /// Whether an option word holds text for a shell.
    private func givesText(_ grammar: OptionGrammar, _ field: Field) -> Bool {
        let text = bytes(field)
        guard text.first == Byte.minus, text.count > 1 else { return false }
        if text[text.startIndex + 1] == Byte.minus {
            return grammar.longRule(text.dropFirst(2).prefix { $0 != Byte.equals })?.action == .text
        }
        for letter in text.dropFirst() {
            guard let rule = grammar.short[letter] else { return false }
            if rule.value != .no { return rule.action == .text }
        }
        return false
    }

    private static let scriptGrammar = OptionGrammar(
        """
        -aefqVh -c:text -t? -O: -I: -B: -T: -m: -o: -E: --append --command:text --return --flush --force --quiet \
        --timing? --log-out: --log-in: --log-io: --log-timing: --logging-format: --output-limit: --echo: \
        --help!stops --version!stops
        """)
    private static let suGrammar = OptionGrammar(
        """
        - -flmpPT -c:text -s:program -g: -G: -w: -u: -hV!stops --command:text --session-command:text --shell:program \
        --login --group: --supp-group: --whitelist-environment: --preserve-environment --pty --no-pty --fast --user: \
        --help!stops --version!stops
        """)

    /// Whether a field is a cluster of short options that ends in a letter.
    private func isShortOption(_ field: Field, _ letter: Character) -> Bool {
        let text = bytes(field)
        return text.count >= 2 && text.first == Byte.minus && text.last == letter.asciiValue
            && text[text.startIndex + 1] != Byte.minus
    }

    private mutating func runRemote(_ name: String, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        var hasHost = false
        while let field = rest.first {
            let text = bytes(field)
            if field.isDynamic, !hasHost, field.splits, !accepts(field, by: name) {
                return report(.dynamicArguments(name), field.range)
            }
            guard text.first == Byte.minus, text.count > 1, !field.isDynamic else {
                if hasHost { break }
                hasHost = true
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst()
            if text.elementsEqual([Byte.minus, Byte.minus]) { continue }
            let letter = text[text.startIndex + 1]
            guard "BbcDEeFIiJLlmOoPpQRSWw".utf8.contains(letter) else { continue }
            var value = piece(of: field, from: field.start + 2)
            if text.count == 2 {
                guard let next = rest.first else { return }
                value = next
                rest = rest.dropFirst()
            }
            if letter == UInt8(ascii: "o") { checkRemoteOption(value, name) }
            if letter == UInt8(ascii: "F") { report(.opaqueProgram(name), value.range) }
        }
        guard !rest.isEmpty else { return }
        if name == "sshpass" || name == "autossh" { return runWrapped(rest, by: name) }
        runJoined(rest, by: name)
    }

    mutating func checkRemoteOption(_ value: Field, _ name: String) {
        let text = string(value).lowercased()
        if value.isDynamic || text.contains(token: "command") || text.contains(token: "match")
            || text.contains(token: "include")
            || text.contains(token: "provider") || text.contains(token: "xauth")
        {
            if let equals = bytes(value).firstIndex(of: Byte.equals), !value.isDynamic {
                runText(piece(of: value, from: equals + 1), by: "\(name) -o")
            } else {
                report(.opaqueProgram(name), value.range)
            }
        }
    }

    private mutating func runDebugger(_ name: String, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        while let field = rest.first {
            rest = rest.dropFirst()
            let text = string(field)
            switch text {
            case "--args", "-args", "--":
                return runWrapped(rest, by: name)
            case "-ex", "--ex", "-eval-command", "--eval-command", "-iex", "-o", "-O":
                if let command = rest.first { checkDebuggerCommand(command, name) }
                rest = rest.dropFirst()
            case "-x", "-ix", "--command", "-s", "-S": report(.opaqueProgram(name), field.range)
            default:
                if text.contains(token: "ex=") || text.contains(token: "command=") {
                    report(.opaqueProgram(name), field.range)
                }
                if field.isDynamic, field.splits { report(.dynamicArguments(name), field.range) }
            }
        }
        // Without them it reads commands from the terminal.
        if !arguments.contains(where: { string($0).hasSuffix("batch") || string($0) == "-p" }) {
            report(.opaqueProgram(name), arguments.first?.range ?? 0..<0)
        }
    }

    private mutating func checkDebuggerCommand(_ field: Field, _ name: String) {
        guard field.isLiteral else { return report(.opaqueProgram(name), field.range) }
        switch string(field) {
        case "run", "r", "bt", "backtrace", "quit", "q", "continue", "c", "info registers", "thread apply all bt",
            "starti":
            break
        default:
            let text = string(field)
            if text.hasPrefix("shell ") { runText(piece(of: field, from: field.start + 6), by: name) }
            if text.hasPrefix("!") { runText(piece(of: field, from: field.start + 1), by: name) }
            report(.opaqueProgram(name), field.range)
        }
    }

    private mutating func runDaemon(_ name: String, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        while let field = rest.first {
            rest = rest.dropFirst()
            if field.isDynamic { report(.dynamicArguments(name), field.range) }
            let text = string(field)
            if text.hasPrefix("--exec=") || text.hasPrefix("--startas=") {
                let offset = text.utf8.count - text.utf8.drop { $0 != Byte.equals }.count + 1
                runWrapped([piece(of: field, from: field.start + offset)], by: name)
            } else if text.hasPrefix("--ex") || text.hasPrefix("--starta") || isShortOption(field, "x")
                || isShortOption(field, "a")
            {
                if let program = rest.first {
                    let words = rest.firstIndex { string($0) == "--" }.map { rest[($0 + 1)...] } ?? []
                    runWrapped([program] + words, by: name)
                }
            }
        }
    }

    /// `tmux` and `screen`: their commands may start or feed shells.
    private mutating func runTerminal(_ name: String, _ range: Range<Int>, _ arguments: ArraySlice<Field>) {
        if name == "screen" { return runScreen(range, arguments) }
        let harmless = [
            "ls", "list-sessions", "list-windows", "list-panes", "attach", "attach-session", "a", "detach",
            "kill-session",
            "kill-window", "has-session", "show-options", "show-environment", "set-option", "set-environment",
            "rename-session", "rename-window",
            "display-message", "capture-pane", "select-window", "select-pane",
            "-V", "movew", "move-window", "swap-window", "last-window", "next-window", "previous-window", "resize-pane",
            "lsk",
        ]
        let isSetting = arguments.first.map { string($0) == "set" || string($0) == "set-option" } ?? false
        if isSetting {
            let words = ["command", "shell", "#(", "editor", "hook", "terminal"]
            let isDangerous = arguments.contains { field in
                field.isDynamic || words.contains { string(field).contains(token: $0) }
            }
            if !isDangerous { return }
        }
        var rest = arguments
        while let first = rest.first, ["-2", "-u", "-8", "-v", "-l", "-C"].contains(string(first)) {
            rest = rest.dropFirst()
        }
        if let verb = rest.first,
            ["new-session", "new", "new-window", "neww", "split-window", "splitw"].contains(string(verb))
        {
            var scan = Scan(rest: rest.dropFirst(), tail: .text)
            guard scanOptions(Self.tmuxGrammar, name, &scan), !scan.rest.isEmpty else { return }
            return runJoined(scan.rest, by: name)
        }
        guard let verb = arguments.first, verb.isLiteral, harmless.contains(string(verb)) else {
            return report(.opaqueProgram(name), range)
        }
    }

    private mutating func runScreen(_ range: Range<Int>, _ arguments: ArraySlice<Field>) {
        if let at = arguments.firstIndex(where: { string($0) == "-X" }) {
            // `-S name` may stand between `-X` and its command.
            let words = arguments[(at + 1)...]
            let behind = words.first.map { string($0) == "-S" } == true ? words.dropFirst(2) : words
            let verb = behind.first.map { string($0) } ?? ""
            let harmless = ["title", "quit", "kill", "detach", "hardcopy", "hardstatus", "number", "log"]
            if verb == "stuff", let text = behind.dropFirst().first, behind.count == 2 {
                // What is typed into a shell there.
                return runText(text, by: "screen")
            }
            if !harmless.contains(verb) { report(.opaqueProgram("screen"), range) }
            return
        }
        var scan = Scan(rest: arguments, tail: .command)
        guard scanOptions(Self.screenGrammar, "screen", &scan), !scan.stops else { return }
        runWrapped(scan.rest, by: "screen")
    }

    private static let tmuxGrammar = OptionGrammar("-AdDEPXabhvIkZf -c: -e: -F: -n: -s: -t: -x: -y: -l: -p:")
    private static let screenGrammar = OptionGrammar(
        "-aAimOqRUlLdDx -S: -t: -p: -s: -h: -e: -T: -r? -c:opaque -ls!stops -list!stops -wipe!stops -v!stops")

    private mutating func runEditor(_ name: String, _ arguments: ArraySlice<Field>) {
        var rest = arguments
        while let field = rest.first {
            rest = rest.dropFirst()
            let text = string(field)
            if field.isDynamic, field.splits, !accepts(field, by: name) { report(.dynamicArguments(name), field.range) }
            switch text {
            case "-c", "--cmd", "-e", "--eval", "--execute", "-f", "--funcall":
                if let command = rest.first { checkEditorCommand(command, command, name) }
            case "-S", "-s", "-u", "-l", "--load", "--script", "-U": report(.opaqueProgram(name), field.range)
            default:
                if text.hasPrefix("+"), text.utf8.count > 1 {
                    checkEditorCommand(field, piece(of: field, from: field.start + 1), name)
                }
                if text.hasPrefix("-c") || text.hasPrefix("--eval=") || text.hasPrefix("-S") {
                    report(.opaqueProgram(name), field.range)
                }
            }
        }
    }

    private mutating func checkEditorCommand(_ field: Field, _ value: Field, _ name: String) {
        var text = string(value)
        guard !field.isDynamic else { return report(.opaqueProgram(name), field.range) }
        if text.hasPrefix(":") { text.removeFirst() }
        if text.allSatisfy({ $0.isNumber }) || text == "q" || text == "wq" || text == "qa" || text == "q!"
            || text == "wq!"
        {
            return
        }
        if text.hasPrefix("/") || text.hasPrefix("set ") && !text.contains(token: "shell") && !text.contains(token: "|")
        {
            return
        }
        if let bang = bytes(value).firstIndex(of: Byte.bang) {
            runText(piece(of: value, from: bang + 1), by: name)
        }
        report(.opaqueProgram(name), field.range)
    }

    private mutating func runParallel(_ name: String, _ range: Range<Int>, _ arguments: ArraySlice<Field>) {
        var scan = Scan(rest: arguments, tail: .text)
        guard scanOptions(Self.parallelGrammar, name, &scan), !scan.stops else { return }
        let end = scan.rest.firstIndex { !$0.isDynamic && string($0).hasPrefix(":::") } ?? scan.rest.endIndex
        let command = scan.rest[..<end]
        if command.isEmpty {
            // The input lines are the commands.
            guard end < scan.rest.endIndex else { return readInput(name, range) }
            for field in scan.rest[(end + 1)...] { runText(field, by: name) }
            return
        }
        for field in command where string(field).contains(token: "{") && field.range != command.first?.range {
            // A replaced token is quoted by parallel, but the program may itself be a shell.
            continue
        }
        guard let first = command.first, first.isLiteral, !string(first).contains(token: "{") else {
            return report(.dynamicArguments(name), command.first?.range ?? range)
        }
        if command.count == 1 {
            runText(first, by: name)
        } else {
            var words = Array(hide("{", in: command, areFileNames: false))
            // Without a place for it the input becomes the last word.
            if !command.contains(where: { string($0).contains(token: "{") }) { words.append(unknownField(range)) }
            runWrapped(words[...], by: name)
        }
        if string(first).contains(where: { ";|&$`(".contains($0) })
            || command.contains(where: { $0.isLiteral && string($0).contains(where: { ";|&$`(".contains($0) }) })
        {
            runJoined(command, by: name)
        }
    }

    private static let parallelGrammar = OptionGrammar(
        """
        -0kmqtuvX -j: -P: -n: -N: -L: -I: -a:read -S:opaque -d: -C: -l: -s: -E: --jobs: --max-procs: --null --keep-order \
        --will-cite --citation --bar --progress --eta --dry-run --dryrun --halt: --joblog:write --tmpdir: --tag \
        --line-buffer --lb --ungroup --group --pipe --block: --colsep: --delay: --timeout: --retries: --verbose \
        --no-notice --no-run-if-empty -r --max-args: --arg-file:read --id: --fg --bg --semaphore --wait --results: \
        --tty --quote --xargs --load: --memfree: --nice: --plain --shuf --no-keep-order --header: --xapply --link
        """)
}
