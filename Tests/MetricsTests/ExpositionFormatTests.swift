import Testing

@testable import Metrics

@Suite struct ExpositionFormatTests {
    @Test(
        arguments: [
            (nil, ExpositionFormat.prometheus), ("", .prometheus), ("*/*", .prometheus),
            ("text/plain", .prometheus),
            ("application/openmetrics-text", .openMetrics),
            ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4", .openMetrics),
            ("text/plain;q=0.9, Application/OpenMetrics-Text ; q=0.1", .prometheus),
            ("application/openmetrics-text;q=0", .prometheus),
            ("application/openmetrics-text;q=x", .prometheus),
            ("application/openmetrics-textile", .prometheus), (",,;;,", .prometheus),
        ] as [(String?, ExpositionFormat)])
    func negotiates(_ accept: String?, _ format: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == format)
    }
}
