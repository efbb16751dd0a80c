internal import Glibc
internal import LinuxSystem
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// Reads one sandbox again and again by descriptors that stay open. Blocks for some system calls a sample, no longer.
final class SandboxWatch: Sendable {
    private struct State {
        var policy: Policy
        var detector: ViolationDetector
        var scratch = [UInt8](repeating: 0, count: 16 * 1024)
        var previous: (cpuNanoseconds: UInt64, at: MonotonicInstant)?
        var lastPercent = 0.0
    }

    let target: MonitorTarget
    /// Becomes readable when the holder ends.
    let holderHandle: ProcessHandle
    private let holder: ProcessDirectory
    private let place: CgroupPlace
    private let group: CgroupReader
    private let sockets: [SharedDescriptor]
    private let interfaces: [SharedDescriptor]
    private let workspace: SharedDescriptor?
    private let state: Mutex<State>

    /// The most processes that are looked at one by one in a sample; their number is right all the same.
    private static let maximumProcesses = 1024

    /// Opens everything that the host has of a sandbox.
    /// - Throws: `gone` when the holder has ended or is another process.
    init(_ target: MonitorTarget) throws(MonitorError) {
        self.target = target
        state = Mutex(State(policy: target.policy, detector: ViolationDetector(policy: target.policy)))
        do throws(SystemError) {
            holderHandle = try ProcessHandle(pid: target.holderPID)
            holder = try ProcessDirectory(pid: target.holderPID)
            guard try holder.stat().startTicks == target.holderStartTicks else {
                throw SystemError(
                    errno: ESRCH, operation: "watch", detail: "another process has the holder's pid")
            }
            let layout = try CgroupLayout.detect()
            place = layout.place(of: try holder.controlGroups())
            group = try CgroupReader(place)
            sockets = try SandboxWatch.open(["sockstat", "sockstat6"], of: holder)
            interfaces = try SandboxWatch.open(["dev"], of: holder)
            if let path = target.workspacePath {
                workspace = SharedDescriptor(try Descriptor.openDirectory(RawPath(path)))
            } else {
                workspace = nil
            }
        } catch {
            throw MonitorError(error.errno == ESRCH ? .gone : .failed, operation: "watch", detail: "\(error)")
        }
        try begin()
    }

    // Counters of a sandbox that is taken up again tell of a time that is over: they are where it begins.
    private func begin() throws(MonitorError) {
        do throws(SystemError) {
            try state.withLock { state throws(SystemError) in
                let time = Timestamp(milliseconds: WallClock.nowMilliseconds())
                state.detector.begin(from: try usage(at: time, &state))
            }
        } catch {
            throw MonitorError(
                error.errno == ENODEV ? .gone : .failed, operation: "watch", detail: "\(error)")
        }
    }

    // A kernel without IPv6 has no `sockstat6`: what is not there is not counted.
    private static func open(
        _ names: [String], of holder: borrowing ProcessDirectory
    ) throws(SystemError) -> [SharedDescriptor] {
        var files: [SharedDescriptor] = []
        for name in names {
            do throws(SystemError) {
                files.append(SharedDescriptor(try holder.openNetworkFile(name)))
            } catch {
                guard error.errno == ENOENT else { throw error }
            }
        }
        return files
    }

    /// The time between two samples, by the present policy.
    var interval: Duration {
        .milliseconds(state.withLock { max(50, $0.policy.monitoringIntervalMilliseconds) })
    }

    /// Judges by another policy from now on.
    func adopt(_ policy: Policy) {
        state.withLock {
            $0.policy = policy
            $0.detector.adopt(policy)
        }
    }

    /// Takes one sample and judges it.
    /// - Throws: `gone` when the sandbox's control group is.
    func look(
        at time: Timestamp
    ) throws(MonitorError) -> (sample: MetricsSample, changes: [ViolationDetector.Change]) {
        do throws(SystemError) {
            return try state.withLock { state throws(SystemError) in
                var sample = try usage(at: time, &state)
                let processes = try scan(&sample, state.policy)
                var total: UInt64 = 0
                if let space = try workspace?.descriptor.fileSystemSpace() {
                    sample.diskUsageMB = Double(space.usedBytes) / 1_048_576
                    total = space.usedBytes + space.availableBytes
                }
                let reading = DetectorReading(sample: sample, processes: processes, diskTotalBytes: total)
                return (sample, state.detector.judge(reading))
            }
        } catch {
            let isGone = [ENODEV, ENOENT, ESRCH].contains(error.errno)
            throw MonitorError(isGone ? .gone : .failed, operation: "sample", detail: "\(error)")
        }
    }

    private func usage(at time: Timestamp, _ state: inout State) throws(SystemError) -> MetricsSample {
        var sample = MetricsSample(timestamp: time, sandboxID: target.sandboxID)
        let now = MonotonicInstant.now()
        let usage = try group.sample(scratch: &state.scratch)
        if let used = usage.cpuNanoseconds {
            sample.cpuUsagePercent = rate(used, at: now, &state)
            sample.cpuMicrosecondsTotal = Int64(clamping: used / 1000)
        }
        sample.cpuPeriods = Int64(clamping: usage.cpuPeriods ?? 0)
        sample.cpuThrottledPeriods = Int64(clamping: usage.cpuThrottledPeriods ?? 0)
        sample.memoryUsageMB = Double(usage.workingSetBytes ?? 0) / 1_048_576
        sample.oomKills = Int64(clamping: usage.outOfMemoryKills ?? 0)
        sample.pidsRefused = Int64(clamping: usage.tasksRefused ?? 0)
        var counts = SocketCounts()
        for file in sockets {
            let count = try file.descriptor.reread(into: &state.scratch)
            _ = counts.add(state.scratch[..<count])
        }
        sample.networkConnections = counts.tcp + counts.udp
        for file in interfaces {
            let count = try file.descriptor.reread(into: &state.scratch)
            for interface in InterfaceCounters.parse(state.scratch[..<count]) where interface.name != "lo" {
                sample.networkReceivedBytes += Int64(clamping: interface.receivedBytes)
                sample.networkSentBytes += Int64(clamping: interface.sentBytes)
            }
        }
        return sample
    }

    /// Percent of one core since the sample before. A quota of 25 % is 25 ms at full speed in each 100: over a time of
    /// few periods a rate says nothing, so a sample that comes early repeats the rate before it.
    private func rate(_ used: UInt64, at now: MonotonicInstant, _ state: inout State) -> Double {
        guard let before = state.previous else {
            state.previous = (used, now)
            return 0
        }
        let elapsed = before.at.duration(to: now)
        guard elapsed >= SandboxWatch.shortestRateTime else { return state.lastPercent }
        let spent = used >= before.cpuNanoseconds ? used - before.cpuNanoseconds : 0
        state.previous = (used, now)
        state.lastPercent = 100 * Double(spent) / Double(elapsed.wholeNanoseconds)
        return state.lastPercent
    }

    private static let shortestRateTime = Duration.milliseconds(450)

    private func scan(
        _ sample: inout MetricsSample, _ policy: Policy
    ) throws(SystemError) -> [DetectorReading.Process] {
        let pids = try place.processes(recursively: true)
        sample.processCount = pids.count
        var processes: [DetectorReading.Process] = []
        for pid in pids.sorted().prefix(SandboxWatch.maximumProcesses) where pid != target.holderPID {
            guard let process = try ProcessScan.reading(pid) else { continue }
            sample.openFiles += process.openFiles
            processes.append(process)
        }
        return processes
    }

    /// Every process of the sandbox now, the holder first.
    func processes() throws(MonitorError) -> [ProcessEntry] {
        do throws(SystemError) {
            var entries: [ProcessEntry] = []
            for pid in try place.processes(recursively: true).sorted().prefix(SandboxWatch.maximumProcesses) {
                if let entry = try ProcessScan.entry(pid) { entries.append(entry) }
            }
            return entries
        } catch {
            throw MonitorError(.failed, operation: "processes", detail: "\(error)")
        }
    }
}
