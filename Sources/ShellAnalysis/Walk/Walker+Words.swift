/// One position of a word while it is expanded: a byte with its class, or a stand-in.
typealias Atom = UInt16

extension Atom {
    /// A byte inside quotes or behind a backslash.
    static let quoted: Atom = 0x100
    /// A byte that came out of an unquoted expansion: may be split, may be a pattern, never a brace.
    static let expanded: Atom = 0x200
    /// Unknown text within one field.
    static let unknown: Atom = 0x400
    /// Unknown text that may be no field or several.
    static let unknownFields: Atom = 0x401
    /// `""`: the field exists although it may be empty.
    static let empty: Atom = 0x402
    /// An extended pattern.
    static let pattern: Atom = 0x403
    /// A number of unknown value.
    static let number: Atom = 0x404
    /// Names of files, none or several.
    static let fileNames: Atom = 0x405
    /// One word that is not known, but that the text does not choose either.
    static let tame: Atom = 0x406
    /// First of the externals: the value of a variable that the text has not set, `external + i`.
    static let external: Atom = 0x800
    /// First of the captures: `capture + i` stands for the file that process substitution i makes.
    static let capture: Atom = 0x1000
}

extension Walker {
    /// Expands a word to fields. Substitutions in it are walked.
    mutating func evaluate(_ index: Index, _ source: Source, into fields: inout [Field]) {
        let word = source.tree[word: index]
        wordCount += 1
        analysis.stepCount += 1
        if wordCount > limits.maxWords {
            isExhausted = true
            return report(.limit("words"), source.range(word.start, word.end))
        }
        if word.flags.isSubset(of: [.quoted, .tilde]), appendLiteralField(word, source, into: &fields) { return }
        var atoms: [Atom] = []
        collectAtoms(word.part, source, isQuoted: false, into: &atoms)
        let range = source.range(word.start, word.end)
        guard word.flags.contains(.brace), atoms.contains(Atom(Byte.openBrace)) else {
            return split(atoms, range, into: &fields)
        }
        var budget = limits.maxBraceWords
        if atoms.count(where: { $0 == Atom(Byte.openBrace) }) > limits.maxDepth { budget = -1 }
        let words = budget < 0 ? [] : BraceExpansion.expand(atoms, budget: &budget)
        if words.count > 1 || words.first?.count != atoms.count, isPOSIX {
            report(.beyondPOSIX("brace expansion"), range)
        }
        if budget < 0 {
            report(.limit("words of a brace expansion"), range)
            isExhausted = true
            return
        }
        for word in words { split(word, range, into: &fields) }
    }

    /// Appends a word without expansions, braces or patterns.
    /// - Returns: Whether it was such a word to the end.
    private mutating func appendLiteralField(
        _ word: WordNode, _ source: Source, into fields: inout [Field]
    ) -> Bool {
        let start = pool.count
        var part = word.part
        while part != .none {
            let piece = source.tree[part: part]
            switch piece.kind {
            case .literal, .escaped, .single:
                pool.append(contentsOf: source.text[Int(piece.start)..<Int(piece.end)])
            case .ansiC:
                appendDecoded(piece, source)
            case .double:
                var inner = piece.child
                while inner != .none {
                    let inside = source.tree[part: inner]
                    pool.append(contentsOf: source.text[Int(inside.start)..<Int(inside.end)])
                    inner = inside.next
                }
            default:
                pool.removeSubrange(start...)
                return false
            }
            part = piece.next
        }
        var field = Field(start: start, end: pool.count, range: source.range(word.start, word.end))
        field.isPlain = !word.flags.contains(.quoted)
        field.hasTilde = word.flags.contains(.tilde) && source.text[Int(word.start)] == Byte.tilde
        field.base = exactBase(word, source)
        fields.append(field)
        return true
    }

    /// Where the content of a word of one piece begins in the original text, or -1.
    func exactBase(_ word: WordNode, _ source: Source) -> Int {
        guard source.origin.isExact, word.part != .none else { return -1 }
        var piece = source.tree[part: word.part]
        guard piece.next == .none else { return -1 }
        if piece.kind == .double {
            guard piece.child != .none else { return -1 }
            piece = source.tree[part: piece.child]
            guard piece.next == .none else { return -1 }
        }
        switch piece.kind {
        case .literal, .single, .escaped: return source.origin.base + Int(piece.start)
        default: return -1
        }
    }

    private mutating func appendDecoded(_ piece: Part, _ source: Source) {
        var atoms: [Atom] = []
        AnsiQuote.decode(source.text[Int(piece.start)..<Int(piece.end)], into: &atoms)
        for atom in atoms { pool.append(UInt8(truncatingIfNeeded: atom)) }
    }

    /// Splits a word's atoms into fields.
    mutating func split(_ atoms: [Atom], _ range: Range<Int>, into fields: inout [Field]) {
        var field = Field(start: pool.count, end: pool.count, range: range)
        var exists = false
        var bracket = false
        for atom in atoms {
            if atom >= .unknown, atom != .empty, atom != .pattern, !field.isDynamic {
                field.isDynamic = true
                field.knownPrefix = pool.count - field.start
                field.isExternal = true
            }
            switch atom {
            case .unknown, .number:
                field.isExternal = field.isExternal && atom == .number
                exists = true
            case .tame: exists = true
            case .fileNames:
                field.listsFileNames = true
                field.splits = true
                exists = true
            case Atom.external..<Atom.capture:
                if field.externalCount == 0 { field.firstExternal = Int(atom - .external) }
                field.externalCount += 1
                externals[Int(atom - .external)].offset = pool.count
                if !externals[Int(atom - .external)].isOneField { field.splits = true }
                exists = true
            case .unknownFields:
                field.isExternal = false
                field.splits = true
                exists = true
            case .empty: exists = true
            case .pattern:
                field.isPattern = true
                exists = true
            case Atom.capture...:
                field.isExternal = false
                field.capture = atoms.count == 1 ? Int(atom - .capture) : -1
                exists = true
            default:
                let byte = UInt8(truncatingIfNeeded: atom)
                let isOpen = atom & .quoted == 0
                if atom & .expanded != 0, Byte.isBlank(byte) || byte == Byte.newline {
                    if exists {
                        field.end = pool.count
                        fields.append(field)
                    }
                    field = Field(start: pool.count, end: pool.count, range: range)
                    exists = false
                    bracket = false
                    continue
                }
                if isOpen {
                    if byte == Byte.star || byte == Byte.question { field.isPattern = true }
                    if byte == Byte.openBracket { bracket = true }
                    if byte == Byte.closeBracket, bracket { field.isPattern = true }
                    if byte == Byte.tilde, field.start == pool.count, atom == Atom(byte) { field.hasTilde = true }
                }
                exists = true
                pool.append(byte)
            }
        }
        guard exists else { return }
        field.end = pool.count
        fields.append(field)
    }

    /// The text of a field.
    func bytes(_ field: Field) -> ArraySlice<UInt8> { pool[field.start..<field.end] }

    /// The text of a field as a string.
    func string(_ field: Field) -> String { String(decoding: pool[field.start..<field.end], as: UTF8.self) }

    /// Whether a field is a number, known or not.
    func isNumber(_ field: Field) -> Bool {
        guard field.isLiteral else { return false }
        return !bytes(field).isEmpty && bytes(field).allSatisfy { Byte.isDigit($0) }
    }

    /// Adds a field that the text does not hold itself.
    mutating func makeField(_ bytes: some Collection<UInt8>, like other: Field) -> Field {
        let start = pool.count
        pool.append(contentsOf: bytes)
        return Field(start: start, end: pool.count, range: other.range)
    }

    /// The value of a word that is neither split nor matched against files.
    mutating func scalar(ofWord index: Index, _ source: Source) -> Value {
        guard index != .none else { return .constant([]) }
        return scalar(ofParts: source.tree[word: index].part, source, isQuoted: false)
    }

    mutating func scalar(ofParts part: Index, _ source: Source, isQuoted: Bool) -> Value {
        guard part != .none else { return .constant([]) }
        let piece = source.tree[part: part]
        if piece.next == .none, piece.kind == .literal || piece.kind == .single {
            return .constant(Array(source.text[Int(piece.start)..<Int(piece.end)]))
        }
        var atoms: [Atom] = []
        collectAtoms(part, source, isQuoted: isQuoted, into: &atoms)
        if atoms.count == 1, atoms[0] == .number { return .number }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(atoms.count)
        for atom in atoms {
            if atom == .empty { continue }
            guard atom < .unknown else { return .unknown }
            bytes.append(UInt8(truncatingIfNeeded: atom))
        }
        return .constant(bytes)
    }
}
