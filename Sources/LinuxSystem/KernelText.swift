/// Reading the plain text that the kernel prints: total, no encoding assumed, no allocation but for results.
package enum KernelText {
    /// The lines, without their ends; a last line need not end. Empty lines are left out.
    package static func lines(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0a)
    }

    /// The words between spaces and tabs.
    package static func words(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        line.split { $0 == 0x20 || $0 == 0x09 }
    }

    /// The whole text as a decimal number without sign; `nil` for anything else, and past 64 bits.
    package static func unsigned(_ text: ArraySlice<UInt8>) -> UInt64? {
        guard !text.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (scaled, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = scaled.addingReportingOverflow(UInt64(byte - 0x30))
            guard !first, !second else { return nil }
            value = sum
        }
        return value
    }

    /// The whole text as a decimal number, perhaps with a minus sign.
    package static func signed(_ text: ArraySlice<UInt8>) -> Int64? {
        guard text.first == 0x2d else { return unsigned(text).flatMap { Int64(exactly: $0) } }
        guard let magnitude = unsigned(text.dropFirst()), magnitude <= UInt64(Int64.max) else { return nil }
        return -Int64(magnitude)
    }

    /// The whole text as a hexadecimal number without prefix.
    package static func hexadecimal(_ text: ArraySlice<UInt8>) -> UInt64? {
        guard !text.isEmpty, text.count <= 16 else { return nil }
        var value: UInt64 = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x61 + 10
            case 0x41...0x46: digit = byte - 0x41 + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// The text without spaces, tabs and line ends around it.
    package static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a }
        var rest = text
        while let first = rest.first, isBlank(first) { rest.removeFirst() }
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }

    /// Text for showing; bytes that are not UTF-8 become U+FFFD.
    package static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// The number after a key in lines of `key number` (`cpu.stat`, `memory.stat`, `memory.events`).
    ///
    /// Scans in place: the form for samplers.
    package static func number(after key: StaticString, in bytes: ArraySlice<UInt8>) -> UInt64? {
        let length = key.utf8CodeUnitCount
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.endIndex
            if end - start > length + 1, bytes[start + length] == 0x20, matches(key, bytes, at: start) {
                return unsigned(trimmed(bytes[(start + length + 1)..<end]))
            }
            start = end + 1
        }
        return nil
    }

    private static func matches(_ key: StaticString, _ bytes: ArraySlice<UInt8>, at start: Int) -> Bool {
        key.withUTF8Buffer { place in
            // SAFETY: the offset is below the count of the buffer, which lives as long as this closure.
            for offset in 0..<place.count where unsafe place[offset] != bytes[start + offset] {
                return false
            }
            return true
        }
    }

    /// Undoes the octal escapes (`\040`) of mount tables; a backslash that begins none stays.
    package static func unescapedOctal(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let digits = text[index...].dropFirst().prefix(3)
            if text[index] == 0x5c, digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }) {
                let value = digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
                if value < 256 {
                    result.append(UInt8(value))
                    index += 4
                    continue
                }
            }
            result.append(text[index])
            index += 1
        }
        return result
    }
}
