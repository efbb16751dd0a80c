package import Metrics
package import SandboxModel
package import SandboxRuntime

/// The manager's own numbers. Labels take their values from fixed sets of words, all made at the start; identifiers
/// never become labels.
package struct SecurityMetrics: Sendable {
    /// Where everything that this process exposes is gathered.
    package let registry: MetricsRegistry

    private let sandboxes: GaugeFamily
    private let violations: CounterFamily
    private let responses: CounterFamily
    private let deaths: CounterFamily
    private let execs: CounterFamily
    private let execSeconds: Histogram
    private let checks: CounterFamily
    private let starts: Histogram

    /// Makes every series.
    package init(registry: MetricsRegistry) {
        self.registry = registry
        sandboxes = registry.gauge("sandwarden_sandboxes", help: "Sandboxes by state.", labels: ["state"])
        violations = registry.counter(
            "sandwarden_violations_total", help: "Violations recorded, by type and severity.",
            labels: ["type", "severity"])
        responses = registry.counter(
            "sandwarden_responses_total", help: "Answers to violations, by action.", labels: ["action"])
        deaths = registry.counter(
            "sandwarden_sandbox_deaths_total", help: "Sandboxes that ended, by cause.", labels: ["cause"])
        execs = registry.counter(
            "sandwarden_execs_total", help: "Commands that ended, by outcome.", labels: ["outcome"])
        execSeconds = registry.histogram(
            "sandwarden_exec_duration_seconds", help: "How long commands ran.",
            bounds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600])
        checks = registry.counter(
            "sandwarden_checks_total", help: "Commands and paths decided, by decision.", labels: ["decision"])
        starts = registry.histogram(
            "sandwarden_sandbox_start_duration_seconds",
            help: "From the request to a guarded, running sandbox.",
            bounds: [0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30])
        for state in SandboxState.allCases { sandboxes.with(state.rawValue).set(0) }
        for type in ViolationType.allCases {
            for severity in Severity.allCases { _ = violations.with(type.rawValue, severity.rawValue) }
        }
        for action in ResponseAction.allCases { _ = responses.with(action.rawValue) }
        for cause in CauseOfDeath.allCases { _ = deaths.with(cause.rawValue) }
        for outcome in ["exited", "failed", "timed_out", "killed"] { _ = execs.with(outcome) }
        for decision in Decision.allCases { _ = checks.with(decision.rawValue) }
    }

    /// Counts the sandboxes anew.
    package func count(_ records: some Collection<SandboxRecord>) {
        var counts: [SandboxState: Int] = [:]
        for record in records { counts[record.state, default: 0] += 1 }
        for state in SandboxState.allCases { sandboxes.with(state.rawValue).set(Double(counts[state] ?? 0)) }
    }

    package func violation(_ type: ViolationType, _ severity: Severity) {
        violations.with(type.rawValue, severity.rawValue).increment()
    }

    package func response(_ action: ResponseAction) { responses.with(action.rawValue).increment() }

    package func death(_ cause: CauseOfDeath) { deaths.with(cause.rawValue).increment() }

    package func check(_ decision: Decision) { checks.with(decision.rawValue).increment() }

    package func started(after duration: Duration) { starts.observe(duration) }

    package func exec(_ result: ExecResult) {
        let outcome =
            if result.timedOut {
                "timed_out"
            } else if result.causeOfDeath != nil {
                "killed"
            } else {
                result.exitCode == 0 ? "exited" : "failed"
            }
        execs.with(outcome).increment()
        execSeconds.observe(result.duration)
    }
}
