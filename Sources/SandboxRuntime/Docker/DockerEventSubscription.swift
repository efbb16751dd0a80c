import HTTP
import Logging
import SandboxModel
import Synchronization

/// One reader of the engine's events: keeps the stream open, connects again, and says where events may be missing.
final class DockerEventSubscription: Sendable {
    private let box: DockerEventBox
    private let task: Task<Void, Never>

    /// Events from now on, in their order. Ends when the reading task is cancelled.
    static func stream(engine: DockerEngine, logger: Logger) -> AsyncStream<EngineEvent> {
        let subscription = DockerEventSubscription(engine: engine, logger: logger)
        // The closure keeps the subscription: it ends with the stream, also when nobody ever reads that.
        return AsyncStream(
            unfolding: { await subscription.box.next() }, onCancel: { subscription.end() })
    }

    private init(engine: DockerEngine, logger: Logger) {
        let box = DockerEventBox()
        self.box = box
        task = Task { await DockerEventSubscription.follow(engine, into: box, logger) }
    }

    deinit { end() }

    private func end() {
        task.cancel()
        box.close()
    }

    /// Which events are asked for. Containers that were adopted do not carry our labels, so those of all are.
    private static var target: String {
        let filter: JSONValue = [
            "type": ["container"],
            "event": ["die", "died", "oom", "pause", "unpause", "update", "destroy", "remove"],
        ]
        return "/events?filters=\(DockerEngine.query(filter.text))"
    }

    private static func follow(_ engine: DockerEngine, into box: DockerEventBox, _ logger: Logger) async {
        var isFirst = true
        var interval = Duration.milliseconds(100)
        while !Task.isCancelled {
            do throws(RuntimeError) {
                let stream = try await engine.stream(target, operation: "events")
                // Between the streams, or before the first, things may have happened.
                if !isFirst { box.put(EngineEvent(engineID: nil, kind: .gap)) }
                isFirst = false
                interval = .milliseconds(100)
                try await read(stream, into: box)
            } catch {
                // What happened while there was no stream is not known, so the next one begins with a gap.
                isFirst = false
                if !Task.isCancelled {
                    logger.warning("engine events broke off", metadata: ["error": "\(error)"])
                }
            }
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
            interval = min(interval * 2, .seconds(5))
        }
    }

    private static func read(
        _ stream: HTTPClientStream, into box: DockerEventBox
    ) async throws(RuntimeError) {
        defer { stream.cancel() }
        var reader = DockerEventReader()
        while true {
            let bytes: [UInt8]?
            do throws(HTTPClientError) {
                bytes = try await stream.next()
            } catch {
                throw RuntimeError(.unavailable, operation: "events", detail: error.description)
            }
            guard let bytes else { return }
            for event in try reader.read(bytes[...]) { box.put(event) }
        }
    }
}

/// Events between the one who hears them and the one who reads them; bounded.
///
/// When too many wait, all of them give way to one gap: the reader has to look at everything anyway.
final class DockerEventBox: Sendable {
    /// Events that may wait.
    static let limit = 512

    private struct State {
        var events: [EngineEvent] = []
        var isClosed = false
        var reader: CheckedContinuation<EngineEvent?, Never>?
    }

    private let state = Mutex(State())

    /// Adds an event.
    func put(_ event: EngineEvent) {
        let reader = state.withLock { state -> CheckedContinuation<EngineEvent?, Never>? in
            guard !state.isClosed else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            if state.events.count >= Self.limit {
                state.events = [EngineEvent(engineID: nil, kind: .gap)]
            } else {
                state.events.append(event)
            }
            return nil
        }
        reader?.resume(returning: event)
    }

    /// Waits for the next event. One reader at a time: a second one ends the wait of the first.
    /// - Returns: `nil` once the box is closed.
    func next() async -> EngineEvent? {
        await withCheckedContinuation { continuation in
            let (earlier, answer) = state.withLock { state in
                let earlier = state.reader
                state.reader = nil
                let answer: Answer
                if state.isClosed {
                    answer = .closed
                } else if state.events.isEmpty {
                    state.reader = continuation
                    answer = .later
                } else {
                    answer = .event(state.events.removeFirst())
                }
                return (earlier, answer)
            }
            earlier?.resume(returning: nil)
            switch answer {
            case .event(let event): continuation.resume(returning: event)
            case .closed: continuation.resume(returning: nil)
            case .later: break
            }
        }
    }

    private enum Answer { case event(EngineEvent), closed, later }

    /// Ends the stream for its reader.
    func close() {
        let reader = state.withLock { state in
            state.isClosed = true
            state.events = []
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }
}
