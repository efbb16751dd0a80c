/// Where the bytes of a parsed text lie in the text that the caller gave.
struct Origin {
    /// Offset of the text's first byte.
    var base: Int
    /// Whether every byte stands in the original as it is; else all of it has the range of one word.
    var isExact: Bool
    /// Length of that word.
    var length: Int

    /// The original offsets of a piece of the text.
    func range(_ start: Int, _ end: Int) -> Range<Int> {
        isExact ? base + start..<base + max(start, end) : base..<base + length
    }
}

/// A parsed text with its place.
final class Source {
    let text: [UInt8]
    let tree: SyntaxTree
    let origin: Origin

    init(text: [UInt8], tree: SyntaxTree, origin: Origin) {
        self.text = text
        self.tree = tree
        self.origin = origin
    }

    /// The original offsets of a piece of this text.
    func range(_ start: Int32, _ end: Int32) -> Range<Int> { origin.range(Int(start), Int(end)) }

    /// A piece of this text.
    func string(_ start: Int32, _ end: Int32) -> String {
        String(decoding: text[Int(start)..<Int(end)], as: UTF8.self)
    }
}

/// What is known of a variable.
enum Value: Equatable {
    case constant([UInt8])
    /// A number, whichever.
    case number
    case unknown
}

/// What a command reads on descriptor 0.
enum Input {
    case unknown
    /// Known text. The number tells one input from another: what a command has read is gone for the next.
    case literal([UInt8], Origin, Int)
}

/// What the walker knows of the shell at one point of the text.
struct ShellState {
    var variables: [(name: String, value: Value)] = []
    /// Functions that are certainly defined.
    var functions: [String] = []
    /// The current folder, or `nil` when it is not known.
    var directory: String?
    var input = Input.unknown
    /// Whether the input is a list of file names that the text itself does not make up.
    var readsFileNames = false

    /// The value of a variable; `nil` for one that the text has not set so far.
    func value(of name: String) -> Value? {
        for variable in variables where variable.name == name { return variable.value }
        return nil
    }

    mutating func set(_ name: String, to value: Value) {
        for index in variables.indices where variables[index].name == name {
            variables[index].value = value
            return
        }
        variables.append((name, value))
    }

    /// Forgets every constant: code that is not seen may have changed it.
    mutating func forgetVariables() {
        for index in variables.indices { variables[index].value = .unknown }
    }

    /// Keeps only what holds on both ways here.
    mutating func join(_ other: ShellState) {
        if directory != other.directory { directory = nil }
        for index in variables.indices {
            let theirs = other.value(of: variables[index].name)
            if theirs != variables[index].value { variables[index].value = .unknown }
        }
        for variable in other.variables where value(of: variable.name) == nil {
            variables.append((variable.name, .unknown))
        }
        functions.removeAll { !other.functions.contains($0) }
    }
}

/// What is known of one word after expansion. The text itself lies in the walker's pool.
struct Field {
    var start: Int
    var end: Int
    /// Place in the original text.
    var range: Range<Int>
    /// Where the field's first byte lies in the original when all bytes stand there as they are, else -1.
    var base = -1
    /// The text is not known.
    var isDynamic = false
    /// Bytes at the front that are known although the rest is not.
    var knownPrefix = 0
    /// Whatever is not known comes from variables that the text does not set: see ``Walker/accepts``.
    var isExternal = false
    var firstExternal = 0
    var externalCount = 0
    /// It may turn into no field or several.
    var splits = false
    /// Unquoted `*`, `?`, `[`: a pattern for file names.
    var isPattern = false
    /// A literal without any quote: may be an alias.
    var isPlain = false
    /// An unquoted `~` at the start stands for a folder.
    var hasTilde = false
    /// Lists names of files.
    var listsFileNames = false
    /// Holds a file name in place of a token.
    var holdsFileName = false
    /// Index into the walker's captures: what reading this file gives.
    var capture = -1

    /// Whether the text is one known string.
    var isLiteral: Bool { !isDynamic && !isPattern }
}
