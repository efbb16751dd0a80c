import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// From creation to removal, on time and once.
    @Suite(.serialized, Integration.needsRoot, .timeLimit(.minutes(10)))
    struct LifecycleTests {
        @Test("pause, resume, stop, delete", arguments: TestHost.runtimes)
        func states(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                #expect(try await sandbox.post("pause")["state"].string == "paused")
                #expect(try await sandbox.exec("echo").status == 409)
                #expect(try await sandbox.post("resume")["state"].string == "running")
                #expect(try await sandbox.run("echo back")["stdout"].string == "back\n")
                #expect(try await sandbox.post("stop")["state"].string == "stopped")
                #expect(sandbox.hostProcesses().isEmpty)
                #expect(try await sandbox.exec("echo").status == 409)
                #expect(try await daemon.ask("GET", sandbox.file("/work")).status == 409)
                #expect(try await sandbox.delete().status == 204)
                #expect(try await sandbox.get().status == 404)
                #expect(try await sandbox.delete().status == 404)
            }
        }

        @Test("a sandbox ends when its time is over", arguments: TestHost.runtimes)
        func expiry(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog", [JSONMember("ttl_seconds", 1)])
                let ended = try await sandbox.reach("terminated")
                #expect(ended["cause_of_death"].string == "ttl_expired")
                #expect(sandbox.hostProcesses().isEmpty)
            }
        }

        @Test("one key makes one sandbox", arguments: TestHost.runtimes)
        func idempotency(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let body = daemon.request("hog", [JSONMember("labels", ["n": "1"])])
                let header = ["Idempotency-Key: one"]
                let first = try await daemon.ask("POST", "/sandboxes", body, headers: header)
                let second = try await daemon.ask("POST", "/sandboxes", body, headers: header)
                #expect(first.status == 201)
                #expect(second.status == 201)
                #expect(first["id"].string != nil)
                #expect(second["id"] == first["id"])
                let other = try await daemon.ask("POST", "/sandboxes", daemon.request("strict"), headers: header)
                #expect(other.status == 422)
                #expect(try await daemon.ask("GET", "/sandboxes")["sandboxes"].array?.count == 1)
            }
        }

        @Test("creations and deletions leave nothing behind", arguments: TestHost.runtimes)
        func leftovers(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                // The first of each kind also makes what stays as long as the daemon does.
                for policy in ["hog", "closed"] { #expect(try await daemon.create(policy).delete().status == 204) }
                let before = try await Remains.look(at: daemon)
                var engineIDs: [String] = []
                for number in 0..<TestHost.cycles {
                    let sandbox = try await daemon.create(number % 2 == 0 ? "hog" : "closed")
                    engineIDs.append(sandbox.engineID)
                    if number % 5 == 0 { _ = try await sandbox.run("(sleep 300 &); echo x > /work/x.txt") }
                    #expect(try await sandbox.delete().status == 204)
                    #expect(sandbox.hostProcesses().isEmpty)
                }
                let after = try await Remains.look(at: daemon)
                #expect(after.mounts == before.mounts)
                #expect(after.loops == before.loops)
                #expect(after.networks == before.networks)
                #expect(after.containers == before.containers)
                #expect(
                    after.descriptors <= before.descriptors + 4, "connections come and go; a leak grows by the cycle")
                let groups = try await TestHost.run("find", ["/sys/fs/cgroup", "-type", "d"])
                #expect(!engineIDs.contains { groups.stdoutText.contains($0) }, "control groups")
            }
        }
    }
}

/// What a daemon's sandboxes occupy on the host.
struct Remains {
    /// Mounts below the data folder.
    var mounts: Int
    /// Loop devices over files of the data folder.
    var loops: Int
    /// Named namespaces, links and tables of the host's network that carry the project's prefix.
    var networks: Int
    /// Containers that the engine knows, running or not.
    var containers: Int
    /// Open descriptors of the daemon.
    var descriptors: Int

    static func look(at daemon: TestDaemon) async throws -> Remains {
        let mounts = try TestHost.text("/proc/self/mountinfo").split(separator: "\n")
            .count { $0.contains(daemon.folder.path) }
        var loops = 0
        for name in TestHost.names(in: "/sys/block") where name.hasPrefix("loop") {
            guard TestHost.names(in: "/sys/block/\(name)/loop").contains("backing_file") else { continue }
            do {
                if try TestHost.text("/sys/block/\(name)/loop/backing_file").contains(daemon.folder.path) { loops += 1 }
            } catch {
                // Released meanwhile.
                continue
            }
        }
        let namespaces = TestHost.names(in: "/run/netns").count
        let tables = try await TestHost.run("nft", ["list", "tables"]).stdoutText.split(separator: "\n").count
        var containers = 0
        if daemon.runtime == "docker", let address = TestHost.dockerAddress {
            let list = try await TestHost.run(
                "curl",
                ["-sS", "--unix-socket", String(address.dropFirst("unix://".count)), "http://x/containers/json?all=1"])
            containers = try #require(TestDaemon.json(list.stdout).array).count
        }
        return Remains(
            mounts: mounts, loops: loops, networks: namespaces + tables, containers: containers,
            descriptors: TestHost.names(in: "/proc/\(daemon.process.pid)/fd").count)
    }
}
