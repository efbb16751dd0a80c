import Testing

@testable import Metrics

@Suite struct MetricsRegistryTests {
    private func lines(_ registry: MetricsRegistry, _ format: ExpositionFormat) -> [String] {
        String(decoding: registry.render(format), as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { !$0.contains("sandwarden_metrics_dropped_series") }
    }

    @Test func writesCountersInBothFormats() {
        let registry = MetricsRegistry()
        let family = registry.counter("demo_requests_total", help: "Requests.", labels: ["method", "class"])
        family.with("get", "2xx").increment()
        family.with("get", "2xx").increment(by: 2)
        _ = family.with("delete", "5xx")
        #expect(
            lines(registry, .prometheus) == [
                "# HELP demo_requests_total Requests.",
                "# TYPE demo_requests_total counter",
                #"demo_requests_total{method="delete",class="5xx"} 0"#,
                #"demo_requests_total{method="get",class="2xx"} 3"#,
            ])
        #expect(
            lines(registry, .openMetrics) == [
                "# HELP demo_requests Requests.",
                "# TYPE demo_requests counter",
                #"demo_requests_total{method="delete",class="5xx"} 0"#,
                #"demo_requests_total{method="get",class="2xx"} 3"#,
                "# EOF",
            ])
    }

    @Test func writesHistogramsAccumulated() {
        let registry = MetricsRegistry()
        let histogram = registry.histogram("demo_wait_seconds", help: "Waits.", bounds: [0.5, 1, 2.5])
        for value in [0.25, 0.5, 0.75, 2, 100, -1, .nan] { histogram.observe(value) }
        histogram.observe(.milliseconds(1250))
        #expect(
            lines(registry, .openMetrics) == [
                "# HELP demo_wait_seconds Waits.",
                "# TYPE demo_wait_seconds histogram",
                "# UNIT demo_wait_seconds seconds",
                #"demo_wait_seconds_bucket{le="0.5"} 2"#,
                #"demo_wait_seconds_bucket{le="1.0"} 3"#,
                #"demo_wait_seconds_bucket{le="2.5"} 5"#,
                #"demo_wait_seconds_bucket{le="+Inf"} 6"#,
                "demo_wait_seconds_sum 104.75",
                "demo_wait_seconds_count 6",
                "# EOF",
            ])
    }

    @Test func escapesHelpAndLabelValues() {
        let registry = MetricsRegistry()
        let hostile = "a\"b\\c\nd # {} ü"
        registry.gauge("demo_things", help: "He said \"x\\y\"\nand left.", labels: ["name"]).with(hostile)
            .set(1)
        #expect(
            lines(registry, .prometheus) == [
                #"# HELP demo_things He said "x\\y"\nand left."#,
                "# TYPE demo_things gauge",
                #"demo_things{name="a\"b\\c\nd # {} ü"} 1"#,
            ])
        #expect(lines(registry, .openMetrics).first == #"# HELP demo_things He said \"x\\y\"\nand left."#)
    }

    @Test(arguments: [
        (0.0, "0"), (-0.0, "0"), (3, "3"), (-4, "-4"), (0.1, "0.1"), (1e300, "1e+300"), (.nan, "NaN"),
        (.infinity, "+Inf"), (-.infinity, "-Inf"), (9_007_199_254_740_991, "9007199254740991"),
    ])
    func writesNumbers(_ value: Double, _ text: String) {
        #expect(ExpositionWriter.number(value) == text)
    }

    @Test func gaugesGoUpAndDown() {
        let gauge = MetricsRegistry().gauge("demo_level", help: "Level.")
        gauge.set(2.5)
        gauge.increment()
        gauge.decrement()
        gauge.add(-1.25)
        #expect(gauge.value == 1.25)
    }

    @Test func countersNeverGoBack() {
        let counter = MetricsRegistry().counter("demo_seconds_total", help: "Seconds.")
        counter.add(1.5)
        counter.add(-3)
        counter.add(.nan)
        counter.add(.infinity)
        counter.add(.milliseconds(250))
        counter.increment()
        #expect(counter.value == 2.75)
    }

    @Test func collectorsAreReadAtScrapeTime() {
        let registry = MetricsRegistry()
        registry.collect("demo_open_files", help: "Open files.", labels: ["kind"]) {
            [
                CollectedSample(2, labels: ["socket"]), CollectedSample(1, labels: ["file"]),
                CollectedSample(9, labels: ["file"]), CollectedSample(9, labels: ["too", "many"]),
            ]
        }
        #expect(
            lines(registry, .prometheus) == [
                "# HELP demo_open_files Open files.", "# TYPE demo_open_files gauge",
                #"demo_open_files{kind="file"} 1"#, #"demo_open_files{kind="socket"} 2"#,
            ])
        let text = String(decoding: registry.render(.prometheus), as: UTF8.self)
        #expect(text.contains("sandwarden_metrics_dropped_series_total 4\n"))
    }

    @Test func boundsTheNumberOfSeries() {
        let registry = MetricsRegistry(seriesLimit: 3)
        let family = registry.gauge("demo_level", help: "Level.", labels: ["n"])
        for number in 0..<5 { family.with("\(number)").set(number) }
        let all = lines(registry, .prometheus)
        #expect(all.count == 2 + 3)
        family.remove("1")
        family.with("4").set(4)
        #expect(lines(registry, .prometheus).last == #"demo_level{n="4"} 4"#)
        let text = String(decoding: registry.render(.prometheus), as: UTF8.self)
        #expect(text.contains("sandwarden_metrics_dropped_series_total 2\n"))
    }

    @Test func sameNameIsTheSameFamily() {
        let registry = MetricsRegistry()
        registry.counter("demo_total", help: "Demo.").increment()
        registry.counter("demo_total", help: "Demo.").increment()
        #expect(registry.counter("demo_total", help: "Demo.").value == 2)
    }

    @Test func anotherShapeUnderTheSameNameTraps() async {
        await #expect(processExitsWith: .failure) {
            let registry = MetricsRegistry()
            _ = registry.gauge("demo", help: "Demo.", labels: ["a"])
            _ = registry.gauge("demo", help: "Demo.", labels: ["b"])
        }
        await #expect(processExitsWith: .failure) {
            _ = MetricsRegistry().counter("demo", help: "A counter without its suffix.")
        }
        await #expect(processExitsWith: .failure) {
            _ = MetricsRegistry().gauge("demo", help: "Demo.", labels: ["a"]).with("1", "2")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func countsEverythingThatManyTasksCount() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("demo_total", help: "Demo.")
        let fraction = registry.counter("demo_seconds_total", help: "Demo.")
        let histogram = registry.histogram("demo_seconds", help: "Demo.", bounds: [1])
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.increment()
                        fraction.add(0.5)
                        histogram.observe(0.5)
                    }
                }
            }
        }
        #expect(counter.value == 8000)
        #expect(fraction.value == 4000)
        #expect(histogram.snapshot == Histogram.Snapshot(counts: [8000, 0], sum: 4000))
    }
}
