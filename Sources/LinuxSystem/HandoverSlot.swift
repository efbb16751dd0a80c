internal import Synchronization

/// Carries one value that cannot be copied from one thread to another.
final class HandoverSlot<Value: ~Copyable & Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)

    /// Puts the value in.
    func put(_ value: consuming Value) {
        // A closure cannot consume what it captured: the optional in between can be emptied.
        var carried: Value? = consume value
        self.value.withLock { $0 = carried.take() }
    }

    /// Takes the value out; `nil` when it is not there, or not there any more.
    func take() -> Value? {
        value.withLock { $0.take() }
    }
}
