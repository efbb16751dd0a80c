import Testing

@testable import Journal

@Suite(.timeLimit(.minutes(2))) struct GzipBlockTests {
    private func file(_ bytes: [UInt8]) throws -> any JournalFile {
        let storage = MemoryStorage()
        storage.put("f", bytes)
        return try storage.open("f", forWriting: false)
    }

    @Test(arguments: [0, 1, 1000, 131_072, 600_000])
    func blocksAreReadAsWritten(_ count: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let noise = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
        let even = [UInt8](repeating: 7, count: count)
        let members = try [noise, even].map { try GzipBlock.deflate($0) }
        #expect(members.allSatisfy { $0.starts(with: GzipBlock.header) })
        let both = try file(members[0] + members[1])
        let first = try #require(try GzipBlock.inflate(both, at: 0))
        #expect(first.bytes == noise)
        #expect(first.end == Int64(members[0].count))
        let second = try #require(try GzipBlock.inflate(both, at: first.end))
        #expect(second.bytes == even)
        #expect(try GzipBlock.inflate(both, at: second.end) == nil)
    }

    @Test func cutsAndFlipsAreFound() throws {
        let content = Array("line one\nline two, somewhat longer\n".utf8)
        let member = try GzipBlock.deflate(content)
        for cut in 1..<member.count {
            let cutFile = try file(Array(member[..<cut]))
            let error = #expect(throws: JournalError.self) { try GzipBlock.inflate(cutFile, at: 0) }
            #expect(error?.code == .damaged)
        }
        for place in member.indices {
            var changed = member
            changed[place] ^= 0x01
            let changedFile = try file(changed)
            // A bit that pads the end of the compressed data may change without changing the content.
            let result = Result { try GzipBlock.inflate(changedFile, at: 0)?.bytes }
            if case .success(let bytes) = result { #expect(bytes == content, "byte \(place)") }
        }
    }

    @Test func aMemberThatUnfoldsWithoutEndIsRefused() throws {
        let bomb = try file(try GzipBlock.deflate([UInt8](repeating: 0, count: GzipBlock.limitBytes + 1)))
        let error = #expect(throws: JournalError.self) { try GzipBlock.inflate(bomb, at: 0) }
        #expect(error?.code == .damaged)
    }
}
