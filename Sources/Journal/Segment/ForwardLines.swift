/// The lines of a segment from a place on, first to last, in bounded memory.
struct ForwardLines {
    private let segment: SegmentFile
    private var position: Int64
    private var block: [UInt8] = []
    private var index = 0
    /// The beginning of a line whose end is in a later block.
    private var carry: [UInt8] = []
    /// Bytes of the line that were given up because it is too long.
    private var discarded: Int64 = 0
    private var offset: Int64
    private var number: Int
    private var toldTail = false

    /// Begins at the start of the segment.
    init(_ segment: SegmentFile) {
        self.init(segment, position: 0, offset: 0, number: 1)
    }

    /// Begins at the start of some line.
    /// - Parameters:
    ///   - position: Place in the file.
    ///   - offset: The same place in the uncompressed content.
    ///   - number: The line's number, or 0 when it is not known.
    init(_ segment: SegmentFile, position: Int64, offset: Int64, number: Int = 0) {
        self.segment = segment
        self.position = position
        self.offset = offset
        self.number = number
    }

    /// Where the next line begins, in bytes of the uncompressed content.
    var nextOffset: Int64 { offset }

    /// The next line.
    ///
    /// A last line without a newline is given once, as not terminated. Asked again, the reader looks whether
    /// the file has grown and then gives the whole line.
    /// - Returns: `nil` at the end.
    mutating func next() throws(JournalError) -> RawLine? {
        while true {
            if index < block.count {
                if let newline = LineReading.newline(in: block, from: index) {
                    return take(upTo: newline)
                }
                keep(block[index...])
                index = block.count
            }
            if let more = try segment.nextBlock(&position) {
                block = more
                index = 0
                toldTail = false
                continue
            }
            guard !toldTail, !carry.isEmpty || discarded > 0 else { return nil }
            toldTail = true
            return RawLine(
                bytes: discarded > 0 ? [] : carry, offset: offset, number: number, isTerminated: false,
                isTooLong: discarded > 0)
        }
    }

    private mutating func keep(_ piece: ArraySlice<UInt8>) {
        if discarded > 0 || carry.count + piece.count > LineReading.limitBytes {
            discarded += Int64(carry.count + piece.count)
            carry.removeAll(keepingCapacity: true)
        } else {
            carry += piece
        }
    }

    private mutating func take(upTo newline: Int) -> RawLine {
        var line = RawLine(bytes: [], offset: offset, number: number, isTerminated: true)
        let length: Int64
        if carry.isEmpty, discarded == 0, newline - index <= LineReading.limitBytes {
            line.bytes = Array(block[index..<newline])
            length = Int64(newline - index)
        } else {
            keep(block[index..<newline])
            line.isTooLong = discarded > 0
            line.bytes = carry
            length = discarded + Int64(carry.count)
            carry.removeAll(keepingCapacity: true)
            discarded = 0
        }
        index = newline + 1
        offset += length + 1
        if number > 0 { number += 1 }
        return line
    }
}
