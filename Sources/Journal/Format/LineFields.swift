/// Where the members that queries look at stand in a line, found without building a tree.
///
/// Ranges are of the text between the quotes, escapes left as they are: the writer has one way to write a
/// text, so two texts are equal when their written forms are. Members of nested objects do not count.
struct LineFields: Sendable {
    var timestamp: Range<Int>?
    var sandbox: Range<Int>?
    var type: Range<Int>?
    var severity: Range<Int>?
    var policy: Range<Int>?
    var event: Range<Int>?
    /// The kind of a record that the journal wrote itself.
    var journal: Range<Int>?

    /// Walks over the top level of a JSON object.
    /// - Returns: `nil` when the bytes have not the outer form of one; values are not checked any further.
    init?(_ line: [UInt8]) {
        let span = line.span
        guard span.count >= 2, span[0] == UInt8(ascii: "{") else { return nil }
        var index = 1
        if span[1] == UInt8(ascii: "}") {
            guard span.count == 2 else { return nil }
            return
        }
        while true {
            guard let key = LineFields.string(in: span, &index), index < span.count,
                span[index] == UInt8(ascii: ":")
            else { return nil }
            index += 1
            guard index < span.count else { return nil }
            if span[index] == UInt8(ascii: "\"") {
                guard let value = LineFields.string(in: span, &index) else { return nil }
                note(key, value, in: span)
            } else {
                guard LineFields.skipValue(in: span, &index) else { return nil }
            }
            guard index < span.count else { return nil }
            let byte = span[index]
            index += 1
            if byte == UInt8(ascii: "}") {
                guard index == span.count else { return nil }
                return
            }
            guard byte == UInt8(ascii: ",") else { return nil }
        }
    }

    private static let timestampName = Array("timestamp".utf8)
    private static let sandboxName = Array("sandbox_id".utf8)
    private static let typeName = Array("violation_type".utf8)
    private static let severityName = Array("severity".utf8)
    private static let policyName = Array("policy".utf8)
    private static let eventName = Array("event".utf8)
    private static let journalName = Array("journal".utf8)

    /// The names differ in length, so that one comparison at most is made.
    private mutating func note(_ key: Range<Int>, _ value: Range<Int>, in span: Span<UInt8>) {
        func isKey(_ name: [UInt8]) -> Bool { LineText.isEqual(span, key, name) }
        switch key.count {
        case 5: if isKey(LineFields.eventName) { event = value }
        case 6: if isKey(LineFields.policyName) { policy = value }
        case 7: if isKey(LineFields.journalName) { journal = value }
        case 8: if isKey(LineFields.severityName) { severity = value }
        case 9: if isKey(LineFields.timestampName) { timestamp = value }
        case 10: if isKey(LineFields.sandboxName) { sandbox = value }
        case 14: if isKey(LineFields.typeName) { type = value }
        default: return
        }
    }

    /// Skips a string literal that begins at `index`; the range is of what is between its quotes.
    private static func string(in span: Span<UInt8>, _ index: inout Int) -> Range<Int>? {
        guard index < span.count, span[index] == UInt8(ascii: "\"") else { return nil }
        let start = index + 1
        var place = start
        while place < span.count {
            switch span[place] {
            case UInt8(ascii: "\""):
                index = place + 1
                return start..<place
            case UInt8(ascii: "\\"): place += 2
            default: place += 1
            }
        }
        return nil
    }

    /// Skips a number, a word, a list or an object.
    private static func skipValue(in span: Span<UInt8>, _ index: inout Int) -> Bool {
        var depth = 0
        let start = index
        while index < span.count {
            switch span[index] {
            case UInt8(ascii: "\""):
                guard string(in: span, &index) != nil else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { return index > start }
                depth -= 1
            case UInt8(ascii: ","):
                guard depth > 0 else { return index > start }
            default: break
            }
            index += 1
        }
        return false
    }
}
