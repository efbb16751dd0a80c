import Synchronization

/// Counts of observations in fixed ranges, with their sum.
package final class Histogram: MetricSeries {
    /// What a histogram held at one moment.
    package struct Snapshot: Sendable, Equatable {
        /// Observations in each range, not accumulated; the last entry is what lay above every bound.
        package var counts: [UInt64]
        /// Sum of all observations.
        package var sum: Double
        /// Number of all observations.
        package var count: UInt64 { counts.reduce(0, &+) }
    }

    /// Upper bounds of the ranges, inclusive, ascending, without infinity.
    package let bounds: [Double]
    private let state: Mutex<Snapshot>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    /// Counts one observation. NaN and negative numbers are ignored: they belong in no range, and a sum that
    /// falls would not be a counter.
    package func observe(_ value: Double) {
        guard value >= 0 else { return }
        // The lists are short and most observations fall low, so a scan beats a search.
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[index] &+= 1
            $0.sum += value
        }
    }

    /// Counts one observation of a length of time, in seconds.
    package func observe(_ duration: Duration) {
        observe(duration.inSeconds)
    }

    /// All counts and the sum, taken at one moment.
    package var snapshot: Snapshot {
        state.withLock { $0 }
    }

    /// Bounds in seconds for work from a tenth of a millisecond to ten seconds.
    package static let requestSeconds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
}
