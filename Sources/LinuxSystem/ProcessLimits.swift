/// A limit of the kernel.
package enum KernelLimit: Sendable, Hashable {
    case unlimited
    case value(UInt64)

    /// Reads `unlimited` or a number.
    init?(_ text: ArraySlice<UInt8>) {
        if text.elementsEqual("unlimited".utf8) {
            self = .unlimited
        } else if let value = KernelText.unsigned(text) {
            self = .value(value)
        } else {
            return nil
        }
    }
}

/// What `/proc/PID/limits` says.
/// - SeeAlso: proc_pid_limits(5), getrlimit(2).
package struct ProcessLimits: Sendable, Hashable {
    /// Both sides of one limit.
    package struct Pair: Sendable, Hashable {
        /// What holds now.
        package let soft: KernelLimit
        /// What the process may raise it to.
        package let hard: KernelLimit
    }

    /// By the kernel's name, such as `Max open files`.
    package let byName: [String: Pair]

    package var openFiles: Pair? { byName["Max open files"] }
    package var processes: Pair? { byName["Max processes"] }
    package var fileSizeBytes: Pair? { byName["Max file size"] }
    package var coreFileBytes: Pair? { byName["Max core file size"] }
    package var stackBytes: Pair? { byName["Max stack size"] }

    /// Reads the file's text: the name in the first 25 columns, then the two values.
    /// - Returns: `nil` when no line has that form.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> ProcessLimits? {
        var byName: [String: Pair] = [:]
        for line in KernelText.lines(bytes) where line.count > 26 {
            let words = KernelText.words(line.dropFirst(26))
            guard words.count >= 2, let soft = KernelLimit(words[0]), let hard = KernelLimit(words[1]) else {
                continue
            }
            byName[KernelText.text(KernelText.trimmed(line.prefix(25)))] = Pair(soft: soft, hard: hard)
        }
        return byName.isEmpty ? nil : ProcessLimits(byName: byName)
    }
}
