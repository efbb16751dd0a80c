extension Parser {
    /// Reads the bodies of the here-documents whose line has just ended.
    mutating func readHereDocuments() throws(ParseFailure) {
        let waiting = pending
        pending = []
        for index in waiting { try readHereDocument(index) }
    }

    private mutating func readHereDocument(_ index: Index) throws(ParseFailure) {
        let redirect = tree.redirects[Int(index)]
        let word = tree[word: redirect.target]
        let delimiter = rawDelimiter(Int(word.start)..<Int(word.end))
        let strips = redirect.kind == .hereDocumentStripped
        let bodyStart = position
        var bodyEnd = end
        var behind = end
        var line = position
        while line < end {
            let (content, next) = logicalLine(from: line, strips: strips, joins: !redirect.isQuoted)
            // Shells join continued lines before they compare.
            if content.contains(Byte.newline) ? joined(content) == delimiter : content.elementsEqual(delimiter) {
                bodyEnd = line
                behind = next
                break
            }
            line = next
        }
        var chain = PartChain()
        let outer = end
        end = bodyEnd
        if strips { while peek() == Byte.tab { position += 1 } }
        if redirect.isQuoted {
            try appendRawLines(strips: strips, into: &chain)
        } else {
            try parseQuotedText(into: &chain, closing: nil, stripsTabs: strips)
        }
        end = outer
        position = behind
        steps += behind - bodyStart
        tree.redirects[Int(index)].body = chain.first
    }

    /// The line at an offset as it is compared with the delimiter, and where the next one begins.
    private func logicalLine(
        from start: Int, strips: Bool, joins: Bool
    ) -> (content: [UInt8].SubSequence, next: Int) {
        var index = start
        if strips { while index < end, text[index] == Byte.tab { index += 1 } }
        let first = index
        while index < end, text[index] != Byte.newline {
            if joins, text[index] == Byte.backslash, index + 1 < end {
                index += 2
            } else {
                index += 1
            }
        }
        index = min(index, end)
        return (text[first..<index], min(index + 1, end))
    }

    private func joined(_ line: [UInt8].SubSequence) -> [UInt8] {
        var result: [UInt8] = []
        for byte in line {
            if byte == Byte.newline, result.last == Byte.backslash {
                result.removeLast()
            } else {
                result.append(byte)
            }
        }
        return result
    }

    private mutating func appendRawLines(strips: Bool, into chain: inout PartChain) throws(ParseFailure) {
        var run = position
        while position < end {
            let byte = text[position]
            position += 1
            if strips, byte == Byte.newline {
                appendSingle(from: run, to: &chain)
                while peek() == Byte.tab { position += 1 }
                run = position
            }
        }
        appendSingle(from: run, to: &chain)
    }

    private mutating func appendSingle(from start: Int, to chain: inout PartChain) {
        guard start < position else { return }
        append(Part(kind: .single, start: Int32(start), end: Int32(position)), to: &chain)
    }

    /// The delimiter after quote removal; nothing in it is expanded.
    private func rawDelimiter(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        var quote: UInt8 = 0
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = text[index]
            index += 1
            if quote == Byte.singleQuote {
                if byte == quote { quote = 0 } else { result.append(byte) }
            } else if byte == Byte.backslash, index < range.upperBound {
                let escaped = text[index]
                index += 1
                if escaped == Byte.newline { continue }
                if quote != 0, escaped != Byte.doubleQuote, escaped != Byte.backslash, escaped != Byte.dollar {
                    result.append(byte)
                }
                result.append(escaped)
            } else if byte == quote {
                quote = 0
            } else if quote == 0, byte == Byte.singleQuote || byte == Byte.doubleQuote {
                quote = byte
            } else if quote == 0, byte == Byte.dollar, index < range.upperBound,
                text[index] == Byte.singleQuote || text[index] == Byte.doubleQuote
            {
                continue
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
