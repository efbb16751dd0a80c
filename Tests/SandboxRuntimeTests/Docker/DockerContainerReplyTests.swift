import SandboxModel
import Testing

@testable import SandboxRuntime

@Suite struct DockerContainerReplyTests {
    private static let id = "6aa4f573523af07671f750769bdd4ca51b070b5f39320244cd73b7f4670af9f7"

    private func read(_ state: String) throws -> EngineContainer {
        let text = """
            {"Id":"\(Self.id)","State":\(state),"Image":"sha256:1","Config":{"Image":"box:t","Labels":{"a":"b","n":1}},
            "HostConfig":{"Privileged":false}}
            """
        return try DockerContainerReply.container(try JSONParser.parse(Array(text.utf8)))
    }

    @Test func readsARunningContainer() throws {
        let container = try read(#"{"Status":"running","Running":true,"Pid":17332,"ExitCode":0}"#)
        #expect(container.engineID.rawValue == Self.id)
        #expect(container.state == .running)
        #expect(container.pid == 17332)
        #expect(container.image == "box:t")
        #expect(container.labels == ["a": "b"])
        #expect(container.adoptionObstacles == [])
    }

    @Test(arguments: [
        ("created", EngineContainer.State.created), ("running", .running), ("paused", .paused),
        ("restarting", .running), ("exited", .exited(code: 137, wasOOMKilled: true)),
        ("dead", .exited(code: 137, wasOOMKilled: true)), ("removing", .exited(code: 137, wasOOMKilled: true)),
    ])
    func foldsTheEnginesWords(_ word: String, _ state: EngineContainer.State) throws {
        let found = try read(#"{"Status":"\#(word)","Pid":0,"ExitCode":137,"OOMKilled":true}"#)
        #expect(found.state == state)
        #expect(found.pid == nil)
    }

    @Test func aPidOfADeadContainerDoesNotCount() throws {
        #expect(try read(#"{"Status":"exited","Pid":4,"ExitCode":1}"#).pid == nil)
    }

    @Test func oldEnginesSayNoWord() throws {
        #expect(try read(#"{"Running":true,"Paused":true,"Pid":4}"#).state == .paused)
        #expect(try read(#"{"Running":true,"Pid":4}"#).state == .running)
        #expect(try read(#"{"Running":false,"ExitCode":2}"#).state == .exited(code: 2, wasOOMKilled: false))
    }

    @Test(arguments: [
        #"{"State":{"Status":"running"}}"#, #"{"Id":"a"}"#, #"{"Id":"a","State":{}}"#, #"{"Id":"a","State":7}"#,
        #"{"Id":"../x","State":{"Status":"running"}}"#, #"{"Id":"a","State":{"Status":"teleported"}}"#, "[]", "null",
    ])
    func nothingIsGuessed(_ text: String) throws {
        let node = try JSONParser.parse(Array(text.utf8))
        #expect(throws: RuntimeError.self) { try DockerContainerReply.container(node) }
    }

    @Test func aPidOutOfRangeIsNoPid() throws {
        #expect(try read(#"{"Status":"running","Pid":99999999999}"#).pid == nil)
        #expect(try read(#"{"Status":"running","Pid":-1}"#).pid == nil)
    }
}
