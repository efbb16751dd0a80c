internal import LinuxSystem

/// Where this module's blocking calls run, so that the cooperative pool never waits on the kernel.
package enum HostWork {
    /// Files, mounts, control groups: short calls, many sandboxes at a time.
    private static let queue = BlockingQueue(label: "sandwarden.runtime", width: 16, waitingLimit: 1024)
    private static let endings = BlockingQueue(label: "sandwarden.endings", width: 16, waitingLimit: 1024)

    /// Runs a blocking closure and waits for it.
    /// - Throws: `exhausted` when too much waits already; what the closure throws.
    package static func run<Value: Sendable>(
        _ operation: String, _ body: @escaping @Sendable () throws(RuntimeError) -> Value
    ) async throws(RuntimeError) -> Value {
        try await Blocking.run(
            on: queue, whenFull: { RuntimeError(.exhausted, operation: operation, detail: $0) }, body)
    }

    /// Runs a blocking closure that waits for processes to end, which may take long: apart from everything
    /// else.
    /// - Throws: as ``run(_:_:)``.
    package static func end<Value: Sendable>(
        _ operation: String, _ body: @escaping @Sendable () throws(RuntimeError) -> Value
    ) async throws(RuntimeError) -> Value {
        try await Blocking.run(
            on: endings, whenFull: { RuntimeError(.exhausted, operation: operation, detail: $0) }, body)
    }

    /// Runs a closure of system calls and names their failures after `operation`.
    static func calls<Value: ~Copyable>(
        _ operation: String, _ body: () throws(SystemError) -> Value
    ) throws(RuntimeError) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw RuntimeError(error, operation: operation)
        }
    }
}
