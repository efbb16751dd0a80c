internal import Glibc

/// A point on `CLOCK_MONOTONIC`: never set back, comparable between processes of one boot.
package struct MonotonicInstant: Sendable, Hashable, Comparable {
    /// Nanoseconds since an unspecified start, which is the same for all processes until the next boot.
    package let nanoseconds: Int64

    /// The instant with that count.
    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The present instant.
    package static func now() -> MonotonicInstant {
        MonotonicInstant(nanoseconds: Clock.nanoseconds(of: CLOCK_MONOTONIC))
    }

    /// The instant `duration` later; stays at the end of the range instead of overflowing.
    package func advanced(by duration: Duration) -> MonotonicInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        guard overflow else { return MonotonicInstant(nanoseconds: sum) }
        return MonotonicInstant(nanoseconds: duration < .zero ? .min : .max)
    }

    /// Time from this instant to `other`; negative when `other` is earlier.
    package func duration(to other: MonotonicInstant) -> Duration {
        .nanoseconds(other.nanoseconds.subtractingReportingOverflow(nanoseconds).partialValue)
    }

    /// Milliseconds from now until this instant, rounded up, for poll(2) and epoll_wait(2); 0 when past.
    func millisecondsLeft(from now: MonotonicInstant) -> Int32 {
        guard nanoseconds > now.nanoseconds else { return 0 }
        let left = nanoseconds.subtractingReportingOverflow(now.nanoseconds)
        guard !left.overflow, left.partialValue < 1_000_000_000_000_000 else { return .max }
        return Int32(clamping: (left.partialValue + 999_999) / 1_000_000)
    }

    package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// Whole nanoseconds; durations of more than 292 years stay at the end of the range.
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let scaled = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let sum = scaled.partialValue.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard !scaled.overflow, !sum.overflow else { return seconds < 0 ? .min : .max }
        return sum.partialValue
    }

    /// Whole milliseconds, rounded towards zero.
    package var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}

/// The time of day.
package enum WallClock {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package static func nowMilliseconds() -> Int64 {
        Clock.nanoseconds(of: CLOCK_REALTIME) / 1_000_000
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package static func nowNanoseconds() -> Int64 {
        Clock.nanoseconds(of: CLOCK_REALTIME)
    }
}

enum Clock {
    static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        // SAFETY: clock_gettime fills the one structure it is given; it cannot fail for these two clocks.
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
