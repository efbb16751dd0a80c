internal import LinuxSystem

/// The lines of a plain segment from a place back to its first, last to first, in bounded memory.
struct BackwardLines {
    private let file: any JournalFile
    /// Content from `start` on that has been read and not given out.
    private var buffer: [UInt8] = []
    private var start: Int64
    private var end: Int
    /// Bytes of the line at hand that were given up because it is too long.
    private var isTooLong = false
    private var isTail: Bool
    private var isDone = false

    /// Begins behind the last line, or at `end`, which is the start of some line.
    init(_ file: any JournalFile, end: Int64? = nil) throws(JournalError) {
        self.file = file
        if let end {
            start = end
        } else {
            do throws(SystemError) { start = try file.size() } catch { throw JournalError(error) }
        }
        self.end = 0
        isTail = end == nil
        isDone = start == 0
        if end != nil, let block = try previousBlock() {
            buffer = block
            self.end = block.count - 1
        }
    }

    /// The line before the one given last.
    /// - Returns: `nil` before the first.
    mutating func next() throws(JournalError) -> RawLine? {
        var searched = end
        while !isDone {
            if let newline = LineReading.newline(in: buffer, before: searched, notBefore: 0) {
                let line = take(from: newline + 1)
                end = newline
                // What follows the file's last newline is a line only when there is something.
                if line.isTerminated || !line.bytes.isEmpty || line.isTooLong { return line }
                searched = end
                continue
            }
            guard let block = try previousBlock() else {
                isDone = true
                let line = take(from: 0)
                return line.bytes.isEmpty && !line.isTooLong && !line.isTerminated ? nil : line
            }
            searched = block.count
            if end > LineReading.limitBytes {
                isTooLong = true
                end = 0
            }
            buffer = end == 0 ? block : block + buffer[..<end]
            end += block.count
        }
        return nil
    }

    private mutating func take(from begin: Int) -> RawLine {
        let tooLong = isTooLong || end - begin > LineReading.limitBytes
        let line = RawLine(
            bytes: tooLong ? [] : Array(buffer[begin..<end]), offset: start + Int64(begin), number: 0,
            isTerminated: !isTail, isTooLong: tooLong)
        isTail = false
        isTooLong = false
        return line
    }

    private mutating func previousBlock() throws(JournalError) -> [UInt8]? {
        guard start > 0 else { return nil }
        let count = Int(min(start, Int64(LineReading.chunkBytes)))
        do throws(SystemError) {
            let bytes = try file.readAll(at: start - Int64(count), count: count)
            guard bytes.count == count else {
                throw SystemError(errno: ErrorNumber.io, operation: "read", detail: "the file became shorter")
            }
            start -= Int64(count)
            return bytes
        } catch {
            throw JournalError(error)
        }
    }
}
