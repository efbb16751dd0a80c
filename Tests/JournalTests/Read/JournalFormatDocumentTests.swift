import LinuxSystem
import Metrics
import SandboxModel
import Testing

@testable import Journal

/// The reader that the specification prints, which shares no code with ours, run on real journals.
@Suite(.timeLimit(.minutes(2))) struct JournalFormatDocumentTests {
    private static let python = ChildCommand.locate("python3")

    private func script() throws -> String {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let bytes = try HostFiles.read(RawPath("/\(root)/docs/journal-format.md"), limit: 1 << 20)
        let text = String(decoding: bytes, as: UTF8.self)
        let start = try #require(text.firstRange(of: "```python\n")).upperBound
        let end = try #require(text[start...].firstRange(of: "```")).lowerBound
        return String(text[start..<end])
    }

    private func check(_ folder: String) async throws -> ChildResult {
        let python = try #require(Self.python)
        return try await ChildProcess.run(
            executable: python, arguments: ["-", folder], stdin: Array(try script().utf8),
            deadline: .seconds(60))
    }

    @Test(.enabled(if: python != nil, "python3 is not installed"))
    func thePrintedReaderAgreesWithOurs() async throws {
        let folder = try TemporaryFolder()
        var rig = Rig(segmentBytes: 8192)
        rig.configuration.retention[.audit] = .init(maximumBytes: 30_000)
        let (writer, _) = try JournalWriter.open(
            dataDirectory: folder.path, rig.configuration, metrics: MetricsRegistry())
        for number in 0..<300 {
            _ = try await writer.append(number % 2 == 0 ? .violations : .audit, rig.members(number))
            if number % 100 == 99 { await writer.maintainNow() }
        }
        _ = try await writer.append(.violations, rig.members(300))
        await writer.close()
        #expect(try JournalReader(dataDirectory: folder.path).verify().isIntact)
        let whole = try await check(folder.path)
        #expect(whole.exit == .code(0), "\(String(decoding: whole.stdout + whole.stderr, as: UTF8.self))")
        let head = try #require(writer.heads[.violations])
        let chain = try #require(head.chain)
        #expect(
            String(decoding: whole.stdout, as: UTF8.self)
                .contains("violations: \(head.seq) records, head \(chain)\n"))

        // One changed byte in the last plain segment.
        let storage = try DiskStorage(dataDirectory: folder.path, creating: false)
        let last = try #require(try SegmentCatalog.load(.violations, in: storage).entries.last)
        let path = "violations/\(last.name)"
        let file = try storage.open(path, forWriting: true)
        let size = try file.size()
        try file.writeAll([UInt8(ascii: "x")], at: size - 100)
        let changed = try await check(folder.path)
        #expect(changed.exit == .code(1))
        #expect(String(decoding: changed.stdout, as: UTF8.self).contains("does not follow the line before"))
        #expect(try !JournalReader(dataDirectory: folder.path).verify().isIntact)
    }
}
