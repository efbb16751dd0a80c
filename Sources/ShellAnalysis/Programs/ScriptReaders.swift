/// What a program in a small language starts and writes.
struct ScriptFindings {
    /// Texts that it gives to a shell.
    var commands: [[UInt8]] = []
    /// Files that it writes.
    var files: [[UInt8]] = []
    /// Whether it starts or writes something that its text does not show.
    var isOpaque = false
}

/// Reads an awk program just far enough to find `system`, pipes, output files and extensions.
struct AwkReader {
    private let text: [UInt8]
    private var position = 0
    private var findings = ScriptFindings()
    /// The last string literal, while nothing but blanks followed it.
    private var literal: [UInt8]?
    /// Whether the last token was a value, so that `/` divides.
    private var afterValue = false
    /// Whether the literal is the whole expression: nothing stands in front that is joined to it.
    private var isAlone = true

    init(_ text: [UInt8]) { self.text = text }

    /// - Returns: What the program starts.
    mutating func read() -> ScriptFindings {
        while position < text.count { step() }
        return findings
    }

    private func peek(_ offset: Int = 1) -> UInt8 {
        position + offset < text.count ? text[position + offset] : 0
    }

    private mutating func step() {
        let byte = text[position]
        switch byte {
        case Byte.space, Byte.tab: position += 1
        case Byte.doubleQuote: readString()
        case Byte.hash:
            while position < text.count, text[position] != Byte.newline { position += 1 }
        case Byte.slash where !afterValue: readExpression()
        case Byte.pipe:
            if peek() == Byte.pipe {
                position += 2
                reset()
            } else {
                readPipe()
            }
        case Byte.greater: readOutput()
        case Byte.at:
            findings.isOpaque = true
            position += 1
        case _ where Byte.beginsName(byte): readName()
        case _ where Byte.isDigit(byte) || byte == Byte.close || byte == Byte.closeBracket || byte == Byte.dollar:
            position += 1
            literal = nil
            isAlone = false
            afterValue = true
        case Byte.newline, Byte.semicolon, Byte.openBrace, Byte.closeBrace, Byte.open:
            position += 1
            reset()
        default:
            position += 1
            literal = nil
            isAlone = byte == Byte.comma
            afterValue = false
        }
    }

    private mutating func reset() {
        literal = nil
        isAlone = true
        afterValue = false
    }

    private mutating func readString() {
        position += 1
        var value: [UInt8] = []
        while position < text.count, text[position] != Byte.doubleQuote {
            if text[position] == Byte.backslash, position + 1 < text.count {
                position += 1
                switch text[position] {
                case UInt8(ascii: "n"): value.append(Byte.newline)
                case UInt8(ascii: "t"): value.append(Byte.tab)
                case Byte.doubleQuote, Byte.backslash, Byte.slash: value.append(text[position])
                default:
                    // Octal and other escapes: not followed.
                    value.append(Byte.dollar)
                    value.append(Byte.at)
                }
            } else {
                value.append(text[position])
            }
            position += 1
        }
        position += 1
        literal = literal == nil && isAlone ? value : nil
        isAlone = false
        afterValue = true
    }

    private mutating func readExpression() {
        position += 1
        var inClass = false
        while position < text.count, inClass || text[position] != Byte.slash, text[position] != Byte.newline {
            switch text[position] {
            case Byte.backslash: position += 1
            case Byte.openBracket: inClass = true
            case Byte.closeBracket: inClass = false
            default: break
            }
            position += 1
        }
        position += 1
        literal = nil
        isAlone = false
        afterValue = true
    }

    private mutating func readName() {
        let start = position
        while position < text.count, Byte.continuesName(text[position]) { position += 1 }
        switch String(decoding: text[start..<position], as: UTF8.self) {
        case "system": readSystem()
        case "print", "printf", "return", "else", "do", "in", "getline":
            reset()
        default:
            literal = nil
            isAlone = false
            afterValue = true
        }
    }

    /// `system("text")`; anything but one literal is opaque.
    private mutating func readSystem() {
        skipBlanks()
        guard position < text.count, text[position] == Byte.open else {
            findings.isOpaque = true
            return
        }
        position += 1
        skipBlanks()
        reset()
        if position < text.count, text[position] == Byte.doubleQuote { readString() }
        skipBlanks()
        guard let literal, position < text.count, text[position] == Byte.close else {
            findings.isOpaque = true
            return
        }
        findings.commands.append(literal)
    }

    /// `"text" | getline` and `print | "text"`.
    private mutating func readPipe() {
        position += peek() == Byte.ampersand ? 2 : 1
        let before = literal
        skipBlanks()
        reset()
        if text[min(position, text.count)...].starts(with: "getline".utf8) {
            if let before { findings.commands.append(before) } else { findings.isOpaque = true }
            return
        }
        guard position < text.count, text[position] == Byte.doubleQuote else {
            findings.isOpaque = true
            return
        }
        readString()
        skipBlanks()
        guard let literal, endsExpression() else {
            findings.isOpaque = true
            return
        }
        findings.commands.append(literal)
    }

    private mutating func readOutput() {
        position += 1
        if peek(0) == Byte.equals {
            position += 1
            return reset()
        }
        if peek(0) == Byte.greater { position += 1 }
        skipBlanks()
        reset()
        guard position < text.count, text[position] == Byte.doubleQuote else { return }
        readString()
        if let literal { findings.files.append(literal) }
    }

    private mutating func skipBlanks() {
        while position < text.count, Byte.isBlank(text[position]) { position += 1 }
    }

    private func endsExpression() -> Bool {
        guard position < text.count else { return true }
        switch text[position] {
        case Byte.semicolon, Byte.newline, Byte.closeBrace, Byte.hash, Byte.close: return true
        default: return false
        }
    }
}

/// Reads a sed script for `e`, `w` and the flags of `s`.
struct SedReader {
    private let text: [UInt8]
    private var position = 0
    private var findings = ScriptFindings()

    init(_ text: [UInt8]) { self.text = text }

    /// - Returns: What the script starts. A script that cannot be read is opaque.
    mutating func read() -> ScriptFindings {
        while position < text.count {
            guard step() else {
                findings.isOpaque = true
                break
            }
        }
        return findings
    }

    private func current() -> UInt8 { position < text.count ? text[position] : 0 }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) {
        while position < text.count, isSkipped(text[position]) { position += 1 }
    }

    private mutating func step() -> Bool {
        skip { Byte.isBlank($0) || $0 == Byte.newline || $0 == Byte.semicolon }
        guard position < text.count else { return true }
        if current() == Byte.hash {
            skip { $0 != Byte.newline }
            return true
        }
        guard skipAddress() else { return false }
        skip { Byte.isBlank($0) || $0 == Byte.bang }
        let command = current()
        position += 1
        switch command {
        case 0: return true
        case Byte.openBrace, Byte.closeBrace: return true
        case UInt8(ascii: "s"): return readSubstitution()
        case UInt8(ascii: "y"):
            let delimiter = current()
            position += 1
            return skipDelimited(delimiter) && skipDelimited(delimiter)
        case UInt8(ascii: "e"):
            skip { Byte.isBlank($0) }
            let line = restOfLine()
            if line.isEmpty { findings.isOpaque = true } else { findings.commands.append(line) }
            return true
        case UInt8(ascii: "w"), UInt8(ascii: "W"):
            skip { Byte.isBlank($0) }
            findings.files.append(restOfLine())
            return true
        case UInt8(ascii: "r"), UInt8(ascii: "R"):
            _ = restOfLine()
            return true
        case UInt8(ascii: "a"), UInt8(ascii: "i"), UInt8(ascii: "c"):
            skipText()
            return true
        case UInt8(ascii: "b"), UInt8(ascii: "t"), UInt8(ascii: "T"), Byte.colon, UInt8(ascii: "v"):
            skip { $0 != Byte.newline && $0 != Byte.semicolon && $0 != Byte.closeBrace }
            return true
        case UInt8(ascii: "q"), UInt8(ascii: "Q"), UInt8(ascii: "l"), UInt8(ascii: "L"):
            skip { Byte.isBlank($0) || Byte.isDigit($0) }
            return endsCommand()
        case _ where "dDgGhHnNpPxzF=".utf8.contains(command): return endsCommand()
        default:
            // No command of sed's: it refuses the whole script.
            position = text.count
            return true
        }
    }

    private mutating func endsCommand() -> Bool {
        skip { Byte.isBlank($0) }
        switch current() {
        case 0, Byte.newline, Byte.semicolon, Byte.closeBrace, Byte.hash: return true
        default: return false
        }
    }

    private mutating func restOfLine() -> [UInt8] {
        let start = position
        skip { $0 != Byte.newline }
        return Array(text[start..<position])
    }

    private mutating func skipText() {
        while position < text.count, text[position] != Byte.newline {
            position += text[position] == Byte.backslash ? 2 : 1
        }
    }

    private mutating func skipAddress() -> Bool {
        while true {
            skip { Byte.isBlank($0) }
            let byte = current()
            if byte == Byte.slash || byte == Byte.backslash {
                if byte == Byte.backslash { position += 1 }
                let delimiter = current()
                position += 1
                guard skipDelimited(delimiter, isPattern: true) else { return false }
                skip { $0 == UInt8(ascii: "I") || $0 == UInt8(ascii: "M") }
            } else {
                let start = position
                skip { Byte.isDigit($0) || $0 == Byte.dollar || $0 == Byte.tilde || $0 == Byte.plus }
                if position == start { return true }
            }
            skip { Byte.isBlank($0) }
            guard current() == Byte.comma else { return true }
            position += 1
        }
    }

    /// Skips to behind the next delimiter; inside a bracket expression of a pattern it stands for itself.
    private mutating func skipDelimited(_ delimiter: UInt8, isPattern: Bool = false) -> Bool {
        guard delimiter != 0, delimiter != Byte.newline, delimiter != Byte.backslash else { return false }
        while position < text.count {
            let byte = text[position]
            position += 1
            if byte == delimiter { return true }
            if byte == Byte.backslash { position += 1 }
            if byte == Byte.openBracket, isPattern { skipBracket() }
        }
        return false
    }

    private mutating func skipBracket() {
        var ahead = position
        if ahead < text.count, text[ahead] == Byte.caret { ahead += 1 }
        if ahead < text.count, text[ahead] == Byte.closeBracket { ahead += 1 }
        while ahead < text.count, text[ahead] != Byte.closeBracket, text[ahead] != Byte.newline {
            // `[:alpha:]` and its like hold a bracket of their own.
            if text[ahead] == Byte.openBracket, ahead + 1 < text.count, ":.=".utf8.contains(text[ahead + 1]) {
                ahead += 2
                while ahead < text.count, text[ahead] != Byte.closeBracket, text[ahead] != Byte.newline { ahead += 1 }
            }
            ahead += 1
        }
        if ahead < text.count, text[ahead] == Byte.closeBracket { position = ahead + 1 }
    }

    private mutating func readSubstitution() -> Bool {
        let delimiter = current()
        position += 1
        guard skipDelimited(delimiter, isPattern: true), skipDelimited(delimiter) else { return false }
        while position < text.count {
            let byte = text[position]
            switch byte {
            case UInt8(ascii: "e"):
                // The result of the substitution is run.
                findings.isOpaque = true
                position += 1
            case UInt8(ascii: "w"):
                position += 1
                skip { Byte.isBlank($0) }
                findings.files.append(restOfLine())
                return true
            case _ where Byte.isDigit(byte) || "gpiImM".utf8.contains(byte): position += 1
            default: return endsCommand()
            }
        }
        return true
    }
}
