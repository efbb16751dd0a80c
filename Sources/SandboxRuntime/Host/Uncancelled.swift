/// Work that is finished although nobody waits for it any more.
///
/// A half-made container or a half-removed mount is worse than a late answer: what changes the host runs in a
/// task of its own, which the caller's cancellation does not reach. Every step of it is bounded in time by
/// itself.
enum Uncancelled {
    /// Runs `body` to its end and gives its answer.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws(RuntimeError) -> Value
    ) async throws(RuntimeError) -> Value {
        let task = Task { () async -> Result<Value, RuntimeError> in
            do throws(RuntimeError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        return try await task.value.get()
    }
}
