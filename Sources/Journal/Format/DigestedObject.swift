internal import SandboxModel

/// A JSON object on one line whose last member is the hash of the rest, so that a flipped bit is found.
///
/// Segment headers, indexes and `state/head` are written so. The hash is over the bytes without
/// `,"digest":"…"`. It protects against damage, not against a forger.
enum DigestedObject {
    // `,"digest":"`, 64 digits, `"}`.
    private static let opening = Array(",\"digest\":\"".utf8)
    private static let suffixCount = opening.count + ChainValue.textCount + 2

    /// The line, without a newline.
    static func encode(_ members: [JSONMember]) -> [UInt8] {
        var line = JSONValue.object(members).bytes
        let digest = ChainValue.digest(of: line.span)
        line.removeLast()
        line += opening
        digest.append(to: &line)
        line += "\"}".utf8
        return line
    }

    /// The object without its digest; `nil` when the digest is missing or wrong, or the rest is no object.
    static func decode(_ line: [UInt8]) -> JSONValue? {
        guard line.count > suffixCount + 1, line.suffix(2).elementsEqual("\"}".utf8) else { return nil }
        let start = line.count - suffixCount
        guard line[start..<start + opening.count].elementsEqual(opening) else { return nil }
        let digits = line[(start + opening.count)..<(line.count - 2)]
        let body = line[..<start] + [UInt8(ascii: "}")]
        guard ChainValue(hex: digits.span) == ChainValue.digest(of: body.span) else { return nil }
        do {
            let value = try JSONParser.parse(Array(body)).json
            return value.members == nil ? nil : value
        } catch {
            // The digest is right, so this was written so: the same answer as for any other foreign text.
            return nil
        }
    }

    /// The digest that a line carries, as text; empty where there is none.
    static func digestText(of line: [UInt8]) -> String {
        guard line.count > suffixCount else { return "" }
        return String(
            decoding: line[(line.count - ChainValue.textCount - 2)..<(line.count - 2)], as: UTF8.self)
    }
}
