import LinuxSystem
import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(2))) struct LinesTests {
    private func open(_ bytes: [UInt8]) throws -> SegmentFile {
        let storage = MemoryStorage()
        storage.put("f", bytes)
        return SegmentFile(file: try storage.open("f", forWriting: false), isCompressed: false)
    }

    private func forward(_ bytes: [UInt8]) throws -> [RawLine] {
        var lines = ForwardLines(try open(bytes))
        var all: [RawLine] = []
        while let line = try lines.next() { all.append(line) }
        return all
    }

    private func backward(_ bytes: [UInt8], end: Int64? = nil) throws -> [RawLine] {
        var lines = try BackwardLines(try open(bytes).file, end: end)
        var all: [RawLine] = []
        while let line = try lines.next() { all.append(line) }
        return all
    }

    private static let texts: [[UInt8]] = [
        "", "\n", "a", "a\n", "\na", "\n\n", "ab\ncd\n", "ab\n\ncd", "ab\ncd\n\n",
    ].map { (text: String) in Array(text.utf8) }

    /// Contents whose lines end just before, at and just behind the places where reads end.
    private static let chunked: [[UInt8]] = [-2, -1, 0, 1, 2].flatMap { shift in
        [1, 2, 3].map { count in
            let length = LineReading.chunkBytes * count + shift
            return [UInt8](repeating: 0x61, count: length) + [0x0A] + Array("rest\ntail".utf8)
        }
    }

    @Test(arguments: texts + chunked)
    func bothWaysGiveTheSameLines(_ bytes: [UInt8]) throws {
        let there = try forward(bytes)
        let back = try backward(bytes).reversed()
        #expect(there.count == back.count)
        for (left, right) in zip(there, back) {
            #expect(left.bytes == right.bytes)
            #expect(left.offset == right.offset)
            #expect(left.isTerminated == right.isTerminated)
        }
        let joined = there.reduce(into: [UInt8]()) { $0 += $1.bytes + ($1.isTerminated ? [0x0A] : []) }
        #expect(joined == bytes)
        #expect(there.map(\.number) == Array(1..<(there.count + 1)))
        for line in there.dropFirst() {
            let before = try backward(bytes, end: line.offset)
            #expect(before.count == there.count { $0.offset < line.offset })
            #expect(before.allSatisfy { $0.isTerminated })
        }
    }

    @Test(arguments: [0, 1, 131_072, 300_000])
    func aLineThatIsTooLongIsPassedOverInBoundedMemory(_ extra: Int) throws {
        let long = [UInt8](repeating: 0x62, count: LineReading.limitBytes + 1 + extra)
        let bytes = Array("a\n".utf8) + long + Array("\nb\n".utf8)
        for lines in [try forward(bytes), try backward(bytes).reversed()] {
            #expect(lines.count == 3)
            #expect(lines.map(\.isTooLong) == [false, true, false])
            #expect(lines[1].bytes.isEmpty)
            #expect(lines.map(\.offset) == [0, 2, Int64(long.count) + 3])
        }
        let longest = [UInt8](repeating: 0x62, count: LineReading.limitBytes)
        for lines in [try forward(longest + [0x0A]), try backward(longest + [0x0A])] {
            #expect(lines.map(\.bytes) == [longest])
        }
    }

    @Test func aTailThatGrowsIsGivenWhole() throws {
        let storage = MemoryStorage()
        storage.put("f", Array("one\ntw".utf8))
        let file = try storage.open("f", forWriting: true)
        var lines = ForwardLines(SegmentFile(file: file, isCompressed: false))
        #expect(try lines.next()?.bytes == Array("one".utf8))
        #expect(try lines.next()?.isTerminated == false)
        #expect(try lines.next() == nil)
        try file.writeAll(Array("o\nthree\n".utf8), at: 6)
        let line = try lines.next()
        #expect(line == RawLine(bytes: Array("two".utf8), offset: 4, number: 2, isTerminated: true))
        #expect(try lines.next()?.bytes == Array("three".utf8))
        #expect(try lines.next() == nil)
    }
}
