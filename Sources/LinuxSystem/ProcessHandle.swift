internal import CLinuxShims
internal import Glibc

/// One process, for certain: a number that is reused later cannot be mistaken for it.
/// - SeeAlso: pidfd_open(2).
package struct ProcessHandle: ~Copyable, Sendable {
    /// Number in our pid namespace at the time of opening.
    package let pid: Int32
    /// Becomes readable when the process ends.
    package let descriptor: Descriptor

    /// Opens a process by its number.
    ///
    /// The number must be known to be the one meant: our own child that has not been waited for, or checked
    /// afterwards against its start time (``ProcessStat/startTicks``).
    /// - Throws: `ESRCH` when there is none.
    package init(pid: Int32) throws(SystemError) {
        let number = try SystemError.check(sw_pidfd_open(pid, 0), "pidfd_open", "\(pid)")
        self.descriptor = Descriptor(owning: number)
        self.pid = pid
    }

    /// Gives the descriptor away, as to an event source that closes it.
    package consuming func takeDescriptor() -> Int32 { descriptor.take() }

    /// Sends a signal; 0 only asks whether it could be sent.
    /// - Throws: `ESRCH` when the process has ended and been waited for.
    /// - SeeAlso: pidfd_send_signal(2).
    package borrowing func send(signal: Int32) throws(SystemError) {
        let status = sw_pidfd_send_signal(descriptor.rawValue, signal)
        _ = try SystemError.check(status, "pidfd_send_signal", "\(pid)")
    }

    /// Whether the process has ended. Does not wait.
    package borrowing func hasEnded() throws(SystemError) -> Bool {
        try descriptor.waitReadable(until: MonotonicInstant(nanoseconds: .min))
    }

    /// Waits until the process ends; it need not be a child. Blocks.
    /// - Returns: `false` past the deadline.
    package borrowing func waitForEnd(until deadline: MonotonicInstant) throws(SystemError) -> Bool {
        try descriptor.waitReadable(until: deadline)
    }
}
