internal import LinuxSystem
internal import Synchronization

/// Counts connections over all loops, in total and for each TCP address.
final class Admission: Sendable {
    /// Why a connection is turned away. Raw values are labels of `sandwarden_http_refused_connections_total`.
    enum Refusal: String, CaseIterable {
        case total
        case client
        case descriptors
    }

    private struct State {
        var total = 0
        var byClient: [InternetAddress: Int] = [:]
    }

    private let limit: Int
    private let limitPerClient: Int
    private let state = Mutex(State())

    init(limit: Int, limitPerClient: Int) {
        self.limit = limit
        self.limitPerClient = limitPerClient
    }

    /// Counts one connection in, or says why not.
    /// - Parameter client: `nil` for unix sockets, which count in the total alone.
    func enter(_ client: InternetAddress?) -> Refusal? {
        state.withLock { state in
            guard state.total < limit else { return .total }
            if let client {
                guard state.byClient[client, default: 0] < limitPerClient else { return .client }
                state.byClient[client, default: 0] += 1
            }
            state.total += 1
            return nil
        }
    }

    /// Counts one connection out.
    func leave(_ client: InternetAddress?) {
        state.withLock { state in
            state.total -= 1
            guard let client, let count = state.byClient[client] else { return }
            state.byClient[client] = count > 1 ? count - 1 : nil
        }
    }
}
