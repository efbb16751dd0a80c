import SandboxModel

/// Looks over a YAML text before it is composed, and refuses what the reader does not take.
///
/// It reads tokens, not meaning: enough to know where a node begins, so that an anchor, an alias, a tag or a
/// directive is found wherever it may stand, and to bound how deep the text can nest. Where it would have to
/// guess what the composer makes of a text (a plain scalar that goes on over lines, a complex key, a block
/// scalar with an indentation indicator) it refuses, which keeps both in step.
struct YAMLGuard {
    /// Furthest column at which a block map or list may begin: bounds the depth of blocks.
    static let maximumColumn = 80

    private let text: [UInt8]
    private var index = 0
    private var line = 1
    private var lineStart = 0
    private var flowDepth = 0
    /// Column, from 0, of the innermost block map or list so far; -1 before the first.
    private var collectionColumn = -1
    /// Whether the last line ended in a plain scalar that the next one could go on with.
    private var endsInPlain = false

    private init(text: [UInt8]) { self.text = text }

    /// Checks a whole text.
    /// - Throws: ``YAMLSyntaxError`` at the first thing that is not taken.
    /// - Complexity: linear.
    static func check(_ text: [UInt8]) throws(YAMLSyntaxError) {
        var guardian = YAMLGuard(text: text)
        try guardian.checkCharacters()
        while guardian.index < text.count { try guardian.readLine() }
    }

    private func fault(_ detail: String) -> YAMLSyntaxError {
        YAMLSyntaxError(location: SourceLocation(line: line, column: index - lineStart + 1), detail: detail)
    }

    private var current: UInt8? { index < text.count ? text[index] : nil }
    private var next: UInt8? { index + 1 < text.count ? text[index + 1] : nil }
    private var isAtLineEnd: Bool { current == nil || current == 0x0A || (current == 0x0D && next == 0x0A) }

    private static func isBlank(_ byte: UInt8?) -> Bool {
        byte == nil || byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    // Line breaks other than line feed, with or without a carriage return before it, are refused: libraries
    // do not agree on which characters break lines, and places would be counted wrongly.
    private mutating func checkCharacters() throws(YAMLSyntaxError) {
        while let byte = current {
            switch byte {
            case 0x0A:
                line += 1
                lineStart = index + 1
            case 0x09, 0x20..<0x7F, 0x80..<0xC2, 0xC3..<0xE2, 0xE3..<0xEF, 0xF0...: break
            case 0x0D: guard next == 0x0A else { throw fault("a carriage return stands alone") }
            case 0xC2:
                if let following = next, (0x80..<0xA0).contains(following) {
                    throw fault("a control character must be written as an escape in double quotes")
                }
            case 0xE2:
                if next == 0x80, index + 2 < text.count, text[index + 2] == 0xA8 || text[index + 2] == 0xA9 {
                    throw fault("a Unicode line separator must be written as an escape in double quotes")
                }
            case 0xEF:
                if next == 0xBB, index + 2 < text.count, text[index + 2] == 0xBF {
                    throw fault("a byte order mark is not allowed")
                }
            default: throw fault("a control character must be written as an escape in double quotes")
            }
            index += 1
        }
        (index, line, lineStart) = (0, 1, 0)
    }

    private mutating func endLine() {
        if current == 0x0D { index += 1 }
        if current == 0x0A {
            index += 1
            line += 1
            lineStart = index
        }
    }

    private mutating func skipToLineEnd() {
        while !isAtLineEnd { index += 1 }
    }

    private mutating func skipSpace() {
        while current == 0x20 || current == 0x09 { index += 1 }
    }

    private mutating func readLine() throws(YAMLSyntaxError) {
        while current == 0x20 { index += 1 }
        let indentation = index - lineStart
        skipSpace()
        if isAtLineEnd || current == UInt8(ascii: "#") {
            skipToLineEnd()
            endLine()
            return
        }
        if indentation == 0, flowDepth == 0, isDocumentMarker() {
            (collectionColumn, endsInPlain) = (-1, false)
            index += 3
            skipSpace()
        } else if current == UInt8(ascii: "%"), indentation == 0 {
            throw fault("directives are not allowed")
        } else if endsInPlain {
            let goesOn = flowDepth == 0 ? indentation > collectionColumn : !",]}:".utf8.contains(current ?? 0)
            guard !goesOn else {
                throw fault("a text that goes on over lines must be quoted or written as a block with | or >")
            }
        }
        endsInPlain = false
        try readNodes()
        endLine()
    }

    private func isDocumentMarker() -> Bool {
        guard index + 3 <= text.count else { return false }
        let marker = text[index..<index + 3]
        guard marker.elementsEqual("---".utf8) || marker.elementsEqual("...".utf8) else { return false }
        return YAMLGuard.isBlank(index + 3 < text.count ? text[index + 3] : nil)
    }

    // Reads from the start of a node to the end of the line; quoted and block scalars may take further lines.
    private mutating func readNodes() throws(YAMLSyntaxError) {
        var hasCollectionHere = false
        while !isAtLineEnd {
            guard let byte = current else { return }
            switch byte {
            case 0x20, 0x09: skipSpace()
            case UInt8(ascii: "#"):
                // Libraries differ on a `#` that touches what stands before it.
                guard index == lineStart || YAMLGuard.isBlank(text[index - 1]) else {
                    throw fault("a space must stand before a comment; quote a text that begins with #")
                }
                skipToLineEnd()
            case UInt8(ascii: "-") where flowDepth == 0 && YAMLGuard.isBlank(next):
                try openCollection(at: index - lineStart)
                hasCollectionHere = true
                index += 1
            case UInt8(ascii: "?") where YAMLGuard.isBlank(next): throw fault("complex keys are not allowed")
            case UInt8(ascii: "&"): throw fault("anchors are not allowed; quote a text that begins with &")
            case UInt8(ascii: "*"): throw fault("aliases are not allowed; quote a text that begins with *")
            case UInt8(ascii: "!"): throw fault("tags are not allowed; quote a text that begins with !")
            case UInt8(ascii: "|") where flowDepth == 0, UInt8(ascii: ">") where flowDepth == 0:
                guard hasCollectionHere else {
                    throw fault("a block of text must begin on the line of its key or its dash")
                }
                return try readBlockScalar()
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                flowDepth += 1
                guard flowDepth <= YAMLReader.maximumDepth else {
                    throw fault("nesting is deeper than \(YAMLReader.maximumDepth)")
                }
                index += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                flowDepth = max(0, flowDepth - 1)
                index += 1
            case UInt8(ascii: ",") where flowDepth > 0: index += 1
            case UInt8(ascii: ":") where flowDepth > 0 || YAMLGuard.isBlank(next): index += 1
            default:
                if try readScalar() { hasCollectionHere = true }
            }
        }
    }

    private mutating func openCollection(at column: Int) throws(YAMLSyntaxError) {
        guard column <= YAMLGuard.maximumColumn else {
            throw fault("nesting goes beyond column \(YAMLGuard.maximumColumn)")
        }
        collectionColumn = column
    }

    // Reads a quoted or plain scalar and the colon behind it. Returns whether it was a key of a block map.
    private mutating func readScalar() throws(YAMLSyntaxError) -> Bool {
        let column = index - lineStart
        let startLine = line
        let isQuoted = current == UInt8(ascii: "\"") || current == UInt8(ascii: "'")
        if isQuoted { try readQuoted() } else { readPlain() }
        let end = index
        skipSpace()
        guard current == UInt8(ascii: ":"), flowDepth > 0 || YAMLGuard.isBlank(next) else {
            if !isQuoted { endsInPlain = isAtLineEnd || current == UInt8(ascii: "#") }
            if index == end, !isAtLineEnd, flowDepth == 0 {
                throw fault("nothing may follow a quoted text on its line but a comment")
            }
            return false
        }
        index += 1
        endsInPlain = false
        guard flowDepth == 0 else { return false }
        guard line == startLine else { throw fault("a key must stand on one line") }
        try openCollection(at: column)
        return true
    }

    private mutating func readPlain() {
        while !isAtLineEnd {
            switch current {
            case UInt8(ascii: ":"):
                if YAMLGuard.isBlank(next) { return }
                if flowDepth > 0, let following = next, ",[]{}".utf8.contains(following) { return }
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
                UInt8(ascii: "}"):
                if flowDepth > 0 { return }
            case 0x20, 0x09:
                let start = index
                skipSpace()
                if isAtLineEnd || current == UInt8(ascii: "#") {
                    index = start
                    return
                }
                continue
            default: break
            }
            index += 1
        }
    }

    private mutating func readQuoted() throws(YAMLSyntaxError) {
        let start = fault("the quotes that begin here are not closed")
        guard let quote = current else { return }
        index += 1
        while let byte = current {
            if byte == 0x0A {
                endLine()
                continue
            }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                index += 1
                if current == 0x0A { endLine() } else { index += 1 }
                continue
            }
            index += 1
            guard byte == quote else { continue }
            if quote == UInt8(ascii: "'"), current == quote {
                index += 1
            } else {
                return
            }
        }
        throw start
    }

    private mutating func readBlockScalar() throws(YAMLSyntaxError) {
        index += 1
        if current == UInt8(ascii: "-") || current == UInt8(ascii: "+") { index += 1 }
        if let byte = current, (48...57).contains(byte) {
            throw fault("an indentation indicator is not allowed")
        }
        skipSpace()
        if current == UInt8(ascii: "#") { skipToLineEnd() }
        guard isAtLineEnd else { throw fault("nothing may follow | or > on its line but a comment") }
        endLine()
        var textIndentation: Int?
        var blankIndentation = 0
        while index < text.count {
            while current == 0x20 { index += 1 }
            let indentation = index - lineStart
            if isAtLineEnd {
                blankIndentation = max(blankIndentation, indentation)
                endLine()
                continue
            }
            guard indentation >= textIndentation ?? (collectionColumn + 1) else {
                index = lineStart
                break
            }
            // The composer takes the deepest of the leading lines for the text's indentation, blank ones too.
            guard textIndentation != nil || blankIndentation <= indentation else {
                throw fault("a blank line before this text is indented deeper than it")
            }
            textIndentation = textIndentation ?? indentation
            skipToLineEnd()
            endLine()
        }
        // The caller ends the line that it stands on; step back over the break that was just taken.
        if index > 0, index == lineStart { stepBack() }
    }

    private mutating func stepBack() {
        index -= 1
        line -= 1
        if index > 0, text[index - 1] == 0x0D { index -= 1 }
        var start = index
        while start > 0, text[start - 1] != 0x0A { start -= 1 }
        lineStart = start
    }
}
