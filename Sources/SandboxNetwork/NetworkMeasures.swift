internal import Metrics
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// What the module tells Prometheus.
final class NetworkMeasures: Sendable {
    private let sandboxes: GaugeFamily
    private let refused: CounterFamily
    private let lost: Counter
    private let modes = Mutex<[SandboxID: NetworkPolicy]>([:])

    init(_ registry: MetricsRegistry) {
        sandboxes = registry.gauge(
            "sandwarden_network_sandboxes", help: "Sandboxes whose network is in place, by kind.",
            labels: ["mode"])
        refused = registry.counter(
            "sandwarden_network_refused_packets_total",
            help: "Packets of sandboxes that were refused, by cause.",
            labels: ["cause"])
        lost = registry.counter(
            "sandwarden_network_events_lost_total",
            help: "Refused packets that were counted but whose destination is not known.")
        for mode in NetworkPolicy.allCases { sandboxes.with(mode.rawValue).set(0) }
        for cause in Refusal.allCases { refused.with(cause.rawValue).increment(by: 0) }
    }

    /// A sandbox has this kind of network now.
    func attached(_ id: SandboxID, _ mode: NetworkPolicy) { change { $0[id] = mode } }

    /// A sandbox has no network of ours any more.
    func detached(_ id: SandboxID) { change { $0[id] = nil } }

    private func change(_ body: (inout [SandboxID: NetworkPolicy]) -> Void) {
        modes.withLock { modes in
            body(&modes)
            for mode in NetworkPolicy.allCases {
                sandboxes.with(mode.rawValue).set(modes.values.count { $0 == mode })
            }
        }
    }

    /// So many packets were refused for that cause.
    func refused(_ cause: Refusal, _ count: Int) {
        refused.with(cause.rawValue).increment(by: UInt64(max(0, count)))
    }

    /// So many refused packets were not described by an event.
    func lost(_ count: Int) { lost.increment(by: UInt64(max(0, count))) }
}
