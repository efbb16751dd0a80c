internal import LinuxSystem

/// What a connection is waited for.
///
/// Plain flags: the set operations of an option set from another module are calls, some of which allocate,
/// and these run for every request.
struct Interest: Equatable {
    var reads = false
    var writes = false

    /// For the loop's set.
    var events: ReadyEvents { ReadyEvents(rawValue: (reads ? 0x001 : 0) | (writes ? 0x004 : 0)) }
}

extension ReadyEvents {
    /// Whether reading can be done without waiting (`EPOLLIN`).
    var isReadable: Bool { rawValue & 0x001 != 0 }

    /// Whether an error waits, or both directions are closed (`EPOLLERR`, `EPOLLHUP`).
    var isBroken: Bool { rawValue & 0x018 != 0 }
}
