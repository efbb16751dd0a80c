import Glibc
import LinuxSystem

/// Lines for people and scripts, written whole. A closed pipe ends nothing: what cannot be written is dropped.
enum Console {
    /// Writes a line to standard output.
    static func print(_ text: String) { write(Array((text + "\n").utf8), to: 1) }

    /// Writes a line to standard error, prefixed unless it names a file already.
    static func error(_ text: String) { write(Array((text + "\n").utf8), to: 2) }

    /// Writes bytes as they are.
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // SAFETY: the pointer is valid for `count` bytes during the call, which the buffer upholds.
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Whether standard output is a terminal.
    static var isTerminal: Bool { isatty(1) == 1 }

    /// Rows with aligned columns, the header underlined by nothing: it reads well in a pipe too.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        return ([header] + rows).map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
            var line = cells.joined(separator: "  ")
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    /// Reads standard input to its end.
    /// - Throws: `badInput` past `limit` bytes.
    static func readInput(limit: Int) throws(CommandFailure) -> [UInt8] {
        let input = Descriptor(owning: dup(0))
        do throws(SystemError) {
            return try input.readAll(limit: limit)
        } catch {
            throw CommandFailure(.badInput, "standard input: \(error)")
        }
    }
}
