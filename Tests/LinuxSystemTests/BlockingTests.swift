import Glibc
import LinuxSystem
import Synchronization
import Testing

/// How many are inside, and the most there have been.
private final class Counts: Sendable {
    private let state = Mutex((now: 0, most: 0))
    func enter() {
        state.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
    }
    func leave() { state.withLock { $0.now -= 1 } }
    var most: Int { state.withLock { $0.most } }
}

/// A door that opens once.
private final class Gate: Sendable {
    private let isShut = Mutex(true)
    func open() { isShut.withLock { $0 = false } }
    func wait() { while isShut.withLock({ $0 }) { usleep(100) } }
}

@Suite(.timeLimit(.minutes(1))) struct BlockingTests {
    @Test func runsAtMostItsWidthAndAllOfIt() async throws {
        let queue = BlockingQueue(label: "test.width", width: 3, waitingLimit: 1000)
        let counts = Counts()
        let results = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<200 {
                group.addTask {
                    try await Blocking.run(on: queue) { () throws(SystemError) in
                        counts.enter()
                        usleep(50)
                        counts.leave()
                        return number
                    }
                }
            }
            var all: [Int] = []
            for try await number in group { all.append(number) }
            return all
        }
        #expect(results.sorted() == Array(0..<200))
        #expect(counts.most <= 3)
        // A place is given back after the answer has been: wait for the last.
        while queue.load > 0 { await Task.yield() }
    }

    @Test func refusesWhenFullAndSaysSo() async throws {
        let queue = BlockingQueue(label: "test.full", width: 1, waitingLimit: 1)
        let gate = Gate()
        #expect(queue.submit { gate.wait() })
        #expect(queue.submit {})
        #expect(!queue.submit {})
        do throws(SystemError) {
            try await Blocking.run(on: queue) { () throws(SystemError) in }
            Issue.record("admitted")
        } catch {
            #expect(error.errno == EAGAIN)
            #expect(error.detail == "test.full: 1 running and 1 waiting")
        }
        gate.open()
        while queue.load > 0 { await Task.yield() }
        #expect(try await Blocking.run(on: queue) { () throws(SystemError) in 7 } == 7)
    }

    @Test func errorsComeThrough() async {
        let queue = BlockingQueue(label: "test.errors", width: 1, waitingLimit: 1)
        await #expect(throws: SystemError(errno: EIO, operation: "x")) {
            try await Blocking.run(on: queue) { () throws(SystemError) -> Int in
                throw SystemError(errno: EIO, operation: "x")
            }
        }
    }
}
