import LinuxSystem
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// What this machine offers the tests, and the programs that they drive.
enum TestHost {
    static let isRoot = geteuid() == 0
    static let environment = currentEnvironment()

    /// The package's root folder: three levels above this file.
    static let root: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    /// The program under test.
    static let binary = environment["SANDWARDEN_BINARY"] ?? root + "/.build/debug/sandwarden"

    /// The address of an engine of the tests' own, as `unix:///path`.
    static let dockerAddress = environment["SANDWARDEN_TEST_DOCKER"].flatMap { $0.isEmpty ? nil : $0 }

    /// The runtimes that each test of sandboxes is run on.
    static let runtimes: [String] = {
        guard dockerAddress == nil else { return ["oci", "docker"] }
        print("SKIPPED docker: SANDWARDEN_TEST_DOCKER names no engine")
        return ["oci"]
    }()

    /// How often the test of leftovers makes and deletes a sandbox.
    static let cycles: Int = {
        if environment["SANDWARDEN_FULL"] == "1" { return 200 }
        print("REDUCED creations and deletions: 10 in place of 200; SANDWARDEN_FULL=1 runs them all")
        return 10
    }()

    private static func currentEnvironment() -> [String: String] {
        var found: [String: String] = [:]
        do {
            let bytes = try HostFiles.read("/proc/self/environ", limit: 1 << 20)
            for entry in bytes.split(separator: 0) {
                let text = String(decoding: entry, as: UTF8.self)
                guard let equals = text.firstIndex(of: "=") else { continue }
                found[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
        } catch {
            Issue.record("the environment cannot be read: \(error)")
        }
        return found
    }

    /// Runs a program to its end.
    static func run(
        _ program: String, _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
        seconds: Int = 60
    ) async throws -> ChildResult {
        let path =
            try program.hasPrefix("/") ? program : #require(ChildCommand.locate(program), "\(program) is missing")
        let whole = ChildCommand.minimalEnvironment.merging(environment) { $1 }
        return try await ChildProcess.run(
            ChildCommand(
                path, arguments, environment: whole, input: input.map { .bytes(Array($0.utf8)) } ?? .nothing,
                deadline: .seconds(seconds)),
            outputLimit: 64 << 20)
    }

    /// Runs the program under test to its end.
    static func sandwarden(
        _ arguments: String..., input: String? = nil, environment: [String: String] = [:]
    ) async throws
        -> ChildResult
    {
        try await run(binary, arguments, input: input, environment: environment)
    }

    /// A file's text.
    static func text(_ path: String) throws -> String {
        String(decoding: try HostFiles.read(RawPath(path), limit: 8 << 20), as: UTF8.self)
    }

    /// The names in a folder; none when it is not there.
    static func names(in path: String) -> [String] {
        do {
            return try Descriptor.openDirectory(RawPath(path)).list(limit: 100_000).entries
                .map { String(decoding: $0.name, as: UTF8.self) }
        } catch {
            return []
        }
    }
}

/// A folder of a test's own, removed at its end.
struct TestFolder {
    let path: String

    /// Makes `/tmp/swi-…`, which everybody may pass through.
    static func make() async throws -> TestFolder {
        let made = try await TestHost.run("mktemp", ["-d", "/tmp/swi-XXXXXX"])
        let path = String(made.stdoutText.prefix { $0 != "\n" })
        try #require(path.hasPrefix("/tmp/swi-"))
        _ = try await TestHost.run("chmod", ["755", path])
        return TestFolder(path: path)
    }

    /// Writes a file below the folder.
    func write(_ text: String, to name: String, mode: String = "644") async throws {
        let file = path + "/" + name
        let script = "mkdir -p \"$(dirname \"$1\")\" && umask 077 && cat > \"$1\" && chmod \"$2\" \"$1\""
        let result = try await TestHost.run("sh", ["-c", script, "sh", file, mode], input: text)
        try #require(result.exit.isSuccess, "\(result.stderrText)")
    }

    func remove() async throws {
        _ = try await TestHost.run("rm", ["-rf", "--one-file-system", path])
    }
}
