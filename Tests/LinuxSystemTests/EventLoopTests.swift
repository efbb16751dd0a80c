import Glibc
import LinuxSystem
import Synchronization
import Testing

/// Sends back whatever it reads, and tells what happened.
private struct Echo: EventHandler {
    let log: Log
    var ends: [UInt64: SharedDescriptor] = [:]
    var buffer = [UInt8](repeating: 0, count: 256)

    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext) {
        guard let end = ends[token] else { return }
        do throws(SystemError) {
            switch try end.descriptor.receive(into: &buffer, from: 0) {
            case .bytes(let count):
                let bytes = buffer[..<count]
                _ = try end.descriptor.send(bytes.span)
            case .endOfStream:
                try context.poller.remove(end.descriptor)
                ends[token] = nil
                log.add("end \(token)")
            case .wouldBlock: break
            }
        } catch {
            log.add("\(error)")
        }
    }

    mutating func expired(_ token: UInt64, in context: inout EventContext) {
        log.add("timer \(token)")
        if token == 1 { context.addTimer(2, at: context.now) }
        if token == 9 { context.wantsStop = true }
    }

    mutating func stopped(in context: inout EventContext) {
        log.add("stopped")
    }
}

/// A door that opens once.
private final class Gate: Sendable {
    private let isShut = Mutex(true)
    func open() { isShut.withLock { $0 = false } }
    func wait() { while isShut.withLock({ $0 }) { usleep(100) } }
}

private final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

@Suite(.timeLimit(.minutes(1))) struct EventLoopTests {
    private let soon = MonotonicInstant.now().advanced(by: .seconds(20))

    @Test func servesDescriptorsAddedFromOutside() async throws {
        let log = Log()
        let loop = try EventLoop<Echo>(label: "test.echo") { _ throws(SystemError) in Echo(log: log) }
        let pair = try Socket.pair()
        let far = SharedDescriptor(try pair.first.duplicate())
        let isTaken = loop.post { handler, context in
            do throws(SystemError) {
                try context.poller.add(far.descriptor, .readable, token: 7)
                handler.ends[7] = far
            } catch {
                log.add("\(error)")
            }
        }
        #expect(isTaken)
        for round in UInt8(0)..<20 {
            let byte = [round]
            _ = try pair.second.send(byte.span)
            #expect(try pair.second.waitReadable(until: soon))
            var answer: [UInt8] = [255]
            #expect(try pair.second.receive(into: &answer, from: 0) == .bytes(1))
            #expect(answer == byte)
        }
        try pair.second.shutdown(.writing)
        while !log.all.contains("end 7") { await Task.yield() }
        loop.stop()
        loop.stop()
        try await loop.ended()
        #expect(log.all == ["end 7", "stopped"])
        #expect(!loop.post { _, _ in })
    }

    @Test func timersComeDueInOrder() async throws {
        let log = Log()
        let loop = try EventLoop<Echo>(label: "test.timers") { context throws(SystemError) in
            context.addTimer(9, at: context.now.advanced(by: .milliseconds(30)))
            context.addTimer(3, at: context.now.advanced(by: .milliseconds(20)))
            context.addTimer(1, at: context.now)
            return Echo(log: log)
        }
        try await loop.ended()
        #expect(log.all == ["timer 1", "timer 2", "timer 3", "timer 9", "stopped"])
    }

    @Test func postedWorkIsBoundedAndRunInOrder() async throws {
        let log = Log()
        let gate = Gate()
        let loop = try EventLoop<Echo>(label: "test.posts", postLimit: 10) { _ throws(SystemError) in
            gate.wait()
            return Echo(log: log)
        }
        let taken = (0..<12).map { number in loop.post { _, _ in log.add("\(number)") } }
        #expect(taken == Array(repeating: true, count: 10) + [false, false])
        loop.stop()
        gate.open()
        try await loop.ended()
        #expect(log.all == (0..<10).map { "\($0)" } + ["stopped"])
    }

    @Test func aHandlerThatCannotBeMadeEndsTheLoop() async throws {
        let loop = try EventLoop<Echo>(label: "test.fault") { _ throws(SystemError) -> Echo in
            throw SystemError(errno: EADDRINUSE, operation: "test")
        }
        await #expect(throws: SystemError(errno: EADDRINUSE, operation: "test")) { try await loop.ended() }
    }

    @Test func theHeapSortsWhateverComes() {
        var heap = TimerHeap()
        var generator = SystemRandomNumberGenerator()
        let deadlines = (0..<500).map { _ in Int64.random(in: 0..<100, using: &generator) }
        for (token, deadline) in deadlines.enumerated() {
            heap.add(UInt64(token), at: MonotonicInstant(nanoseconds: deadline))
        }
        #expect(heap.takeDue(at: MonotonicInstant(nanoseconds: -1)) == nil)
        var taken: [Int64] = []
        while let token = heap.takeDue(at: MonotonicInstant(nanoseconds: 1000)) {
            taken.append(deadlines[Int(token)])
        }
        #expect(taken == deadlines.sorted())
        #expect(heap.count == 0 && heap.first == nil)
    }

    @Test func instantsDoNotOverflow() {
        #expect(MonotonicInstant.now().advanced(by: .seconds(Int64.max)).nanoseconds == .max)
        #expect(MonotonicInstant(nanoseconds: 5).duration(to: .init(nanoseconds: 2)) == .nanoseconds(-3))
        #expect(Duration.milliseconds(1500).wholeNanoseconds == 1_500_000_000)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(WallClock.nowMilliseconds() > 1_600_000_000_000)
        #expect(MonotonicInstant.now() <= MonotonicInstant.now())
    }

    @Test func theBootHasAName() throws {
        let identifier = try BootIdentifier.read()
        #expect(identifier.utf8.count == 36)
        #expect(try BootIdentifier.read() == identifier)
    }
}
