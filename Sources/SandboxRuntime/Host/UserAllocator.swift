internal import Glibc
internal import LinuxSystem
internal import Synchronization

/// Gives every sandbox a user of its own, from a range of numbers that belongs to nobody else.
///
/// A number that somebody has (an entry in `/etc/passwd` or a range in `/etc/subuid`) or that a running
/// process has is passed over: a process with the same uid could signal and enter the sandbox. Numbers are
/// given in turn, so that one that was just given back comes again as late as possible.
package final class UserAllocator: Sendable {
    /// The numbers that may be given.
    package let range: Range<UInt32>

    private struct State {
        var used: Set<UInt32> = []
        var cursor: UInt32
    }

    private let state: Mutex<State>
    private let sources: UserSources

    /// An allocator over a range of uids; the same number is used as gid.
    ///
    /// It begins at a random place, so that two installations with one range rarely give the same number.
    package convenience init(range: Range<UInt32>) {
        self.init(range: range, start: range.randomElement() ?? range.lowerBound, sources: .host)
    }

    init(range: Range<UInt32>, start: UInt32, sources: UserSources) {
        self.range = range
        self.sources = sources
        state = Mutex(State(cursor: start))
    }

    /// Takes a number that nobody uses. Blocks for a look at `/proc`.
    /// - Throws: `exhausted` when every number is taken; `unavailable` when who has which cannot be read.
    package func allocate() throws(RuntimeError) -> SandboxUser {
        let foreign: UserSources.Taken
        do throws(SystemError) {
            foreign = try sources.read()
        } catch {
            throw RuntimeError(error, operation: "choose a user", code: .unavailable)
        }
        let found = state.withLock { state -> UInt32? in
            for _ in 0..<range.count {
                let candidate = state.cursor
                state.cursor = candidate + 1 < range.upperBound ? candidate + 1 : range.lowerBound
                if state.used.contains(candidate) || foreign.contains(candidate) { continue }
                state.used.insert(candidate)
                return candidate
            }
            return nil
        }
        guard let found else {
            throw RuntimeError(
                .exhausted, operation: "choose a user",
                detail: "all of uid_range \(range.lowerBound)..<\(range.upperBound) is in use: widen it")
        }
        return SandboxUser(uid: found, gid: found)
    }

    /// Marks a number as taken, as for a sandbox that was found again. Numbers outside the range do not
    /// matter.
    package func reserve(_ uid: UInt32) {
        state.withLock { _ = $0.used.insert(uid) }
    }

    /// Gives a number back, once no process of the sandbox is left and its files are removed.
    package func release(_ uid: UInt32) {
        state.withLock { _ = $0.used.remove(uid) }
    }
}

/// Where an allocator learns which numbers others have.
struct UserSources: Sendable {
    /// Numbers that are taken, singly and in blocks.
    struct Taken: Sendable {
        var single: Set<UInt32> = []
        var blocks: [Range<UInt64>] = []

        func contains(_ uid: UInt32) -> Bool {
            single.contains(uid) || blocks.contains { $0.contains(UInt64(uid)) }
        }
    }

    var passwd: @Sendable () throws(SystemError) -> [UInt8]
    var subordinate: @Sendable () throws(SystemError) -> [UInt8]
    var processes: @Sendable () throws(SystemError) -> Set<UInt32>

    /// The host's own files and processes.
    static let host = UserSources(
        passwd: { () throws(SystemError) in try HostFiles.read("/etc/passwd", limit: 16 << 20) },
        subordinate: { () throws(SystemError) in try optional("/etc/subuid") },
        processes: { () throws(SystemError) in try runningUsers() })

    func read() throws(SystemError) -> Taken {
        var taken = Taken()
        taken.single = try processes()
        for fields in Self.lines(try passwd()) {
            if fields.count > 2, let uid = UInt32(fields[2]) { taken.single.insert(uid) }
        }
        for fields in Self.lines(try subordinate()) {
            guard fields.count == 3, let start = UInt64(fields[1]), let count = UInt64(fields[2]) else {
                continue
            }
            let (end, overflow) = start.addingReportingOverflow(count)
            if !overflow { taken.blocks.append(start..<end) }
        }
        return taken
    }

    /// Fields of each line of a colon-separated file.
    private static func lines(_ bytes: [UInt8]) -> [[Substring]] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").map {
            $0.split(separator: ":", omittingEmptySubsequences: false)
        }
    }

    private static func optional(_ path: String) throws(SystemError) -> [UInt8] {
        do throws(SystemError) {
            return try HostFiles.read(RawPath(path), limit: 16 << 20)
        } catch {
            if error.errno == ENOENT { return [] }
            throw error
        }
    }

    /// Owners of all processes: a process's folder below `/proc` belongs to its effective user.
    private static func runningUsers() throws(SystemError) -> Set<UInt32> {
        let proc = try Descriptor.openDirectory("/proc")
        var users: Set<UInt32> = []
        for entry in try proc.list(limit: 4 << 20).entries {
            guard let first = entry.name.first, (0x30...0x39).contains(first) else { continue }
            do throws(SystemError) {
                users.insert(try proc.status(of: RawPath(bytes: entry.name)).uid)
            } catch {
                // It ended between the two looks.
                guard error.errno == ENOENT || error.errno == ESRCH else { throw error }
            }
        }
        return users
    }
}
