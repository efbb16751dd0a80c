internal import LinuxSystem

extension ClientLoop {
    /// Receives once and hands on what came.
    mutating func receive(_ connection: ClientConnection, in context: inout EventContext) {
        var buffer: [UInt8] = []
        swap(&buffer, &scratch)
        defer { swap(&buffer, &scratch) }
        let transfer: Transfer
        do throws(SystemError) {
            var place = buffer.mutableSpan
            transfer = try connection.socket.descriptor.receive(into: &place)
        } catch {
            fail(connection, HTTPClientError(.closed, error))
            return
        }
        switch transfer {
        case .wouldBlock:
            break
        case .endOfStream:
            connection.hasPeerClosed = true
            finishInput(connection, now: context.now)
        case .bytes(let count):
            guard connection.exchange != nil else {
                // A server that speaks unasked cannot be trusted to answer the next request.
                fail(connection, .ended)
                return
            }
            connection.hasReceived = true
            connection.input.append(copying: buffer.span.extracting(0..<count))
            readOn(connection, now: context.now)
        }
    }

    /// Reads what waits in the connection's buffer, until bytes or room are missing.
    mutating func readOn(_ connection: ClientConnection, now: MonotonicInstant) {
        var input: [UInt8] = []
        swap(&input, &connection.input)
        var position = 0
        var isComplete = false
        while !connection.isClosed, !connection.isPaused, !connection.isRaw, !isComplete {
            let bytes = input.span
            let rest = bytes.extracting(position..<bytes.count)
            switch connection.reader.advance(over: rest) {
            case .needMore:
                connection.input = Array(input[position...])
                return
            case .head(let end):
                position += end
                takeHead(connection)
            case .framing(let end):
                position += end
            case .body(let range):
                deliver(connection, rest.extracting(range))
                position += range.upperBound
            case .end(let end):
                position += end
                isComplete = true
            case .reject(let rejection):
                fail(connection, HTTPClientError(rejection))
            }
        }
        guard !connection.isClosed else { return }
        if isComplete {
            conclude(connection, hasMore: position < input.count, now: now)
        } else if connection.isRaw, !connection.isPaused {
            let bytes = input.span
            if position < bytes.count { deliver(connection, bytes.extracting(position..<bytes.count)) }
        } else {
            connection.input = Array(input[position...])
        }
    }

    private func deliver(_ connection: ClientConnection, _ bytes: Span<UInt8>) {
        guard let exchange = connection.exchange else { return }
        if !exchange.inbox.deliver(bytes) { connection.isPaused = true }
    }

    /// The head of the response has been read.
    private mutating func takeHead(_ connection: ClientConnection) {
        guard let exchange = connection.exchange else { return }
        let head = connection.reader.head
        if exchange.mode == .upgrade {
            // Container engines switch with 101, or with a plain 200 whose body has no length.
            let isSwitched = head.status.code / 100 == 2 && head.framing == .untilClose
            if head.framing == .upgrade || isSwitched {
                connection.isRaw = true
                connection.deadline = MonotonicInstant(nanoseconds: .max)
                exchange.open(.raw(head))
                return
            }
        }
        guard head.framing != .upgrade else {
            fail(
                connection,
                HTTPClientError(.malformed, operation: "receive", detail: "unasked switch of protocols"))
            return
        }
        if exchange.mode == .stream { connection.deadline = MonotonicInstant(nanoseconds: .max) }
        exchange.open(.response(head))
    }

    /// The response is complete.
    private mutating func conclude(_ connection: ClientConnection, hasMore: Bool, now: MonotonicInstant) {
        connection.exchange?.inbox.finish()
        connection.exchange = nil
        connection.isPaused = false
        let isReusable =
            connection.reader.head.keepsAlive && connection.output.isEmpty && !hasMore
            && !connection.hasPeerClosed
        guard isReusable, pool.keep(connection.token, limit: configuration.maxIdleConnections) else {
            fail(connection, .ended)
            return
        }
        connection.deadline = now.advanced(by: configuration.idleTimeout)
    }

    /// The other side sends no more.
    private mutating func finishInput(_ connection: ClientConnection, now: MonotonicInstant) {
        guard let exchange = connection.exchange else {
            fail(connection, .ended)
            return
        }
        if connection.isRaw {
            exchange.inbox.finish()
            return
        }
        switch connection.reader.finish() {
        case .end: conclude(connection, hasMore: false, now: now)
        case .reject(let rejection): fail(connection, HTTPClientError(rejection))
        case .needMore, .head, .body, .framing: fail(connection, .ended)
        }
    }

    /// Sends what can be sent, and says what to wait for.
    mutating func pump(_ connection: ClientConnection, in context: inout EventContext) {
        while !connection.isClosed {
            do throws(SystemError) {
                _ = try connection.output.send(on: connection.socket.descriptor)
            } catch {
                // The other side may have answered before it hung up; the reader finds out.
                connection.output.discard()
                if connection.isRaw { connection.exchange?.outbox.close() }
                break
            }
            guard connection.output.isEmpty, connection.isRaw, pull(connection) else { break }
        }
        guard !connection.isClosed else { return }
        if connection.isRaw, connection.hasPeerClosed, connection.hasFinishedWriting {
            fail(connection, .ended)
            return
        }
        updateInterest(connection, in: &context)
        if !connection.isClosed { updateTimer(connection, in: &context) }
    }

    /// Moves what has been written to a raw connection to the output.
    /// - Returns: Whether there is something to send.
    private func pull(_ connection: ClientConnection) -> Bool {
        guard let exchange = connection.exchange, !connection.hasFinishedWriting else { return false }
        let delivery = exchange.outbox.take()
        connection.output.append(body: delivery.bytes)
        guard delivery.bytes.isEmpty, delivery.ending != .open else { return !delivery.bytes.isEmpty }
        connection.hasFinishedWriting = true
        do throws(SystemError) {
            try connection.socket.descriptor.shutdown(.writing)
        } catch {
            // The connection is broken, which reading from it will tell.
        }
        return false
    }

    private mutating func updateInterest(_ connection: ClientConnection, in context: inout EventContext) {
        let wanted = Interest(
            reads: !connection.isPaused && !connection.hasPeerClosed, writes: !connection.output.isEmpty)
        // A socket whose other side is gone is always ready: one that is waited for in no way must leave
        // the set.
        let next: Interest? = wanted == Interest() ? nil : wanted
        guard next != connection.interest else { return }
        do throws(SystemError) {
            let socket = connection.socket
            if let next, connection.interest == nil {
                try context.poller.add(socket.descriptor, next.events, token: connection.token)
            } else if let next {
                try context.poller.modify(socket.descriptor, next.events, token: connection.token)
            } else {
                try context.poller.remove(socket.descriptor)
            }
            connection.interest = next
        } catch {
            fail(connection, HTTPClientError(.closed, error))
        }
    }

    /// Makes sure that the connection is looked at when its deadline has come.
    mutating func updateTimer(_ connection: ClientConnection, in context: inout EventContext) {
        guard connection.deadline.nanoseconds < .max,
            table.needsTimer(connection.token, by: connection.deadline)
        else { return }
        context.addTimer(table.timerToken(connection.token), at: connection.deadline)
    }
}
