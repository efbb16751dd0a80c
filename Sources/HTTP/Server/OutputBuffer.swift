internal import LinuxSystem

/// Bytes that wait to be sent on one connection.
///
/// Heads and small bodies are put together in one array, so that a reply is one call; a large body is sent
/// from where it lies, behind them.
struct OutputBuffer {
    private var bytes: [UInt8] = []
    private var tail: [UInt8] = []
    private var sent = 0

    /// Bodies of at least this size are not copied.
    private static let largeBytes = 16_384

    /// An empty buffer.
    init() {}

    /// How many bytes wait.
    var count: Int { bytes.count + tail.count - sent }

    /// Whether none wait.
    var isEmpty: Bool { count == 0 }

    /// Lets `write` append to what waits.
    mutating func append(_ write: (inout [UInt8]) -> Void) {
        if !tail.isEmpty {
            bytes += tail
            tail = []
        }
        write(&bytes)
    }

    /// Appends a body.
    mutating func append(body: [UInt8]) {
        guard body.count >= Self.largeBytes, tail.isEmpty else {
            append { $0 += body }
            return
        }
        tail = body
    }

    /// Sends as much as the socket takes at once.
    /// - Returns: How many bytes were sent; fewer than waited when the socket is full.
    mutating func send(on socket: borrowing Descriptor) throws(SystemError) -> Int {
        let start = sent
        while !isEmpty {
            let transfer: Transfer
            if sent < bytes.count {
                let head = bytes[sent...]
                transfer = tail.isEmpty ? try socket.send(head.span) : try socket.send(head.span, tail.span)
            } else {
                let rest = tail[(sent - bytes.count)...]
                transfer = try socket.send(rest.span)
            }
            guard case .bytes(let count) = transfer else { break }
            sent += count
        }
        defer { if isEmpty { reset() } }
        return sent - start
    }

    /// Gives up what waits.
    mutating func discard() {
        reset()
    }

    /// Whether there is memory to give back to the loop.
    var hasCapacity: Bool { bytes.capacity > 0 }

    private mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        tail = []
        sent = 0
    }
}
