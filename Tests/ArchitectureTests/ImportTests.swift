import Testing

/// An import points down only, and two modules of one row never meet.
@Suite struct ImportTests {
    /// Own modules that each target may import.
    static let own: [String: Set<String>] = [
        "LinuxSystem": ["CLinuxShims"],
        "SandboxModel": [],
        "ShellAnalysis": [],
        "Metrics": [],
        "SandboxPolicy": ["SandboxModel", "ShellAnalysis"],
        "HTTP": ["LinuxSystem", "Metrics", "CZlib", "CNGHTTP2"],
        "Journal": ["SandboxModel", "LinuxSystem", "Metrics", "CZlib"],
        "SandboxNetwork": ["SandboxPolicy", "SandboxModel", "LinuxSystem", "Metrics"],
        "SandboxRuntime": [
            "SandboxNetwork", "SandboxPolicy", "SandboxModel", "HTTP", "LinuxSystem", "Metrics",
        ],
        "SandboxMonitor": ["SandboxNetwork", "SandboxPolicy", "SandboxModel", "LinuxSystem", "Metrics"],
        "SandboxSecurity": [
            "SandboxRuntime", "SandboxMonitor", "SandboxNetwork", "SandboxPolicy", "HTTP", "Journal",
            "SandboxModel",
            "ShellAnalysis", "Metrics", "LinuxSystem",
        ],
        "SandwardenAPI": ["SandboxSecurity", "SandboxPolicy", "SandboxModel", "HTTP", "Metrics"],
        "sandwarden": [
            "SandwardenAPI", "SandboxSecurity", "SandboxRuntime", "SandboxMonitor", "SandboxNetwork",
            "SandboxPolicy",
            "HTTP", "Journal", "SandboxModel", "ShellAnalysis", "Metrics", "LinuxSystem",
        ],
    ]

    /// Modules from elsewhere that each target may import beside what everybody may.
    static let foreign: [String: Set<String>] = [
        "LinuxSystem": ["Glibc", "Dispatch", "SystemPackage", "Subprocess"],
        "SandboxModel": [], "ShellAnalysis": [], "Metrics": [],
        "SandboxPolicy": ["Yams", "FoundationEssentials"],
        "HTTP": ["Glibc", "Dispatch", "Logging"],
        "Journal": ["Glibc", "Dispatch", "Logging", "Crypto"],
        "SandboxNetwork": ["Glibc", "Dispatch", "Logging"],
        "SandboxRuntime": ["Glibc", "Dispatch", "Logging", "Crypto"],
        "SandboxMonitor": ["Glibc", "Dispatch", "Logging", "Crypto"],
        "SandboxSecurity": ["Glibc", "Dispatch", "Logging", "Crypto"],
        "SandwardenAPI": ["Logging"],
        "sandwarden": ["Glibc", "Dispatch", "Logging", "ArgumentParser", "Yams"],
    ]

    static let everybody: Set<String> = ["Synchronization"]

    @Test func importsPointDown() throws {
        let files = try SourceTree.files(in: "Sources")
        #expect(files.count > 100)
        for file in files {
            let allowed = (Self.own[file.target] ?? []).union(Self.foreign[file.target] ?? []).union(
                Self.everybody)
            for line in file.lines {
                guard let module = Self.importedModule(line) else { continue }
                #expect(allowed.contains(module), "\(file.path) imports \(module)")
            }
        }
    }

    @Test func everyTargetIsInTheTable() throws {
        let targets = Set(try SourceTree.files(in: "Sources").map(\.target))
        #expect(targets.subtracting(Self.own.keys).isEmpty)
    }

    /// The module of an import line, whatever its access level and attributes.
    static func importedModule(_ line: String) -> String? {
        var words = line.split(separator: " ").map(String.init)
        while let first = words.first,
            ["public", "package", "internal", "private", "@testable"].contains(first)
        {
            words.removeFirst()
        }
        guard words.first == "import", words.count >= 2 else { return nil }
        let name = words[1]
        if ["struct", "class", "enum", "func", "protocol", "let", "var", "typealias"].contains(name) {
            return words.count > 2 ? String(words[2].prefix { $0 != "." }) : nil
        }
        return String(name.prefix { $0 != "." })
    }

    @Test func importLinesAreRead() {
        #expect(Self.importedModule("import HTTP") == "HTTP")
        #expect(Self.importedModule("package import SandboxModel") == "SandboxModel")
        #expect(Self.importedModule("internal import struct Glibc.stat") == "Glibc")
        #expect(Self.importedModule("// import HTTP") == nil)
        #expect(Self.importedModule("important()") == nil)
    }
}
