internal import CLinuxShims
internal import Glibc

/// What a descriptor is ready for.
package struct ReadyEvents: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Reading, accepting, or the end of the stream can be had without waiting (`EPOLLIN`).
    package static let readable = ReadyEvents(rawValue: 0x001)
    /// Writing can be done without waiting (`EPOLLOUT`).
    package static let writable = ReadyEvents(rawValue: 0x004)
    /// Urgent data, or a change of a control group or pressure file (`EPOLLPRI`).
    package static let priority = ReadyEvents(rawValue: 0x002)
    /// An error waits (`EPOLLERR`); reported without being asked for.
    package static let error = ReadyEvents(rawValue: 0x008)
    /// Both directions are closed (`EPOLLHUP`); reported without being asked for.
    package static let hangUp = ReadyEvents(rawValue: 0x010)
    /// The peer will send no more (`EPOLLRDHUP`).
    package static let peerClosed = ReadyEvents(rawValue: 0x2000)
    /// For listeners that several loops wait on: wake one of them (`EPOLLEXCLUSIVE`; adding only).
    package static let exclusive = ReadyEvents(rawValue: 1 << 28)
}

/// One ready descriptor: the token that it was added under, and what it is ready for.
package struct ReadyEvent: Sendable, Hashable {
    package let token: UInt64
    package let events: ReadyEvents
}

/// A level-triggered epoll(7) set, and room for the answers.
///
/// Waiting allocates nothing. A descriptor leaves the set by itself when its last duplicate is closed.
package struct Poller: ~Copyable, Sendable {
    private let epoll: Descriptor
    private var answers: [sw_epoll_event]
    /// Answers of the last wait.
    package private(set) var count = 0

    /// Makes a set.
    /// - Parameter batch: The most answers that one wait takes, at least 1.
    package init(batch: Int = 256) throws(SystemError) {
        epoll = Descriptor(owning: try SystemError.check(sw_epoll_create(), "epoll_create1"))
        answers = [sw_epoll_event](repeating: sw_epoll_event(), count: max(1, batch))
    }

    /// Adds a descriptor.
    /// - Throws: `EEXIST` if it is there already, `EPERM` for a file that cannot be waited for.
    package func add(
        _ descriptor: borrowing Descriptor, _ events: ReadyEvents, token: UInt64
    ) throws(SystemError) {
        try control(1, descriptor, events, token)
    }

    /// Changes what a descriptor is waited for, and its token.
    package func modify(
        _ descriptor: borrowing Descriptor, _ events: ReadyEvents, token: UInt64
    ) throws(SystemError) {
        try control(3, descriptor, events, token)
    }

    /// Takes a descriptor out.
    package func remove(_ descriptor: borrowing Descriptor) throws(SystemError) {
        try control(2, descriptor, [], 0)
    }

    private func control(
        _ operation: Int32, _ descriptor: borrowing Descriptor, _ events: ReadyEvents, _ token: UInt64
    ) throws(SystemError) {
        let status = sw_epoll_ctl(
            epoll.rawValue, operation, descriptor.rawValue, events.rawValue, token)
        _ = try SystemError.check(status, "epoll_ctl")
    }

    /// Waits for answers; they are then at `0..<count`. A signal ends the wait early, with none.
    /// - Parameter milliseconds: 0 does not wait; negative waits without end.
    package mutating func wait(milliseconds: Int32) throws(SystemError) {
        let set = epoll.rawValue
        // SAFETY: the shim writes at most `count` structures into the array's storage.
        let result = unsafe answers.withUnsafeMutableBufferPointer { place in
            unsafe sw_epoll_wait(set, place.baseAddress, Int32(clamping: place.count), milliseconds)
        }
        count = 0
        guard result != -EINTR else { return }
        count = Int(try SystemError.check(result, "epoll_wait"))
    }

    /// An answer of the last wait.
    package subscript(index: Int) -> ReadyEvent {
        let answer = answers[index]
        return ReadyEvent(
            token: UInt64(answer.token_high) << 32 | UInt64(answer.token_low),
            events: ReadyEvents(rawValue: answer.events))
    }
}
