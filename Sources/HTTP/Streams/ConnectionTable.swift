internal import LinuxSystem

/// The connections of one loop, by token.
///
/// A token holds the place in the table and a generation, so that an event of a connection that is gone never
/// reaches its successor. Timers belong to places, not to connections: there is a bounded number of them
/// however often connections come and go.
struct ConnectionTable<Connection: AnyObject> {
    private struct Place {
        var generation: UInt32 = 0
        var connection: Connection?
        /// When the place's next timer comes due; later ones that are still in the heap mean nothing.
        var timer: MonotonicInstant?
    }

    private var places: [Place] = []
    private var free: [Int] = []

    /// An empty table.
    init() {}

    /// All connections.
    var all: [Connection] { places.compactMap(\.connection) }

    /// Number of connections.
    var count: Int { places.count - free.count }

    /// A place for a connection; it must be filled, or given back with ``remove(_:)``.
    mutating func reserve() -> UInt64 {
        let index: Int
        if let last = free.popLast() {
            index = last
        } else {
            index = places.count
            places.append(Place())
        }
        places[index].generation = (places[index].generation &+ 1) & 0x3FFF_FFFF
        return UInt64(places[index].generation) << 32 | UInt64(index)
    }

    /// The connection with that token, if it still exists.
    subscript(token: UInt64) -> Connection? {
        get {
            let index = Self.index(token)
            guard index < places.count, places[index].generation == UInt32(token >> 32) else { return nil }
            return places[index].connection
        }
        set { places[Self.index(token)].connection = newValue }
    }

    /// Frees a place.
    mutating func remove(_ token: UInt64) {
        let index = Self.index(token)
        guard index < places.count, places[index].generation == UInt32(token >> 32) else { return }
        places[index].connection = nil
        places[index].generation = (places[index].generation &+ 1) & 0x3FFF_FFFF
        free.append(index)
    }

    /// Notes that the place must be looked at by `deadline`.
    /// - Returns: Whether a timer has to be added, under ``timerToken(_:)``.
    mutating func needsTimer(_ token: UInt64, by deadline: MonotonicInstant) -> Bool {
        let index = Self.index(token)
        if let timer = places[index].timer, timer <= deadline { return false }
        places[index].timer = deadline
        return true
    }

    /// What to call a place's timers.
    func timerToken(_ token: UInt64) -> UInt64 { UInt64(Self.index(token)) }

    /// The connection whose timer came due.
    /// - Returns: `nil` for timers that mean nothing any more, and for an empty place.
    mutating func takeTimer(_ timerToken: UInt64, now: MonotonicInstant) -> Connection? {
        let index = Int(truncatingIfNeeded: timerToken)
        guard index < places.count, let timer = places[index].timer, timer <= now else { return nil }
        places[index].timer = nil
        return places[index].connection
    }

    private static func index(_ token: UInt64) -> Int {
        Int(truncatingIfNeeded: token & 0xFFFF_FFFF)
    }
}
