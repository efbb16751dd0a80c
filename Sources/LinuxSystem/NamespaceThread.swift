internal import CLinuxShims
internal import Glibc
internal import Synchronization

/// A kind of namespace that a single thread can enter.
package enum NamespaceKind: Int32, Sendable {
    case network = 0x4000_0000
    case mount = 0x0002_0000
    case controlGroup = 0x0200_0000
    case uts = 0x0400_0000
    case ipc = 0x0800_0000

    /// Its name below `/proc/PID/ns`.
    package var fileName: String {
        switch self {
        case .network: "net"
        case .mount: "mnt"
        case .controlGroup: "cgroup"
        case .uts: "uts"
        case .ipc: "ipc"
        }
    }
}

/// Work on a thread of its own that enters or makes a namespace and then ends.
///
/// setns(2) and unshare(2) change the calling thread. A pool's thread would carry the change to whatever runs
/// on it next, so this never uses one. Sockets that the closure makes stay in the namespace for good.
package enum NamespaceThread {
    /// Where the thread goes before the closure runs.
    private enum Step: Sendable {
        case enter(SharedDescriptor, NamespaceKind)
        case make(Set<NamespaceKind>)
    }

    /// Runs `body` inside the namespace that `descriptor` stands for. Blocks until it has ended.
    /// - Parameter descriptor: Of `/proc/PID/ns/…` or a file bound to one.
    /// - Throws: `EINVAL` when the descriptor is of another kind, `EPERM` without `CAP_SYS_ADMIN`.
    /// - SeeAlso: setns(2).
    package static func run<Value: Sendable>(
        in descriptor: SharedDescriptor, kind: NamespaceKind,
        _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        try perform(.enter(descriptor, kind), body)
    }

    /// Runs `body` inside new namespaces of these kinds, which last as long as something refers to them.
    ///
    /// A new mount namespace's mounts are still shared with the host's until their propagation is changed.
    /// - SeeAlso: unshare(2).
    package static func runInNew<Value: Sendable>(
        _ kinds: Set<NamespaceKind>, _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        try perform(.make(kinds), body)
    }

    private static func perform<Value: Sendable>(
        _ step: Step, _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        let slot = Slot<Value>()
        let work = ThreadWork {
            let result: Result<Value, SystemError>
            do throws(SystemError) {
                try take(step)
                result = .success(try body())
            } catch {
                result = .failure(error)
            }
            slot.value.withLock { $0 = result }
        }
        try work.runToEnd()
        let result = slot.value.withLock { $0 }
        guard let result else { throw SystemError(errno: ECANCELED, operation: "pthread_join") }
        return try result.get()
    }

    private static func take(_ step: Step) throws(SystemError) {
        switch step {
        case .enter(let shared, let kind):
            // A thread that shares its root and working directory with others may not change mount namespace.
            if kind == .mount { _ = try SystemError.check(sw_unshare(0x200), "unshare", "CLONE_FS") }
            let status = sw_setns(shared.descriptor.rawValue, kind.rawValue)
            _ = try SystemError.check(status, "setns", kind.fileName)
        case .make(let kinds):
            let flags = kinds.reduce(Int32(0)) { $0 | $1.rawValue }
            _ = try SystemError.check(sw_unshare(flags), "unshare")
        }
    }

    private final class Slot<Value: Sendable>: Sendable {
        let value = Mutex<Result<Value, SystemError>?>(nil)
    }
}

/// A closure that runs on one new thread, which is waited for.
private final class ThreadWork: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }

    func runToEnd() throws(SystemError) {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(self)
        // SAFETY: the box is retained until the new thread has taken it over; without a thread it is released
        // here. The thread is joined, so its stack and the box are gone when this returns.
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box.toOpaque())
        guard status == 0 else {
            unsafe box.release()
            throw SystemError(errno: status, operation: "pthread_create")
        }
        let joined = pthread_join(thread, nil)
        guard joined == 0 else { throw SystemError(errno: joined, operation: "pthread_join") }
    }
}

/// Descriptors of namespaces.
package enum Namespaces {
    /// Opens the namespace that a process is in.
    /// - Throws: `ENOENT`, `ESRCH` when it has ended; `EACCES` without the right to look.
    package static func open(_ kind: NamespaceKind, of pid: Int32) throws(SystemError) -> Descriptor {
        try Descriptor.openAbsolute(RawPath("/proc/\(pid)/ns/\(kind.fileName)"))
    }

    /// Identity of the namespace that a process is in: equal for two processes in the same one.
    package static func identity(_ kind: NamespaceKind, of pid: Int32) throws(SystemError) -> UInt64 {
        try HostFiles.status(RawPath("/proc/\(pid)/ns/\(kind.fileName)")).inode
    }

    /// Opens the namespace that the calling thread is in: within ``NamespaceThread``, the one entered or
    /// made.
    package static func openOfThisThread(_ kind: NamespaceKind) throws(SystemError) -> Descriptor {
        try Descriptor.openAbsolute(RawPath("/proc/thread-self/ns/\(kind.fileName)"))
    }

    /// Identity of our own namespace.
    package static func ownIdentity(_ kind: NamespaceKind) throws(SystemError) -> UInt64 {
        try HostFiles.status(RawPath("/proc/self/ns/\(kind.fileName)")).inode
    }
}
