/// What a line says about itself: its number and, in a chained stream, its chain.
struct LineClaim: Sendable, Hashable {
    let seq: Int64
    let chain: ChainValue?
}

/// The outer form of a record's line: `{"seq":N,…}` and, in chained streams, `,"chain":"…"}` at its end.
enum RecordLine {
    /// The longest line, newline not counted.
    static let maximumBytes = 1 << 20
    /// The longest part of a line that a caller fills.
    static let maximumBodyBytes = maximumBytes - 128

    private static let opening = Array("{\"seq\":".utf8)
    private static let chainOpening = Array(",\"chain\":\"".utf8)
    private static let closing = Array("}".utf8)
    /// `,"chain":"`, 64 digits, `"}`.
    static let suffixCount = chainOpening.count + ChainValue.textCount + 2

    /// Appends one line with its newline.
    /// - Parameters:
    ///   - body: Members after `seq`, each with a comma before it.
    ///   - previous: The chain that the line follows; `nil` in streams that are not chained.
    /// - Returns: The line's own chain.
    static func append(
        seq: Int64, body: [UInt8], after previous: ChainValue?, to output: inout [UInt8]
    ) -> ChainValue? {
        let start = output.count
        output += opening
        output += String(seq).utf8
        output += body
        guard let previous else {
            output += "}\n".utf8
            return nil
        }
        let chain = previous.following(output.span.extracting(start..<output.count), closing.span)
        output += chainOpening
        chain.append(to: &output)
        output += "\"}\n".utf8
        return chain
    }

    /// Reads the number off the beginning of a line; `nil` when it does not begin like a record.
    static func number(_ line: [UInt8]) -> Int64? {
        guard line.starts(with: opening) else { return nil }
        let digits = line[opening.count...].prefix(19).prefix { (0x30...0x39).contains($0) }
        guard (1...18).contains(digits.count), digits.first != 0x30 else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    /// Reads the number and the chain off a line without its newline; `nil` when it has not the form.
    static func claim(of line: [UInt8], isChained: Bool) -> LineClaim? {
        let span = line.span
        guard let seq = form(of: span, isChained: isChained) else { return nil }
        guard isChained else { return LineClaim(seq: seq, chain: nil) }
        let start = span.count - suffixCount + chainOpening.count
        guard let chain = ChainValue(hex: span.extracting(start..<span.count - 2)) else { return nil }
        return LineClaim(seq: seq, chain: chain)
    }

    /// The same for those who want the number alone: the chain's digits are not looked at.
    static func form(of span: Span<UInt8>, isChained: Bool) -> Int64? {
        guard span.count > opening.count + 1, span.count <= maximumBytes,
            span[span.count - 1] == UInt8(ascii: "}"), isEqual(span, at: 0, opening)
        else { return nil }
        var index = opening.count
        var seq: Int64 = 0
        while index < span.count, (0x30...0x39).contains(span[index]), index < opening.count + 19 {
            seq = seq &* 10 &+ Int64(span[index] - 0x30)
            index += 1
        }
        guard (1...18).contains(index - opening.count), span[opening.count] != 0x30, index < span.count,
            span[index] == UInt8(ascii: ",") || index == span.count - 1
        else { return nil }
        guard isChained else { return seq }
        let suffix = span.count - suffixCount
        guard suffix >= index, span[span.count - 2] == UInt8(ascii: "\""),
            isEqual(span, at: suffix, chainOpening)
        else { return nil }
        return seq
    }

    private static func isEqual(_ span: Span<UInt8>, at place: Int, _ text: [UInt8]) -> Bool {
        LineText.isEqual(span, place..<place + text.count, text)
    }

    /// The chain that a line should carry after `previous`. The line must have passed
    /// ``claim(of:isChained:)``.
    static func chain(of line: [UInt8], after previous: ChainValue) -> ChainValue {
        precondition(line.count > suffixCount)
        return previous.following(line.span.extracting(0..<line.count - suffixCount), closing.span)
    }

    /// The line's members without its chain, as the object that was hashed.
    static func withoutChain(_ line: [UInt8]) -> [UInt8] {
        precondition(line.count > suffixCount)
        return line[..<(line.count - suffixCount)] + closing
    }
}
