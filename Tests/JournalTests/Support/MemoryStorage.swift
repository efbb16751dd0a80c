import Glibc
import LinuxSystem
import Synchronization

@testable import Journal

/// A storage in memory that knows what a device knows: what was not flushed is gone after a power loss, what a
/// failed flush dropped is gone even when a later flush succeeds, and names live until their folder is flushed.
///
/// Every call counts, and the Nth can be made to fail.
final class MemoryStorage: JournalStorage {
    /// What happens from the Nth call on.
    enum Fault: Sendable, Equatable {
        /// That call fails.
        case once(Int32)
        /// That call and all after it fail, until ``heal()``.
        case lasting(Int32)
        /// If that call is a write, it writes one byte only.
        case short
        /// The process is killed in that call: a write gets half done, and nothing is done any more.
        case kill
    }

    struct Inode: Sendable {
        var live: [UInt8] = []
        var durable: [UInt8] = []
        /// Places that were written since the last flush, failed ones counted.
        var dirty: Set<Int> = []
    }

    struct State: Sendable {
        var inodes: [Int: Inode] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var folders: Set<String> = [""]
        var locks: Set<String> = []
        var nextInode = 0
        var calls = 0
        var faultAt: Int?
        var fault: Fault?
        var isDead = false
    }

    let state: Mutex<State>

    init(_ state: State = State()) {
        self.state = Mutex(state)
    }

    // MARK: faults

    /// Makes the call after `count` more fail.
    func fail(after count: Int, _ fault: Fault) {
        state.withLock {
            $0.faultAt = $0.calls + count
            $0.fault = fault
        }
    }

    /// All calls work again.
    func heal() {
        state.withLock {
            $0.faultAt = nil
            $0.fault = nil
        }
    }

    var calls: Int { state.withLock { $0.calls } }
    var isDead: Bool { state.withLock { $0.isDead } }

    /// Counts a call.
    /// - Returns: How much of a write is to be done, when not all.
    fileprivate func enter(_ operation: String, in state: inout State) throws(SystemError) -> Fault? {
        if state.isDead { throw SystemError(errno: EIO, operation: operation, detail: "killed") }
        defer { state.calls += 1 }
        guard let at = state.faultAt, let fault = state.fault, state.calls >= at else { return nil }
        switch fault {
        case .once(let number):
            guard state.calls == at else { return nil }
            throw SystemError(errno: number, operation: operation)
        case .lasting(let number): throw SystemError(errno: number, operation: operation)
        case .short:
            return state.calls == at && operation == "write" ? .short : nil
        case .kill:
            state.isDead = true
            if operation == "write" { return .kill }
            throw SystemError(errno: EIO, operation: operation, detail: "killed")
        }
    }

    // MARK: what is left

    /// A copy as the next process finds it after this one was killed.
    func afterKill() -> MemoryStorage {
        var copy = state.withLock { $0 }
        copy.locks = []
        copy.isDead = false
        copy.faultAt = nil
        copy.fault = nil
        return MemoryStorage(copy)
    }

    /// A copy as the next process finds it after the power was lost.
    func afterPowerLoss() -> MemoryStorage {
        var copy = state.withLock { $0 }
        copy.locks = []
        copy.isDead = false
        copy.faultAt = nil
        copy.fault = nil
        copy.names = copy.durableNames
        for (number, inode) in copy.inodes {
            copy.inodes[number] = Inode(live: inode.durable, durable: inode.durable)
        }
        return MemoryStorage(copy)
    }

    /// Content of a file, as it is now.
    func content(_ path: String) -> [UInt8]? {
        state.withLock { state in state.names[path].flatMap { state.inodes[$0]?.live } }
    }

    /// Puts a file's content there, flushed.
    func put(_ path: String, _ bytes: [UInt8]?) {
        state.withLock { state in
            guard let bytes else {
                state.names[path] = nil
                state.durableNames[path] = nil
                return
            }
            state.nextInode += 1
            state.inodes[state.nextInode] = Inode(live: bytes, durable: bytes)
            state.names[path] = state.nextInode
            state.durableNames[path] = state.nextInode
        }
    }

    /// Names of all files, sorted.
    var paths: [String] { state.withLock { $0.names.keys.sorted() } }

    // MARK: JournalStorage

    private static func folder(of path: String) -> String {
        path.split(separator: "/").dropLast().joined(separator: "/")
    }

    func makeFolder(_ path: String) throws(SystemError) {
        let result: Result<Void, SystemError> = state.withLock { state in
            attempt {
                () throws(SystemError) in
                _ = try self.enter("mkdir", in: &state)
                state.folders.insert(path)
            }
        }
        try result.get()
    }

    func list(_ folder: String) throws(SystemError) -> [JournalFolderEntry] {
        try state.withLock { state in
            attempt { () throws(SystemError) in
                _ = try self.enter("list", in: &state)
                guard state.folders.contains(folder) else {
                    throw SystemError(errno: ENOENT, operation: "list", detail: folder)
                }
                return state.names.filter { Self.folder(of: $0.key) == folder }.map { path, inode in
                    JournalFolderEntry(
                        name: Array(path.utf8.dropFirst(folder.utf8.count + 1)),
                        size: Int64(state.inodes[inode]?.live.count ?? 0))
                }
            }
        }.get()
    }

    func create(_ path: String) throws(SystemError) -> any JournalFile {
        let number = try state.withLock { state in
            attempt { () throws(SystemError) -> Int in
                _ = try self.enter("create", in: &state)
                guard state.names[path] == nil else {
                    throw SystemError(errno: EEXIST, operation: "create", detail: path)
                }
                state.nextInode += 1
                state.inodes[state.nextInode] = Inode()
                state.names[path] = state.nextInode
                return state.nextInode
            }
        }.get()
        return MemoryFile(self, number)
    }

    func open(_ path: String, forWriting: Bool) throws(SystemError) -> any JournalFile {
        let number = try state.withLock { state in
            attempt { () throws(SystemError) -> Int in
                _ = try self.enter("open", in: &state)
                guard let number = state.names[path] else {
                    throw SystemError(errno: ENOENT, operation: "open", detail: path)
                }
                return number
            }
        }.get()
        return MemoryFile(self, number)
    }

    func rename(_ old: String, to new: String) throws(SystemError) {
        try state.withLock { state in
            attempt { () throws(SystemError) in
                _ = try self.enter("rename", in: &state)
                guard let number = state.names.removeValue(forKey: old) else {
                    throw SystemError(errno: ENOENT, operation: "rename", detail: old)
                }
                state.names[new] = number
            }
        }.get()
    }

    func remove(_ path: String) throws(SystemError) {
        try state.withLock { state in
            attempt { () throws(SystemError) in
                _ = try self.enter("remove", in: &state)
                guard state.names.removeValue(forKey: path) != nil else {
                    throw SystemError(errno: ENOENT, operation: "remove", detail: path)
                }
            }
        }.get()
    }

    func syncFolder(_ path: String) throws(SystemError) {
        try state.withLock { state in
            attempt { () throws(SystemError) in
                _ = try self.enter("syncFolder", in: &state)
                for name in state.durableNames.keys where Self.folder(of: name) == path {
                    state.durableNames[name] = nil
                }
                for (name, number) in state.names where Self.folder(of: name) == path {
                    state.durableNames[name] = number
                }
            }
        }.get()
    }

    func lock(_ path: String) throws(SystemError) -> (any JournalLock)? {
        try state.withLock { state in
            attempt { () throws(SystemError) -> (any JournalLock)? in
                _ = try self.enter("lock", in: &state)
                guard state.locks.insert(path).inserted else { return nil }
                return MemoryLock(self, path)
            }
        }.get()
    }
}

private final class MemoryLock: JournalLock {
    private let storage: MemoryStorage
    private let path: String

    init(_ storage: MemoryStorage, _ path: String) {
        self.storage = storage
        self.path = path
    }

    deinit {
        storage.state.withLock { _ = $0.locks.remove(path) }
    }
}

private final class MemoryFile: JournalFile {
    private let storage: MemoryStorage
    private let number: Int

    init(_ storage: MemoryStorage, _ number: Int) {
        self.storage = storage
        self.number = number
    }

    private func withInode<Value: Sendable>(
        _ operation: String,
        _ body: (inout MemoryStorage.Inode, MemoryStorage.Fault?) throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        try storage.state.withLock { state in
            attempt { () throws(SystemError) -> Value in
                let fault: MemoryStorage.Fault?
                do throws(SystemError) {
                    fault = try self.storage.enter(operation, in: &state)
                } catch {
                    // A flush that failed leaves the pages clean: nothing will write them again.
                    if operation == "sync" { state.inodes[self.number]?.dirty = [] }
                    throw error
                }
                var inode = state.inodes[self.number] ?? MemoryStorage.Inode()
                state.inodes[self.number] = nil
                defer { state.inodes[self.number] = inode }
                return try body(&inode, fault)
            }
        }.get()
    }

    func size() throws(SystemError) -> Int64 {
        try withInode("size") { inode, _ in Int64(inode.live.count) }
    }

    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        try withInode("read") { inode, _ in
            let start = min(Int(offset), inode.live.count)
            return Array(inode.live[start..<min(start + count, inode.live.count)])
        }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int64) throws(SystemError) -> Int {
        var all: [UInt8] = []
        for index in 0..<bytes.count { all.append(bytes[index]) }
        let source = all
        return try withInode("write") { (inode, fault) throws(SystemError) in
            var count = source.count
            if fault == .short { count = min(1, count) }
            if fault == .kill { count /= 2 }
            let end = Int(offset) + count
            if inode.live.count < end {
                inode.live += [UInt8](repeating: 0, count: end - inode.live.count)
            }
            for index in 0..<count {
                inode.live[Int(offset) + index] = source[index]
                inode.dirty.insert(Int(offset) + index)
            }
            if fault == .kill { throw SystemError(errno: EIO, operation: "write", detail: "killed") }
            return count
        }
    }

    func truncate(to size: Int64) throws(SystemError) {
        try withInode("truncate") { inode, _ in
            let count = Int(size)
            if inode.live.count > count {
                inode.live.removeLast(inode.live.count - count)
            } else {
                inode.live += [UInt8](repeating: 0, count: count - inode.live.count)
            }
            inode.dirty = inode.dirty.filter { $0 < count }
        }
    }

    func sync() throws(SystemError) {
        try withInode("sync") { inode, _ in
            let count = inode.live.count
            if inode.durable.count > count { inode.durable.removeLast(inode.durable.count - count) }
            inode.durable += [UInt8](repeating: 0, count: count - inode.durable.count)
            for place in inode.dirty where place < count { inode.durable[place] = inode.live[place] }
            inode.dirty = []
        }
    }
}

/// Catches a typed error where a closure may only return.
private func attempt<Value>(_ body: () throws(SystemError) -> Value) -> Result<Value, SystemError> {
    do throws(SystemError) {
        return .success(try body())
    } catch {
        return .failure(error)
    }
}
