/// An instant of the wall clock, in milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Milliseconds since the Unix epoch.
    public var milliseconds: Int64

    /// The instant so many milliseconds after the Unix epoch.
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Reads RFC 3339 text: `2026-01-31T12:00:00Z`, with 0 to 9 fraction digits and `Z` or an offset.
    /// - Returns: `nil` for anything else, dates that do not exist included.
    /// - SeeAlso: RFC 3339, section 5.6
    public init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 35 else { return nil }
        func digits(_ start: Int, _ count: Int) -> Int64? {
            guard start + count <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[start..<start + count] {
                guard (48...57).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        func isByte(_ index: Int, _ characters: String) -> Bool {
            index < bytes.count && characters.utf8.contains(bytes[index])
        }
        guard let year = digits(0, 4), isByte(4, "-"), let month = digits(5, 2), isByte(7, "-"),
            let day = digits(8, 2), isByte(10, "Tt "), let hour = digits(11, 2), isByte(13, ":"),
            let minute = digits(14, 2), isByte(16, ":"), let second = digits(17, 2),
            (1...12).contains(month), (1...Timestamp.days(inMonth: month, year: year)).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if isByte(index, ".") {
            index += 1
            let start = index
            while index < bytes.count, (48...57).contains(bytes[index]) {
                if index - start < 3 { fraction = fraction * 10 + Int64(bytes[index] - 48) }
                index += 1
            }
            guard index > start, index - start <= 9 else { return nil }
            for _ in (index - start)..<max(3, index - start) { fraction *= 10 }
        }
        var offset: Int64 = 0
        if isByte(index, "Zz") {
            index += 1
        } else if isByte(index, "+-"), let hours = digits(index + 1, 2), isByte(index + 3, ":"),
            let minutes = digits(index + 4, 2), hours < 24, minutes < 60
        {
            offset = (hours * 60 + minutes) * (bytes[index] == UInt8(ascii: "-") ? -60 : 60)
            index += 6
        } else {
            return nil
        }
        guard index == bytes.count else { return nil }
        let dayNumber = Timestamp.dayNumber(year: year, month: month, day: day)
        let seconds = dayNumber * 86_400 + hour * 3600 + minute * 60 + min(second, 59) - offset
        milliseconds = seconds * 1000 + fraction
    }

    /// RFC 3339 in UTC with milliseconds, 24 bytes for years 0 to 9999: `2026-01-31T12:00:00.000Z`.
    public var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text of ``description`` without making a string.
    public func append(to bytes: inout [UInt8]) {
        let (seconds, millisecond) = Timestamp.floorDivide(milliseconds, 1000)
        let (dayNumber, second) = Timestamp.floorDivide(seconds, 86_400)
        let (year, month, day) = Timestamp.date(dayNumber: dayNumber)
        func put(_ value: Int64, _ width: Int) {
            var divisor: Int64 = 1
            for _ in 1..<width { divisor *= 10 }
            while divisor > 0 {
                bytes.append(48 + UInt8(truncatingIfNeeded: (value / divisor) % 10))
                divisor /= 10
            }
        }
        put(min(max(year, 0), 9999), 4)
        bytes.append(UInt8(ascii: "-"))
        put(month, 2)
        bytes.append(UInt8(ascii: "-"))
        put(day, 2)
        bytes.append(UInt8(ascii: "T"))
        put(second / 3600, 2)
        bytes.append(UInt8(ascii: ":"))
        put(second / 60 % 60, 2)
        bytes.append(UInt8(ascii: ":"))
        put(second % 60, 2)
        bytes.append(UInt8(ascii: "."))
        put(millisecond, 3)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// By time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// The instant so many seconds later; saturates.
    public func advanced(bySeconds seconds: Int64) -> Timestamp {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let delta = overflow ? (seconds < 0 ? Int64.min : Int64.max) : product
        let (sum, overflowed) = milliseconds.addingReportingOverflow(delta)
        return Timestamp(milliseconds: overflowed ? (delta < 0 ? Int64.min : Int64.max) : sum)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func days(inMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin on the first of March,
    // so that the leap day is the last of its year.
    private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(dayNumber: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(dayNumber &+ 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}
