internal import LinuxSystem

/// The date format of HTTP, `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// - SeeAlso: RFC 9110, section 5.6.7.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"].map { Array($0.utf8) }
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    /// The 29 bytes for a time.
    /// - Parameter seconds: Since 1970-01-01T00:00:00Z; the years 1970 to 9999, others become the nearest.
    static func bytes(secondsSinceEpoch seconds: Int64) -> [UInt8] {
        let seconds = Int(min(max(seconds, 0), 253_402_300_799))
        let day = seconds / 86_400
        let rest = seconds % 86_400
        let (year, month, dayOfMonth) = civil(fromDays: day)
        var text: [UInt8] = []
        text.reserveCapacity(29)
        text += days[day % 7]
        text.append(", ")
        appendTwo(dayOfMonth, to: &text)
        text.append(0x20)
        text += months[month - 1]
        text.append(0x20)
        appendTwo(year / 100, to: &text)
        appendTwo(year % 100, to: &text)
        text.append(0x20)
        appendTwo(rest / 3600, to: &text)
        text.append(0x3A)
        appendTwo(rest / 60 % 60, to: &text)
        text.append(0x3A)
        appendTwo(rest % 60, to: &text)
        text.append(" GMT")
        return text
    }

    private static func appendTwo(_ number: Int, to text: inout [UInt8]) {
        text.append(UInt8(truncatingIfNeeded: 0x30 + number / 10))
        text.append(UInt8(truncatingIfNeeded: 0x30 + number % 10))
    }

    /// Year, month and day of the proleptic Gregorian calendar. Years are taken to begin in March, so that
    /// the leap day is the last day of one.
    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }
}

/// The Date field's line, made once a second.
struct DateCache {
    /// `Date: …` with its line break.
    private(set) var line: [UInt8] = []
    private var validUntil = MonotonicInstant(nanoseconds: .min)

    /// Makes the line anew if the second has passed.
    mutating func refresh(now: MonotonicInstant) {
        guard now >= validUntil else { return }
        let wall = WallClock.nowNanoseconds()
        let second = wall / 1_000_000_000
        line = Array("Date: ".utf8) + HTTPDate.bytes(secondsSinceEpoch: second) + [0x0D, 0x0A]
        validUntil = now.advanced(by: .nanoseconds((second + 1) * 1_000_000_000 - wall))
    }
}
