internal import Glibc

/// The one loop that serves the pipes of every child and waits for their ends.
struct ChildLoop: EventHandler {
    /// Which of a child's descriptors a token stands for: the lower three bits.
    private enum Part: UInt64 {
        case input = 0
        case output = 1
        case errors = 2
        case process = 3
        case deadline = 4
        case drained = 5
    }

    /// One child, on the loop's thread only.
    private final class Record {
        let child: ChildProcess
        let drainTime: Duration
        var input: Descriptor?
        var output: Descriptor?
        var errors: Descriptor?
        var pending: [UInt8] = []
        var written = 0
        var closesInput = false
        var isPaused = false
        var hasEnded = false

        init(_ child: ChildProcess, _ drainTime: Duration) {
            self.child = child
            self.drainTime = drainTime
        }

        var isDone: Bool { hasEnded && output == nil && errors == nil }
    }

    private var records: [UInt64: Record] = [:]
    private var numbers: [ObjectIdentifier: UInt64] = [:]
    private var nextNumber: UInt64 = 1
    private var scratch = [UInt8](repeating: 0, count: 64 * 1024)

    private static let started: Result<EventLoop<ChildLoop>, SystemError> = {
        do throws(SystemError) {
            return .success(
                try EventLoop(label: "sandwarden.children", postLimit: 1 << 20) { _ throws(SystemError) in
                    // A write to a pipe whose reader is gone must be an answer, not the end of the daemon.
                    blockBrokenPipe()
                    return ChildLoop()
                })
        } catch {
            return .failure(error)
        }
    }()

    /// The loop, started at first use.
    static func shared() throws(SystemError) -> EventLoop<ChildLoop> {
        try started.get()
    }

    private static func blockBrokenPipe() {
        var set = sigset_t()
        // SAFETY: the three calls fill and read the one set; SIGPIPE is a valid signal.
        _ = unsafe sigemptyset(&set)
        _ = unsafe sigaddset(&set, SIGPIPE)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    // MARK: From other threads

    static func resumeReading(of child: ChildProcess) {
        post { $0.resumeReading(child, in: &$1) }
    }

    static func write(_ bytes: [UInt8], to child: ChildProcess) {
        let isTaken = post { $0.write(bytes, child, in: &$1) }
        if !isTaken { child.writeEnded(SystemError(errno: EAGAIN, operation: "write", detail: "stdin")) }
    }

    static func closeInput(of child: ChildProcess) {
        post { $0.closeInput(child, in: &$1) }
    }

    static func closeOutput(of child: ChildProcess) {
        post { handler, _ in
            guard let (_, record) = handler.find(child) else { return }
            handler.closeOutput(record)
        }
    }

    @discardableResult
    private static func post(
        _ work: @escaping @Sendable (inout ChildLoop, inout EventContext) -> Void
    ) -> Bool {
        guard case .success(let loop) = started else { return false }
        return loop.post(work)
    }

    // MARK: On the loop's thread

    private func find(_ child: ChildProcess) -> (UInt64, Record)? {
        guard let number = numbers[ObjectIdentifier(child)], let record = records[number] else { return nil }
        return (number, record)
    }

    private static func token(_ number: UInt64, _ part: Part) -> UInt64 { number << 3 | part.rawValue }

    fileprivate mutating func add(
        _ pipes: consuming ChildPipes, _ child: ChildProcess, _ command: ChildCommand,
        in context: inout EventContext
    ) {
        let number = nextNumber
        nextNumber += 1
        let record = Record(child, command.drainTime)
        do throws(SystemError) {
            try context.poller.add(pipes.stdout, .readable, token: Self.token(number, .output))
            try context.poller.add(pipes.stderr, .readable, token: Self.token(number, .errors))
            try context.poller.add(child.handle.descriptor, .readable, token: Self.token(number, .process))
            if let stdin = pipes.stdin.take() {
                // Level-triggered with nothing asked for: only a reader that goes away is told.
                try context.poller.add(stdin, [], token: Self.token(number, .input))
                record.input = consume stdin
            }
        } catch {
            // Out of memory or of watches: without them nobody would notice its end.
            child.kill(SIGKILL)
            while !child.reap() { usleep(1000) }
            child.writeEnded(error)
            child.streamEnded()
            child.streamEnded()
            return
        }
        record.output = consume pipes.stdout
        record.errors = consume pipes.stderr
        records[number] = record
        numbers[ObjectIdentifier(child)] = number
        if let deadline = command.deadline {
            context.addTimer(Self.token(number, .deadline), at: .now().advanced(by: deadline))
        }
        switch command.input {
        case .nothing, .stream: break
        case .bytes(let bytes):
            record.pending = bytes
            record.closesInput = true
            writePending(number, record, in: &context)
        }
    }

    mutating func ready(_ token: UInt64, _ events: ReadyEvents, in context: inout EventContext) {
        let number = token >> 3
        guard let record = records[number], let part = Part(rawValue: token & 7) else { return }
        switch part {
        case .input:
            if events.contains(.error) || events.contains(.hangUp) {
                endInput(record, SystemError(errno: EPIPE, operation: "write", detail: "stdin"))
            } else {
                writePending(number, record, in: &context)
            }
        case .output: read(.stdout, number, record, in: &context)
        case .errors: read(.stderr, number, record, in: &context)
        case .process: processEnded(number, record, in: &context)
        case .deadline, .drained: break
        }
    }

    mutating func expired(_ token: UInt64, in context: inout EventContext) {
        let number = token >> 3
        guard let record = records[number], let part = Part(rawValue: token & 7) else { return }
        switch part {
        case .deadline:
            if !record.hasEnded { record.child.timedOut() }
        case .drained:
            closeOutput(record)
        default: break
        }
        forgetIfDone(number, record)
    }

    private mutating func forgetIfDone(_ number: UInt64, _ record: Record) {
        guard record.isDone else { return }
        records[number] = nil
        numbers[ObjectIdentifier(record.child)] = nil
    }

    // MARK: Output

    private mutating func read(
        _ stream: ChildOutput.Stream, _ number: UInt64, _ record: Record, in context: inout EventContext
    ) {
        guard let count = readOnce(stream, record) else { return }
        if count == 0 {
            close(stream, record)
            forgetIfDone(number, record)
            return
        }
        let piece = ChildOutput(stream: stream, bytes: Array(scratch.prefix(count)))
        if !record.child.received(piece), !record.isPaused {
            record.isPaused = true
            setReading(false, number, record, in: &context)
        }
    }

    /// Bytes read into the scratch space; 0 at the end or on an error, `nil` when there is nothing now.
    private mutating func readOnce(_ stream: ChildOutput.Stream, _ record: Record) -> Int? {
        do throws(SystemError) {
            switch stream {
            case .stdout: return try record.output?.read(into: &scratch, from: 0)
            case .stderr: return try record.errors?.read(into: &scratch, from: 0)
            }
        } catch {
            return error.errno == EAGAIN ? nil : 0
        }
    }

    private func close(_ stream: ChildOutput.Stream, _ record: Record) {
        let wasOpen: Bool
        switch stream {
        case .stdout: wasOpen = record.output.take() != nil
        case .stderr: wasOpen = record.errors.take() != nil
        }
        if wasOpen { record.child.streamEnded() }
    }

    private func closeOutput(_ record: Record) {
        close(.stdout, record)
        close(.stderr, record)
    }

    private func setReading(
        _ isOn: Bool, _ number: UInt64, _ record: Record, in context: inout EventContext
    ) {
        let events: ReadyEvents = isOn ? .readable : []
        do throws(SystemError) {
            if record.output != nil {
                try record.output?.change(events, Self.token(number, .output), in: context.poller)
            }
            if record.errors != nil {
                try record.errors?.change(events, Self.token(number, .errors), in: context.poller)
            }
        } catch {
            // A descriptor that is in the set can be changed: anything else is a fault of this loop's books.
            preconditionFailure("\(error)")
        }
    }

    private func resumeReading(_ child: ChildProcess, in context: inout EventContext) {
        guard let (number, record) = find(child), record.isPaused else { return }
        record.isPaused = false
        setReading(true, number, record, in: &context)
    }

    private mutating func processEnded(_ number: UInt64, _ record: Record, in context: inout EventContext) {
        guard !record.hasEnded, record.child.reap() else { return }
        record.hasEnded = true
        do throws(SystemError) {
            try context.poller.remove(record.child.handle.descriptor)
        } catch {
            preconditionFailure("\(error)")
        }
        endInput(record, SystemError(errno: EPIPE, operation: "write", detail: "stdin"))
        // All that the program itself wrote is in the pipes now: at most a mebibyte each, taken past the
        // window.
        for stream in [ChildOutput.Stream.stdout, .stderr] {
            for _ in 0..<32 {
                guard let count = readOnce(stream, record) else { break }
                if count == 0 {
                    close(stream, record)
                    break
                }
                _ = record.child.received(
                    ChildOutput(stream: stream, bytes: Array(scratch.prefix(count))))
            }
        }
        if !record.isDone {
            context.addTimer(
                Self.token(number, .drained), at: .now().advanced(by: record.drainTime))
        }
        forgetIfDone(number, record)
    }

    // MARK: Input

    private func write(_ bytes: [UInt8], _ child: ChildProcess, in context: inout EventContext) {
        guard let (number, record) = find(child), record.input != nil, !record.closesInput else {
            child.writeEnded(SystemError(errno: EBADF, operation: "write", detail: "stdin"))
            return
        }
        record.pending = bytes
        record.written = 0
        writePending(number, record, in: &context)
    }

    private func closeInput(_ child: ChildProcess, in context: inout EventContext) {
        guard let (number, record) = find(child) else { return }
        record.closesInput = true
        writePending(number, record, in: &context)
    }

    private func writePending(_ number: UInt64, _ record: Record, in context: inout EventContext) {
        guard record.input != nil else { return }
        do throws(SystemError) {
            while record.written < record.pending.count {
                let rest = record.pending[record.written...]
                guard let count = try record.input?.write(rest.span) else { return }
                record.written += count
            }
            record.child.writeEnded(nil)
            if record.closesInput {
                endInput(record, nil)
            } else {
                try record.input?.change([], Self.token(number, .input), in: context.poller)
            }
        } catch {
            guard error.errno == EAGAIN else {
                endInput(record, error)
                return
            }
            do throws(SystemError) {
                try record.input?.change(.writable, Self.token(number, .input), in: context.poller)
            } catch {
                endInput(record, error)
            }
        }
    }

    private func endInput(_ record: Record, _ failure: SystemError?) {
        _ = record.input.take()
        record.pending = []
        record.written = 0
        record.child.writeEnded(failure)
    }
}

extension EventLoop where Handler == ChildLoop {
    /// Takes over a child that has just been started.
    func adopt(
        _ spawned: consuming SpawnedChild, _ command: ChildCommand
    ) throws(SystemError) -> ChildProcess {
        let slot = HandoverSlot<ChildPipes>()
        slot.put(spawned.pipes)
        let child = ChildProcess.adopted(spawned.process, leadsGroup: command.startsSession)
        let isTaken = post { handler, context in
            if let pipes = slot.take() { handler.add(pipes, child, command, in: &context) }
        }
        guard isTaken else {
            child.kill(SIGKILL)
            while !child.reap() { usleep(1000) }
            throw SystemError(errno: EAGAIN, operation: "posix_spawn", detail: "too many children")
        }
        return child
    }
}

extension Descriptor {
    /// Changes what this descriptor is waited for.
    borrowing func change(
        _ events: ReadyEvents, _ token: UInt64, in poller: borrowing Poller
    ) throws(SystemError) {
        try poller.modify(self, events, token: token)
    }
}
