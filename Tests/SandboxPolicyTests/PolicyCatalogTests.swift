import FoundationEssentials
import SandboxModel
import Testing

@testable import SandboxPolicy

/// Parents, versions and changes of a set of policies.
@Suite struct PolicyCatalogTests {
    private func name(_ text: String) throws -> PolicyName { try #require(PolicyName(rawValue: text)) }

    private func entry(_ yaml: String, file: String? = nil) throws -> PolicyCatalog.Entry {
        .init(
            document: try PolicyDocument.parse(yaml: Array(yaml.utf8), file: file),
            origin: file.map { .file(path: $0) } ?? .api)
    }

    private func faults(_ documents: [(String, String?)]) throws -> [String] {
        let entries = try documents.map { try entry($0.0, file: $0.1) }
        do {
            _ = try PolicyCatalog(entries: entries)
            return []
        } catch {
            return error.faults.map(\.description)
        }
    }

    @Test("The built-in policies differ from default where the contract says so, and nowhere else")
    func builtIns() throws {
        let catalog = PolicyCatalog.builtIn
        #expect(catalog.names.map(\.rawValue) == ["default", "strict", "permissive", "audit"])
        let base = try #require(catalog[.default]?.policy)
        #expect(base.resourceLimits.memoryMB == 512)
        #expect(base.violationThreshold == 5)
        let strict = try #require(catalog[try name("strict")]?.policy)
        #expect(
            strict.json.text.contains(
                #""memory_mb":256,"cpu_percent":25.0,"disk_mb":256,"max_processes":10,"#
                    + #""max_open_files":256,"max_network_connections":0,"execution_timeout":60"#))
        #expect(strict.violationThreshold == 3)
        #expect(strict.onViolation == [.low: .log, .medium: .log, .high: .isolate, .critical: .terminate])
        let permissive = try #require(catalog[try name("permissive")]?.policy)
        #expect(permissive.networkPolicy == .full)
        #expect(permissive.blockedCommands.isEmpty && permissive.allowedFileExtensions.isEmpty)
        #expect(permissive.blockedFilePatterns == ["/proc/", "/sys/", "/dev/"])
        #expect(permissive.undecidableCommands == .allow && !permissive.autoTerminateOnViolation)
        #expect(permissive.resourceLimits.memoryMB == 2048 && permissive.resourceLimits.cpuPercent == 200)
        #expect(
            permissive.resourceLimits.maxProcesses == 256
                && permissive.resourceLimits.maxNetworkConnections == 256)
        var audit = try #require(catalog[try name("audit")]?.policy)
        #expect(audit.enforcement == .audit)
        audit.enforcement = .enforce
        audit.name = base.name
        audit.description = base.description
        #expect(audit == base)
        for version in catalog.versions { #expect(version.version == 1 && version.origin == .builtIn) }
    }

    @Test(
        "Maps merge field by field, lists replace, and what is absent comes from the parent"
    )
    func merging() throws {
        let catalog = try PolicyCatalog(entries: [
            entry(
                "name: child\nextends: parent\nresource_limits: {cpu_percent: 75}\nblocked_commands: [kill]\n"
                    + "on_violation: {low: pause}"),
            entry(
                "name: parent\nresource_limits: {memory_mb: 100}\nblocked_commands: [rm, sudo]\n"
                    + "on_violation: {medium: throttle}\nprivileges: {user: 1234}\ndescription: of the parent"
            ),
        ])
        let child = try #require(catalog[name("child")]?.policy)
        #expect(child.resourceLimits.memoryMB == 100)
        #expect(child.resourceLimits.cpuPercent == 75)
        #expect(child.resourceLimits.diskMB == 1024)
        #expect(child.blockedCommands == ["kill"])
        #expect(child.onViolation == [.low: .pause, .medium: .throttle, .high: .log, .critical: .terminate])
        #expect(child.privileges.user == .uid(1234))
        #expect(child.privileges.readOnlyRoot)
        #expect(child.description == "")
        #expect(child.extends?.rawValue == "parent")
        #expect(catalog[try name("parent")]?.policy.extends == nil)
    }

    @Test("Unknown parents, circles and doubled names are each reported, all at once")
    func brokenParents() throws {
        #expect(
            try faults([
                ("name: a\nextends: b", "a.yaml"), ("name: b\nextends: c", "b.yaml"),
                ("name: c\nextends: a", "c.yaml"),
                ("name: below\nextends: a", "d.yaml"), ("name: self\nextends: self", "s.yaml"),
                ("name: lost\nextends: strikt", "l.yaml"), ("name: lost-child\nextends: lost", nil),
                ("name: twice", "1.yaml"), ("name: twice", "2.yaml"), ("name: strict", "x.yaml"),
            ]) == [
                "2.yaml:1:7: /name: the policy `twice` stands twice: in `1.yaml` and in `2.yaml`",
                "x.yaml:1:7: /name: `strict` is a built-in policy and cannot be replaced; extend it "
                    + "under another name",
                "a.yaml:2:10: /extends: policies extend each other in a circle: `a` → `b` → `c` → `a`",
                "l.yaml:2:10: /extends: the policy `strikt` is not known; did you mean `strict`?",
                "s.yaml:2:10: /extends: policies extend each other in a circle: `self` → `self`",
            ])
    }

    @Test("A file and the API with the same name are both named")
    func sameNameTwice() throws {
        #expect(
            try faults([("name: x", "x.yaml"), ("name: x", nil)]) == [
                "1:7: /name: the policy `x` stands twice: in `x.yaml` and in the API"
            ])
    }

    @Test("A long chain of parents is resolved without recursion")
    func longChain() throws {
        var entries = [try entry("name: p0\nresource_limits: {memory_mb: 99}")]
        for index in 1..<2000 { entries.append(try entry("name: p\(index)\nextends: p\(index - 1)")) }
        let catalog = try PolicyCatalog(entries: entries)
        #expect(catalog[try name("p1999")]?.policy.resourceLimits.memoryMB == 99)
    }

    @Test(
        "A change counts the versions of the policy and of everything that builds on it, and of nothing else")
    func versions() throws {
        let first = try PolicyCatalog(entries: [
            entry("name: parent"), entry("name: child\nextends: parent"),
            entry("name: grandchild\nextends: child"),
            entry("name: other"),
        ])
        #expect(first.versions.filter { $0.origin == .api }.map(\.version) == [1, 1, 1, 1])
        let change = try first.putting(entry("name: parent\nresource_limits: {memory_mb: 64}").document)
        #expect(change.changed.map(\.rawValue) == ["child", "grandchild", "parent"])
        #expect(change.catalog.version(try name("grandchild"))?.version == 2)
        #expect(change.catalog.version(try name("grandchild"))?.policy.resourceLimits.memoryMB == 64)
        #expect(change.catalog.version(try name("other"))?.version == 1)
        #expect(first.version(try name("parent"))?.version == 1)
        let same = try change.catalog.putting(
            entry("name: parent\nresource_limits: {memory_mb: 64}").document)
        #expect(same.changed.isEmpty)
        let old = try #require(change.catalog[name("other")])
        #expect(same.catalog[try name("other")] === old)
    }

    @Test("Versions go on from a remembered history, also after a removal")
    func history() throws {
        let first = try PolicyCatalog(entries: [entry("name: a")])
        let again = try PolicyCatalog(entries: [entry("name: a")], history: first.history)
        #expect(again.version(try name("a"))?.version == 1)
        let changed = try PolicyCatalog(entries: [entry("name: a\nshell: bash")], history: first.history)
        #expect(changed.version(try name("a"))?.version == 2)
        let removed = try changed.removing(name("a"))
        #expect(removed.catalog[try name("a")] == nil)
        #expect(removed.changed.isEmpty)
        let back = try removed.catalog.putting(entry("name: a").document)
        #expect(back.catalog.version(try name("a"))?.version == 3)
    }

    @Test("Parents and built-in policies stay")
    func removal() throws {
        let catalog = try PolicyCatalog(entries: [entry("name: a"), entry("name: b\nextends: a")])
        #expect(catalog.children(of: try name("a")).map(\.rawValue) == ["b"])
        for (text, detail) in [
            ("a", "is the parent of `b`"), ("strict", "is built in"), ("nobody", "is not known"),
        ] {
            let error = #expect(throws: PolicyFaults.self) { try catalog.removing(name(text)) }
            #expect(error?.description.contains(detail) ?? false)
        }
    }

    @Test("A change that does not fit a child is refused and names the child")
    func changeThatBreaksAChild() throws {
        let catalog = try PolicyCatalog(entries: [
            entry("name: parent\nblocked_commands: [rm]"),
            entry("name: child\nextends: parent\nallowed_commands: [ls, curl]", file: "child.yaml"),
        ])
        let document = try entry("name: parent\nblocked_commands: [curl]").document
        let error = #expect(throws: PolicyFaults.self) { try catalog.putting(document) }
        #expect(
            error?.description.hasPrefix("child.yaml:3:24: /allowed_commands/1: `curl` is also blocked")
                ?? false)
        #expect(!catalog.check(document).isValid)
    }

    @Test("What stands in a file is not replaced by the API")
    func filePolicies() throws {
        let catalog = try PolicyCatalog(entries: [entry("name: a", file: "a.yaml")])
        #expect(throws: PolicyFaults.self) { try catalog.putting(entry("name: a").document) }
        #expect(throws: PolicyFaults.self) { try catalog.putting(entry("name: strict").document) }
        let reload = try entry("name: a\nshell: bash", file: "a.yaml")
        #expect(try catalog.putting(reload.document, origin: reload.origin).changed.map(\.rawValue) == ["a"])
    }

    @Test("A version shows its values, its number and where it came from")
    func versionJSON() throws {
        let catalog = try PolicyCatalog(entries: [entry("name: a", file: "a.yaml")])
        let json = try #require(catalog.version(name("a"))).json
        #expect(json["version"] == 1 && json["origin"] == "file" && json["policy"]?["name"] == "a")
        #expect(catalog.version(.default)?.json["origin"] == "built_in")
    }

    @Test("A folder's policies are read in the order of their names; the faults of all files come together")
    func folder() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write("b.yml", "name: b\nextends: a\n")
        try folder.write("a.yaml", "name: a\nshell: bash\n")
        try folder.write("c.json", #"{"name": "c"}"#)
        try folder.write(".hidden.yaml", "not a policy")
        try folder.write("notes.txt", "not a policy")
        let entries = try PolicyCatalog.load(directory: folder.path)
        #expect(entries.map(\.document.name.rawValue) == ["a", "b", "c"])
        #expect(entries[0].origin == .file(path: folder.path + "/a.yaml"))
        #expect(try PolicyCatalog(entries: entries)[name("b")]?.policy.shell == .bash)
        #expect(PolicyCatalog.check(files: ["a.yaml", "b.yml"].map { folder.path + "/" + $0 }).isValid)

        try folder.write("d.yaml", "name: d\nshel: bash\n")
        try folder.write("e.json", "{")
        let error = #expect(throws: PolicyFaults.self) { try PolicyCatalog.load(directory: folder.path) }
        #expect(error?.faults.map { $0.file } == [folder.path + "/d.yaml", folder.path + "/e.json"])
        let check = PolicyCatalog.check(files: ["b.yml", "d.yaml"].map { folder.path + "/" + $0 })
        #expect(check.errors.map(\.fault.pointer) == ["/shel", "/extends"])
    }

    @Test("What cannot be read as a file says so")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        #expect(throws: PolicyFaults.self) { try PolicyCatalog.load(directory: folder.path + "/absent") }
        for (path, detail) in [
            (folder.path + "/absent.yaml", "does not exist"), (folder.path, "not a regular file"),
            ("/dev/zero", "not a regular file"),
        ] {
            let error = #expect(throws: PolicyFaults.self) { try PolicyDocument.load(file: path) }
            #expect(error?.description.contains(detail) ?? false, "\(error?.description ?? "")")
        }
        try folder.write("big.yaml", String(repeating: "#", count: PolicyDocument.maximumBytes + 1))
        let error = #expect(throws: PolicyFaults.self) {
            try PolicyDocument.load(file: folder.path + "/big.yaml")
        }
        #expect(error?.description.contains("bytes, more than") ?? false)
    }
}

/// A folder that is there for one test.
struct TemporaryFolder {
    let path: String

    init() throws {
        var generator = SystemRandomNumberGenerator()
        path = "/tmp/sandwarden-policy-" + randomAlphanumerics(12, using: &generator)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }

    func remove() {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record("\(path) could not be removed: \(error)")
        }
    }
}
