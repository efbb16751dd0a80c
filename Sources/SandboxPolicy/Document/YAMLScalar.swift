import SandboxModel

/// What a plain scalar means by the core schema of YAML 1.2.
/// - SeeAlso: YAML 1.2.2, section 10.3.2
enum YAMLScalar {
    /// Why a scalar has no meaning here.
    struct Refusal: Error, Hashable {
        var detail: String
    }

    /// Resolves the text of a plain scalar.
    static func resolve(_ text: String) -> Result<DocumentNode.Content, Refusal> {
        switch text {
        case "", "~", "null", "Null", "NULL": return .success(.null)
        case "true", "True", "TRUE": return .success(.bool(true))
        case "false", "False", "FALSE": return .success(.bool(false))
        default: break
        }
        let bytes = Array(text.utf8)
        guard let first = bytes.first, isDigit(first) || "+-.".utf8.contains(first) else {
            return .success(.string(text))
        }
        return number(text, bytes)
    }

    private static func number(_ text: String, _ bytes: [UInt8]) -> Result<DocumentNode.Content, Refusal> {
        let isSigned = bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-")
        let body = Array(bytes[(isSigned ? 1 : 0)...])
        switch String(decoding: body, as: UTF8.self) {
        case ".inf", ".Inf", ".INF": return .failure(Refusal(detail: "a number must be finite"))
        case ".nan", ".NaN", ".NAN":
            return isSigned ? .success(.string(text)) : .failure(Refusal(detail: "a number must be finite"))
        default: break
        }
        if !isSigned, body.count > 2, body[0] == UInt8(ascii: "0"), !isDigit(body[1]) {
            let digits = String(decoding: body[2...], as: UTF8.self)
            if body[1] == UInt8(ascii: "o"), body[2...].allSatisfy({ (48...55).contains($0) }) {
                return integer(Int64(digits, radix: 8))
            }
            if body[1] == UInt8(ascii: "x"), body[2...].allSatisfy(isHexDigit) {
                return integer(Int64(digits, radix: 16))
            }
        }
        if !body.isEmpty, body.allSatisfy(isDigit) {
            guard body.count == 1 || body[0] != UInt8(ascii: "0") else {
                return .failure(
                    Refusal(detail: "a number may not begin with 0: write 0o for octal, or quote it as text"))
            }
            return integer(Int64(text))
        }
        guard isFloat(body) else { return .success(.string(text)) }
        // `Double` reads neither `1.` nor `.5` everywhere; the form was checked, so completing it is safe.
        guard let value = Double(completed(text)), value.isFinite else {
            return .failure(Refusal(detail: "the number is out of range"))
        }
        return .success(.number(value))
    }

    private static func integer(_ value: Int64?) -> Result<DocumentNode.Content, Refusal> {
        guard let value else { return .failure(Refusal(detail: "the number is out of range")) }
        return .success(.integer(value))
    }

    // ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
    private static func isFloat(_ body: [UInt8]) -> Bool {
        var index = 0
        func digits() -> Int {
            let start = index
            while index < body.count, isDigit(body[index]) { index += 1 }
            return index - start
        }
        let whole = digits()
        if index < body.count, body[index] == UInt8(ascii: ".") {
            index += 1
            let fraction = digits()
            guard whole > 0 || fraction > 0 else { return false }
        } else {
            guard whole > 0 else { return false }
        }
        if index < body.count, body[index] == UInt8(ascii: "e") || body[index] == UInt8(ascii: "E") {
            index += 1
            if index < body.count, "+-".utf8.contains(body[index]) { index += 1 }
            guard digits() > 0 else { return false }
        }
        return index == body.count
    }

    private static func completed(_ text: String) -> String {
        var result = ""
        var previous: Character = " "
        for character in text {
            if character == ".", !previous.isASCII || !previous.isNumber { result += "0" }
            if previous == ".", !character.isNumber { result += "0" }
            result.append(character)
            previous = character
        }
        if previous == "." { result += "0" }
        return result
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (97...102).contains(byte) || (65...70).contains(byte)
    }
}
