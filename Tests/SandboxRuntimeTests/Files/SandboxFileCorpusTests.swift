import Glibc
import LinuxSystem
import SandboxModel
import Testing

@testable import SandboxRuntime

/// Published cases of path resolution, replayed on a real file system.
@Suite(.enabled(if: mayChangeIdentity, "needs root to act as another user"), .timeLimit(.minutes(2)))
struct SandboxFileCorpusTests {
    struct Case: Sendable {
        var id: String
        var layout: [String]
        var path: String
        var label: String
        var target: String?
        var failure: String?
    }

    /// The cases; empty where the folder that `SANDWARDEN_CORPORA` names has none.
    static func cases() throws -> [Case] {
        // SAFETY: nothing in the tests changes the environment while it is read.
        guard let folder = unsafe getenv("SANDWARDEN_CORPORA") else { return [] }
        let path = unsafe String(cString: folder) + "/paths_fs_cases.jsonl"
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try HostFiles.read(RawPath(path), limit: 8 << 20)
        } catch {
            guard error.errno == ENOENT else { throw error }
            return []
        }
        let rows = try bytes.split(separator: 0x0A).map { try JSONParser.parse(Array($0)) }
        let fixture = rows.first { $0["label"]?.string == "fixture" }
        let shared = (fixture?["fs"]?.array ?? []).compactMap(\.string)
        return rows.compactMap { row in
            guard let id = row["id"]?.string, let path = row["path"]?.string, let label = row["label"]?.string else {
                return nil
            }
            return Case(
                id: id, layout: row["fs"]?.array.map { $0.compactMap(\.string) } ?? shared, path: path, label: label,
                target: row["target"]?.string, failure: row["errno"]?.string)
        }
    }

    private static func build(_ layout: [String], in tree: SandboxFileTree) throws {
        // Links after the folders and files that they may lead through.
        for line in layout {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "dir" where words.count == 2: try tree.folder(words[1])
            case "file" where words.count == 2: try tree.file(words[1], "x")
            case "fifo" where words.count == 2: try tree.fifo(words[1])
            case "sock" where words.count == 2: try tree.socket(words[1])
            case "symlink" where words.count == 3: try tree.link(words[1], to: words[2])
            default:
                if line.hasSuffix("/") { try tree.folder(String(line.dropLast())) }
            }
        }
        for line in layout {
            guard let arrow = line.ranges(of: " => ").first else { continue }
            let name = String(line[..<arrow.lowerBound])
            let parent = name.split(separator: "/").dropLast().joined(separator: "/")
            if !parent.isEmpty { try tree.folder(parent) }
            try tree.link(name, to: String(line[arrow.upperBound...]).replacing("$ABS", with: ""))
        }
    }

    @Test func eachCaseEndsWhereItShould() async throws {
        let cases = try Self.cases()
        if cases.isEmpty { print("skipped: path cases (set SANDWARDEN_CORPORA to their folder)") }
        let files = SandboxFiles()
        for example in cases {
            let tree = try SandboxFileTree()
            try Self.build(example.layout, in: tree)
            if example.label == "allow", let target = example.target, try !tree.exists(target) {
                try tree.file(target, "x")
            }
            let outcome: Result<SandboxFileTarget, RuntimeError>
            do throws(RuntimeError) {
                outcome = .success(try await files.open(Array("/\(example.path)".utf8), in: tree.root, for: .read))
            } catch {
                outcome = .failure(error)
            }
            switch outcome {
            case .success(let target): try checkInside(target, tree, example)
            case .failure(let error): try checkFailure(error, tree, example)
            }
        }
    }

    private func checkInside(
        _ target: SandboxFileTarget, _ tree: SandboxFileTree, _ example: Case
    ) throws {
        // What the path says is what the descriptor holds, and it is below the root.
        let there = try HostFiles.status(RawPath(tree.path + target.resolvedPath), followingLink: false)
        #expect(target.identity == FileIdentity(there), "\(example.id)")
        switch example.label {
        case "allow": #expect(target.resolvedPath == "/" + (example.target ?? ""), "\(example.id)")
        case "in-root":
            #expect(example.failure == nil, "\(example.id)")
            #expect(target.resolvedPath == example.target, "\(example.id)")
        default: break
        }
    }

    private func checkFailure(_ error: RuntimeError, _ tree: SandboxFileTree, _ example: Case) throws {
        switch (example.label, example.failure) {
        case ("allow", _): Issue.record("\(example.id): \(error)")
        case ("in-root", nil):
            // FIFOs and sockets are reached, and then refused.
            let kind = try tree.status(String((example.target ?? "").dropFirst())).kind
            #expect(kind == .fifo || kind == .socket, "\(example.id): \(error)")
            // Renames that other suites do meanwhile can make the kernel give a walk up: refused all the same.
            #expect(error.code == .denied || error.code == .conflict, "\(example.id): \(error)")
        case (_, "ENOENT"?): #expect(error.code == .notFound, "\(example.id): \(error)")
        case (_, "ENOTDIR"?): #expect(error.code == .conflict, "\(example.id): \(error)")
        case (_, "ELOOP"?): #expect(error.code == .denied, "\(example.id): \(error)")
        default: break
        }
    }
}
