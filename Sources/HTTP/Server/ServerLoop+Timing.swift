internal import LinuxSystem
internal import Metrics

extension ServerLoop {
    /// Most bytes that are read and thrown away while a connection is being closed.
    private static var mostLingeringBytes: Int { 4 << 20 }

    /// Says which events of the connection are waited for. In the common case that is nothing new.
    mutating func updateInterest(_ connection: ServerConnection, in context: inout EventContext) {
        var wanted = Interest(writes: !connection.output.isEmpty)
        if connection.phase == .lingering {
            guard connection.receivedInPhase < Self.mostLingeringBytes else {
                close(connection)
                return
            }
            wanted.reads = true
        } else if !connection.hasPeerClosed, !connection.closesAfterOutput,
            connection.input.count < inputLimit
        {
            wanted.reads = true
        }
        guard wanted != connection.interest else { return }
        do throws(SystemError) {
            try context.poller.modify(connection.socket, wanted.events, token: connection.token)
            connection.interest = wanted
        } catch {
            close(connection)
        }
    }

    /// Bytes beyond which a connection is not read: a whole head, and some pipelined requests behind one
    /// that is being answered.
    private var inputLimit: Int {
        configuration.limits.requestLineBytes + configuration.limits.headerBytes + 65_536
    }

    /// Makes sure that the connection is looked at when its deadline has come. Deadlines that move on cost
    /// nothing: the timer finds out when it comes due.
    mutating func updateTimer(_ connection: ServerConnection, in context: inout EventContext) {
        let deadline = connection.deadline(configuration.timeouts)
        guard deadline.nanoseconds < .max, table.needsTimer(connection.token, by: deadline) else { return }
        context.addTimer(table.timerToken(connection.token), at: deadline)
    }

    /// The deadline has passed.
    mutating func timeOut(_ connection: ServerConnection, now: MonotonicInstant) {
        let kind: TimeoutKind
        if connection.phase == .lingering {
            kind = .linger
        } else if connection.outputPace != nil {
            kind = .write
        } else {
            switch connection.phase {
            case .idle: kind = .idle
            case .head: kind = .header
            case .body: kind = .body
            case .handling, .streaming, .lingering: return
            }
        }
        shared.metrics.timedOut(kind)
        // A client that has begun a request is told; the others have nothing to be told about.
        let isTold = kind == .body || (kind == .header && !connection.input.isEmpty)
        guard isTold else {
            close(connection)
            return
        }
        let detail =
            kind == .body ? "The body did not arrive in time." : "The request did not arrive in time."
        refuse(
            connection, Problem.response(.requestTimeout, code: "timeout", detail: detail), now: now)
    }
}
