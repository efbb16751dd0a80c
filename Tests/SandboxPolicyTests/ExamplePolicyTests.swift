import SandboxModel
import SandboxPolicy
import Testing

/// The policies that come with the program: they pass their own check, and mean what their comments say.
@Suite struct ExamplePolicyTests {
    private static let folder: String = {
        let file = #filePath.split(separator: "/").dropLast(3)
        return "/" + file.joined(separator: "/") + "/config/policies"
    }()

    private func catalog() throws -> PolicyCatalog {
        try PolicyCatalog(entries: try PolicyCatalog.load(directory: ExamplePolicyTests.folder))
    }

    private func policy(_ name: String) throws -> CompiledPolicy {
        let catalog = try catalog()
        let known = try #require(PolicyName(rawValue: name))
        return try #require(catalog[known])
    }

    @Test("Every example is valid, and only what is said in its comments is dropped from default")
    func valid() throws {
        let catalog = try catalog()
        #expect(catalog.names.count == Policy.builtInNames.count + 3)
        #expect(
            catalog.warnings.map { $0.fault.detail } == [
                "a list replaces its parent's: `rm`, `rmdir`, `kill`, `killall`, `pkill`, `chmod`, blocked by "
                    + "`default`, are no longer blocked"
            ])
    }

    @Test(
        "Commands come out as the comments say",
        arguments: [
            ("python-exec", "python3 main.py | sort > out.txt", true),
            ("python-exec", "curl example.org", false),
            ("python-exec", "./tool", false), ("python-exec", "cd src && ls", true),
            ("agent", "rm -rf build && make -j4 test 2>&1 | tee log", true), ("agent", "sudo ls", false),
            ("agent", "[[ -f x ]] && git status", true), ("agent", "mount -o bind / x", false),
            ("agent", "cat ~/.ssh/id_rsa", false), ("ci-plugin", "find . -delete", false),
            ("ci-plugin", "grep -c ok report.txt", true), ("ci-plugin", "python3 x.py", false),
        ])
    func commands(name: String, command: String, isAllowed: Bool) throws {
        let verdict = try policy(name).evaluate(command: CommandCheck(command))
        #expect(verdict.isAllowed == isAllowed, "\(verdict.reasons)")
    }
}
