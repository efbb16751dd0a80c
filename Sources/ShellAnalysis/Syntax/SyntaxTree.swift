/// Index into one of the tables of a ``SyntaxTree``; ``none`` where there is nothing.
typealias Index = Int32

extension Index {
    /// No entry.
    static let none: Index = -1
}

/// What a command node is, and what its three children mean.
enum NodeKind: UInt8 {
    /// `first` assignment, `second` word.
    case simple
    /// `first` command, the others linked by `next`.
    case pipeline
    /// `first` pipeline, the others linked by `next`; each but the first is conditional.
    case andOr
    /// `first` and-or list, the others linked by `next`.
    case list
    /// `first` list.
    case subshell, group
    /// `first` condition, `second` consequence, `third` alternative (a list, or again a conditional).
    case conditional
    /// `first` condition, `second` body.
    case loop
    /// Name in `nameStart..<nameEnd`, `first` word, `second` body.
    case each, select
    /// `first` part of the three expressions, `second` body.
    case arithmeticFor
    /// `first` word, `second` first branch.
    case choice
    /// `first` pattern word, `second` list; the others linked by `next`.
    case branch
    /// Name in `nameStart..<nameEnd`, `first` body.
    case function
    /// `first` word of the expression, operators included.
    case test
    /// `first` part.
    case arithmetic
    /// `first` command; the name in `nameStart..<nameEnd` may be empty.
    case coprocess
}

/// One command, list or pipeline. Offsets count bytes of the parsed text.
struct Node {
    var kind: NodeKind
    var isBackground = false
    /// Whether `||` stands in front of it.
    var isAlternative = false
    var start: Int32
    var end: Int32 = 0
    var nameStart: Int32 = 0
    var nameEnd: Int32 = 0
    var first = Index.none
    var second = Index.none
    var third = Index.none
    var redirect = Index.none
    var next = Index.none
    /// Where the assignments and words inside begin in their tables, and where they end.
    var firstAssignment: Index = 0
    var endAssignment: Index = 0
}

/// What a piece of a word is.
enum PartKind: UInt8 {
    /// Unquoted text, taken as it stands.
    case literal
    /// One byte behind a backslash.
    case escaped
    /// Text between single quotes.
    case single
    /// Text between `$'` and `'`, not decoded.
    case ansiC
    /// Text between double quotes: `child` is its first part.
    case double
    /// `child` is an index into the parameters.
    case parameter
    /// `child` is the list of `$(…)`.
    case command
    /// Raw text between backquotes, to be parsed when it is walked.
    case backquote
    /// `child` is the first part of the expression.
    case arithmetic
    /// `child` is the list of `<(…)`.
    case processInput
    /// `child` is the list of `>(…)`.
    case processOutput
    /// An extended pattern: `child` is the first part inside.
    case pattern
}

/// A piece of a word; pieces of one word are linked by `next`.
struct Part {
    var kind: PartKind
    var start: Int32
    var end: Int32
    var child = Index.none
    var next = Index.none
}

/// What a word holds, so that the usual plain word is evaluated without looking at its parts.
struct WordFlags: OptionSet {
    let rawValue: UInt8
    /// Any quote or backslash.
    static let quoted = WordFlags(rawValue: 1)
    /// Any expansion or substitution.
    static let expansion = WordFlags(rawValue: 2)
    /// Unquoted `*`, `?`, `[` or an extended pattern.
    static let glob = WordFlags(rawValue: 4)
    /// Unquoted `{`.
    static let brace = WordFlags(rawValue: 8)
    /// An unquoted `~` anywhere.
    static let tilde = WordFlags(rawValue: 16)
    /// An operator inside `[[ ]]`.
    static let isOperator = WordFlags(rawValue: 32)
    /// `NAME=(…)` as an argument: `part` is an index into the assignments.
    static let compound = WordFlags(rawValue: 64)
}

/// A word; the words of one command are linked by `next`.
struct WordNode {
    var part: Index
    var start: Int32
    var end: Int32
    var flags: WordFlags
    var next = Index.none
}

/// What follows a parameter's name inside `${…}`.
enum ParameterOperator: UInt8 {
    case none, length, indirect, names
    case useDefault, assignDefault, fail, alternative
    case removePrefix, removeSuffix, replace, substring, changeCase, transform
    /// Not a form that bash knows: refused when it is expanded.
    case invalid
}

/// A parameter expansion.
struct Parameter {
    var nameStart: Int32
    var nameEnd: Int32
    var operation = ParameterOperator.none
    /// Whether `${!name…}` looks through the name.
    var isIndirect = false
    /// Whether `:` precedes the operator, so that empty counts as unset.
    var testsEmpty = false
    /// First part of a subscript.
    var subscriptPart = Index.none
    var hasSubscript = false
    /// The word behind the operator.
    var word = Index.none
}

/// `NAME=value`, `NAME+=value`, `NAME[…]=value` or `NAME=(…)`.
struct Assignment {
    var nameStart: Int32
    var nameEnd: Int32
    var isAppending = false
    var isArray = false
    var hasSubscript = false
    var subscriptPart = Index.none
    /// The value, or for an array its first element.
    var word = Index.none
    var start: Int32
    var end: Int32 = 0
    var next = Index.none
}

/// Which redirection.
enum RedirectKind: UInt8 {
    case input, output, append, clobber, readWrite
    case duplicateInput, duplicateOutput, bothOutput, bothAppend
    case hereDocument, hereDocumentStripped, hereString
}

/// A redirection; those of one command are linked by `next`.
struct Redirect {
    var kind: RedirectKind
    /// Number or `{name}` before the operator; empty if there is none.
    var descriptorStart: Int32
    var descriptorEnd: Int32
    /// Target, here-string, or the delimiter of a here-document.
    var target = Index.none
    /// First part of a here-document's body.
    var body = Index.none
    var isQuoted = false
    var start: Int32
    var next = Index.none
}

/// A parsed text. All entries live in flat tables, so that a tree costs a handful of allocations, and the
/// entries that belong to one construct lie side by side.
struct SyntaxTree {
    var nodes: [Node] = []
    var parts: [Part] = []
    var words: [WordNode] = []
    var parameters: [Parameter] = []
    var assignments: [Assignment] = []
    var redirects: [Redirect] = []
    /// First complete command of the text; the others follow by `next`.
    var root = Index.none

    subscript(node index: Index) -> Node { nodes[Int(index)] }
    subscript(part index: Index) -> Part { parts[Int(index)] }
    subscript(word index: Index) -> WordNode { words[Int(index)] }
}

/// Why a text could not be parsed, and where.
struct ParseFailure: Error {
    var reason: Undecidable.Reason
    var offset: Int
}
