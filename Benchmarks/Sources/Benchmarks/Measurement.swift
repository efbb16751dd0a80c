/// Times one operation in several runs and tells the median.
struct Measurement {
    /// `<module>.<operation>.<size>`.
    let name: String
    /// Operations a second in each run, ascending.
    private let rates: [Double]

    /// Repeats `body` until a run has lasted `seconds`, and does so `runs` times after one run to warm up.
    /// - Parameter body: Does some operations and returns how many.
    init(_ name: String, runs: Int = 7, seconds: Double = 0.5, _ body: () throws -> Int) rethrows {
        self.name = name
        let clock = ContinuousClock()
        var rates: [Double] = []
        for run in 0...runs {
            var count = 0
            let start = clock.now
            var elapsed = 0.0
            repeat {
                count += try body()
                let parts = start.duration(to: clock.now).components
                elapsed = Double(parts.seconds) + Double(parts.attoseconds) / 1e18
            } while elapsed < seconds
            if run > 0 { rates.append(Double(count) / elapsed) }
        }
        self.rates = rates.sorted()
    }

    /// Operations a second, the median of the runs.
    var median: Double { rates[rates.count / 2] }

    /// One line: name, median, spread, and the ratio to a peer where there is one.
    func line(beside peer: Measurement? = nil) -> String {
        var text = "\(name.padded(to: 40)) \(Self.short(median).leftPadded(to: 10))/s"
        text += "   \(Self.short(1_000_000 / median).leftPadded(to: 8)) µs each"
        text += "   runs \(Self.short(rates[0])) to \(Self.short(rates[rates.count - 1]))"
        if let peer { text += "   \(Self.hundredths(median / peer.median)) x \(peer.name)" }
        return text
    }

    private static func short(_ value: Double) -> String {
        value >= 100 ? String(Int(value.rounded())) : hundredths(value)
    }

    private static func hundredths(_ value: Double) -> String {
        let scaled = Int((value * 100).rounded())
        let rest = scaled % 100
        return "\(scaled / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}

extension String {
    /// The text with spaces after it, at least so long.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// The text with spaces before it, at least so long.
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
