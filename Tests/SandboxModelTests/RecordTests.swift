import SandboxModel
import Testing

/// Values that are written down and read again.
@Suite struct RecordTests {
    private func violation() throws -> Violation {
        Violation(
            violationID: "v-abc", seq: 7, timestamp: Timestamp(milliseconds: 1_769_860_800_123),
            type: .processViolation,
            severity: .high, sandboxID: try #require(SandboxID(rawValue: "sb-0123456789")), containerID: "c1",
            policy: .default, details: [JSONMember("cause", "blocked_process"), JSONMember("pid", 42)],
            actionTaken: .isolate,
            correlationID: nil)
    }

    @Test("A violation has the contract's members in their order, and reads back as itself")
    func violationRoundTrip() throws {
        let violation = try violation()
        #expect(
            violation.json.text == #"{"violation_id":"v-abc","seq":7,"timestamp":"2026-01-31T12:00:00.123Z","#
                + #""violation_type":"process_violation","severity":"high","#
                + #""sandbox_id":"sb-0123456789","container_id":"c1","#
                + #""policy":"default","details":{"cause":"blocked_process","pid":42},"#
                + #""action_taken":"isolate","#
                + #""correlation_id":null}"#)
        let parsed = try JSONParser.parse(violation.json.bytes).json
        #expect(Violation(json: parsed) == violation)
        var bare = violation
        bare.containerID = nil
        bare.correlationID = "k-1"
        #expect(Violation(json: bare.json) == bare)
        #expect(!violation.recordMembers.contains { $0.key == "seq" })
    }

    @Test("A violation without a member, or with a wrong one, is none")
    func brokenViolation() throws {
        let members = try #require(violation().json.members)
        for (index, member) in members.enumerated() {
            let isOptional = ["container_id", "correlation_id"].contains(member.key)
            var missing = members
            missing.remove(at: index)
            #expect((Violation(json: .object(missing)) != nil) == isOptional, "\(member.key)")
            var wrong = members
            wrong[index].value = false
            #expect((Violation(json: .object(wrong)) != nil) == isOptional, "\(member.key)")
        }
        #expect(Violation(json: .null) == nil)
    }

    @Test("A sample reads back as itself, to two digits behind the point")
    func sampleRoundTrip() throws {
        var sample = MetricsSample(
            timestamp: Timestamp(milliseconds: 1000),
            sandboxID: try #require(SandboxID(rawValue: "sb-0123456789")))
        sample.cpuUsagePercent = 12.345
        sample.memoryUsageMB = 100
        sample.diskUsageMB = 0.25
        sample.networkConnections = 1
        sample.processCount = 2
        sample.openFiles = 3
        sample.violationsCount = 4
        sample.cpuMicrosecondsTotal = 5
        sample.cpuThrottledPeriods = 6
        sample.cpuPeriods = 7
        sample.networkReceivedBytes = 8
        sample.networkSentBytes = 9
        sample.oomKills = 10
        sample.pidsRefused = 11
        let text = sample.json.text
        #expect(
            text.hasPrefix(
                #"{"timestamp":"1970-01-01T00:00:01.000Z","sandbox_id":"sb-0123456789","#
                    + #""cpu_usage_percent":12.35,"#
                    + #""memory_usage_mb":100.0,"disk_usage_mb":0.25,"network_connections":1,"#
                    + #""process_count":2,"open_files":3,"#
                    + #""violations_count":4,"#))
        sample.cpuUsagePercent = 12.35
        #expect(MetricsSample(json: try JSONParser.parse(Array(text.utf8)).json) == sample)
        let bare = MetricsSample(json: ["timestamp": "1970-01-01T00:00:00Z", "sandbox_id": "sb-0123456789"])
        #expect(bare?.processCount == 0)
        #expect(MetricsSample(json: ["timestamp": "1970-01-01T00:00:00Z"]) == nil)
        #expect(MetricsSample(json: ["timestamp": "yesterday", "sandbox_id": "sb-0123456789"]) == nil)
    }

    @Test("Numbers beyond any count are held to what fits, not trapped on")
    func hugeSample() {
        let json: JSONValue = [
            "timestamp": "1970-01-01T00:00:00Z", "sandbox_id": "sb-0123456789",
            "process_count": .integer(.max),
            "cpu_usage_percent": .number(1e300),
        ]
        let sample = MetricsSample(json: json)
        #expect(sample?.processCount == .max)
        #expect(sample?.json.text.contains("null") == false)
    }

    @Test("A control reads back as itself, and not without a member", arguments: ControlStatus.allCases)
    func controlRoundTrip(status: ControlStatus) throws {
        let control = AppliedControl(
            "memory", status, wanted: "256 MB", found: "268435456", evidence: "memory.max")
        let json = control.json
        #expect(
            json.text
                == #"{"control":"memory","status":"\#(status.rawValue)","wanted":"256 MB","#
                + #""found":"268435456","#
                + #""evidence":"memory.max"}"#)
        #expect(AppliedControl(json: json) == control)
        let members = try #require(json.members)
        for index in members.indices {
            var missing = members
            missing.remove(at: index)
            #expect(AppliedControl(json: .object(missing)) == nil)
        }
    }

    @Test("Severities and answers are ordered from mild to strong")
    func order() {
        #expect(Severity.allCases.sorted() == [.low, .medium, .high, .critical])
        #expect(ResponseAction.allCases.sorted() == [.log, .throttle, .pause, .isolate, .terminate])
    }

    @Test("A sandbox lives while processes of it may exist")
    func states() {
        #expect(SandboxState.allCases.filter(\.isAlive) == [.creating, .running, .paused])
    }

    @Test("A verdict shows the contract's members; an audited denial may go ahead")
    func verdict() {
        var verdict = Verdict(
            decision: .deny,
            reasons: [VerdictReason(rule: "blocked_commands", match: "rm", detail: "why", range: 13..<15)],
            commands: ["find", "rm"], policy: .default, policyVersion: 3)
        #expect(
            verdict.json.text
                == #"{"allowed":false,"decision":"deny","reasons":[{"rule":"blocked_commands","match":"rm","#
                + #""detail":"why","start":13,"end":15}],"commands":["find","rm"],"undecidable":false,"#
                + #""wall":"advice","#
                + #""policy":"default","policy_version":3}"#)
        verdict.decision = .audit
        #expect(verdict.isAllowed && verdict.json["allowed"] == true)
        #expect(
            VerdictReason(rule: "r", match: "m", detail: "d").json.text
                == #"{"rule":"r","match":"m","detail":"d"}"#)
    }
}
