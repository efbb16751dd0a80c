internal import LinuxSystem
internal import Metrics

extension ServerLoop {
    /// Receives once and reads what came.
    mutating func receive(_ connection: ServerConnection, in context: inout EventContext) {
        var buffer: [UInt8] = []
        swap(&buffer, &scratch)
        defer { swap(&buffer, &scratch) }
        let transfer: Transfer
        do throws(SystemError) {
            var place = buffer.mutableSpan
            transfer = try connection.socket.receive(into: &place)
        } catch {
            close(connection)
            return
        }
        switch transfer {
        case .wouldBlock:
            return
        case .endOfStream:
            connection.hasPeerClosed = true
        case .bytes(let count):
            shared.metrics.received.increment(by: UInt64(count))
            connection.received(count, at: context.now, configuration.timeouts)
            guard connection.phase != .lingering else { return }
            lendOutput(to: connection)
            let bytes = buffer.span.extracting(0..<count)
            if connection.input.isEmpty {
                let taken = process(connection, bytes, now: context.now)
                connection.input.append(copying: bytes.extracting(taken..<count))
            } else {
                connection.input.append(copying: bytes)
                _ = processInput(connection, now: context.now)
            }
        }
    }

    /// Reads what waits in the connection's own buffer.
    /// - Returns: Whether anything came of it.
    mutating func processInput(_ connection: ServerConnection, now: MonotonicInstant) -> Bool {
        var input: [UInt8] = []
        swap(&input, &connection.input)
        let taken = process(connection, input.span, now: now)
        if taken == input.count {
            // Large buffers are not kept: most connections never need one again.
            if input.capacity <= 4096 {
                input.removeAll(keepingCapacity: true)
                connection.input = input
            }
        } else {
            input.removeFirst(taken)
            connection.input = input
        }
        return taken > 0 || !connection.output.isEmpty
    }

    /// Reads requests and answers them, until bytes or answers are missing or the client takes no more
    /// replies.
    /// - Returns: How many bytes are done with.
    private mutating func process(
        _ connection: ServerConnection, _ bytes: Span<UInt8>, now: MonotonicInstant
    ) -> Int {
        var position = 0
        while connection.exchange == nil, !connection.closesAfterOutput,
            connection.output.count < configuration.outputBufferBytes
        {
            let rest = bytes.extracting(position..<bytes.count)
            switch connection.reader.advance(over: rest) {
            case .needMore:
                wait(connection, hasBytes: rest.count > 0, now: now)
                return position
            case .head(let end):
                position += end
                begin(connection, now: now)
            case .framing(let end):
                position += end
            case .body(let range):
                position += range.upperBound
                if reserve(connection, range.count, now: now) {
                    connection.body.append(copying: rest.extracting(range))
                }
            case .end(let end):
                position += end
                dispatch(connection, now: now)
            case .reject(let rejection):
                shared.metrics.rejected(rejection.reason)
                refuse(connection, Problem.response(for: rejection), now: now)
            }
        }
        // What follows the last request of a connection is nobody's.
        return connection.closesAfterOutput ? bytes.count : position
    }

    /// Makes room for bytes of a body, or refuses the request.
    private mutating func reserve(
        _ connection: ServerConnection, _ count: Int, now: MonotonicInstant
    ) -> Bool {
        guard shared.reserveBody(count) else {
            shared.metrics.shed.increment()
            refuse(connection, overload("Too many request bodies are in memory."), now: now)
            return false
        }
        connection.reservedBody += count
        return true
    }

    private func overload(_ detail: String) -> HTTPResponse {
        Problem.overload(
            .serviceUnavailable, detail: detail, retryAfterSeconds: configuration.retryAfterSeconds)
    }

    /// Nothing more can be read before bytes arrive.
    private func wait(_ connection: ServerConnection, hasBytes: Bool, now: MonotonicInstant) {
        if connection.awaitsContinue, connection.body.isEmpty {
            connection.output.append { $0.append("HTTP/1.1 100 Continue\r\n\r\n") }
            connection.awaitsContinue = false
        }
        if connection.phase == .idle, hasBytes { connection.enter(.head, at: now, configuration.timeouts) }
    }

    /// A head has been read: decides whether its body is wanted.
    private mutating func begin(_ connection: ServerConnection, now: MonotonicInstant) {
        guard connection.reader.head.hasBody else { return }
        connection.enter(.body, at: now, configuration.timeouts)
        let head = connection.reader.head
        let codings = head.headers.values("content-encoding")
        let isGzip = codings.count == 1 && ["gzip", "x-gzip"].contains(codings[0].lowercased())
        let isPlain = codings.isEmpty || (codings.count == 1 && codings[0].lowercased() == "identity")
        guard isGzip || isPlain else {
            shared.metrics.rejected(.contentEncoding)
            let rejection = HTTPRejection(.unsupportedMediaType, .contentEncoding)
            var response = Problem.response(for: rejection)
            response.headers.add("Accept-Encoding", "gzip")
            refuse(connection, response, now: now)
            return
        }
        if let refusal = shared.handler.refusal(of: head, from: connection.peer) {
            refuse(connection, refusal, now: now)
            return
        }
        connection.bodyIsGzip = isGzip
        connection.bodyLimit = max(0, shared.handler.bodyLimit(for: head))
        connection.reader.bodyLimit = connection.bodyLimit
        connection.awaitsContinue = head.expectsContinue
    }

    /// A request is complete: lets the handler answer it.
    private mutating func dispatch(_ connection: ServerConnection, now: MonotonicInstant) {
        let head = connection.reader.head
        var body: [UInt8] = []
        swap(&body, &connection.body)
        connection.awaitsContinue = false
        if connection.bodyIsGzip, head.hasBody {
            connection.bodyIsGzip = false
            do throws(Gzip.Fault) {
                let packed = body.count
                body = try Gzip.decompress(body, limit: connection.bodyLimit)
                guard reserve(connection, max(0, body.count - packed), now: now) else { return }
            } catch {
                let isTooLarge = error == .tooLarge
                let rejection = HTTPRejection(
                    isTooLarge ? .contentTooLarge : .badRequest, isTooLarge ? .bodyTooLarge : .contentEncoding
                )
                shared.metrics.rejected(rejection.reason)
                refuse(connection, Problem.response(for: rejection), now: now)
                return
            }
        }
        connection.exchange = ServerConnection.Exchange(
            method: head.method, minorVersion: head.minorVersion, keepsAlive: head.keepsAlive && !isDraining,
            started: now)
        let request = HTTPRequest(
            head: head, body: body, trailers: connection.reader.trailers, peer: connection.peer,
            listener: connection.listener, number: shared.nextRequestNumber())
        switch shared.handler.respond(to: request) {
        case .now(let response):
            answer(connection, request, response, now: now)
        case .later(let work):
            startTask(connection, request, now: now, work)
        }
    }

    private mutating func answer(
        _ connection: ServerConnection, _ request: HTTPRequest, _ response: HTTPResponse,
        now: MonotonicInstant
    ) {
        let minimum = configuration.gzipMinimumBytes
        guard ResponseCompression.isCandidate(response, minimumBytes: minimum) else {
            finish(connection, response, now: now)
            return
        }
        let acceptsGzip = ContentCoding.acceptsGzip(request.headers)
        // Compressing more than this would keep the loop's other connections waiting.
        if acceptsGzip, case .bytes(let bytes) = response.body, bytes.count > 32_768 {
            startTask(connection, request, now: now) { response }
            return
        }
        finish(connection, ResponseCompression.apply(to: response, acceptsGzip: acceptsGzip), now: now)
    }

    /// Lets a task make the answer, if there are not too many.
    private mutating func startTask(
        _ connection: ServerConnection, _ request: HTTPRequest, now: MonotonicInstant,
        _ work: @escaping @Sendable () async -> HTTPResponse
    ) {
        guard shared.tasks.enter(limit: configuration.maxPendingRequests) else {
            shared.metrics.shed.increment()
            finish(connection, overload("Too many requests are being answered."), now: now)
            return
        }
        shared.metrics.pending.increment()
        connection.enter(.handling, at: now, configuration.timeouts)
        let token = connection.token
        let index = self.index
        let minimum = configuration.gzipMinimumBytes
        let headers = request.headers
        connection.exchange?.task = Task { [shared] in
            var response = await work()
            if ResponseCompression.isCandidate(response, minimumBytes: minimum) {
                response = ResponseCompression.apply(
                    to: response, acceptsGzip: ContentCoding.acceptsGzip(headers))
            }
            let answer = response
            // When the loop is ending, the connection has been closed or is about to be.
            _ = shared.post(to: index) { loop, context in loop.complete(token, answer, in: &context) }
            shared.metrics.pending.decrement()
            shared.tasks.leave()
        }
    }

    /// A task has made its answer; its connection may be gone.
    private mutating func complete(
        _ token: UInt64, _ response: HTTPResponse, in context: inout EventContext
    ) {
        guard let connection = table[token], connection.phase == .handling else { return }
        lendOutput(to: connection)
        finish(connection, response, now: context.now)
        pump(connection, in: &context)
    }
}
