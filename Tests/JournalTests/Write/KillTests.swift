import Glibc
import LinuxSystem
import Metrics
import SandboxModel
import Testing

@testable import Journal

/// Names the data folder to a child, which is this test program started again.
private let folderVariable = "SANDWARDEN_JOURNAL_CHILD"

private let childFolder = unsafe getenv(folderVariable).map { unsafe String(cString: $0) }

/// Real processes that are killed while many write.
@Suite(.timeLimit(.minutes(30))) struct KillTests {
    /// How many times a process is killed; more by `SANDWARDEN_KILL_ROUNDS`.
    private static let rounds =
        unsafe getenv("SANDWARDEN_KILL_ROUNDS").flatMap { unsafe Int(String(cString: $0)) } ?? 12

    @Test(.enabled(if: childFolder == nil, "this is the child"))
    func killedProcessesLoseNothingThatTheyAcknowledged() async throws {
        let folder = try TemporaryFolder()
        let data = folder.path + "/data"
        let rig = Rig(segmentBytes: 64 * 1024)
        var acknowledged: [JournalStream: [Int64: String]] = [.violations: [:], .audit: [:]]
        var generator = SystemRandomNumberGenerator()
        for round in 0..<Self.rounds {
            let wanted = Int.random(in: 1...1500, using: &generator)
            let lines = try await run(data, until: wanted)
            #expect(lines.count >= wanted, "round \(round)")
            for line in lines {
                let parts = line.split(separator: " ")
                let stream = try #require(JournalStream(rawValue: String(parts[1])))
                let seq = try #require(Int64(parts[2]))
                let before = acknowledged[stream]?.updateValue(String(parts[3]), forKey: seq)
                #expect(before == nil, "number \(seq) was given out twice")
            }
            let (writer, report) = try JournalWriter.open(
                dataDirectory: data, rig.configuration, metrics: MetricsRegistry())
            #expect(!report.isDamaged, "round \(round): \(report.items)")
            if round % 3 == 2 { await writer.maintainNow() }
            await writer.close()
            let storage = try DiskStorage(dataDirectory: data, creating: false)
            for (stream, expected) in acknowledged {
                let contents = try Contents(storage, stream)
                #expect(Set(contents.names).count == contents.names.count, "round \(round)")
                let found = Dictionary(uniqueKeysWithValues: contents.ids.map { ($0.seq, $0.id) })
                for (seq, id) in expected { #expect(found[seq] == id, "round \(round), \(stream) \(seq)") }
            }
            let check = try JournalReader(dataDirectory: data).verify()
            #expect(check.isIntact, "round \(round): \(check.streams.flatMap(\.faults))")
        }
    }

    /// Starts a child, kills it once it has acknowledged so many records, and gives all that it acknowledged.
    private func run(_ data: String, until wanted: Int) async throws -> [String] {
        let program = String(decoding: try HostFiles.readLink("/proc/self/exe"), as: UTF8.self)
        let child = try await ChildProcess.spawn(
            ChildCommand(
                program, ["--testing-library", "swift-testing", "--filter", "appendsUntilItIsKilled"],
                environment: [folderVariable: data], deadline: .seconds(60)))
        var text: [UInt8] = []
        var count = 0
        while let piece = await child.nextOutput() {
            guard piece.stream == .stdout else { continue }
            text += piece.bytes
            count += piece.bytes.count { $0 == 0x0A }
            if count >= wanted + 20 { child.kill(SIGKILL) }
        }
        #expect(await child.wait() == .signal(SIGKILL))
        #expect(!child.isTimedOut)
        // A line that was cut by the kill was not acknowledged to anybody.
        let whole = text.lastIndex(of: 0x0A).map { text[...$0] } ?? []
        return String(decoding: whole, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("ACK ") && $0.split(separator: " ").count == 4 }
    }

    /// The child: sixteen writers, a line on standard output for each acknowledged record.
    @Test(.enabled(if: childFolder != nil, "only started by the test that kills it"))
    func appendsUntilItIsKilled() async throws {
        let rig = Rig(segmentBytes: 64 * 1024)
        var configuration = rig.configuration
        configuration.headDelay = .milliseconds(20)
        configuration.bufferedDelay = .milliseconds(5)
        configuration.maintenanceInterval = .milliseconds(50)
        let (writer, _) = try JournalWriter.open(
            dataDirectory: try #require(childFolder), configuration, metrics: MetricsRegistry())
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<16 {
                group.addTask {
                    for turn in 0..<1_000_000 {
                        let stream: JournalStream = turn % 3 == 0 ? .audit : .violations
                        let id = "\(getpid())-\(caller)-\(turn)"
                        writer.appendBuffered(.metrics, rig.members(turn))
                        guard let seq = await writer.tryAppend(stream, [JSONMember("id", .string(id))]) else {
                            return
                        }
                        acknowledge("ACK \(stream.rawValue) \(seq) \(id)\n")
                    }
                }
            }
        }
    }
}

/// One write, so that lines of several threads stay apart.
private func acknowledge(_ line: String) {
    let bytes = Array(line.utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(1, $0.baseAddress, $0.count) }
}
