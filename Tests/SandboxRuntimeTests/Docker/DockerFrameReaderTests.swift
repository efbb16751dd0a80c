import Testing

@testable import SandboxRuntime

@Suite struct DockerFrameReaderTests {
    private static func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return [stream, 0, 0, 0, 0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }

    private static let sample = frame(1, "one\n") + frame(2, "") + frame(2, "two") + frame(0, "x") + frame(1, "three")

    private struct Joined: Equatable {
        var stdout: [UInt8] = []
        var stderr: [UInt8] = []
        var failures: [[UInt8]] = []
        var hasEmptyPiece = false

        mutating func add(_ elements: [DockerFrameReader.Element]) {
            for element in elements {
                switch element {
                case .output(let output):
                    hasEmptyPiece = hasEmptyPiece || output.bytes.isEmpty
                    if output.stream == .stdout { stdout += output.bytes } else { stderr += output.bytes }
                case .engineFailure(let text): failures.append(text)
                }
            }
        }
    }

    @Test func everySplitGivesTheSameStreams() throws {
        let bytes = Self.sample
        let wanted = Joined(stdout: Array("one\nxthree".utf8), stderr: Array("two".utf8))
        for first in 0...bytes.count {
            for second in stride(from: first, through: bytes.count, by: 3) {
                var reader = DockerFrameReader()
                var found = Joined()
                found.add(try reader.read(bytes[..<first]))
                found.add(try reader.read(bytes[first..<second]))
                found.add(try reader.read(bytes[second...]))
                try reader.end()
                #expect(found == wanted, "cut at \(first) and \(second)")
            }
        }
    }

    @Test func byteByByte() throws {
        var reader = DockerFrameReader()
        var found = Joined()
        for index in Self.sample.indices { found.add(try reader.read(Self.sample[index...index])) }
        #expect(found.stdout == Array("one\nxthree".utf8))
        #expect(found.stderr == Array("two".utf8))
    }

    @Test func anEndInsideAFrameIsAFault() throws {
        let bytes = Self.frame(1, "hello")
        for count in 0...bytes.count {
            var reader = DockerFrameReader()
            _ = try reader.read(bytes[..<count])
            if count == 0 || count == bytes.count {
                try reader.end()
            } else {
                let missing = count < 8 ? 8 - count : bytes.count - count
                #expect(throws: DockerFrameReader.Fault.endedInside(missingBytes: missing)) { try reader.end() }
            }
        }
    }

    @Test func anUnknownStreamStaysAFault() {
        var reader = DockerFrameReader()
        #expect(throws: DockerFrameReader.Fault.unknownStream(9)) {
            try reader.read([9, 0, 0, 0, 0, 0, 0, 1, 65])
        }
        #expect(throws: DockerFrameReader.Fault.unknownStream(9)) { try reader.read([1]) }
        #expect(throws: DockerFrameReader.Fault.unknownStream(9)) { try reader.end() }
    }

    @Test func textThatIsNoFrameIsAFault() {
        var reader = DockerFrameReader()
        #expect(throws: DockerFrameReader.Fault.self) { try reader.read(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)[...]) }
        var padded = DockerFrameReader()
        #expect(throws: DockerFrameReader.Fault.nonZeroPadding) { try padded.read([1, 0, 1, 0, 0, 0, 0, 1, 65]) }
    }

    @Test func theLargestLengthIsReadInPieces() throws {
        var reader = DockerFrameReader()
        #expect(try reader.read([1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]).isEmpty)
        let piece = [UInt8](repeating: 7, count: 1000)
        #expect(try reader.read(piece[...]) == [.output(ExecOutput(stream: .stdout, bytes: piece))])
        #expect(throws: DockerFrameReader.Fault.endedInside(missingBytes: 0xFFFF_FFFF - 1000)) { try reader.end() }
    }

    @Test func theEnginesOwnFailureIsKeptShort() throws {
        var reader = DockerFrameReader()
        let text = [UInt8](repeating: UInt8(ascii: "e"), count: 5000)
        let bytes: [UInt8] = [3, 0, 0, 0, 0, 0, 0x13, 0x88] + text
        var found = Joined()
        for start in stride(from: 0, to: bytes.count, by: 700) {
            found.add(try reader.read(bytes[start..<min(start + 700, bytes.count)]))
        }
        #expect(found.failures == [Array(text.prefix(DockerFrameReader.failureLimit))])
    }
}
