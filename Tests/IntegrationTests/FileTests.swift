import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// Files go in and out, and nothing outside the workspace does.
    @Suite(.serialized, Integration.needsRoot, .timeLimit(.minutes(5)))
    struct FileTests {
        @Test("put, get, list, delete", arguments: TestHost.runtimes)
        func roundTrip(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("strict")
                let path = sandbox.file("/work/in/words.txt")
                #expect(try await daemon.ask("PUT", path, raw: "beta\nalpha\n").status == 201)
                #expect(try await daemon.ask("PUT", path, raw: "b\na\n").status == 204)
                let again = try await daemon.ask("PUT", path, raw: "x", headers: ["If-None-Match: *"])
                #expect(again.status == 412)
                let sorted = try await sandbox.run("sort /work/in/words.txt > /work/out.txt")
                #expect(sorted["exit_code"].integer == 0, "\(sorted.text)")
                #expect(try await daemon.ask("GET", sandbox.file("/work/out.txt")).text == "a\nb\n")

                let list = try await daemon.ask("GET", sandbox.file("/work"))
                let names = list["entries"].array?.compactMap { $0["name"]?.string }.sorted()
                #expect(names == ["in", "out.txt"])
                #expect(try await daemon.ask("DELETE", sandbox.file("/work/in")).status == 409)
                #expect(try await daemon.ask("DELETE", sandbox.file("/work/in&recursive=true")).status == 204)
                #expect(try await daemon.ask("GET", path).status == 404)
            }
        }

        @Test("a link to the host's /etc/shadow is never read", arguments: TestHost.runtimes)
        func planted(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let made = try await sandbox.run(
                    "ln -s /etc/shadow /work/s.txt; ln -s /etc /work/e; ln -s /proc/self/root/etc/shadow /work/r.txt;"
                        + " ln -s ../../../../etc/shadow /work/u.txt")
                try #require(made["exit_code"].integer == 0, "\(made.text)")
                for name in ["s.txt", "e/shadow", "r.txt", "u.txt"] {
                    let reply = try await daemon.ask("GET", sandbox.file("/work/\(name)"))
                    #expect([403, 404].contains(reply.status), "\(name): \(reply.status) \(reply.text)")
                    #expect(!reply.text.contains("root:"), "\(name)")
                    let put = try await daemon.ask("PUT", sandbox.file("/work/\(name)"), raw: "root::0:0:99999:7:::\n")
                    #expect(put.status >= 400, "\(name): \(put.status)")
                }
                let direct = try await daemon.ask("GET", sandbox.file("/etc/shadow"))
                #expect(direct.status == 403)
                let found = try await sandbox.violation("denied_file_access")
                #expect(found["violation_type"]?.string == "file_access_violation")
            }
        }

        @Test("a pipe is refused and does not hang the reader", arguments: TestHost.runtimes)
        func pipe(_ runtime: String) async throws {
            try await TestDaemon.with(runtime) { daemon in
                let sandbox = try await daemon.create("hog")
                let made = try await sandbox.run("mkfifo /work/p.txt")
                try #require(made["exit_code"].integer == 0, "\(made.text)")
                let read = try await daemon.ask("GET", sandbox.file("/work/p.txt"))
                #expect((400..<500).contains(read.status), "\(read.status) \(read.text)")
                let written = try await daemon.ask("PUT", sandbox.file("/work/p.txt"), raw: "x")
                #expect((400..<500).contains(written.status), "\(written.status) \(written.text)")
            }
        }
    }
}
