import Glibc
import Testing

@testable import Metrics

/// A registry with every kind of metric and awkward contents.
private func fullRegistry() -> MetricsRegistry {
    let registry = MetricsRegistry()
    let counters = registry.counter("demo_requests_total", help: "Requests \"served\".", labels: ["path"])
    for path in ["/", "/a\\b", "/\"q\"", "/line\nbreak", "", "é # x"] { counters.with(path).increment(by: 3) }
    registry.gauge("demo_queue_bytes", help: "Bytes waiting.").set(12.5)
    registry.gauge("demo_limit_ratio", help: "How much is used.", labels: ["a", "b"]).with("x", "y").set(.nan)
    let waits = registry.histogram("demo_wait_seconds", help: "Waits.", labels: ["route"])
    for route in ["one", "two"] { for n in 0..<50 { waits.with(route).observe(Double(n) / 7) } }
    registry.collect("demo_build_info", help: "Build.", labels: ["version"]) {
        [CollectedSample(1, labels: ["1.0"])]
    }
    _ = registry.gauge("demo_unused", help: "A family without series.", labels: ["x"])
    return registry
}

@Suite struct ExpositionTests {
    @Test func openMetricsTextPassesTheChecker() throws {
        let samples = try OpenMetricsChecker.check(fullRegistry().render(.openMetrics))
        #expect(samples == 6 + 1 + 1 + 2 * (Histogram.requestSeconds.count + 3) + 1 + 1)
    }

    @Test func emptyRegistryPassesTheChecker() throws {
        #expect(try OpenMetricsChecker.check(MetricsRegistry().render(.openMetrics)) == 1)
    }

    @Test func formatsAgreeOnTheSamples() {
        let registry = fullRegistry()
        let samples = { (format: ExpositionFormat) in
            registry.render(format).split(separator: 0x0A).filter { $0.first != 0x23 }
        }
        #expect(samples(.prometheus) == samples(.openMetrics))
    }

    static let promtool: String? = {
        let folders = (ReferenceFiles.environment("PATH") ?? "").split(separator: ":")
        // SAFETY: access only reads the temporary string.
        return folders.map { "\($0)/promtool" }.first { unsafe access($0, X_OK) == 0 }
    }()

    /// The linter that operators run has nothing to say.
    @Test(
        .enabled(if: promtool != nil, "promtool (package prometheus) is not on this machine"),
        .timeLimit(.minutes(1)))
    func promtoolHasNothingToSay() throws {
        let tool = try #require(Self.promtool)
        let path = "/tmp/sandwarden-metrics-\(getpid()).txt"
        let text = fullRegistry().render(.prometheus)
        // SAFETY: both streams are used here only and closed before they go out of scope.
        let file = unsafe fopen(path, "we")
        guard let file = unsafe file else { return #expect(Bool(false), "cannot write \(path)") }
        let written = unsafe fwrite(text, 1, text.count, file)
        let closed = unsafe fclose(file)
        defer { _ = unsafe unlink(path) }
        #expect(written == text.count && closed == 0)
        guard let output = unsafe popen("\(tool) check metrics < \(path) 2>&1", "re") else {
            return #expect(Bool(false), "cannot start \(tool)")
        }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe fread(&answer, 1, answer.count, output)
        let status = unsafe pclose(output)
        #expect(status == 0, "\(String(decoding: answer[..<count], as: UTF8.self))")
        #expect(count == 0)
    }
}
