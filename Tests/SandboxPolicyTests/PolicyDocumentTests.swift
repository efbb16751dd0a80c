import SandboxModel
import Testing

@testable import SandboxPolicy

/// One document: every field is read, every fault is reported with its place, all at once.
@Suite struct PolicyDocumentTests {
    /// The faults of a text, as they are printed.
    private func faults(yaml: String, file: String? = nil) -> [String] {
        do {
            let document = try PolicyDocument.parse(yaml: Array(yaml.utf8), file: file)
            _ = try PolicyCatalog(entries: [.init(document: document, origin: .api)])
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test("Every field is read")
    func everyField() throws {
        let policy = try compile(
            """
            name: full
            description: |
              Two
              lines
            extends: strict
            resource_limits: {memory_mb: 300, cpu_percent: 12.5, disk_mb: 301, max_processes: 31,
              max_open_files: 302, max_network_connections: 32, execution_timeout: 33}
            network_policy: restricted
            network:
              allowed_domains: [Example.ORG, "*.example.net"]
              allowed_cidrs: ["192.0.2.0/24", "2001:DB8::/32"]
              blocked_cidrs: [198.51.100.0/24]
              allowed_ports: [53, 443]
            workspace: /srv/box
            shell: bash
            allowed_commands: [ls, /opt/tool/bin/run]
            blocked_commands: [curl, "@delete"]
            undecidable_commands: deny
            interpreters: undecidable
            allowed_file_extensions: [.txt, .tar.gz]
            blocked_file_patterns: [/etc/, "**/*.pem"]
            max_file_size_mb: 11
            isolation: gvisor
            privileges: {user: 60001, capabilities: [CAP_NET_BIND_SERVICE], no_new_privileges: false,
              read_only_root: false, seccomp: unconfined}
            enable_monitoring: false
            monitoring_interval_ms: 2000
            violation_threshold: 7
            violation_window_seconds: 60
            auto_terminate_on_violation: false
            on_violation: {low: throttle, medium: pause}
            enforcement: audit
            require_kernel: [memory, processes]
            """
        ).policy
        #expect(
            policy.json.text
                == #"{"name":"full","description":"Two\nlines\n","extends":"strict","#
                + #""resource_limits":{"memory_mb":300,"#
                + #""cpu_percent":12.5,"disk_mb":301,"max_processes":31,"max_open_files":302,"#
                + #""max_network_connections":32,"#
                + #""execution_timeout":33},"network_policy":"restricted","#
                + #""network":{"allowed_domains":["example.org","#
                + #""*.example.net"],"allowed_cidrs":["192.0.2.0/24","2001:db8::/32"],"#
                + #""blocked_cidrs":["198.51.100.0/24"],"#
                + #""allowed_ports":[53,443]},"workspace":"/srv/box","shell":"bash","#
                + #""allowed_commands":["ls","#
                + #""/opt/tool/bin/run"],"blocked_commands":["curl","@delete"],"#
                + #""undecidable_commands":"deny","#
                + #""interpreters":"undecidable","allowed_file_extensions":[".txt",".tar.gz"],"#
                + #""blocked_file_patterns":["/etc/","**/*.pem"],"max_file_size_mb":11,"#
                + #""isolation":"gvisor","privileges":"#
                + #"{"user":60001,"capabilities":["CAP_NET_BIND_SERVICE"],"no_new_privileges":false,"#
                + #""read_only_root":false,"#
                + #""seccomp":"unconfined"},"enable_monitoring":false,"monitoring_interval_ms":2000,"#
                + #""violation_threshold":7,"#
                + #""violation_window_seconds":60,"auto_terminate_on_violation":false,"#
                + #""on_violation":{"low":"throttle","#
                + #""medium":"pause","high":"isolate","critical":"terminate"},"enforcement":"audit","#
                + #""require_kernel":["memory","processes"]}"#)
    }

    @Test(
        "YAML and JSON give the same policy, and a policy's own JSON reads back as itself",
        arguments: Policy.builtInNames)
    func roundTrip(name: String) throws {
        let builtIn = try #require(Policy.builtIns.first { $0.name.rawValue == name })
        var copy = builtIn
        copy.name = try #require(PolicyName(rawValue: "copy"))
        let json = try PolicyDocument.parse(json: copy.json.bytes)
        let yaml = try PolicyDocument.parse(yaml: copy.json.bytes)
        for document in [json, yaml] {
            let catalog = try PolicyCatalog(entries: [.init(document: document, origin: .api)])
            #expect(catalog[copy.name]?.policy == copy)
            #expect(catalog.warnings.filter { !$0.fault.detail.contains("no longer blocked") }.isEmpty)
        }
    }

    @Test("All faults of a document are reported together, with file, line and column")
    func allAtOnce() {
        let found = faults(
            yaml: """
                name: Bad Name
                extends: ~
                resource_limits:
                  memory_md: 5
                  cpu_percent: 0
                  max_processes: many
                network_policy: open
                workspace: work
                privileges: {user: 0, capabilities: [SYS_ADMIN, NET_RAW, CAP_SYS_ADMIN, cap_chwon]}
                violation_threshold: 0
                shell: ~
                enforcment: audit
                """, file: "p.yaml")
        #expect(
            found == [
                "p.yaml:12:1: /enforcment: the key `enforcment` is not known; did you mean `enforcement`?",
                "p.yaml:1:7: /name: `Bad Name` is not a name: 1 to 63 of a-z, 0-9 and -",
                "p.yaml:4:3: /resource_limits/memory_md: the key `memory_md` is not known; did you "
                    + "mean `memory_mb`?",
                "p.yaml:5:16: /resource_limits/cpu_percent: 0.0 is out of range; allowed are 1.0 to 102400.0",
                "p.yaml:6:18: /resource_limits/max_processes: an integer was expected, found the "
                    + "string \"many\"",
                "p.yaml:7:17: /network_policy: one of `none`, `internal`, `restricted`, `full` was "
                    + "expected, found the "
                    + "string \"open\"",
                "p.yaml:11:8: /shell: one of `sh`, `bash` was expected, found null; leave the key out "
                    + "where nothing is "
                    + "to be said",
                "p.yaml:8:12: /workspace: `work` is not an absolute path",
                "p.yaml:9:20: /privileges/user: uid 0 is the host's root; write `auto` or an unused uid",
                "p.yaml:9:38: /privileges/capabilities/0: write `CAP_SYS_ADMIN` for `SYS_ADMIN`",
                "p.yaml:9:49: /privileges/capabilities/1: write `CAP_NET_RAW` for `NET_RAW`",
                "p.yaml:9:58: /privileges/capabilities/2: CAP_SYS_ADMIN is not given to sandboxes: it "
                    + "undoes mounts, "
                    + "namespaces and read-only places",
                "p.yaml:9:73: /privileges/capabilities/3: the capability `cap_chwon` is not known; did "
                    + "you mean `CAP_CHOWN`?",
                "p.yaml:10:22: /violation_threshold: 0 is out of range; allowed are 1 to 1000000",
            ])
    }

    @Test(
        "Each entry of a list is checked",
        arguments: [
            ("blocked_commands: [/bin/rm]", "/blocked_commands/0", "write `rm` for `/bin/rm`"),
            ("blocked_commands: [\"@netwrok\"]", "/blocked_commands/0", "did you mean `@network`?"),
            ("blocked_commands: [\"rm -rf\"]", "/blocked_commands/0", "is not a program's name"),
            ("blocked_commands: [\"r*\"]", "/blocked_commands/0", "is not a program's name"),
            ("blocked_commands: [rm, rm]", "/blocked_commands/1", "stands twice"),
            ("allowed_commands: [\"@shell\"]", "/allowed_commands/0", "groups can only be blocked"),
            ("allowed_commands: [bin/ls]", "/allowed_commands/0", "not an absolute path"),
            ("allowed_commands: [/usr/bin/../ls]", "/allowed_commands/0", "write `/usr/ls`"),
            ("allowed_commands: [/work/tool]", "/allowed_commands/0", "the sandbox itself can write"),
            ("allowed_commands: [/tmp/tool]", "/allowed_commands/0", "the sandbox itself can write"),
            ("allowed_file_extensions: [py]", "/allowed_file_extensions/0", "write `.py`"),
            ("allowed_file_extensions: [\"*.py\"]", "/allowed_file_extensions/0", "such as `.py`"),
            ("allowed_file_extensions: [\".\"]", "/allowed_file_extensions/0", "such as `.py`"),
            ("blocked_file_patterns: [secret/key]", "/blocked_file_patterns/0", "begin it with `/`"),
            ("blocked_file_patterns: [\"/a/../b\"]", "/blocked_file_patterns/0", "cannot match"),
            ("blocked_file_patterns: [\"/a/[b\"]", "/blocked_file_patterns/0", "not closed"),
            ("blocked_file_patterns: [\"/a/{b,c}\"]", "/blocked_file_patterns/0", "one pattern for each"),
            ("blocked_file_patterns: [\"~/.ssh\"]", "/blocked_file_patterns/0", "write the folder"),
            ("blocked_file_patterns: [\"/\"]", "/blocked_file_patterns/0", "covers the workspace"),
            ("blocked_file_patterns: [/work/]", "/blocked_file_patterns/0", "covers the workspace"),
            ("workspace: /home/me", "/workspace", "covers the workspace"),
            ("workspace: /", "/workspace", "whole file system"),
            ("workspace: /etc/x", "/workspace", "belongs to the image"),
            ("workspace: /work/", "/workspace", "write `/work`"),
            ("require_kernel: [Memory]", "/require_kernel/0", "such as `memory`"),
            ("privileges: {capabilities: [ALL]}", "/privileges/capabilities/0", "one by one"),
            ("privileges: {user: root}", "/privileges/user", "users have no names"),
            ("privileges: {user: 4294967295}", "/privileges/user", "out of range"),
            ("on_violation: {fatal: log}", "/on_violation/fatal", "is not known"),
            ("on_violation: {high: kill}", "/on_violation/high", "one of `log`"),
            ("name: 5", "/name", "put it in quotes"),
            ("extends: [a]", "/extends", "a list"),
            ("description: ~", "/description", "found null"),
        ])
    func entries(line: String, pointer: String, detail: String) {
        let found = faults(yaml: (line.hasPrefix("name") ? "" : "name: x\n") + line)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(": \(pointer): ") ?? false, "\(found)")
        #expect(found.first?.contains(detail) ?? false, "\(found)")
    }

    @Test(
        "Entries of the network's lists are checked",
        arguments: [
            ("allowed_domains: [\"*\"]", "any public name"), ("allowed_domains: [localhost]", "two labels"),
            ("allowed_domains: [192.0.2.1]", "allowed_cidrs"), ("allowed_domains: [\"a.*.org\"]", "punycode"),
            ("allowed_domains: [\"bücher.example\"]", "punycode"),
            ("allowed_domains: [\"-a.org\"]", "punycode"),
            ("allowed_domains: [\"example.org.\"]", "punycode"),
            ("allowed_cidrs: [192.0.2.1]", "192.0.2.1/32"),
            ("allowed_cidrs: [192.0.2.1/24]", "192.0.2.0/24"),
            ("allowed_cidrs: [ten/8]", "block of addresses"),
            ("allowed_ports: [0]", "out of range"), ("allowed_ports: [65536]", "out of range"),
            ("allowed_ports: [\"80\"]", "without quotes"), ("allowed_ports: [80, 80]", "stands twice"),
            ("allowed_ports: []", "no port is left"), ("blocked_cidrs: [0.0.0.0/0]", "every IPv4 address"),
            ("blocked_cidrs: [0.0.0.0/1, 128.0.0.0/1]", "every IPv4 address"),
            (
                "{allowed_cidrs: [10.1.0.0/16], blocked_cidrs: [10.0.0.0/8]}",
                "`10.1.0.0/16` lies in `10.0.0.0/8`"
            ),
        ])
    func networkEntries(line: String, detail: String) {
        let body = line.hasPrefix("{") ? "network: \(line)" : "network:\n  \(line)"
        let found = faults(yaml: "name: x\nnetwork_policy: restricted\n\(body)")
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(detail) ?? false, "\(found)")
    }

    @Test(
        "Settings that contradict each other are refused",
        arguments: [
            ("network: {allowed_domains: [example.org]}", "network_policy is `none`"),
            ("network_policy: full\nnetwork: {allowed_cidrs: [192.0.2.0/24]}", "network_policy is `full`"),
            ("network_policy: internal\nnetwork: {allowed_ports: [22]}", "network_policy is `internal`"),
            ("network: {blocked_cidrs: [192.0.2.0/24]}", "reaches no address anyway"),
            (
                "network_policy: restricted\nprivileges: {capabilities: [CAP_NET_ADMIN]}",
                "CAP_NET_ADMIN lets a process undo"
            ),
            ("privileges: {capabilities: [CAP_NET_RAW]}", "CAP_NET_RAW lets a process undo"),
            ("allowed_commands: [rm]", "`rm` is also blocked, by `rm`"),
            ("allowed_commands: [/usr/bin/rm]", "is also blocked, by `rm`"),
            ("allowed_commands: [wget]\nblocked_commands: [\"@network\"]", "by `@network`"),
            ("allowed_commands: [mkfs.ext4]", "by `mkfs`"),
        ])
    func contradictions(lines: String, detail: String) {
        let found = faults(yaml: "name: x\n\(lines)")
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(detail) ?? false, "\(found)")
    }

    @Test("What is not contradictory passes")
    func noContradiction() {
        #expect(faults(yaml: "name: x\nnetwork: {allowed_domains: [], allowed_ports: [53, 80, 443]}") == [])
        #expect(
            faults(yaml: "name: x\nnetwork_policy: full\nprivileges: {capabilities: [CAP_NET_ADMIN]}") == [])
        #expect(faults(yaml: "name: x\nnetwork_policy: full\nnetwork: {blocked_cidrs: [192.0.2.0/24]}") == [])
        #expect(faults(yaml: "name: x\nworkspace: /home/me\nblocked_file_patterns: [/etc/]") == [])
    }

    @Test(
        "What is probably not meant is warned of",
        arguments: [
            ("blocked_commands: [rm, \"@privilege\"]", "`rmdir`, `del`, `format`"),
            ("blocked_file_patterns: [/etc/]", "`/bin/`, `/sbin/`"),
            ("enable_monitoring: false", "is seen or answered"),
            ("on_violation: {low: terminate, high: log}", "more mildly"),
            ("privileges: {no_new_privileges: false}", "set-uid"),
            ("privileges: {seccomp: unconfined}", "every system call"),
            ("privileges: {read_only_root: false}", "can be replaced"),
            ("allowed_commands: [ls]\nundecidable_commands: allow", "has gaps"),
            ("max_file_size_mb: 4096", "does not fit"),
            ("network_policy: restricted\nnetwork: {allowed_ports: [443]}", "no name can be resolved"),
        ])
    func warnings(lines: String, detail: String) throws {
        let document = try PolicyDocument.parse(yaml: Array("name: x\n\(lines)".utf8))
        let result = PolicyCatalog.builtIn.check(document)
        #expect(result.isValid)
        #expect(result.warnings.contains { $0.fault.detail.contains(detail) }, "\(result.warnings)")
    }

    @Test("A list that keeps its parent's blocks under other names drops nothing")
    func keptBlocks() throws {
        let groups = CommandGroup.allCases.map { "\"@\($0.rawValue)\"" }.joined(separator: ", ")
        let text =
            "name: x\nblocked_commands: [\(groups)]\nblocked_file_patterns: [/etc, \"/[a-z]*bin\", "
            + "/bin, /sbin, /usr, "
            + "/proc/, /sys/, /dev/, /root/, /home]\n"
        let result = PolicyCatalog.builtIn.check(try PolicyDocument.parse(yaml: Array(text.utf8)))
        #expect(
            result.warnings.map(\.fault.detail) == [
                "a list replaces its parent's: `lsof`, blocked by `default`, is no "
                    + "longer blocked"
            ])
    }

    @Test("A name given from outside is taken, or must be the same")
    func expectedName() throws {
        let name = try #require(PolicyName(rawValue: "given"))
        #expect(try PolicyDocument.parse(json: Array("{}".utf8), name: name).name == name)
        #expect(try PolicyDocument.parse(json: Array(#"{"name":"given"}"#.utf8), name: name).name == name)
        #expect(throws: PolicyFaults.self) {
            try PolicyDocument.parse(json: Array(#"{"name":"other"}"#.utf8), name: name)
        }
        #expect(throws: PolicyFaults.self) { try PolicyDocument.parse(json: Array("{}".utf8)) }
        #expect(throws: PolicyFaults.self) {
            try PolicyDocument.parse(json: Array(#"{"name":"check"}"#.utf8))
        }
    }

    @Test("Text that is no document is refused with its place")
    func malformed() {
        #expect(
            faults(yaml: "a: &x 1", file: "p") == [
                "p:1:4: anchors are not allowed; quote a text that begins with &"
            ])
        #expect(faults(yaml: "- a", file: "p") == ["p:1:1: a map was expected, found a list"])
        let json = PolicyCatalog.builtIn.check(json: Array("{\"name\": \"x\",\n  }".utf8))
        #expect(json.errors.map(\.description) == ["2:3: a member name in quotes was expected"])
        let large = [UInt8](repeating: 0x20, count: PolicyDocument.maximumBytes + 1)
        #expect(!PolicyCatalog.builtIn.check(json: large).isValid)
    }

    @Test("The answer to a check has the contract's form")
    func checkJSON() {
        let bad = PolicyCatalog.builtIn.check(json: Array(#"{"name": "x", "shell": "zsh"}"#.utf8))
        #expect(
            bad.json.text
                == #"{"valid":false,"errors":[{"pointer":"/shell","detail":"one of `sh`, `bash` was "#
                + #"expected, "#
                + #"found the string \"zsh\"; did you mean `sh`?","line":1,"column":24}],"warnings":[]}"#)
        let good = PolicyCatalog.builtIn.check(
            json: Array(#"{"name": "x", "enable_monitoring": false}"#.utf8))
        #expect(good.json["valid"] == true)
        #expect(good.json["warnings"]?.array?.first?["pointer"] == "/enable_monitoring")
    }

    @Test("Whatever stands in a field, a document is taken or refused with a place")
    func anyValueAnywhere() throws {
        let values: [JSONValue] = [
            nil, true, 0, -1, 1.5, "", "x", "/", "@x", "*", [], [nil], [[]], ["x", "x"], [1], [:], ["x": 1],
            .integer(.max), .number(1e300), .string(String(repeating: "a", count: 5000)), "\u{0}",
            "é\u{202E}",
        ]
        var taken = 0
        for key in PolicyFields.keys where key != "name" {
            for value in values {
                let name = JSONMember("name", "x")
                let inner = PolicyFields.limitKeys + PolicyFields.networkKeys + PolicyFields.privilegeKeys
                let nested = JSONValue.object(inner.map { JSONMember($0, value) })
                for body in [value, nested] {
                    let json = JSONValue.object([name, JSONMember(key, body)])
                    let result = PolicyCatalog.builtIn.check(json: json.bytes)
                    if result.isValid { taken += 1 }
                    for error in result.errors {
                        #expect(error.fault.location != .none && !error.fault.detail.isEmpty)
                    }
                }
            }
        }
        #expect(taken > 10)
    }
}
