import Foundation
import LinuxSystem
import Logging
import Metrics
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxMonitor

/// The monitor over a real process of ours that stands in for a holder.
@Suite struct HostMonitorTests {
    static func target(_ pid: Int32) throws -> MonitorTarget {
        var policy = Policy(name: try #require(PolicyName(rawValue: "p")))
        policy.monitoringIntervalMilliseconds = 100
        return MonitorTarget(
            sandboxID: try #require(SandboxID(rawValue: "sb-0123456789")), policy: policy, holderPID: pid,
            holderStartTicks: try ProcessDirectory(pid: pid).stat().startTicks, workspacePath: "/tmp")
    }

    static func sleeper() throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sleep")
        process.arguments = ["600"]
        try process.run()
        return process
    }

    static var hasGroups: Bool {
        do { return try CgroupLayout.detect().kind != .none } catch { return false }
    }

    @Test(.timeLimit(.minutes(1)), .enabled(if: hasGroups, "no control groups are mounted"))
    func samplesComeAndTheEndIsHeard() async throws {
        let monitor = HostMonitor(metrics: MetricsRegistry(), logger: Logger(label: "test"))
        let process = try Self.sleeper()
        try monitor.watch(try Self.target(process.processIdentifier))
        var samples = 0
        for await event in monitor.events {
            if case .sample = event {
                samples += 1
                if samples == 3 { process.terminate() }
            }
            if case .holderExited = event { break }
        }
        #expect(samples >= 3)
        await monitor.stop()
    }

    @Test(.timeLimit(.minutes(1)), .enabled(if: hasGroups, "no control groups are mounted"))
    func aReusedPidIsNotWatched() async throws {
        let monitor = HostMonitor(metrics: MetricsRegistry(), logger: Logger(label: "test"))
        let process = try Self.sleeper()
        defer { process.terminate() }
        var target = try Self.target(process.processIdentifier)
        target.holderStartTicks += 1
        #expect(throws: MonitorError.self) { try monitor.watch(target) }
        await monitor.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func anUnwatchedSandboxHasNoProcesses() async throws {
        let monitor = HostMonitor(metrics: MetricsRegistry(), logger: Logger(label: "test"))
        let id = try #require(SandboxID(rawValue: "sb-0123456789"))
        await #expect(throws: MonitorError.self) { _ = try await monitor.processes(id) }
        await monitor.sampleNow(id)
        monitor.unwatch(id)
        await monitor.stop()
    }
}
