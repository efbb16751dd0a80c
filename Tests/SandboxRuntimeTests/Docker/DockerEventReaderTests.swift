import SandboxModel
import Testing

@testable import SandboxRuntime

@Suite struct DockerEventReaderTests {
    private static let lines = """
        {"status":"pause","id":"aa","Type":"container","Action":"pause","Actor":{"ID":"aa","Attributes":{}}}
        {"Type":"network","Action":"connect","Actor":{"ID":"net"}}

        {"Type":"container","Action":"die","Actor":{"ID":"bb","Attributes":{"exitCode":"137"}}}
        {"Type":"container","Action":"exec_create: sh","Actor":{"ID":"bb"}}
        {"Type":"container","Action":"oom","Actor":{"ID":"bb"}}
        {"Type":"container","Action":"died","Actor":{"ID":"cc","Attributes":{"containerExitCode":"1"}}}
        {"Type":"container","Action":"destroy","Actor":{"ID":"bb"}}

        """

    private static func id(_ text: String) throws -> EngineID { try #require(EngineID(rawValue: text)) }

    @Test func everySplitGivesTheSameEvents() throws {
        let bytes = Array(Self.lines.utf8)
        let wanted = [
            EngineEvent(engineID: try Self.id("aa"), kind: .paused),
            EngineEvent(engineID: try Self.id("bb"), kind: .died(exitCode: 137)),
            EngineEvent(engineID: try Self.id("bb"), kind: .outOfMemory),
            EngineEvent(engineID: try Self.id("cc"), kind: .died(exitCode: 1)),
            EngineEvent(engineID: try Self.id("bb"), kind: .removed),
        ]
        for cut in 0...bytes.count {
            var reader = DockerEventReader()
            let found = try reader.read(bytes[..<cut]) + reader.read(bytes[cut...])
            #expect(found == wanted, "cut at \(cut)")
        }
    }

    @Test(arguments: ["{\n", "x\n", #"{"Action":"die"}"# + "\n", #"{"Action":"die","Actor":{"ID":"a/b"}}"# + "\n"])
    func whatIsNoEventIsAFault(_ text: String) {
        var reader = DockerEventReader()
        #expect(throws: RuntimeError.self) { try reader.read(Array(text.utf8)[...]) }
    }

    @Test func aLineWithoutEndIsBounded() throws {
        var reader = DockerEventReader()
        let piece = [UInt8](repeating: 0x20, count: DockerEventReader.lineLimit / 2)
        _ = try reader.read(piece[...])
        _ = try reader.read(piece[...])
        #expect(throws: RuntimeError.self) { try reader.read([0x20]) }
    }

    @Test func anExitCodeThatIsNoNumberIsNotInvented() throws {
        let line = #"{"Type":"container","Action":"die","Actor":{"ID":"aa","Attributes":{"exitCode":"x"}}}"#
        #expect(try DockerEventReader.event(Array(line.utf8))?.kind == .died(exitCode: nil))
    }
}
