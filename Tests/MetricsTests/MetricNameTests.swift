import Testing

@testable import Metrics

@Suite struct MetricNameTests {
    @Test(arguments: ["a", "a1", "sandwarden_http_requests", "x_y_z9"])
    func accepts(_ name: String) {
        #expect(MetricName.isValid(name, for: .gauge))
        #expect(MetricName.isValid(name + "_total", for: .counter))
    }

    @Test(arguments: [
        "", "_a", "a_", "1a", "A", "aB", "a-b", "a.b", "a:b", "a__b", "ä", "a b", "a\n", "a_total", "a_count",
        "a_sum", "a_bucket", "a_created",
    ])
    func refuses(_ name: String) {
        #expect(!MetricName.isValid(name, for: .gauge))
        #expect(!MetricName.isValid(name, for: .histogram))
    }

    @Test func countersEndInTotal() {
        #expect(!MetricName.isValid("a", for: .counter))
        #expect(!MetricName.isValid("a_total_total", for: .counter))
        #expect(!MetricName.isValid("_total", for: .counter))
    }

    @Test func histogramsOwnTheirBoundLabel() {
        #expect(MetricName.isValidLabel("le", for: .gauge))
        #expect(!MetricName.isValidLabel("le", for: .histogram))
        #expect(!MetricName.isValidLabel("__name", for: .gauge))
    }
}
