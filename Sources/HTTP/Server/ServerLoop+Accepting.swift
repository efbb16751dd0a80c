internal import LinuxSystem
internal import Metrics

extension ServerLoop {
    /// Begins to listen.
    mutating func install(_ listeners: [ServerListener], in context: inout EventContext) {
        self.listeners = listeners
        restoreReserve()
        waitForConnections(true, in: &context)
    }

    /// Waits for connections, or leaves them in the kernel's queue for a while.
    mutating func waitForConnections(_ isOn: Bool, in context: inout EventContext) {
        for (index, listener) in listeners.enumerated() {
            let token = Self.listenerToken + UInt64(index)
            do throws(SystemError) {
                if isOn {
                    try context.poller.add(listener.socket.descriptor, [.readable, .exclusive], token: token)
                } else {
                    try context.poller.remove(listener.socket.descriptor)
                }
            } catch {
                // Added or removed already, which is what is wanted; or out of memory: try again soon.
                if isOn, error.errno != ErrorNumber.exists { retryAccepting(in: &context) }
            }
        }
    }

    /// Takes waiting connections, a bounded number at a time so that the others get their turn.
    mutating func accept(_ index: Int, in context: inout EventContext) {
        guard listeners.indices.contains(index) else { return }
        let listener = listeners[index]
        for _ in 0..<64 {
            do throws(SystemError) {
                guard let socket = try listener.socket.descriptor.accept() else { return }
                admit(socket, from: listener, in: &context)
            } catch {
                guard ErrorNumber.isDescriptorLimit(error.errno), turnAwayWithReserve(listener) else {
                    waitForConnections(false, in: &context)
                    retryAccepting(in: &context)
                    return
                }
            }
        }
    }

    private func retryAccepting(in context: inout EventContext) {
        context.addTimer(Self.acceptTimer, at: context.now.advanced(by: .milliseconds(100)))
    }

    private mutating func admit(
        _ socket: consuming Descriptor, from listener: ServerListener, in context: inout EventContext
    ) {
        let peer: HTTPPeer
        var client: InternetAddress?
        do throws(SystemError) {
            if listener.isUnix {
                let process = try socket.peerCredentials()
                peer = .unix(uid: process.uid, gid: process.gid, pid: process.pid)
            } else {
                // A client that is gone already has no address.
                guard case .internet(let address, _) = try socket.peerAddress() else { return }
                client = address.unmapped
                peer = .tcp(address: "\(address.unmapped)", isLoopback: address.isLoopback)
            }
        } catch {
            return
        }
        let refusal = shared.admission.enter(client)
        let token = table.reserve()
        let connection = ServerConnection(
            socket: socket, token: token, peer: peer, listener: listener.name, client: client,
            isAdmitted: refusal == nil, limits: configuration.limits, now: context.now)
        table[token] = connection
        if refusal == nil {
            _ = shared.connections.enter()
            shared.metrics.accepted.increment()
            shared.metrics.connections.increment()
        } else {
            turnedAway += 1
        }
        do throws(SystemError) {
            try context.poller.add(connection.socket, .readable, token: token)
        } catch {
            close(connection)
            return
        }
        if let refusal { turnAway(connection, refusal, now: context.now) }
        pump(connection, in: &context)
    }

    /// Answers a connection that is over a limit. Only so many are kept for the client to read the answer.
    private mutating func turnAway(
        _ connection: ServerConnection, _ refusal: Admission.Refusal, now: MonotonicInstant
    ) {
        shared.metrics.refused(refusal)
        let seconds = configuration.retryAfterSeconds
        let response =
            refusal == .client
            ? Problem.overload(
                .tooManyRequests, detail: "Too many connections from this address.",
                retryAfterSeconds: seconds)
            : Problem.overload(
                .serviceUnavailable, detail: "Too many connections.", retryAfterSeconds: seconds)
        refuse(connection, response, now: now)
        guard turnedAway > 64 else { return }
        // Best effort: what fits into the socket's buffer at once.
        _ = flush(connection, now: now)
        close(connection)
    }

    /// Accepts with the descriptor that was kept for this, and hangs up, so that clients do not wait in vain.
    /// - Returns: `false` when that is not possible either.
    private mutating func turnAwayWithReserve(_ listener: ServerListener) -> Bool {
        guard reserve != nil else { return false }
        reserve = nil
        do throws(SystemError) {
            let socket = try listener.socket.descriptor.accept()
            if socket != nil { shared.metrics.refused(.descriptors) }
        } catch {
            // Another thread took the descriptor.
            return false
        }
        restoreReserve()
        return reserve != nil
    }

    private mutating func restoreReserve() {
        guard reserve == nil, let listener = listeners.first else { return }
        do throws(SystemError) {
            reserve = try listener.socket.descriptor.duplicate()
        } catch {
            // Without a reserve the listeners rest for a while when descriptors run out.
            reserve = nil
        }
    }
}

/// The error numbers of Linux that decide something here.
enum ErrorNumber {
    static let exists: Int32 = 17
    static let tooManyInSystem: Int32 = 23
    static let tooManyInProcess: Int32 = 24
    static let addressInUse: Int32 = 98

    /// Whether no further descriptor can be had.
    static func isDescriptorLimit(_ number: Int32) -> Bool {
        number == tooManyInSystem || number == tooManyInProcess
    }
}
