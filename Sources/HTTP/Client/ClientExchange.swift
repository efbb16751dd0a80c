internal import LinuxSystem
internal import Synchronization

/// One request and what becomes of it: the meeting place of the asking task and the client's loop.
final class ClientExchange: Sendable {
    /// What the asker wants.
    enum Mode: Sendable {
        /// A response, within the deadline as a whole.
        case whole
        /// A response whose head comes within the deadline.
        case stream
        /// A raw connection, agreed to within the deadline.
        case upgrade
    }

    /// What came first.
    enum Opening: Sendable {
        /// A response that has a body to read.
        case response(HTTPResponseHead)
        /// The connection is raw from here on.
        case raw(HTTPResponseHead)
    }

    private struct State {
        var opening: Result<Opening, HTTPClientError>?
        var waiter: CheckedContinuation<Void, Never>?
    }

    let method: HTTPMethod
    let request: [UInt8]
    let mode: Mode
    let limits: HTTPLimits
    let deadline: MonotonicInstant
    let inbox: ByteInbox<HTTPClientError>
    let outbox: ByteOutbox
    private let onAbandon: @Sendable (ClientExchange) -> Void
    private let place = Atomic<UInt64>(.max)
    private let state = Mutex(State())

    /// - Parameter post: Runs work with this exchange on the loop; `false` when it never will.
    init(
        method: HTTPMethod, request: [UInt8], mode: Mode, limits: HTTPLimits, deadline: MonotonicInstant,
        bufferBytes: Int, post: @escaping @Sendable (@escaping EventLoop<ClientLoop>.Work) -> Bool
    ) {
        self.method = method
        self.request = request
        self.mode = mode
        self.limits = limits
        self.deadline = deadline
        let reference = WeakExchange()
        inbox = ByteInbox(limit: bufferBytes) {
            _ = post { loop, context in loop.resume(reference.exchange, in: &context) }
        }
        outbox = ByteOutbox(limit: bufferBytes) {
            post { loop, context in loop.outputIsReady(reference.exchange, in: &context) }
        }
        onAbandon = { exchange in
            _ = post { loop, context in loop.abandon(exchange, in: &context) }
        }
        reference.exchange = self
    }

    /// The connection that serves the exchange, as the loop names it.
    var token: UInt64 {
        get { place.load(ordering: .relaxed) }
        set { place.store(newValue, ordering: .relaxed) }
    }

    /// Tells the asker what came first. The loop's side.
    func open(_ opening: Opening) {
        resolve(.success(opening))
    }

    /// Tells the asker and the reader that nothing more comes. The loop's side.
    func fail(_ error: HTTPClientError) {
        resolve(.failure(error))
        inbox.fail(error)
        outbox.close()
    }

    /// Gives up: the connection is closed, unless the response is complete already.
    func abandon() {
        fail(.cancelled)
        onAbandon(self)
    }

    /// Waits for what comes first. A task that is cancelled abandons the exchange.
    func opening() async throws(HTTPClientError) -> Opening {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isResolved = state.withLock { state in
                    if state.opening != nil { return true }
                    state.waiter = continuation
                    return false
                }
                if isResolved { continuation.resume() }
            }
        } onCancel: {
            self.abandon()
        }
        guard let opening = state.withLock({ $0.opening }) else { throw .cancelled }
        return try opening.get()
    }

    private func resolve(_ result: Result<Opening, HTTPClientError>) {
        let waiter = state.withLock { state in
            if state.opening == nil { state.opening = result }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}

/// An exchange that its own mailboxes name without keeping it alive.
private final class WeakExchange: Sendable {
    private struct Reference {
        weak var exchange: ClientExchange?
    }

    private let reference = Mutex(Reference())

    var exchange: ClientExchange? {
        get { reference.withLock { $0.exchange } }
        set { reference.withLock { $0.exchange = newValue } }
    }
}
