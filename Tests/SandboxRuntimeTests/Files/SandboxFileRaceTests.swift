import Foundation
import Glibc
import LinuxSystem
import Synchronization
import Testing

@testable import SandboxRuntime

/// Somebody in the sandbox swaps folders for links as fast as the kernel lets them.
@Suite(.enabled(if: mayChangeIdentity, "needs root to act as another user"), .timeLimit(.minutes(2)))
struct SandboxFileRaceTests {
    private static let rounds = 1500

    /// Swaps `work/d`, a folder, with `work/l`, a link to `/secret`, until told to stop.
    private static func swapper(_ tree: SandboxFileTree) throws -> (stop: () -> Void, swaps: () -> Int) {
        try tree.folder("work/d")
        try tree.folder("secret")
        try tree.file("work/d/f", "fine")
        try tree.file("secret/f", "secret")
        try tree.link("work/l", to: "/secret")
        let state = SwapState()
        let work = try Descriptor.openDirectory(RawPath("\(tree.path)/work"))
        let shared = SharedDescriptor(work)
        let exchange: UInt32 = 2
        // A thread of its own: a busy one would keep a place of Dispatch's pool from those that it races with.
        Thread.detachNewThread {
            while !state.isStopped.load(ordering: .relaxed) {
                do throws(SystemError) {
                    try shared.descriptor.rename("d", to: shared.descriptor, "l", flags: exchange)
                    state.count.add(1, ordering: .relaxed)
                } catch {
                    print("swap: \(error)")
                    break
                }
            }
            state.isDone.store(true, ordering: .releasing)
        }
        return (
            {
                state.isStopped.store(true, ordering: .relaxed)
                while !state.isDone.load(ordering: .acquiring) { usleep(100) }
            },
            { state.count.load(ordering: .relaxed) }
        )
    }

    private final class SwapState: Sendable {
        let isStopped = Atomic(false)
        let isDone = Atomic(false)
        let count = Atomic(0)
    }

    @Test func whatIsReadIsWhatThePathTold() async throws {
        let tree = try SandboxFileTree()
        let files = SandboxFiles()
        let (stop, swaps) = try Self.swapper(tree)
        defer { stop() }
        var seen: [String: Int] = [:]
        for _ in 0..<Self.rounds {
            do throws(RuntimeError) {
                let target = try await files.open(Array("/work/d/f".utf8), in: tree.root, for: .read)
                let text = String(decoding: try await files.read(target, limit: 100), as: UTF8.self)
                let isSecret = target.resolvedPath == "/secret/f"
                #expect(isSecret || ["/work/d/f", "/work/l/f"].contains(target.resolvedPath))
                #expect(text == (isSecret ? "secret" : "fine"))
                seen[target.resolvedPath, default: 0] += 1
            } catch {
                #expect(error.code == .conflict || error.code == .notFound, "\(error)")
                seen["\(error.code)", default: 0] += 1
            }
        }
        #expect(swaps() > 0)
        #expect(seen.count > 1, "the race never took place: \(seen)")
    }

    @Test func whatIsWrittenIsWhereThePathTold() async throws {
        let tree = try SandboxFileTree()
        let files = SandboxFiles()
        let (stop, _) = try Self.swapper(tree)
        var wrote = 0
        for round in 0..<Self.rounds {
            do throws(RuntimeError) {
                let name = "n\(round)"
                let target = try await files.open(Array("/work/d/\(name)".utf8), in: tree.root, for: .write)
                // Only what the policy would allow: the workspace.
                guard target.resolvedPath.hasPrefix("/work/") else { continue }
                _ = try await files.write([1], to: target, limit: 10)
                wrote += 1
            } catch {
                #expect(error.code == .conflict || error.code == .notFound, "\(error)")
            }
        }
        stop()
        let secrets = try Descriptor.openDirectory(RawPath("\(tree.path)/secret")).list(limit: 10_000).entries
        #expect(secrets.map(\.name) == [Array("f".utf8)])
        #expect(wrote > 0)
    }
}
