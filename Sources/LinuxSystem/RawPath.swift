/// A path as the kernel takes it: any bytes but NUL, no encoding assumed.
///
/// A path that holds a NUL byte, which the kernel would silently cut, is refused by every call with `EINVAL`.
package struct RawPath: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral,
    ExpressibleByStringInterpolation
{
    /// The bytes, without terminator.
    package let bytes: [UInt8]

    package init(_ text: String) {
        bytes = Array(text.utf8)
    }

    package init(bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    package init(stringLiteral value: String) {
        self.init(value)
    }

    /// Text when the bytes are UTF-8.
    package var text: String? { String(validating: bytes, as: UTF8.self) }

    /// Printable and bounded, for messages.
    package var description: String { ForeignText.printable(bytes) }

    /// Calls `body` with the NUL-terminated bytes.
    func withTerminated(
        _ operation: String, _ body: (UnsafePointer<CChar>) -> Int32
    ) throws(SystemError) -> Int32 {
        guard !bytes.contains(0) else {
            throw SystemError(errno: 22, operation: operation, detail: "\(self): NUL byte")
        }
        let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
        // SAFETY: the array ends with NUL and lives during the call; the pointer is not kept.
        let result: Int32? = unsafe terminated.withUnsafeBufferPointer { place in
            guard let base = place.baseAddress else { return nil }
            return unsafe body(base)
        }
        guard let result else { throw SystemError(errno: 22, operation: operation) }
        return result
    }
}
