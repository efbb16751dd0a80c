import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// What the policy asks for stands in the host's own files.
    @Suite(.serialized, Integration.needsRoot, .timeLimit(.minutes(5)))
    struct ControlTests {
        @Test("every control of strict is enforced or observed", arguments: TestHost.runtimes)
        func applied(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("strict")
                #expect(sandbox.created.headers["location"] == "/sandboxes/\(sandbox.id)")
                #expect(sandbox.created["state"].string == "running")
                #expect(sandbox.created["runtime"].string == runtime)
                let controls = try #require(sandbox.created["applied"].array)
                var status: [String: String] = [:]
                for control in controls {
                    status[try #require(control["control"]?.string)] = try #require(control["status"]?.string)
                }
                for kernel in [
                    "memory", "swap", "cpu", "processes", "open_files", "disk", "capabilities", "no_new_privileges",
                    "seccomp", "user", "read_only_root", "network", "masked_paths",
                ] {
                    #expect(status[kernel] == "enforced", "\(kernel)")
                }
                #expect(status.values.allSatisfy { $0 == "enforced" || $0 == "observed" }, "\(status)")
                let again = try await sandbox.get("/attestation")
                #expect(again["holds"].bool == true, "\(again.text)")
            }
        }

        @Test("limits stand in the host's control group files", arguments: TestHost.runtimes)
        func limits(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("strict")
                let memory = try await sandbox.hostLimit("memory", "memory.limit_in_bytes", unified: "memory.max")
                #expect(memory == "\(256 << 20)")
                let pids = try await sandbox.hostLimit("pids", "pids.max", unified: "pids.max")
                #expect(pids == "10")
                let cpu = try await sandbox.hostLimit("cpu", "cpu.cfs_quota_us", unified: "cpu.max")
                #expect(cpu == "25000" || cpu == "25000 100000")
            }
        }

        @Test("programs have no capability, no way to new privileges, and a filter", arguments: TestHost.runtimes)
        func privileges(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("strict", [JSONMember("command", "sleep 300")])
                let sleeper = try await eventually("the client's program") { () async throws -> Int64? in
                    try await sandbox.processes().first { $0.name == "sleep" }?.host
                }
                for pid in [sleeper, try await sandbox.holder()] {
                    var fields: [Substring: Substring] = [:]
                    for line in try TestHost.text("/proc/\(pid)/status").split(separator: "\n") {
                        let parts = line.split(separator: ":\t", maxSplits: 1)
                        if parts.count == 2 { fields[parts[0]] = parts[1] }
                    }
                    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] as [Substring] {
                        #expect(fields[set] == "0000000000000000", "\(set) of \(pid)")
                    }
                    #expect(fields["NoNewPrivs"] == "1")
                    #expect(fields["Seccomp"] == "2")
                    let user = try #require(fields["Uid"]?.split(separator: "\t").first)
                    #expect(user != "0")
                }
                let files = try TestHost.text("/proc/\(sleeper)/limits").split(separator: "\n")
                    .first { $0.hasPrefix("Max open files") }
                #expect(files?.split(separator: " ").dropFirst(3).prefix(2) == ["256", "256"])
            }
        }

        @Test("network none has no interface but loopback", arguments: TestHost.runtimes)
        func network(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let seen = try TestHost.text("/proc/\(try await sandbox.holder())/net/dev")
                let names = seen.split(separator: "\n").dropFirst(2)
                    .compactMap { $0.split(separator: ":").first?.drop { $0 == " " } }
                #expect(names == ["lo"])
            }
        }
    }
}
