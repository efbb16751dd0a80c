import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxMonitor

@Suite struct ViolationDetectorTests {
    static let start = Timestamp(milliseconds: 1_700_000_000_000)

    static func policy(_ change: (inout Policy) -> Void = { _ in }) throws -> Policy {
        var policy = Policy(name: try #require(PolicyName(rawValue: "p")))
        change(&policy)
        return policy
    }

    static func reading(
        at seconds: Int64, processes: [DetectorReading.Process] = [], total: UInt64 = 0,
        _ change: (inout MetricsSample) -> Void = { _ in }
    ) throws -> DetectorReading {
        let id = try #require(SandboxID(rawValue: "sb-0123456789"))
        var sample = MetricsSample(timestamp: start.advanced(bySeconds: seconds), sandboxID: id)
        change(&sample)
        return DetectorReading(sample: sample, processes: processes, diskTotalBytes: total)
    }

    static func causes(_ changes: [ViolationDetector.Change]) -> [String] {
        changes.map { change in
            switch change {
            case .began(let finding): "+\(finding.cause):\(finding.severity.rawValue)"
            case .ended(let cause): "-\(cause)"
            }
        }
    }

    @Test func aStateThatLastsIsOneEpisode() throws {
        var detector = ViolationDetector(policy: try Self.policy())
        let over = { (sample: inout MetricsSample) in sample.memoryUsageMB = 600 }
        #expect(Self.causes(detector.judge(try Self.reading(at: 0, over))) == ["+memory_over_limit:high"])
        #expect(detector.judge(try Self.reading(at: 1, over)).isEmpty)
        #expect(Self.causes(detector.judge(try Self.reading(at: 2))) == ["-memory_over_limit"])
        #expect(Self.causes(detector.judge(try Self.reading(at: 3, over))) == ["+memory_over_limit:high"])
    }

    @Test func tolerancesAreTheContracts() throws {
        var detector = ViolationDetector(policy: try Self.policy())
        let within = try Self.reading(at: 0, total: 1024 << 20) {
            $0.cpuUsagePercent = 60
            $0.memoryUsageMB = 563
            $0.processCount = 50
            $0.diskUsageMB = 1003
        }
        #expect(detector.judge(within).isEmpty)
        let beyond = try Self.reading(at: 1, total: 1024 << 20) {
            $0.cpuUsagePercent = 60.1
            $0.memoryUsageMB = 563.3
            $0.processCount = 51
            $0.diskUsageMB = 1004
        }
        #expect(
            Set(Self.causes(detector.judge(beyond))) == [
                "+cpu_over_limit:medium", "+memory_over_limit:high", "+processes_over_limit:medium",
                "+disk_full:low",
            ])
    }

    @Test func aHeldQuotaIsToldAfterTenSecondsAndIsLow() throws {
        var detector = ViolationDetector(policy: try Self.policy())
        var told: [String] = []
        for second in Int64(0)...12 {
            told += Self.causes(
                detector.judge(
                    try Self.reading(at: second) {
                        $0.cpuUsagePercent = 50
                        $0.cpuPeriods = second * 10
                        $0.cpuThrottledPeriods = second * 10 - second / 2
                    }))
        }
        #expect(told == ["+cpu_throttled:low"])
    }

    @Test func growingCountsAreOneEpisodeUntilTheyAreQuiet() throws {
        var detector = ViolationDetector(policy: try Self.policy())
        func at(_ second: Int64, _ kills: Int64) throws -> [String] {
            Self.causes(detector.judge(try Self.reading(at: second) { $0.oomKills = kills }))
        }
        var told = try at(0, 0)
        #expect(told.isEmpty)
        told = try at(1, 1)
        #expect(told == ["+memory_oom:high"])
        told = try at(5, 3)
        #expect(told.isEmpty)
        told = try at(10, 3)
        #expect(told.isEmpty)
        told = try at(15, 3)
        #expect(told == ["-memory_oom"])
        told = try at(16, 4)
        #expect(told == ["+memory_oom:high"])
    }

    @Test func whatHappenedBeforeItWasWatchedIsNotJudged() throws {
        var detector = ViolationDetector(policy: try Self.policy())
        detector.begin(from: try Self.reading(at: 0) { $0.oomKills = 7 }.sample)
        #expect(detector.judge(try Self.reading(at: 1) { $0.oomKills = 7 }).isEmpty)
        #expect(
            Self.causes(detector.judge(try Self.reading(at: 2) { $0.oomKills = 8 })) == ["+memory_oom:high"])
    }

    @Test func aBlockedProgramIsFoundByAnyOfItsNames() throws {
        var detector = ViolationDetector(policy: try Self.policy())
        let hidden = DetectorReading.Process(pid: 7, startTicks: 1, names: ["worker", "kill", "busybox"])
        let reused = DetectorReading.Process(pid: 7, startTicks: 2, names: ["kill"])
        #expect(
            Self.causes(detector.judge(try Self.reading(at: 0, processes: [hidden]))) == [
                "+blocked_process:high"
            ])
        #expect(detector.judge(try Self.reading(at: 1, processes: [hidden])).isEmpty)
        #expect(
            Set(Self.causes(detector.judge(try Self.reading(at: 2, processes: [reused])))) == [
                "+blocked_process:high", "-blocked_process",
            ])
    }

    @Test func gainedPrivilegesAreCritical() throws {
        var detector = ViolationDetector(
            policy: try Self.policy { $0.privileges.capabilities = ["CAP_NET_BIND_SERVICE"] })
        let fine = DetectorReading.Process(
            pid: 7, startTicks: 1, names: ["x"], capabilities: 1 << 10, hasNoNewPrivileges: true)
        let gained = DetectorReading.Process(
            pid: 8, startTicks: 1, names: ["x"], capabilities: 1 << 21, hasNoNewPrivileges: false)
        #expect(detector.judge(try Self.reading(at: 0, processes: [fine])).isEmpty)
        #expect(
            Set(Self.causes(detector.judge(try Self.reading(at: 1, processes: [fine, gained])))) == [
                "+capability_gained:critical", "+new_privileges_possible:high",
            ])
    }

    @Test func episodesAreBounded() throws {
        var detector = ViolationDetector(policy: try Self.policy())
        let many = (0..<1000).map {
            DetectorReading.Process(pid: Int32($0), startTicks: 1, names: ["kill"])
        }
        #expect(
            detector.judge(try Self.reading(at: 0, processes: many)).count
                == ViolationDetector.maximumEpisodes)
    }
}
