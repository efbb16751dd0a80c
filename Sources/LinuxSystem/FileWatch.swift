internal import Glibc

/// Something that happened to a watched file or directory.
package struct FileEvent: Sendable, Hashable {
    /// What ``FileWatch/add(_:mask:)`` answered; −1 when events were lost.
    package let watch: Int32
    /// `IN_…` bits.
    package let mask: UInt32
    /// Name within a watched directory; empty for the watched thing itself.
    package let name: [UInt8]

    package init(watch: Int32, mask: UInt32, name: [UInt8]) {
        self.watch = watch
        self.mask = mask
        self.name = name
    }

    /// Whether the queue overflowed (`IN_Q_OVERFLOW`): look at everything again.
    package var isOverflow: Bool { mask & 0x4000 != 0 }
    /// Whether the watch is gone, with its file or its file system (`IN_IGNORED`).
    package var isEnd: Bool { mask & 0x8000 != 0 }

    /// Takes the events out of one read.
    /// - Returns: `nil` when a record does not fit.
    /// - SeeAlso: inotify(7), `struct inotify_event`.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> [FileEvent]? {
        var events: [FileEvent] = []
        var rest = bytes
        while !rest.isEmpty {
            guard let watch = rest.word32(0), let mask = rest.word32(4), let length = rest.word32(12),
                rest.count - 16 >= Int(length)
            else { return nil }
            let start = rest.startIndex + 16
            let name = rest[start..<(start + Int(length))].prefix { $0 != 0 }
            events.append(FileEvent(watch: Int32(bitPattern: watch), mask: mask, name: Array(name)))
            rest = rest.dropFirst(16 + Int(length))
        }
        return events
    }
}

/// Watches files and directories: configuration, token files, `cgroup.events`.
///
/// The descriptor is non-blocking: wait for it with a ``Poller``, then call ``receive()``.
/// - SeeAlso: inotify(7).
package struct FileWatch: ~Copyable, Sendable {
    /// `IN_MODIFY`
    package static let modified: UInt32 = 0x2
    /// `IN_CLOSE_WRITE`
    package static let closedAfterWriting: UInt32 = 0x8
    /// `IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM`
    package static let names: UInt32 = 0x3c0

    private let descriptor: Descriptor

    /// Makes an empty watch.
    /// - Throws: `EMFILE` at the user's limit of instances.
    package init() throws(SystemError) {
        // IN_CLOEXEC | IN_NONBLOCK
        let number = inotify_init1(Int32(O_CLOEXEC | O_NONBLOCK))
        guard number >= 0 else { throw .last("inotify_init1") }
        descriptor = Descriptor(owning: number)
    }

    /// Watches a path; a second call for the same file replaces the mask.
    /// - Returns: The number that its events carry.
    /// - Throws: `ENOENT`; `ENOSPC` at the user's limit of watches.
    package func add(_ path: RawPath, mask: UInt32) throws(SystemError) -> Int32 {
        let number = descriptor.rawValue
        // SAFETY: the path is read during the call.
        let result = unsafe try path.withTerminated("inotify_add_watch") {
            let watch = unsafe inotify_add_watch(number, $0, mask)
            return watch < 0 ? -Glibc.errno : watch
        }
        return try SystemError.check(result, "inotify_add_watch", "\(path)")
    }

    /// Adds the descriptor to a set that is waited on.
    package func add(to poller: borrowing Poller, token: UInt64) throws(SystemError) {
        try poller.add(descriptor, .readable, token: token)
    }

    /// Waits until there is an event. Blocks.
    /// - Returns: `false` past the deadline.
    package func wait(until deadline: MonotonicInstant) throws(SystemError) -> Bool {
        try descriptor.waitReadable(until: deadline)
    }

    /// Takes the events that are there, at most about 16 KiB of them; empty when there are none.
    package func receive() throws(SystemError) -> [FileEvent] {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        let count: Int
        do throws(SystemError) {
            count = try descriptor.read(into: &buffer, from: 0)
        } catch {
            guard error.errno == EAGAIN else { throw error }
            return []
        }
        guard let events = FileEvent.parse(buffer[..<count]) else {
            throw SystemError(errno: EBADMSG, operation: "inotify")
        }
        return events
    }
}
