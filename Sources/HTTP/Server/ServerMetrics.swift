internal import LinuxSystem
internal import Metrics

/// What a server counts about itself; every series exists from the start.
struct ServerMetrics: Sendable {
    let connections: Gauge
    let pending: Gauge
    let accepted: Counter
    let received: Counter
    let sent: Counter
    let shed: Counter
    private let duration: Histogram
    /// By method and class of status: ten rows of five.
    private let requests: [Counter]
    private let rejections: [HTTPRejection.Reason: Counter]
    private let refused: [Admission.Refusal: Counter]
    private let timeouts: [TimeoutKind: Counter]

    init(_ registry: MetricsRegistry) {
        connections = registry.gauge("sandwarden_http_connections", help: "Open connections.")
        pending = registry.gauge(
            "sandwarden_http_pending_requests", help: "Requests that are being answered by a task.")
        accepted = registry.counter(
            "sandwarden_http_accepted_connections_total", help: "Connections that were accepted.")
        received = registry.counter("sandwarden_http_received_bytes_total", help: "Bytes that were received.")
        sent = registry.counter("sandwarden_http_sent_bytes_total", help: "Bytes that were sent.")
        shed = registry.counter(
            "sandwarden_http_shed_requests_total",
            help: "Requests that were refused because too many were being answered.")
        duration = registry.histogram(
            "sandwarden_http_request_duration_seconds",
            help: "Time from the end of a request to the end of its reply.")
        let families = (
            registry.counter(
                "sandwarden_http_requests_total", help: "Requests that were answered.",
                labels: ["method", "class"]),
            registry.counter(
                "sandwarden_http_rejections_total",
                help: "Messages that were refused, by the rule they broke.",
                labels: ["reason"]),
            registry.counter(
                "sandwarden_http_refused_connections_total",
                help: "Connections that were turned away, by the limit reached.", labels: ["reason"]),
            registry.counter(
                "sandwarden_http_timeouts_total",
                help: "Connections that were too slow, by what was awaited.",
                labels: ["kind"])
        )
        requests = (HTTPMethod.known + [.other("")]).flatMap { method in
            (1...5).map { families.0.with(method.label, "\($0)xx") }
        }
        rejections = Self.table(HTTPRejection.Reason.allCases) { families.1.with($0.rawValue) }
        refused = Self.table(Admission.Refusal.allCases) { families.2.with($0.rawValue) }
        timeouts = Self.table(TimeoutKind.allCases) { families.3.with($0.rawValue) }
    }

    private static func table<Key: Hashable>(_ keys: [Key], _ make: (Key) -> Counter) -> [Key: Counter] {
        Dictionary(uniqueKeysWithValues: keys.map { ($0, make($0)) })
    }

    /// Counts an answered request.
    func answered(_ method: HTTPMethod, _ status: HTTPStatus, after time: Duration) {
        requests[method.labelIndex * 5 + min(max(status.code / 100, 1), 5) - 1].increment()
        duration.observe(time)
    }

    /// Counts a refused message.
    func rejected(_ reason: HTTPRejection.Reason) {
        rejections[reason]?.increment()
    }

    /// Counts a connection that was turned away.
    func refused(_ reason: Admission.Refusal) {
        refused[reason]?.increment()
    }

    /// Counts a connection that was too slow.
    func timedOut(_ kind: TimeoutKind) {
        timeouts[kind]?.increment()
    }
}

/// What a connection was too slow with. Raw values are labels of `sandwarden_http_timeouts_total`.
enum TimeoutKind: String, CaseIterable {
    case idle, header, body, write, linger
}
