import SandboxModel
import SandboxPolicy
import Testing

/// Verdicts on commands: each rule denies, says why, and nothing else does.
@Suite struct CommandCheckTests {
    private func policy(_ lines: String) throws -> CompiledPolicy {
        try compile("name: p\nshell: bash\n" + lines)
    }

    private func rules(_ command: String, _ policy: CompiledPolicy) -> [String] {
        policy.evaluate(command: CommandCheck(command)).reasons.map { "\($0.rule) \($0.match)" }
    }

    @Test("A blocked program is found by its base name, however it is reached")
    func blocked() throws {
        let policy = try policy("blocked_commands: [rm]")
        for command in [
            "rm x", "/bin/rm x", "ls; rm x", "ls | xargs rm", "sh -c 'rm x'", "r''m x", "$(rm x)",
            "find . -exec rm {} \\;",
            "if true; then rm x; fi", "env A=1 nohup rm x", "\\rm x", "echo `rm x`",
        ] {
            let verdict = policy.evaluate(command: CommandCheck(command))
            #expect(verdict.decision == .deny, "\(command)")
            #expect(verdict.reasons.contains { $0.rule == "blocked_commands" }, "\(command)")
        }
        for command in ["ls rm", "echo rm", "rmdir x", "./format", "charm", "echo 'rm x'"] {
            #expect(!rules(command, policy).contains { $0.hasPrefix("blocked_commands") }, "\(command)")
        }
    }

    @Test("A reason names the program, the range, the way there and what would allow it")
    func explanation() throws {
        let verdict = try policy("blocked_commands: [rm]").evaluate(
            command: CommandCheck("ls | xargs sh -c 'rm x'"))
        let reason = try #require(verdict.reasons.first { $0.rule == "blocked_commands" })
        #expect(reason.match == "rm")
        #expect(reason.range?.lowerBound == 18 && reason.range?.upperBound == 20)
        #expect(
            reason.detail
                == "`rm` is blocked, reached through xargs → sh -c; it would be allowed without `rm` in "
                + "blocked_commands of `p`")
        #expect(Array(verdict.commands.prefix(2)) == ["ls", "xargs"])
        #expect(verdict.commands.contains("rm"))
    }

    @Test("The contract's example comes out as it stands there")
    func contractExample() throws {
        let verdict = try policy("blocked_commands: [rm]").evaluate(
            command: CommandCheck("find . -exec rm {} +"))
        #expect(verdict.commands == ["find", "rm"])
        #expect(verdict.json["reasons"]?.array?.first?["start"] == 13)
        #expect(verdict.json["reasons"]?.array?.first?["end"] == 15)
        #expect(verdict.json["wall"] == "advice")
    }

    @Test(
        "Groups and further names of the same program are blocked by their entry",
        arguments: [
            ("@delete", "shred x", true), ("@delete", "find . -delete", true),
            ("@delete", "find . -name x", false),
            ("@delete", "git clean -fdx", true), ("@delete", "git status", false),
            ("@network", "curl x", true),
            ("@network", "git push", true), ("@network", "openssl s_client -connect x", true),
            ("@network", "openssl dgst x", false),
            ("@signal", "kill 1", true), ("@signal", "timeout 1 ls", true),
            ("@privilege", "chmod +x y", true),
            ("@interpreter", "python3 x.py", true), ("@interpreter", "python3.11 x.py", true),
            ("@package", "pip install x", true),
            ("@package", "python3 -m pip install x", true), ("@mount", "mount x y", true),
            ("@shell", "sh -c ls", true),
            ("mkfs", "mkfs.ext4 x", true), ("mkfs", "mke2fs x", true), ("python3", "python3.12 x", true),
            ("python3", "python2 x", false),
            ("perl", "perl5.36.0 x", true), ("lua", "lua5.4 x", true), ("pip", "pip3 list", true),
            ("iptables", "iptables-nft -L", true),
            ("vi", "vim x", true), ("rm", "rm2 x", false),
        ])
    func groups(entry: String, command: String, isBlocked: Bool) throws {
        let policy = try policy("blocked_commands: [\"\(entry)\"]\nblocked_file_patterns: []")
        let found = policy.evaluate(command: CommandCheck(command)).reasons.filter {
            $0.rule == "blocked_commands"
        }
        #expect(!found.isEmpty == isBlocked, "\(found)")
        for reason in found { #expect(reason.detail.contains("`\(entry)`")) }
    }

    @Test("A word that is not known where it could be a blocked one cannot be decided")
    func unknownWord() throws {
        let verdict = try policy("blocked_commands: [\"@delete\"]").evaluate(command: CommandCheck("git $X"))
        #expect(verdict.isUndecidable && verdict.decision == .deny)
    }

    @Test("What kernel mechanisms are to hold is unfolded")
    func unfoldedNames() throws {
        let policy = try policy("blocked_commands: [mkfs, \"@mount\", rm]")
        let names = policy.blockedProgramNames
        #expect(names.contains("mkfs.ext4") && names.contains("umount") && names.contains("rm"))
        #expect(names == names.sorted() && !names.contains("@mount"))
    }

    @Test("The wall is the kernel where it stops everything that was denied")
    func wall() throws {
        let policy = try policy("blocked_commands: [curl, wget]")
        let both = KernelWall(blockedPrograms: ["curl", "wget"])
        let one = KernelWall(blockedPrograms: ["curl"])
        func wall(_ command: String, _ wall: KernelWall) -> Wall {
            policy.evaluate(command: CommandCheck(command), wall: wall).wall
        }
        #expect(wall("curl x", .none) == .advice)
        #expect(wall("curl x", both) == .kernel)
        #expect(wall("curl x; wget y", both) == .kernel)
        #expect(wall("curl x; wget y", one) == .advice)
        #expect(wall("curl x; $Y", both) == .advice)
        #expect(wall("ls", both) == .advice)
        // The shell kills by itself: no exec is there to be stopped.
        let kill = try compile("name: p\nblocked_commands: [kill]")
        #expect(
            kill.evaluate(command: CommandCheck("kill 1"), wall: KernelWall(blockedPrograms: ["kill"])).wall
                == .advice)
    }

    @Test(
        "A list of allowed programs holds for everything but what the shell does by itself",
        arguments: [
            ("ls", true), ("/bin/ls", true), ("/usr/local/bin/ls", true), ("/opt/tool/run", true),
            ("/opt/tool/../tool/run", true),
            ("cd x && echo $HOME; export A=1; [ -f x ] || true", true), ("ls | cat", false), ("cat x", false),
            ("/opt/bin/ls", false),
            ("/work/ls", false), ("./ls", false), ("/tmp/ls", false), ("bin/ls", false), ("xargs ls", false),
            ("sh -c ls", false),
            ("env ls", false), ("kill 1", false), ("command ls", true), ("command cat", false),
            ("f() { ls; }; f", true),
            ("f() { cat; }; f", false), ("run", false), ("~/ls", false), ("hash -p /tmp/x ls", false),
            ("exec ls", true), ("enable -f x y", false),
        ])
    func allowedList(command: String, isAllowed: Bool) throws {
        let policy = try policy(
            "allowed_commands: [ls, /opt/tool/run]\nblocked_commands: []\nblocked_file_patterns: "
                + "[]\nundecidable_commands: allow"
        )
        let found = policy.evaluate(command: CommandCheck(command)).reasons.filter {
            $0.rule == "allowed_commands"
        }
        #expect(found.isEmpty == isAllowed, "\(found)")
    }

    @Test("A program that is listed by path only says so")
    func listedByPath() throws {
        let policy = try policy("allowed_commands: [/usr/bin/git]")
        let reason = try #require(policy.evaluate(command: CommandCheck("git")).reasons.first)
        #expect(reason.detail.contains("`/usr/bin/git` is, by its path only"))
    }

    @Test("Started without a shell, a builtin's name is a program")
    func argumentVector() throws {
        let policy = try policy("allowed_commands: [ls]")
        func verdict(_ words: [String]) -> Verdict {
            policy.evaluate(command: CommandCheck(.arguments(words)))
        }
        #expect(verdict(["ls", "-l", "; rm x"]).decision == .allow)
        #expect(verdict(["echo", "x"]).reasons.map(\.rule) == ["allowed_commands"])
        #expect(verdict([]).reasons.map(\.rule) == ["command"])
        #expect(verdict([""]).reasons.map(\.rule) == ["command"])
        #expect(verdict(["ls", "a\u{0}b"]).reasons.map(\.rule) == ["command"])
        let blocking = try self.policy("blocked_commands: [rm]")
        #expect(blocking.evaluate(command: CommandCheck(.arguments(["/bin/rm", "x"]))).decision == .deny)
        #expect(blocking.evaluate(command: CommandCheck(.arguments(["sh", "-c", "rm x"]))).decision == .deny)
        #expect(blocking.evaluate(command: CommandCheck(.arguments(["echo", "rm x"]))).decision == .allow)
    }

    @Test(
        "What cannot be decided is denied, unless the policy takes the doubt; what is blocked stays blocked")
    func undecidable() throws {
        let strict = try policy("blocked_commands: [rm]")
        let open = try policy("blocked_commands: [rm]\nundecidable_commands: allow")
        for command in ["$X", "if", "eval \"$X\"", "bash x.sh", "$(cat y) x"] {
            let verdict = strict.evaluate(command: CommandCheck(command))
            #expect(verdict.decision == .deny && verdict.isUndecidable, "\(command)")
            #expect(
                verdict.reasons.contains { $0.rule == "undecidable_commands" && $0.detail.contains(";") },
                "\(command)")
            let taken = open.evaluate(command: CommandCheck(command))
            #expect(taken.decision == .allow && taken.isUndecidable, "\(command) \(taken.reasons)")
        }
        #expect(open.evaluate(command: CommandCheck("$X; rm y")).decision == .deny)
        #expect(open.evaluate(command: CommandCheck(.script([0xFF]))).isUndecidable)
    }

    @Test("Standard input is a shell's script where it is one")
    func stdin() throws {
        let policy = try policy("blocked_commands: [rm]")
        func decision(_ text: String?) -> Decision {
            var check = CommandCheck("bash")
            check.stdin = text.map { Array($0.utf8) }
            return policy.evaluate(command: check).decision
        }
        #expect(decision("ls") == .allow)
        #expect(decision("") == .allow)
        #expect(decision("rm x") == .deny)
        #expect(decision(nil) == .deny)
    }

    @Test("The policy's shell is the grammar that reads the text")
    func dialect() throws {
        let sh = try compile("name: p\nshell: sh")
        let bash = try compile("name: p\nshell: bash")
        #expect(sh.evaluate(command: CommandCheck("[[ -f x ]] && ls")).isUndecidable)
        #expect(bash.evaluate(command: CommandCheck("[[ -f x ]] && ls")).decision == .allow)
    }

    @Test("Interpreters follow the policy's rule")
    func interpreters() throws {
        let command = CommandCheck("python3 -c 'print(1)'")
        let allow = try policy("interpreters: allow").evaluate(command: command)
        #expect(allow.decision == .allow && !allow.isUndecidable)
        #expect(allow.reasons.map(\.rule) == ["interpreters"])
        #expect(allow.reasons.first?.detail.contains("the kernel is the wall") ?? false)
        let deny = try policy("interpreters: deny\nundecidable_commands: allow").evaluate(command: command)
        #expect(deny.decision == .deny && !deny.isUndecidable)
        let doubt = try policy("interpreters: undecidable").evaluate(command: command)
        #expect(doubt.decision == .deny && doubt.isUndecidable)
        let taken = try policy("interpreters: undecidable\nundecidable_commands: allow").evaluate(
            command: command)
        #expect(taken.decision == .allow && taken.isUndecidable)
    }

    @Test(
        "Files that the text names answer to the blocked patterns and to nothing else",
        arguments: [
            ("cat /etc/passwd", true), ("cat < /etc/passwd", true), ("echo x > /etc/passwd", true),
            ("echo x >> /work/../etc/p", true),
            ("tee /etc/passwd", true), ("cp /etc/passwd .", true), ("cd /etc; cat passwd", true),
            ("cat ~/.env", true), ("cat .env", true),
            ("cat x/.env", true), ("cat /etc/*", true), ("cat .e*", true), ("cat ~root/x", false),
            ("cat /opt/x.exe", false),
            ("ls > /dev/null 2>&1", false), ("cat /dev/urandom", false), ("cat /dev/fd/0", false),
            ("cat /dev/sda", true),
            ("/bin/ls", false), ("/usr/bin/env ls", false), ("cat /bin/ls", true), ("cat *.txt", false),
            ("ls /", false),
            ("echo /etc/passwd", false),
        ])
    func files(command: String, isDenied: Bool) throws {
        let policy = try policy(
            "blocked_commands: []\nblocked_file_patterns: [/etc/, /bin/, /usr/bin/, /dev/, \"**/.env\"]")
        let found = policy.evaluate(command: CommandCheck(command)).reasons.filter {
            $0.rule == "blocked_file_patterns"
        }
        #expect(!found.isEmpty == isDenied, "\(found)")
    }

    @Test("An operand after a change to an unknown folder answers to patterns of every level")
    func unknownFolder() throws {
        let policy = try policy("blocked_commands: []\nblocked_file_patterns: [/etc/, \"**/.env\"]")
        #expect(rules("cd \"$X\"; cat .env", policy).contains("blocked_file_patterns /.env"))
        #expect(!rules("cd \"$X\"; cat hosts", policy).contains { $0.hasPrefix("blocked_file_patterns") })
    }

    @Test(
        "Variables that decide what runs are refused from clients, whatever the policy takes",
        arguments: [
            ("LD_PRELOAD", "/x", true), ("LD_LIBRARY_PATH", "", true), ("PATH", "/usr/bin", true),
            ("BASH_ENV", "x", true), ("ENV", "x", true),
            ("GIT_SSH_COMMAND", "x", true), ("GIT_AUTHOR_NAME", "x", true), ("IFS", "x", true),
            ("BASH_FUNC_ls%%", "() { :; }", true),
            ("PS4", "$(x)", true), ("SHELLOPTS", "x", true), ("GLIBC_TUNABLES", "x", true),
            ("LESSOPEN", "|x", true), ("PROMPT_COMMAND", "x", true),
            ("LANG", "C", false), ("HOME", "/work", false), ("FOO", "$(rm)", false), ("TERM", "xterm", false),
            ("MY_PATH", "/x", false),
            ("PYTHONPATH", "/work/lib", false), ("NODE_OPTIONS", "--max-old-space-size=64", false),
            ("PAGER", "cat", false),
            ("PAGER", "rm -rf /", true), ("EDITOR", "sh -c 'rm x'", true), ("PAGER", "", false),
            ("A=B", "x", true), ("", "x", true),
            ("A\nB", "x", true),
        ])
    func environment(name: String, value: String, isDenied: Bool) throws {
        let policy = try policy("blocked_commands: [rm]\nundecidable_commands: allow")
        var check = CommandCheck("ls")
        check.environment = [name: value]
        let verdict = policy.evaluate(command: check)
        #expect((verdict.decision == .deny) == isDenied, "\(verdict.reasons)")
        if isDenied { #expect(verdict.reasons.contains { $0.rule == "environment" }) }
    }

    @Test("A NUL in a value and too many variables are refused")
    func malformedEnvironment() throws {
        let policy = try policy("")
        var check = CommandCheck("ls")
        check.environment = ["A": "x\u{0}y"]
        #expect(policy.evaluate(command: check).reasons.map(\.rule) == ["environment"])
        check.environment = Dictionary(uniqueKeysWithValues: (0..<1025).map { ("V\($0)", "") })
        #expect(policy.evaluate(command: check).reasons.map(\.rule) == ["environment"])
    }

    @Test("Where interpreters are not free, their variables are not either")
    func interpreterVariables() throws {
        var check = CommandCheck("ls")
        check.environment = ["PYTHONPATH": "/work"]
        #expect(try policy("interpreters: deny").evaluate(command: check).decision == .deny)
        #expect(try policy("interpreters: allow").evaluate(command: check).decision == .allow)
    }

    @Test("Variables that the text itself sets for the loader or the search are doubt")
    func ownVariables() throws {
        let policy = try policy("blocked_commands: []")
        for command in [
            "PATH=/tmp ls", "export PATH=/tmp/evil", "LD_PRELOAD=/tmp/x.so ls", "export LD_PRELOAD=/tmp/x.so",
        ] {
            let verdict = policy.evaluate(command: CommandCheck(command))
            #expect(verdict.decision == .deny && verdict.isUndecidable, "\(command)")
            #expect(verdict.reasons.contains { $0.rule == "environment" }, "\(command) \(verdict.reasons)")
        }
        for command in [
            "PATH=/usr/bin:/bin ls", "FOO=bar ls", "IFS= read -r x", "PYTHONPATH=lib python3 x.py",
            "export LANG=C; ls",
        ] {
            #expect(policy.evaluate(command: CommandCheck(command)).decision == .allow, "\(command)")
        }
    }

    @Test("The folder must be an absolute path and no link of the kernel")
    func workingDirectory() throws {
        let policy = try policy("blocked_file_patterns: [/etc/]")
        func rules(_ folder: String, _ command: String = "cat passwd") -> [String] {
            var check = CommandCheck(command)
            check.workingDirectory = folder
            return policy.evaluate(command: check).reasons.map(\.rule)
        }
        #expect(rules("/etc") == ["blocked_file_patterns"])
        #expect(rules("/work/../etc/") == ["blocked_file_patterns"])
        #expect(rules("/work") == [])
        #expect(rules("work") == ["cwd"])
        #expect(rules("") == ["cwd"])
        #expect(rules("/a\u{0}") == ["cwd"])
        #expect(rules("/proc/self/cwd", "ls") == ["cwd"])
    }

    @Test("An auditing policy denies nothing and says what it would have denied")
    func audit() throws {
        let verdict = try policy("enforcement: audit\nblocked_commands: [rm]").evaluate(
            command: CommandCheck("rm x"))
        #expect(verdict.decision == .audit && verdict.isAllowed)
        #expect(verdict.reasons.map(\.rule) == ["blocked_commands"])
    }

    @Test("Reasons come in the order of the text, without repeats, and are bounded")
    func reasonList() throws {
        let policy = try policy("blocked_commands: [rm, kill]")
        #expect(
            rules("kill 1; rm x; $Y", policy).map { String($0.prefix(12)) } == [
                "blocked_comm", "blocked_comm", "undecidable_",
            ])
        let many = policy.evaluate(
            command: CommandCheck((0..<500).map { "rm \($0)" }.joined(separator: "\n")))
        #expect(many.reasons.count == 64)
        #expect(many.reasons.last?.detail.contains("(and 436 further reasons)") ?? false)
        #expect(many.commands == ["rm"])
        #expect(
            many.reasons.map { $0.range?.lowerBound ?? 0 }
                == many.reasons.map { $0.range?.lowerBound ?? 0 }.sorted())
    }

    @Test("No text brings a check down or takes without bound")
    func totality() throws {
        let policy = try policy("blocked_commands: [rm, \"@delete\"]\nallowed_commands: [ls]")
        var generator = SplitMix(seed: 21)
        let pieces = [
            "rm", " ", ";", "|", "'", "\"", "$(", ")", "`", "<", ">", "/etc/x", "*", "{", "}", "&&", "\n",
            "$X", "=", "\\", "é", "PATH",
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }.joined()
            let verdict = policy.evaluate(command: CommandCheck(text))
            #expect(verdict.decision == .allow || !verdict.reasons.isEmpty)
            for reason in verdict.reasons {
                guard let range = reason.range else { continue }
                #expect(range.lowerBound >= 0 && range.upperBound <= text.utf8.count, "\(text) \(reason)")
            }
        }
        let large = policy.evaluate(command: CommandCheck(String(repeating: "ls;", count: 100_000)))
        #expect(large.isUndecidable)
    }
}
