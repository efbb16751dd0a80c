internal import LinuxSystem

/// Finds a record in a plain segment by its number without reading the segment through.
enum PlainSeek {
    private static let probeBytes = 64 * 1024

    /// A line that begins at or before the first record whose number is above `seq`, and not far before it.
    ///
    /// Rests on numbers that rise from line to line. Where a probe meets anything else the answer is 0, the
    /// segment's beginning, which is always right.
    static func lineBefore(recordAfter seq: Int64, in file: any JournalFile) throws(JournalError) -> Int64 {
        do throws(SystemError) {
            var low: Int64 = 0
            var high = try file.size()
            while high - low > Int64(probeBytes) {
                let middle = low + (high - low) / 2
                let bytes = try file.readAll(at: middle, count: probeBytes)
                guard let newline = LineReading.newline(in: bytes, from: 0),
                    middle + Int64(newline) + 1 < high
                else {
                    high = middle
                    continue
                }
                var begin = newline + 1
                if begin + 32 > bytes.count { begin = bytes.count }
                let start = middle + Int64(newline) + 1
                let prefix =
                    begin < bytes.count
                    ? Array(bytes[begin..<begin + 32]) : try file.readAll(at: start, count: 32)
                guard let found = RecordLine.number(prefix) else { return 0 }
                if found <= seq { low = start } else { high = start }
            }
            return low
        } catch {
            throw JournalError(error)
        }
    }

    /// Where the first record begins whose number is above `seq`; `nil` when there is none.
    static func record(after seq: Int64, in segment: SegmentFile) throws(JournalError) -> Int64? {
        let start = try lineBefore(recordAfter: seq, in: segment.file)
        var lines = ForwardLines(segment, position: start, offset: start)
        while let line = try lines.next() {
            guard line.isTerminated, line.offset > 0, let found = RecordLine.number(line.bytes) else {
                continue
            }
            if found > seq { return line.offset }
        }
        return nil
    }
}
