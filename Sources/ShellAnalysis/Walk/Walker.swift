/// Walks syntax trees and collects what they would run.
struct Walker {
    let context: ShellContext
    let limits: AnalysisLimits
    var analysis = ScriptAnalysis()
    var state = ShellState()
    /// How the text being walked was reached.
    var via: [String] = []
    /// Nesting of constructs, substitutions and parsed texts together.
    var depth = 0
    /// Bytes that may still be parsed again.
    var reparseBudget: Int
    var wordCount = 0
    /// Set once a limit is reached: nothing more is walked.
    var isExhausted = false
    /// The bytes of all fields.
    var pool: [UInt8] = []
    /// Text that reading a process substitution gives.
    var captures: [[UInt8]?] = []
    /// What the last command wrote, when that is known.
    var lastOutput: [UInt8]?
    var aliases: [(name: String, words: [[UInt8]])] = []
    /// Aliases that stand for more than plain words.
    var opaqueAliases: [String] = []
    /// What the whole text puts into variables, and where it evaluates them: see ``HiddenEvaluation``.
    var hidden = HiddenEvaluation()
    /// Variables whose values came from outside, in the order of use.
    var externals: [(name: String, isOneField: Bool, offset: Int)] = []
    /// Texts for shells that hold file names: fine as long as nothing in the whole text makes such names.
    var nameTexts: [(step: String, range: Range<Int>)] = []
    /// Uses that are fine as long as the text never sets the variable.
    var externalUses: [(name: String, program: String, range: Range<Int>)] = []
    /// Inputs of which something may have been read.
    var consumedInputs: Set<Int> = []
    /// Inputs made so far.
    var inputCount = 0
    /// What `exec` with nothing but redirections left as standard input.
    var lastingInput: Input?
    /// Files that the text wrote or fetched so far.
    var producedFiles: [String] = []
    /// Whether `IFS` was touched: then no unquoted constant is split.
    var changesIFS = false
    /// A hazard that later programs would meet; reported with the first of them.
    var pendingHazards: [(variable: String, range: Range<Int>)] = []
    /// Calls of commands nested in one another.
    var runDepth = 0

    init(context: ShellContext, limits: AnalysisLimits) {
        self.context = context
        self.limits = limits
        self.reparseBudget = limits.maxInputBytes
        state.directory = context.workingDirectory
    }

    var isPOSIX: Bool { context.dialect == .posix }

    mutating func makeInput(_ text: [UInt8], _ origin: Origin) -> Input {
        inputCount += 1
        return .literal(text, origin, inputCount)
    }

    mutating func report(_ reason: Undecidable.Reason, _ range: Range<Int>) {
        let finding = Undecidable(reason: reason, range: range)
        if analysis.undecidable.last != finding { analysis.undecidable.append(finding) }
    }

    /// Analyses a whole text.
    mutating func walkAll(_ script: [UInt8]) {
        guard script.count <= limits.maxInputBytes else {
            return report(.limit("length"), 0..<script.count)
        }
        guard !script.contains(0), isUTF8(script) else { return report(.invalidText, 0..<script.count) }
        prepare()
        let origin = Origin(base: 0, isExact: true, length: script.count)
        analysis.isRefused = !walk(text: script, origin: origin)
    }

    /// Analyses a program that is started without a shell.
    mutating func runAll(_ arguments: [String]) {
        var fields: [Field] = []
        for argument in arguments {
            let start = pool.count
            guard pool.count + argument.utf8.count < limits.maxInputBytes else {
                return report(.limit("length"), 0..<pool.count)
            }
            pool.append(contentsOf: argument.utf8)
            guard !argument.utf8.contains(0) else { return report(.invalidText, start..<pool.count) }
            var field = Field(start: start, end: pool.count, range: start..<pool.count)
            field.base = start
            fields.append(field)
            pool.append(Byte.space)
        }
        guard fields.count <= limits.maxWords else { return report(.limit("words"), 0..<pool.count) }
        analysis.stepCount += pool.count
        prepare()
        run(fields[...], isShell: false)
    }

    /// What was found, in its final form.
    mutating func result() -> ScriptAnalysis {
        analysis.undecidable += hidden.findings()
        for use in nameTexts where !FileNames.areUntouched(analysis, except: use.step) {
            report(.dynamicScript(use.step), use.range)
        }
        for use in externalUses where hidden.anythingIsUnsafe || hidden.mayBeSet(use.name) {
            report(.dynamicArguments(use.program), use.range)
        }
        return analysis
    }

    private mutating func prepare() {
        if let stdin = context.stdin {
            state.input = makeInput(stdin, Origin(base: 0, isExact: false, length: 0))
        }
        checkEnvironment()
    }

    private func isUTF8(_ text: [UInt8]) -> Bool {
        if text.allSatisfy({ $0 < 0x80 }) { return true }
        return String(validating: text, as: UTF8.self) != nil
    }

    /// Parses a text and walks what could be parsed.
    /// - Returns: False when a shell would refuse it.
    @discardableResult
    mutating func walk(text: [UInt8], origin: Origin) -> Bool {
        var parser = Parser(text: text, depth: depth, limits: limits, recordsExtensions: isPOSIX)
        var isWhole = true
        do {
            try parser.parseScript()
        } catch {
            if case .syntax = error.reason { isWhole = false }
            report(error.reason, origin.range(error.offset, error.offset))
        }
        analysis.stepCount += parser.steps + text.count
        for found in parser.extensions {
            report(
                .beyondPOSIX(found.what), origin.range(found.range.lowerBound, found.range.upperBound))
        }
        let source = Source(text: text, tree: parser.tree, origin: origin)
        walkSequence(parser.tree.root, source)
        return isWhole
    }

    /// Walks commands linked by `next`.
    mutating func walkSequence(_ first: Index, _ source: Source) {
        var index = first
        while index != .none, !isExhausted {
            let node = source.tree[node: index]
            if node.isBackground {
                let outer = state
                walk(index, source)
                state = outer
                lastOutput = nil
            } else {
                walk(index, source)
            }
            index = node.next
        }
    }

    /// Walks one node, its redirections included.
    mutating func walk(_ index: Index, _ source: Source) {
        guard index != .none, !isExhausted else { return }
        depth += 1
        defer { depth -= 1 }
        analysis.stepCount += 1
        let node = source.tree[node: index]
        guard depth <= limits.maxDepth * 2 else {
            isExhausted = true
            return report(.limit("nesting depth"), source.range(node.start, node.end))
        }
        if node.kind == .simple { return walkSimple(node, source) }
        let outerInput = state.input
        if node.redirect != .none { applyRedirects(node, source) }
        walkCompound(node, source)
        state.input = outerInput
        if node.kind != .list { lastOutput = nil }
    }

    private mutating func walkCompound(_ node: Node, _ source: Source) {
        switch node.kind {
        case .simple: break
        case .list:
            lastOutput = nil
            walkSequence(node.first, source)
            if node.first == .none {
                lastOutput = []
            } else if source.tree[node: node.first].next != .none {
                lastOutput = nil
            }
        case .pipeline: walkPipeline(node, source)
        case .andOr: walkAndOr(node, source)
        case .subshell:
            let outer = state
            walk(node.first, source)
            state = outer
        case .group: walk(node.first, source)
        case .conditional: walkConditional(node, source)
        case .loop, .each, .select, .arithmeticFor: walkLoop(node, source)
        case .choice: walkChoice(node, source)
        case .branch: break
        case .function: walkFunction(node, source)
        case .test: walkTest(node, source)
        case .arithmetic: walkArithmetic(node.first, source)
        case .coprocess:
            let outer = state
            state.input = .unknown
            walk(node.first, source)
            state = outer
        }
    }

    private mutating func walkPipeline(_ node: Node, _ source: Source) {
        let outer = state
        var index = node.first
        var isFirst = true
        var namesFollow = false
        while index != .none {
            state = outer
            if !isFirst {
                if let output = lastOutput {
                    let range = source.range(node.start, node.end)
                    let origin = Origin(base: range.lowerBound, isExact: false, length: range.count)
                    state.input = makeInput(output, origin)
                } else {
                    state.input = .unknown
                }
            }
            lastOutput = nil
            let givesNames = FileNames.isGiven(by: index, source, hasNames: !isFirst && namesFollow)
            state.readsFileNames = !isFirst && namesFollow
            walk(index, source)
            isFirst = false
            namesFollow = givesNames
            index = source.tree[node: index].next
        }
        // Under lastpipe the last command runs in the shell itself: what it changed may have changed.
        let last = state
        state = outer
        state.join(last)
    }

    private mutating func walkAndOr(_ node: Node, _ source: Source) {
        var seen: ShellState?
        var index = node.first
        while index != .none {
            let child = source.tree[node: index]
            if child.isAlternative, let seen { state.join(seen) }
            walk(index, source)
            if var all = seen {
                all.join(state)
                seen = all
            } else {
                seen = state
            }
            index = child.next
        }
        if let seen { state = seen }
    }

    private mutating func walkConditional(_ node: Node, _ source: Source) {
        walk(node.first, source)
        let before = state
        walk(node.second, source)
        let after = state
        state = before
        if node.third != .none { walk(node.third, source) }
        state.join(after)
    }

    private mutating func walkChoice(_ node: Node, _ source: Source) {
        _ = scalar(ofWord: node.first, source)
        let before = state
        var joined = before
        var index = node.second
        while index != .none {
            let branch = source.tree[node: index]
            var pattern = branch.first
            while pattern != .none {
                _ = scalar(ofWord: pattern, source)
                pattern = source.tree[word: pattern].next
            }
            // A branch may be entered by falling through from the one before.
            state = joined
            walk(branch.second, source)
            joined.join(state)
            index = branch.next
        }
        state = joined
    }

    private mutating func walkFunction(_ node: Node, _ source: Source) {
        let name = source.string(node.nameStart, node.nameEnd)
        let outer = state
        // The body runs whenever it is called, under whatever holds then.
        state.forgetVariables()
        state.directory = nil
        state.input = .unknown
        walk(node.first, source)
        let after = state
        state = outer
        for variable in after.variables { hidden.functionWrites.append(variable.name) }
        hidden.functionNames.append(name)
        hidden.setsPositional = true
        if !state.functions.contains(name) { state.functions.append(name) }
        if ProgramTable.isShadowedDangerously(name) {
            report(.poisonedContext("a function named \(name)"), source.range(node.nameStart, node.nameEnd))
        }
    }

    /// Walks a loop. Its body is walked under what holds on every turn: a second time when the first walk
    /// changed a variable that it also began with.
    private mutating func walkLoop(_ node: Node, _ source: Source) {
        prepareLoopVariable(node, source)
        if node.kind == .arithmeticFor { walkArithmetic(node.first, source) }
        for index in node.firstAssignment..<max(node.firstAssignment, node.endAssignment) {
            let assignment = source.tree.assignments[Int(index)]
            let name = source.string(assignment.nameStart, assignment.nameEnd)
            if let value = state.value(of: name) {
                state.set(name, to: isNumeric(value) && isNumeric(assignment, source) ? .number : .unknown)
            }
        }
        let before = state
        let mark = Mark(self)
        walkLoopBody(node, source)
        var joined = before
        joined.join(state)
        if !joined.holdsLike(before) {
            mark.restore(&self)
            state = joined
            walkLoopBody(node, source)
            joined.join(state)
        }
        state = joined
        state.directory = before.directory == state.directory ? before.directory : nil
    }

    private mutating func walkLoopBody(_ node: Node, _ source: Source) {
        if node.kind == .loop { walk(node.first, source) }
        walk(node.second, source)
    }

    private mutating func prepareLoopVariable(_ node: Node, _ source: Source) {
        guard node.kind == .each || node.kind == .select else { return }
        let mark = pool.count
        var fields: [Field] = []
        var word = node.first
        while word != .none {
            evaluate(word, source, into: &fields)
            word = source.tree[word: word].next
        }
        let name = source.string(node.nameStart, node.nameEnd)
        let onlyNumbers = node.kind == .each && !fields.isEmpty && fields.allSatisfy { isNumber($0) }
        for field in fields where field.isLiteral || field.isPattern { addOperand(field, .unknown, via: via) }
        pool.removeSubrange(mark...)
        assign(name, to: onlyNumbers ? .number : .unknown, range: source.range(node.nameStart, node.nameEnd))
    }

    /// The sizes of all findings, to take back a first walk.
    private struct Mark {
        let counts: [Int]

        init(_ walker: borrowing Walker) {
            let found = walker.analysis
            counts = [
                found.commands.count, found.undecidable.count, found.files.count, found.interpreters.count,
                found.environmentHazards.count,
            ]
        }

        func restore(_ walker: inout Walker) {
            walker.analysis.commands.removeSubrange(counts[0]...)
            walker.analysis.undecidable.removeSubrange(counts[1]...)
            walker.analysis.files.removeSubrange(counts[2]...)
            walker.analysis.interpreters.removeSubrange(counts[3]...)
            walker.analysis.environmentHazards.removeSubrange(counts[4]...)
        }
    }
}

extension ShellState {
    /// Whether every variable that another state knows has the same value here.
    func holdsLike(_ other: ShellState) -> Bool {
        for variable in other.variables where value(of: variable.name) != variable.value { return false }
        return directory == other.directory
    }
}
