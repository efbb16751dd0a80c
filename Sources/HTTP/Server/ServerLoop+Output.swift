internal import LinuxSystem
internal import Metrics

extension ServerLoop {
    /// Sends a reply without asking for more, and ends the connection after it.
    mutating func refuse(_ connection: ServerConnection, _ response: HTTPResponse, now: MonotonicInstant) {
        date.refresh(now: now)
        let dateLine = date.line
        var bytes: [UInt8] = []
        if case .bytes(let body) = response.body { bytes = body }
        connection.output.append { output in
            ResponseEncoder.appendHead(
                to: &output, status: response.status, headers: response.headers, dateLine: dateLine,
                framing: .length(bytes.count), keepsAlive: false, minorVersion: 1)
            output += bytes
        }
        connection.exchange?.task?.cancel()
        connection.exchange = nil
        connection.input = []
        connection.body = []
        releaseBody(of: connection)
        connection.closesAfterOutput = true
    }

    /// Sends the reply to the present request, or begins to stream it.
    mutating func finish(_ connection: ServerConnection, _ response: HTTPResponse, now: MonotonicInstant) {
        guard var exchange = connection.exchange else { return }
        // An interim status is not an answer.
        exchange.status = response.status.code < 200 ? .internalServerError : response.status
        exchange.task = nil
        let hasNoBody = exchange.method == .head || exchange.status.isBodiless
        var keepsAlive = exchange.keepsAlive && !isDraining
        date.refresh(now: now)
        let framing: ResponseEncoder.Framing
        switch response.body {
        case .bytes(let bytes):
            framing = exchange.status.isBodiless ? .none : .length(bytes.count)
        case .stream:
            exchange.isChunked = exchange.minorVersion >= 1
            framing = exchange.status.isBodiless ? .none : exchange.isChunked ? .chunked : .untilClose
            keepsAlive = keepsAlive && exchange.isChunked
        }
        let dateLine = date.line
        let status = exchange.status
        let minorVersion = exchange.minorVersion
        connection.output.append { output in
            ResponseEncoder.appendHead(
                to: &output, status: status, headers: response.headers, dateLine: dateLine, framing: framing,
                keepsAlive: keepsAlive, minorVersion: minorVersion)
        }
        if !keepsAlive { connection.closesAfterOutput = true }
        connection.exchange = exchange
        switch response.body {
        case .bytes(let bytes):
            if !hasNoBody { connection.output.append(body: bytes) }
            conclude(connection, now: now)
        case .stream(let stream):
            if hasNoBody {
                conclude(connection, now: now)
            } else {
                connection.enter(.streaming, at: now, configuration.timeouts)
                produce(connection, stream)
            }
        }
    }

    /// The present request has been answered.
    private func conclude(_ connection: ServerConnection, now: MonotonicInstant) {
        guard let exchange = connection.exchange else { return }
        connection.exchange = nil
        releaseBody(of: connection)
        shared.metrics.answered(
            exchange.method, exchange.status, after: exchange.started.duration(to: .now()))
        connection.enter(.idle, at: now, configuration.timeouts)
    }

    private func produce(_ connection: ServerConnection, _ stream: HTTPBodyStream) {
        let token = connection.token
        let index = self.index
        let outbox = ByteOutbox(limit: configuration.streamBufferBytes) { [shared] in
            shared.post(to: index) { loop, context in
                guard let connection = loop.table[token] else { return }
                loop.lendOutput(to: connection)
                loop.pump(connection, in: &context)
            }
        }
        connection.exchange?.outbox = outbox
        _ = shared.tasks.enter()
        connection.exchange?.task = Task { [shared] in
            do {
                try await stream.produce(HTTPBodyWriter(outbox: outbox))
                outbox.finish()
            } catch {
                // Whatever the reason, the client must see that the body is not complete.
                outbox.finish(.failed)
            }
            shared.tasks.leave()
        }
    }

    /// Moves what the producer has written to the output.
    /// - Returns: Whether there is something to send, or the stream has ended.
    private func pull(_ connection: ServerConnection, now: MonotonicInstant) -> Bool {
        guard let exchange = connection.exchange, let outbox = exchange.outbox else { return false }
        let delivery = outbox.take()
        if exchange.isChunked {
            connection.output.append { ResponseEncoder.appendChunk(delivery.bytes, to: &$0) }
        } else {
            connection.output.append(body: delivery.bytes)
        }
        switch delivery.ending {
        case .open:
            return !delivery.bytes.isEmpty
        case .finished:
            if exchange.isChunked {
                connection.output.append {
                    ResponseEncoder.appendLastChunk(trailers: delivery.trailers, to: &$0)
                }
            }
        case .failed:
            connection.closesAfterOutput = true
        }
        conclude(connection, now: now)
        return true
    }

    /// Does whatever can be done for a connection without waiting: sends, fetches what is to be sent, reads
    /// what was left unread, closes. Then says what to wait for.
    mutating func pump(_ connection: ServerConnection, in context: inout EventContext) {
        while flush(connection, now: context.now) {
            if connection.phase == .streaming {
                guard pull(connection, now: context.now) else { break }
            } else if connection.closesAfterOutput {
                startClosing(connection, now: context.now)
                break
            } else if connection.exchange == nil, !connection.input.isEmpty {
                guard processInput(connection, now: context.now) else { break }
            } else {
                break
            }
        }
        guard !connection.isClosed else { return }
        // The client has said its last word, and so have we.
        if connection.hasPeerClosed, connection.exchange == nil, connection.output.isEmpty {
            close(connection)
            return
        }
        reclaimOutput(from: connection)
        updateInterest(connection, in: &context)
        if !connection.isClosed { updateTimer(connection, in: &context) }
    }

    /// Sends what waits.
    /// - Returns: Whether nothing waits any more; `false` also when the connection broke and was closed.
    mutating func flush(_ connection: ServerConnection, now: MonotonicInstant) -> Bool {
        guard !connection.isClosed else { return false }
        guard !connection.output.isEmpty else { return true }
        let sent: Int
        do throws(SystemError) {
            sent = try connection.output.send(on: connection.socket)
        } catch {
            close(connection)
            return false
        }
        shared.metrics.sent.increment(by: UInt64(sent))
        connection.sent(sent, at: now, configuration.timeouts)
        return connection.output.isEmpty
    }

    /// Says that nothing more will be sent, and reads on for a while: closing with unread bytes would make
    /// the kernel reset the connection, and the client might never see the last reply.
    private mutating func startClosing(_ connection: ServerConnection, now: MonotonicInstant) {
        guard connection.phase != .lingering else { return }
        guard !connection.hasPeerClosed else {
            close(connection)
            return
        }
        do throws(SystemError) {
            try connection.socket.shutdown(.writing)
            connection.input = []
            connection.enter(.lingering, at: now, configuration.timeouts)
        } catch {
            close(connection)
        }
    }

    /// Lends the loop's buffer, so that an idle connection needs none of its own.
    mutating func lendOutput(to connection: ServerConnection) {
        if connection.output.isEmpty, !connection.output.hasCapacity { swap(&connection.output, &spare) }
    }

    private mutating func reclaimOutput(from connection: ServerConnection) {
        guard connection.output.isEmpty, connection.output.hasCapacity else { return }
        if spare.hasCapacity {
            connection.output = OutputBuffer()
        } else {
            swap(&connection.output, &spare)
        }
    }
}
