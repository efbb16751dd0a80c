/// Recursive-descent parser for bash's grammar, of which POSIX sh is a part.
///
/// Works on bytes and never looks back but for `((`, which may turn out to be two subshells. Depth and steps
/// are bounded. Complete commands are linked to the tree's root one by one: when a later one fails, the earlier
/// ones stay, as a shell would have run them.
struct Parser {
    let text: [UInt8]
    /// Offset at which the text that may be read ends: its length, but less inside a here-document.
    var end: Int
    var position = 0
    var depth: Int
    let maxDepth: Int
    var steps = 0
    let stepLimit: Int
    var tree = SyntaxTree()
    /// Here-documents whose bodies begin behind the next newline.
    var pending: [Index] = []
    /// Offsets of `((` that were tried as arithmetic in vain, so that none is tried twice.
    var notArithmetic: [Int] = []
    /// Features beyond POSIX that were met.
    var extensions: [(what: String, range: Range<Int>)] = []
    let recordsExtensions: Bool

    init(text: [UInt8], depth: Int, limits: AnalysisLimits, recordsExtensions: Bool) {
        self.text = text
        self.end = text.count
        self.depth = depth
        self.maxDepth = limits.maxDepth
        self.stepLimit = (text.count + 64) * limits.maxStepsPerByte
        self.recordsExtensions = recordsExtensions
        tree.parts.reserveCapacity(text.count / 6 + 4)
        tree.words.reserveCapacity(text.count / 6 + 4)
        tree.nodes.reserveCapacity(text.count / 16 + 4)
    }

    /// Parses the whole text into ``tree``.
    mutating func parseScript() throws(ParseFailure) {
        var last = Index.none
        while true {
            try skipNewlines()
            if position >= end { break }
            let node = try parseAndOr()
            if last == .none { tree.root = node } else { tree.nodes[Int(last)].next = node }
            last = node
            try parseSeparator(after: node)
        }
    }

    /// Parses `;`, `&` or a newline behind a command, or finds what may close a list.
    mutating func parseSeparator(after node: Index) throws(ParseFailure) {
        skipBlanks()
        switch peek() {
        case Byte.semicolon where peek(1) != Byte.semicolon && peek(1) != Byte.ampersand:
            position += 1
        case Byte.ampersand:
            position += 1
            tree.nodes[Int(node)].isBackground = true
        case Byte.newline:
            try takeNewline()
        case 0 where position >= end:
            break
        case Byte.close, Byte.semicolon:
            break
        default:
            // A reserved word that closes something may follow at once: `{ if a; then b; fi }`.
            if let (keyword, _) = peekKeyword(), keyword.isClosing { break }
            throw syntaxError("unexpected text behind a command")
        }
    }

    /// What ends a list.
    enum Stop {
        case close
        case keywords(Keyword, Keyword, Keyword)
        case branchEnd
    }

    /// Parses commands up to, not including, what ends the list.
    /// - Returns: A list node; without children where nothing stood and `allowsEmpty` is set.
    mutating func parseList(until stop: Stop, allowsEmpty: Bool = false) throws(ParseFailure) -> Index {
        let list = addNode(.list)
        var last = Index.none
        while true {
            try skipNewlines()
            if isAt(stop) { break }
            if position >= end { throw syntaxError("the text ends inside a construct") }
            let node = try parseAndOr()
            if last == .none {
                tree.nodes[Int(list)].first = node
            } else {
                tree.nodes[Int(last)].next = node
            }
            last = node
            try parseSeparator(after: node)
        }
        if last == .none, !allowsEmpty { throw syntaxError("a command is missing") }
        return finish(list)
    }

    func isAt(_ stop: Stop) -> Bool {
        switch stop {
        case .close:
            return peek() == Byte.close
        case .keywords(let one, let two, let three):
            guard let (keyword, _) = peekKeyword() else { return false }
            return keyword == one || keyword == two || keyword == three
        case .branchEnd:
            if peek() == Byte.semicolon {
                return peek(1) == Byte.semicolon || peek(1) == Byte.ampersand
            }
            return peekKeyword()?.keyword == .esac
        }
    }

    mutating func parseAndOr() throws(ParseFailure) -> Index {
        let first = try parsePipeline()
        skipBlanks()
        guard isAtAndOr() else { return first }
        let node = addNode(.andOr, start: tree[node: first].start)
        tree.nodes[Int(node)].first = first
        var last = first
        while isAtAndOr() {
            let isAlternative = peek() == Byte.pipe
            takeOperator(2)
            try skipNewlines()
            let next = try parsePipeline()
            tree.nodes[Int(next)].isAlternative = isAlternative
            tree.nodes[Int(last)].next = next
            last = next
            skipBlanks()
        }
        return finish(node)
    }

    private mutating func isAtAndOr() -> Bool {
        let byte = peek()
        guard byte == Byte.ampersand || byte == Byte.pipe else { return false }
        return operatorByte(1) == byte
    }

    mutating func parsePipeline() throws(ParseFailure) -> Index {
        let start = position
        try parsePipelinePrefix()
        skipBlanks()
        if position > start, isAtCommandEnd() {
            // bash accepts a bare `!` or `time`.
            return finish(addNode(.simple, start: Int32(start)))
        }
        let first = try parseCommand()
        skipBlanks()
        guard isAtPipe() else { return first }
        let node = addNode(.pipeline, start: Int32(start))
        tree.nodes[Int(node)].first = first
        var last = first
        while isAtPipe() {
            takeOperator(1)
            if peek() == Byte.ampersand {
                note("|&", from: position - 1)
                position += 1
            }
            try skipNewlines()
            try parsePipelinePrefix()
            let next = try parseCommand()
            tree.nodes[Int(last)].next = next
            last = next
            skipBlanks()
        }
        return finish(node)
    }

    private mutating func isAtPipe() -> Bool {
        peek() == Byte.pipe && operatorByte(1) != Byte.pipe
    }

    /// Skips `!`, `time` and `time -p` in front of a pipeline.
    private mutating func parsePipelinePrefix() throws(ParseFailure) {
        while let (keyword, length) = peekKeyword(), keyword == .bang || keyword == .time {
            let start = position
            position += length
            skipBlanks()
            guard keyword == .time else { continue }
            note("the reserved word time", from: start)
            while peek() == Byte.minus, peek(1) == UInt8(ascii: "p") || peek(1) == Byte.minus, endsWord(2) {
                position += 2
                skipBlanks()
            }
        }
    }

    private func isAtCommandEnd() -> Bool {
        switch peek() {
        case 0, Byte.newline, Byte.semicolon, Byte.ampersand, Byte.close, Byte.pipe: true
        default: false
        }
    }
}
