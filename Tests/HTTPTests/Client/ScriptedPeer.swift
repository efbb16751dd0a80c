import LinuxSystem
import Synchronization
import Testing

@testable import HTTP

/// A server that does exactly what its script says, to each connection, however wrong that is.
final class ScriptedPeer: Sendable {
    let path = "/tmp/sandwarden-peer-\(UInt64.random(in: 0 ... .max)).sock"
    private let listener: SharedDescriptor
    private let accepting = Mutex<Task<Void, any Error>?>(nil)
    private let accepted = Atomic<Int>(0)

    /// - Parameter script: Called with each connection and its number, from 0; when it returns, the
    ///   connection is closed.
    init(_ script: @escaping @Sendable (RawClient, Int) async throws -> Void) throws {
        let address = try #require(SocketAddress("unix:\(path)"))
        let listener = SharedDescriptor(try Socket.listen(on: address))
        self.listener = listener
        let accepted = { [weak self] in (self?.accepted.wrappingAdd(1, ordering: .relaxed).oldValue) ?? 0 }
        let task = Task {
            try await withThrowingDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    guard let socket = try await Self.accept(listener) else { continue }
                    let number = accepted()
                    group.addTask {
                        do {
                            try await script(RawClient(socket), number)
                        } catch is SystemError {
                            // The client has gone; that is its right.
                        }
                    }
                }
            }
        }
        accepting.withLock { $0 = task }
    }

    deinit {
        accepting.withLock { $0?.cancel() }
        do { try HostFiles.remove(RawPath(path)) } catch { Issue.record(error) }
    }

    /// Connections that have been made so far.
    var connectionCount: Int { accepted.load(ordering: .relaxed) }

    var address: SocketAddress { .unix(path: path) }

    private static func accept(_ listener: SharedDescriptor) async throws -> SharedDescriptor? {
        try await Blocking.run(on: RawClient.queue) { () throws(SystemError) -> SharedDescriptor? in
            let limit = MonotonicInstant.now().advanced(by: .milliseconds(50))
            guard try listener.descriptor.waitReadable(until: limit) else { return nil }
            guard let socket = try listener.descriptor.accept() else { return nil }
            return SharedDescriptor(socket)
        }
    }
}

extension RawClient {
    /// Reads one request; `nil` when the client ends the connection instead.
    func request() async throws -> Transcript.Message? {
        var bytes: [UInt8] = []
        while true {
            let transcript = Transcript(of: [bytes[...]])
            if let message = transcript.messages.first, message.isComplete { return message }
            let more = try await receive()
            if more.isEmpty { return nil }
            bytes += more
        }
    }
}
