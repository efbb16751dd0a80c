import Testing

@testable import HTTP

@Suite struct ContentCodingTests {
    @Test(arguments: [
        ("gzip", true), ("GZIP", true), ("x-gzip", true), ("deflate, gzip;q=0.5", true), ("*", true),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", true), ("br;q=1.0, *;q=0.1", true), ("gzip ; q=0.001", true),
        ("", false), ("identity", false), ("br", false), ("gzip;q=0", false), ("gzip;q=0.000", false),
        ("*;q=0", false), ("gzip;q=0, *", false), ("gzip;q=0.2, identity;q=0.8", false), ("gzip;q=x", false),
        ("gzip;q=2", false), ("gzipped", false), (",;,", false),
    ])
    func negotiates(_ value: String, _ isAccepted: Bool) {
        #expect(ContentCoding.acceptsGzip(["Accept-Encoding": value]) == isAccepted)
    }

    @Test func withoutTheFieldNothingIsCompressed() {
        #expect(!ContentCoding.acceptsGzip([:]))
        #expect(ContentCoding.acceptsGzip(["Accept-Encoding": "br", "accept-encoding": "gzip"]))
    }

    @Test(arguments: [
        ("application/json", true), ("Text/Plain; charset=utf-8", true), ("application/problem+json", true),
        ("image/svg+xml", true), ("application/x-ndjson", true), ("text/event-stream", false),
        ("image/png", false), ("application/octet-stream", false), ("", false), ("application/gzip", false),
    ])
    func choosesTypes(_ type: String, _ isCompressible: Bool) {
        #expect(ContentCoding.isCompressible(type) == isCompressible)
    }
}

@Suite struct GzipTests {
    private let text = Array(String(repeating: "{\"allowed\":false},", count: 500).utf8)

    @Test func comesBack() throws {
        let packed = try #require(Gzip.compress(text))
        #expect(packed.count < text.count / 10)
        #expect(Array(packed.prefix(2)) == [0x1F, 0x8B])
        #expect(try Gzip.decompress(packed, limit: text.count) == text)
        #expect(try Gzip.decompress(packed + packed, limit: 2 * text.count) == text + text)
    }

    @Test func givesUpOnWhatDoesNotShrink() {
        var random = SplitMix(seed: 3)
        #expect(Gzip.compress((0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }) == nil)
    }

    /// A bomb is stopped at the limit.
    @Test func stopsAtTheLimit() throws {
        let packed = try #require(Gzip.compress([UInt8](repeating: 0, count: 10_000_000)))
        #expect(packed.count < 20_000)
        #expect(throws: Gzip.Fault.tooLarge) { try Gzip.decompress(packed, limit: 1_000_000) }
        #expect(throws: Gzip.Fault.tooLarge) { try Gzip.decompress(packed, limit: 9_999_999) }
        #expect(try Gzip.decompress(packed, limit: 10_000_000).count == 10_000_000)
    }

    @Test func refusesDamage() throws {
        let packed = try #require(Gzip.compress(text))
        for count in 0..<packed.count {
            #expect(throws: Gzip.Fault.malformed, "cut at \(count)") {
                try Gzip.decompress(Array(packed[..<count]), limit: text.count)
            }
        }
        #expect(throws: Gzip.Fault.malformed) { try Gzip.decompress(packed + [1], limit: 100_000) }
        for place in packed.indices where !(4...9).contains(place) {
            var damaged = packed
            damaged[place] ^= 0x10
            let result = Result { () throws(Gzip.Fault) in try Gzip.decompress(damaged, limit: 100_000) }
            // Some damage is harmless; what comes through must be the same text.
            if case .success(let bytes) = result { #expect(bytes == text, "flipped at \(place)") }
        }
    }
}
