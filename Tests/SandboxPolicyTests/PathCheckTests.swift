import SandboxModel
import SandboxPolicy
import Testing

/// Verdicts on paths: each rule denies, says why, and nothing else does.
@Suite struct PathCheckTests {
    private func policy(_ more: String = "") throws -> CompiledPolicy {
        try compile(
            "name: p\nallowed_file_extensions: [.txt, .py, .tar.gz]\n"
                + "blocked_file_patterns: [/etc/, /proc/, /dev/, \"**/.env\", \"**/*.pem\", /work/keep/]\n"
                + more)
    }

    private func rules(
        _ path: String, _ operation: FileOperation = .read, _ policy: CompiledPolicy
    ) -> [String] {
        policy.evaluate(path: PathCheck(path, operation: operation)).reasons.map(\.rule)
    }

    @Test(
        "Paths in the workspace are allowed, however they are written",
        arguments: [
            "a.txt", "/work/a.txt", "./a.txt", "x/../a.txt", "/work//a.txt", "/tmp/../work/a.py", "Makefile",
            ".gitignore", "a.tar.gz",
            "a.b/c.txt", "...", "/work", ".", "café.txt", "a b.txt", "-rf", "[id].py", "[...slug].py",
            "x{}.txt", "~.txt.py",
        ])
    func allowed(path: String) throws {
        for operation in FileOperation.allCases where path != "/work" && path != "." || operation != .delete {
            let verdict = try policy().evaluate(path: PathCheck(path, operation: operation))
            #expect(verdict.decision == .allow, "\(verdict.reasons)")
            #expect(verdict.isAllowed && !verdict.isUndecidable && verdict.wall == .advice)
        }
    }

    @Test(
        "Each rule denies by its name",
        arguments: [
            ("", ["path"]), ("a\u{2400}.txt", ["path"]), ("a\n.txt", ["path"]), ("a\u{202E}txt.py", ["path"]),
            ("*.txt", ["path"]), ("a?.txt", ["path"]), ("{a,b}.txt", ["path"]), ("[a-z].txt", ["path"]),
            (".en[v]", ["path"]),
            ("/workspace/a.txt", ["workspace"]), ("../a.txt", ["workspace"]), ("/WORK/a.txt", ["workspace"]),
            ("/", ["workspace"]),
            ("/etc/passwd", ["workspace", "blocked_file_patterns"]),
            ("/work/../etc/x.txt", ["workspace", "blocked_file_patterns"]),
            ("/proc/self/root/work/a.txt", ["magic_link", "workspace", "blocked_file_patterns"]),
            ("/proc/1/fd/3", ["magic_link", "workspace", "blocked_file_patterns"]),
            ("/proc/self/task/1/cwd/a.txt", ["magic_link", "workspace", "blocked_file_patterns"]),
            ("/dev/fd/0", ["magic_link", "workspace", "blocked_file_patterns"]),
            (".env", ["blocked_file_patterns"]), ("x/.env", ["blocked_file_patterns"]),
            ("/work/./.env", ["blocked_file_patterns"]),
            ("k.pem", ["blocked_file_patterns", "allowed_file_extensions"]),
            ("a.py.exe", ["allowed_file_extensions"]),
            ("a.txt.", ["allowed_file_extensions"]), ("a.txt ", ["allowed_file_extensions"]),
            ("a.TXT", ["allowed_file_extensions"]),
            ("a.txt/", ["allowed_file_extensions"]), (".env.local", ["allowed_file_extensions"]),
            ("a.gz", ["allowed_file_extensions"]),
            ("keep", ["blocked_file_patterns"]),
        ])
    func denied(text: String, expected: [String]) throws {
        let policy = try policy()
        // A NUL in an argument would spoil what test runners print.
        let path = String(text.map { $0 == "\u{2400}" ? "\u{0}" : $0 })
        #expect(rules(path, policy) == expected)
        let verdict = policy.evaluate(path: PathCheck(path))
        #expect(verdict.decision == .deny && !verdict.isAllowed)
        for reason in verdict.reasons { #expect(!reason.detail.isEmpty) }
    }

    private func rules(_ path: String, _ policy: CompiledPolicy) -> [String] { rules(path, .read, policy) }

    @Test("A folder goes only when nothing blocked is in it, and the workspace stays")
    func deletion() throws {
        let policy = try policy("workspace: /work\n")
        #expect(rules("/work", .delete, policy) == ["workspace", "blocked_file_patterns"])
        #expect(rules("/work/keep/x.txt", .delete, policy) == ["blocked_file_patterns"])
        #expect(rules("/work/other", .delete, policy) == [])
        #expect(rules("/work", .read, policy) == [])
    }

    @Test("Where the path leads is checked as well")
    func resolved() throws {
        let policy = try policy()
        func verdict(_ path: String, _ resolved: String) -> Verdict {
            var check = PathCheck(path)
            check.resolvedPath = Array(resolved.utf8)
            return policy.evaluate(path: check)
        }
        #expect(verdict("link.txt", "/work/real.txt").decision == .allow)
        let outside = verdict("link.txt", "/etc/shadow")
        #expect(outside.reasons.map(\.rule) == ["workspace", "blocked_file_patterns"])
        #expect(
            outside.reasons.allSatisfy {
                $0.match == "/etc/shadow" && $0.detail.contains("`link.txt` leads there")
            })
        #expect(verdict("link.txt", "/work/.env").reasons.map(\.rule) == ["blocked_file_patterns"])
        #expect(verdict("link.txt", "/proc/self/fd/3").reasons.map(\.rule).first == "magic_link")
        #expect(verdict("link.txt", "(unreachable)/x").reasons.map(\.rule) == ["path"])
        #expect(verdict("link.txt", "").reasons.map(\.rule) == ["path"])
        #expect(verdict("link.txt", "/work/a\u{0}").reasons.map(\.rule) == ["path"])
    }

    @Test(
        "Encodings are never decoded, but said",
        arguments: [
            "%2e%2e%2fetc%2fpasswd.txt", "..\\..\\etc\\passwd.txt", "..\u{2215}etc.txt", "a\u{FF0F}b.txt",
            "~root/x.txt",
        ])
    func encodings(path: String) throws {
        let verdict = try policy().evaluate(path: PathCheck(path))
        #expect(verdict.decision == .allow)
        #expect(verdict.reasons.map(\.rule) == ["encoding"])
    }

    @Test("Bytes that are not UTF-8 are refused, not repaired")
    func invalidUTF8() throws {
        let verdict = try policy().evaluate(
            path: PathCheck(path: [0x61, 0xC0, 0xAE, 0x2E, 0x74, 0x78, 0x74]))
        #expect(verdict.reasons.map(\.rule) == ["path"])
        #expect(verdict.reasons.first?.detail == "the path is not valid UTF-8")
    }

    @Test("A relative path starts in the given folder, which must be absolute")
    func workingDirectory() throws {
        let policy = try policy()
        #expect(policy.evaluate(path: PathCheck("../a.txt", workingDirectory: "/work/x")).decision == .allow)
        #expect(
            policy.evaluate(path: PathCheck("a.txt", workingDirectory: "/tmp")).reasons.map(\.rule) == [
                "workspace"
            ])
        #expect(
            policy.evaluate(path: PathCheck("a.txt", workingDirectory: "work")).reasons.map(\.rule) == [
                "path"
            ])
        let deep = "/work/" + String(repeating: "d/", count: 2000)
        #expect(
            policy.evaluate(path: PathCheck(String(repeating: "e/", count: 1000), workingDirectory: deep))
                .reasons.map(\.rule)
                == ["path"])
    }

    @Test("A known folder needs no extension; an empty list allows any")
    func extensions() throws {
        var check = PathCheck("data.d/")
        check.isFolder = true
        #expect(try policy().evaluate(path: check).decision == .allow)
        let open = try compile("name: p\nallowed_file_extensions: []\n")
        #expect(open.evaluate(path: PathCheck("a.exe")).decision == .allow)
    }

    @Test(
        "An auditing policy denies nothing; one that takes doubt lets patterns pass"
    )
    func modes() throws {
        let verdict = try policy("enforcement: audit\n").evaluate(path: PathCheck("/etc/passwd"))
        #expect(verdict.decision == .audit && verdict.isAllowed && !verdict.reasons.isEmpty)
        let open = try policy("undecidable_commands: allow\n").evaluate(path: PathCheck("*.txt"))
        #expect(open.decision == .allow && open.isUndecidable)
    }

    @Test("Reasons name what would allow the path, and the policy's version stands in the verdict")
    func explanation() throws {
        let verdict = try policy().evaluate(path: PathCheck("/work/x.exe"))
        #expect(
            verdict.json.text
                == #"{"allowed":false,"decision":"deny","reasons":[{"rule":"allowed_file_extensions","#
                + #""match":".exe","detail":"the extension `.exe` is not among those allowed; "#
                + #"extensions are compared byte by "#
                + #"byte, and it would be allowed with its entry in allowed_file_extensions of `p`"}],"#
                + #""commands":[],"#
                + #""undecidable":false,"wall":"advice","policy":"p","policy_version":1}"#)
    }
}
