import Testing

@Suite struct FileTests {
    /// Tables and state machines that must be read whole, with the reason.
    static let exempt: [String: String] = [
        "Sources/SandboxRuntime/OCI/SeccompTable.swift": "a table of system calls"
    ]

    @Test func noSourceFileIsOver600Lines() throws {
        for file in try SourceTree.files(in: "Sources") where Self.exempt[file.path] == nil {
            #expect(file.lines.count <= 600, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func noTypeIsNamedLikeItsModule() throws {
        for file in try SourceTree.files(in: "Sources") where file.target != "sandwarden" {
            for line in file.lines {
                for kind in ["struct", "class", "enum", "actor", "protocol"] {
                    #expect(
                        !line.contains("\(kind) \(file.target) ")
                            && !line.contains("\(kind) \(file.target):"),
                        "\(file.path): \(line)")
                }
            }
        }
    }

    @Test func nothingTrapsOnInput() throws {
        let banned = ["try!", "fatalError(", " as! ", "@unchecked Sendable", "nonisolated(unsafe)"]
        for file in try SourceTree.files(in: "Sources") {
            for (index, line) in file.lines.enumerated()
            where !line.trimmingPrefix(while: { $0 == " " }).hasPrefix("//") {
                for text in banned { #expect(!line.contains(text), "\(file.path):\(index + 1): \(text)") }
            }
        }
    }

    @Test func unsafeExpressionsSayWhyTheyAreSafe() throws {
        for file in try SourceTree.files(in: "Sources") where file.target != "ShellAnalysis" {
            let usesUnsafe = file.lines.contains { $0.contains("unsafe ") && !$0.contains("//") }
            let explains = file.lines.contains { $0.contains("SAFETY:") }
            #expect(!usesUnsafe || explains, "\(file.path) uses `unsafe` and never says why that is safe")
        }
    }
}
