import SandboxModel
import Testing

@testable import SandboxRuntime

@Suite struct DockerAdoptionTests {
    private func obstacles(_ json: String) throws -> [String] {
        DockerAdoption.obstacles(try JSONParser.parse(Array(json.utf8)))
    }

    @Test func anOrdinaryContainerMayBeAdopted() throws {
        let json = """
            {"HostConfig":{"Privileged":false,"NetworkMode":"default","PidMode":"","IpcMode":"private","UTSMode":"",
            "UsernsMode":"","CgroupnsMode":"private","CapAdd":["NET_BIND_SERVICE"],"Devices":[],"DeviceRequests":null,
            "SecurityOpt":null,"Binds":["/srv/data:/data:rw"]},"Mounts":[{"Type":"bind","Source":"/srv/data"},
            {"Type":"volume","Name":"v","Source":"/var/lib/docker/volumes/v/_data"},{"Type":"tmpfs","Source":""}]}
            """
        #expect(try obstacles(json) == [])
    }

    @Test(arguments: [
        (#"{"Privileged":true}"#, "privileged"),
        (#"{}"#, "privileged"),
        (#"{"Privileged":false,"NetworkMode":"host"}"#, "host network namespace"),
        (#"{"Privileged":false,"PidMode":"host"}"#, "host pid namespace"),
        (#"{"Privileged":false,"IpcMode":"host"}"#, "host ipc namespace"),
        (#"{"Privileged":false,"UTSMode":"host"}"#, "host uts namespace"),
        (#"{"Privileged":false,"UsernsMode":"host"}"#, "host user namespace"),
        (#"{"Privileged":false,"PidMode":"container:abc"}"#, "pid namespace of another container"),
        (#"{"Privileged":false,"CapAdd":["CAP_SYS_ADMIN"]}"#, "capability SYS_ADMIN"),
        (#"{"Privileged":false,"CapAdd":["all"]}"#, "capability ALL"),
        (#"{"Privileged":false,"Devices":[{"PathOnHost":"/dev/sda"}]}"#, "devices"),
        (#"{"Privileged":false,"DeviceCgroupRules":["a *:* rwm"]}"#, "device rules"),
        (#"{"Privileged":false,"SecurityOpt":["seccomp:unconfined"]}"#, "security option seccomp=unconfined"),
        (#"{"Privileged":false,"Binds":["/var/run/docker.sock:/s"]}"#, "engine socket mounted (/var/run/docker.sock)"),
        (#"{"Privileged":false,"Binds":["/run:/r"]}"#, "engine socket mounted (/run)"),
        (#"{"Privileged":false,"Binds":["/var/run/:/r"]}"#, "engine socket mounted (/var/run)"),
        (#"{"Privileged":false,"Binds":["/run/containerd:/r"]}"#, "engine socket mounted (/run/containerd)"),
        (#"{"Privileged":false,"Binds":["/:/host:ro"]}"#, "host path / mounted"),
        (#"{"Privileged":false,"Binds":["/etc/../etc/shadow:/s"]}"#, "a mount whose source is not told"),
        (#"{"Privileged":false,"Binds":["//etc/./shadow:/s"]}"#, "host path /etc/shadow mounted"),
        (#"{"Privileged":false,"Binds":["/var/lib:/v"]}"#, "host path /var/lib mounted"),
        (#"{"Privileged":false,"Binds":["/var/lib/docker/volumes:/v"]}"#, "host path /var/lib/docker/volumes mounted"),
        (#"{"Privileged":false,"Mounts":[{"Type":"bind","Source":"/proc"}]}"#, "host path /proc mounted"),
        (#"{"Privileged":false,"Mounts":[{"Type":"bind"}]}"#, "a mount whose source is not told"),
    ])
    func eachWayOutIsAnObstacle(_ host: String, _ expected: String) throws {
        #expect(try obstacles("{\"HostConfig\":\(host)}") == [expected])
    }

    @Test func aReplyWithoutConfigurationTellsNothing() throws {
        #expect(try obstacles("{}") == ["its configuration is not told"])
        #expect(try obstacles(#"{"HostConfig":null}"#) == ["its configuration is not told"])
    }
}
