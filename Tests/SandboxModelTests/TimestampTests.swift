import SandboxModel
import Testing

/// Instants: RFC 3339 in and out, and arithmetic that does not overflow.
@Suite struct TimestampTests {
    @Test(
        "Texts are read to the millisecond",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31T23:59:59.999Z", -1),
            ("2026-01-31T12:00:00Z", 1_769_860_800_000), ("2000-02-29T00:00:00.5Z", 951_782_400_500),
            ("2026-01-31T14:00:00+02:00", 1_769_860_800_000),
            ("2026-01-31T06:30:00-05:30", 1_769_860_800_000),
            ("2026-01-31t12:00:00.123456789z", 1_769_860_800_123),
            ("2026-01-31 12:00:00Z", 1_769_860_800_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000), ("1900-03-01T00:00:00Z", -2_203_891_200_000),
        ] as [(String, Int64)])
    func read(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(
        "Anything else is no instant",
        arguments: [
            "", "2026-01-31", "2026-01-31T12:00:00", "2026-1-31T12:00:00Z", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-32T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00.1234567890Z", "2026-01-31T12:00:00+2:00", "2026-01-31T12:00:00+02",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00+02:60", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00 Z",
            "+2026-01-31T12:00:00Z",
            "2026/01/31T12:00:00Z", "2026-01-31X12:00:00Z", "２026-01-31T12:00:00Z", "-026-01-31T12:00:00Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("Every day of four centuries is written and read back")
    func everyDay() throws {
        var text = ""
        for day in stride(from: Int64(-80_000), to: 80_000, by: 1) {
            let instant = Timestamp(milliseconds: day * 86_400_000 + 45_296_789)
            let next = instant.description
            #expect(Timestamp(rfc3339: next) == instant)
            if !text.isEmpty { #expect(next > text) }
            text = next
        }
        #expect(text.hasSuffix("T12:34:56.789Z") && text.utf8.count == 24)
    }

    @Test("Arithmetic saturates, the extremes can be written")
    func extremes() {
        #expect(Timestamp(milliseconds: 5).advanced(bySeconds: 2).milliseconds == 2005)
        #expect(Timestamp(milliseconds: 5).advanced(bySeconds: -1).milliseconds == -995)
        #expect(Timestamp(milliseconds: .max).advanced(bySeconds: 1).milliseconds == .max)
        #expect(Timestamp(milliseconds: 0).advanced(bySeconds: .min).milliseconds == .min)
        #expect(Timestamp(milliseconds: .min).description.utf8.count == 24)
        #expect(Timestamp(milliseconds: .max).description.utf8.count == 24)
        #expect(Timestamp(milliseconds: 1) < Timestamp(milliseconds: 2))
    }
}
