import LinuxSystem
import SandboxModel
import Testing

extension Integration {
    /// The subcommands that need no daemon.
    @Suite(.serialized, .timeLimit(.minutes(5)))
    struct CommandLineTests {
        @Test("validate's status says what came out")
        func validate() async throws {
            let allowed = try await TestHost.sandwarden("validate", "--policy", "strict", "--command", "ls /work")
            #expect(allowed.exit == .code(0))
            #expect(TestDaemon.json(allowed.stdout)["decision"]?.string == "allow")
            let denied = try await TestHost.sandwarden("validate", "--policy", "strict", "--command", "r''m x")
            #expect(denied.exit == .code(3))
            #expect(TestDaemon.json(denied.stdout)["decision"]?.string == "deny")
            let path = try await TestHost.sandwarden("validate", "--policy", "strict", "--path", "/work/../etc/shadow")
            #expect(path.exit == .code(3))
            let unknown = try await TestHost.sandwarden("validate", "--policy", "no-such", "--command", "ls")
            #expect(unknown.exit == .code(2))
            let nothing = try await TestHost.sandwarden("validate", "--policy", "strict")
            #expect(nothing.exit == .code(2))
        }

        @Test("validate reads checks line by line, and a bad line stops none")
        func lines() async throws {
            let input = "{\"command\":\"ls\"}\n{oops\n{\"path\":\"/etc/passwd\",\"operation\":\"write\"}\n"
            let mixed = try await TestHost.sandwarden("validate", "--policy", "strict", "--input", "-", input: input)
            #expect(mixed.exit == .code(2))
            let answers = mixed.stdoutText.split(separator: "\n").map { TestDaemon.json(Array($0.utf8)) }
            try #require(answers.count == 3)
            #expect(answers[0]["decision"]?.string == "allow")
            #expect(answers[1]["error"] != nil)
            #expect(answers[2]["decision"]?.string == "deny")
            let good = try await TestHost.sandwarden(
                "validate", "--policy", "strict", "--input", "-", input: "{\"command\":\"ls\"}\n")
            #expect(good.exit == .code(0))
        }

        @Test("policy check names every fault with its place")
        func check() async throws {
            let folder = try await TestFolder.make()
            try await folder.write("name: good\nextends: strict\n", to: "good.yaml")
            try await folder.write(
                "name: bad\ncolour: red\nresource_limits:\n  memory_mb: lots\n", to: "bad.yaml")
            let good = try await TestHost.sandwarden("policy", "check", folder.path + "/good.yaml")
            #expect(good.exit == .code(0), "\(good.stderrText)")
            let bad = try await TestHost.sandwarden("policy", "check", folder.path + "/bad.yaml")
            #expect(bad.exit == .code(2))
            #expect(bad.stderrText.contains("bad.yaml:2:1"), "\(bad.stderrText)")
            #expect(bad.stderrText.contains("bad.yaml:4:14"), "\(bad.stderrText)")
            try await folder.remove()
        }

        @Test("run gives the command's output and exit code, and refuses what the policy does", Integration.needsRoot)
        func run() async throws {
            let folder = try await TestFolder.make()
            let plain = try await TestHost.sandwarden(
                "run", "--policy", "strict", "--runtime", "oci", "--data", folder.path + "/data", "--", "sh", "-c",
                "echo out; echo err >&2; exit 5")
            #expect(plain.exit == .code(5), "\(plain.stderrText)")
            #expect(plain.stdoutText == "out\n")
            #expect(plain.stderrText.contains("err\n"))
            let denied = try await TestHost.sandwarden(
                "run", "--policy", "strict", "--runtime", "oci", "--data", folder.path + "/data", "--", "rm", "x")
            #expect(denied.exit == .code(3), "\(denied.stderrText)")
            try await folder.remove()
        }

        @Test("doctor says whether sandboxes can be made here", Integration.needsRoot)
        func doctor() async throws {
            let doctor = try await TestHost.sandwarden("doctor")
            #expect(doctor.exit == .code(0) || doctor.exit == .code(4))
            #expect(doctor.stdoutText.contains("runc"))
        }
    }
}
