internal import Glibc

/// A system call that failed: which error, what was attempted, and on what.
///
/// `errno` is the kernel's number, or the closest one where this module itself refuses (`EINVAL` for text
/// that cannot be an argument, `EMSGSIZE` past a bound, `EAGAIN` when a queue is full, `ETIMEDOUT` past a
/// deadline).
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The error number, positive.
    package let errno: Int32
    /// The system call or the step, such as `openat2`.
    package let operation: String
    /// What it was done to; at most 128 bytes of foreign text, printable. May be empty.
    package let detail: String

    /// Makes an error; `detail` is bounded and made printable.
    package init(errno: Int32, operation: String, detail: String = "") {
        self.errno = errno
        self.operation = operation
        self.detail = detail.isEmpty ? detail : ForeignText.printable(detail.utf8)
    }

    /// The error number of the calling thread's last failed call.
    ///
    /// Nothing may run between the failed call and this one.
    static func last(_ operation: String, _ detail: String = "") -> SystemError {
        let number = Glibc.errno
        return SystemError(errno: number, operation: operation, detail: detail)
    }

    /// Text of the error: `openat2: No such file or directory (ENOENT 2): etc/shadow`.
    package var description: String {
        let tail = detail.isEmpty ? "" : ": \(detail)"
        return "\(operation): \(Self.text(of: errno)) (\(errno))\(tail)"
    }

    /// The C library's text for an error number, in the C locale.
    package static func text(of number: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        // SAFETY: strerror_r writes at most `count` bytes, terminator included, into a buffer of that size.
        let status = unsafe buffer.withUnsafeMutableBufferPointer { place in
            guard let base = place.baseAddress else { return Int32(-1) }
            return unsafe strerror_r(number, base, place.count)
        }
        guard status == 0 else { return "error \(number)" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension SystemError {
    /// Turns the answer of a shim (a value, or `-errno`) into a value or an error.
    static func check(
        _ result: Int32, _ operation: String, _ detail: @autoclosure () -> String = ""
    ) throws(SystemError) -> Int32 {
        guard result >= 0 else {
            throw SystemError(errno: -result, operation: operation, detail: detail())
        }
        return result
    }
}

/// Text that came from outside, made fit for a message.
package enum ForeignText {
    /// Keeps printable ASCII, escapes the rest as `\xNN`, and stops at `limit` bytes of input with `…`.
    package static func printable(_ bytes: some Sequence<UInt8>, limit: Int = 128) -> String {
        var text = ""
        var taken = 0
        for byte in bytes {
            guard taken < limit else {
                text += "…"
                break
            }
            taken += 1
            if byte >= 0x20, byte < 0x7f {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += byte < 16 ? "\\x0" : "\\x"
                text += String(byte, radix: 16)
            }
        }
        return text
    }
}
