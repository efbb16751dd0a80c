internal import Crypto

/// A SHA-256 value as the format writes it: 64 lower-case hexadecimal digits.
///
/// Kept as text, because the text is what is hashed, written and compared.
public struct ChainValue: Sendable, Hashable, CustomStringConvertible {
    let text: SIMD64<UInt8>

    static let textCount = 64

    /// What the first line of a stream follows: zeros.
    public static let start = ChainValue(text: SIMD64(repeating: UInt8(ascii: "0")))

    private init(text: SIMD64<UInt8>) {
        self.text = text
    }

    /// Reads 64 lower-case hexadecimal digits; `nil` for anything else.
    public init?(hex: String) {
        self.init(hex: Array(hex.utf8).span)
    }

    init?(hex digits: Span<UInt8>) {
        guard digits.count == ChainValue.textCount else { return nil }
        // No early exit and no vector comparison: the first keeps the compiler from doing many digits at once, the
        // second is a call for each lane.
        var wrong: UInt8 = 0
        for index in 0..<ChainValue.textCount {
            let digit = digits[index]
            wrong |= (digit &- 0x30 > 9 ? 1 : 0) & (digit &- 0x61 > 5 ? 1 : 0)
        }
        guard wrong == 0 else { return nil }
        // SAFETY: the span has just the vector's size, and any bytes are a vector.
        text = unsafe digits.withUnsafeBytes { unsafe $0.loadUnaligned(as: SIMD64<UInt8>.self) }
    }

    private init(_ digest: SHA256Digest) {
        var text = SIMD64<UInt8>()
        // SAFETY: the bytes of a local vector, of which the 32 of the digest fill 64.
        unsafe withUnsafeMutableBytes(of: &text) { place in
            var index = 0
            for byte in digest {
                unsafe place[index] = ChainValue.digit(byte >> 4)
                unsafe place[index + 1] = ChainValue.digit(byte & 15)
                index += 2
            }
        }
        self.text = text
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x57 + value
    }

    /// The hash of bytes alone.
    static func digest(of bytes: Span<UInt8>) -> ChainValue {
        var hash = SHA256()
        hash.absorb(bytes)
        return ChainValue(hash.finalize())
    }

    /// The hash of bytes that come piece by piece.
    struct Running {
        private var hash = SHA256()

        mutating func add(_ bytes: Span<UInt8>) {
            hash.absorb(bytes)
        }

        consuming func finish() -> ChainValue { ChainValue(hash.finalize()) }
    }

    /// The chain of a line that follows this one: the hash of this value's text and the line's bytes.
    /// - Parameters:
    ///   - line: The line without its own chain member, or the part of it before that member.
    ///   - rest: The part of it after that member.
    func following(_ line: Span<UInt8>, _ rest: Span<UInt8>) -> ChainValue {
        var hash = SHA256()
        // SAFETY: the bytes of a local value, read during the call.
        unsafe withUnsafeBytes(of: text) { unsafe hash.update(bufferPointer: $0) }
        hash.absorb(line)
        hash.absorb(rest)
        return ChainValue(hash.finalize())
    }

    func append(to output: inout [UInt8]) {
        // SAFETY: as above.
        unsafe withUnsafeBytes(of: text) { unsafe output.append(contentsOf: $0) }
    }

    /// The 64 digits.
    public var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension SHA256 {
    fileprivate mutating func absorb(_ bytes: Span<UInt8>) {
        // SAFETY: the span keeps its storage alive for the call and its own count bounds the read.
        unsafe bytes.withUnsafeBytes { unsafe update(bufferPointer: $0) }
    }
}
