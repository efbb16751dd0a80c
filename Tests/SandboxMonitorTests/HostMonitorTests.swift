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
        process.arguments = ["100"]
        // It must not hold the test run's own output open, should it outlive its test.
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Runs `body` with a process that has a control group of its own, as a sandbox has.
    static func withSleeper(_ body: (Process) async throws -> Void) async throws {
        let layout = try CgroupLayout.detect()
        let group = layout.place(of: "/sandwarden-test-\(UInt32.random(in: 0...UInt32.max))")
        try group.create()
        let process = try sleeper()
        try group.add(pid: process.processIdentifier)
        do {
            try await body(process)
        } catch {
            _ = kill(process.processIdentifier, SIGKILL)
            throw error
        }
        _ = kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try group.remove(until: MonotonicInstant.now().advanced(by: .seconds(5)))
    }

    static var hasGroups: Bool {
        do { return try geteuid() == 0 && CgroupLayout.detect().kind != .none } catch { return false }
    }

    @Test(.timeLimit(.minutes(1)), .enabled(if: hasGroups, "root and control groups are needed"))
    func samplesComeAndTheEndIsHeard() async throws {
        let monitor = HostMonitor(metrics: MetricsRegistry(), logger: Logger(label: "test"))
        try await Self.withSleeper { process in
            try monitor.watch(try Self.target(process.processIdentifier))
            var samples = 0
            for await event in monitor.events {
                if case .sample(let sample) = event {
                    samples += 1
                    #expect(sample.processCount == 1)
                    if samples == 3 { _ = kill(process.processIdentifier, SIGKILL) }
                }
                if case .holderExited = event { break }
            }
            #expect(samples >= 3)
        }
        await monitor.stop()
    }

    @Test(.timeLimit(.minutes(1)), .enabled(if: hasGroups, "root and control groups are needed"))
    func aReusedPidIsNotWatched() async throws {
        let monitor = HostMonitor(metrics: MetricsRegistry(), logger: Logger(label: "test"))
        let process = try Self.sleeper()
        defer { _ = kill(process.processIdentifier, SIGKILL) }
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
