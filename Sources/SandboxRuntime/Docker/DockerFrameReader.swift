/// Takes the two output streams of a process without a terminal apart again.
///
/// Pure and total. A frame is eight bytes, the stream's number (0 or 1 standard output, 2 standard error, 3 a
/// failure of the engine itself), three zeros, the length as 32 bits with the highest byte first, and then that
/// many bytes. Payload is handed on as it comes, so a frame of any length is held in no more memory than the
/// piece it arrived in.
/// - SeeAlso: Docker Engine API, "ContainerAttach", section "Stream format".
struct DockerFrameReader: Sendable {
    /// What one piece of the connection's bytes came to.
    enum Element: Sendable, Hashable {
        case output(ExecOutput)
        /// Text of the engine about its own failure; at most ``failureLimit`` bytes of it are kept.
        case engineFailure([UInt8])
    }

    /// Why bytes are not such a stream.
    enum Fault: Error, Sendable, Hashable {
        case unknownStream(UInt8)
        case nonZeroPadding
        /// The connection ended in the middle of a frame, so many bytes too early; a header counts with its own
        /// missing bytes alone.
        case endedInside(missingBytes: Int)
    }

    static let failureLimit = 1024

    private enum Stream { case stdout, stderr, failure }

    private var header: [UInt8] = []
    private var stream = Stream.stdout
    private var payloadLeft = 0
    private var failure: [UInt8] = []
    private var fault: Fault?

    /// Reads on.
    /// - Returns: What was complete enough to hand on, in order; never an empty output.
    /// - Throws: the first fault; every later call throws it again.
    mutating func read(_ bytes: ArraySlice<UInt8>) throws(Fault) -> [Element] {
        if let fault { throw fault }
        var elements: [Element] = []
        var rest = bytes
        while !rest.isEmpty {
            if payloadLeft > 0 {
                let piece = rest.prefix(payloadLeft)
                rest = rest.dropFirst(piece.count)
                payloadLeft -= piece.count
                take(piece, into: &elements)
                continue
            }
            let piece = rest.prefix(8 - header.count)
            header += piece
            rest = rest.dropFirst(piece.count)
            if header.count == 8 { try beginFrame() }
        }
        return elements
    }

    /// Tells the reader that the connection has ended.
    /// - Throws: `endedInside` when a frame is not complete.
    func end() throws(Fault) {
        if let fault { throw fault }
        if payloadLeft > 0 { throw .endedInside(missingBytes: payloadLeft) }
        if !header.isEmpty { throw .endedInside(missingBytes: 8 - header.count) }
    }

    private mutating func beginFrame() throws(Fault) {
        let head = header
        header.removeAll(keepingCapacity: true)
        switch head[0] {
        case 0, 1: stream = .stdout
        case 2: stream = .stderr
        case 3: stream = .failure
        default: throw keep(.unknownStream(head[0]))
        }
        guard head[1] == 0, head[2] == 0, head[3] == 0 else { throw keep(.nonZeroPadding) }
        payloadLeft = head[4...].reduce(0) { $0 << 8 | Int($1) }
        failure.removeAll()
    }

    private mutating func take(_ piece: ArraySlice<UInt8>, into elements: inout [Element]) {
        switch stream {
        case .stdout: elements.append(.output(ExecOutput(stream: .stdout, bytes: Array(piece))))
        case .stderr: elements.append(.output(ExecOutput(stream: .stderr, bytes: Array(piece))))
        case .failure:
            failure += piece.prefix(max(0, Self.failureLimit - failure.count))
            if payloadLeft == 0 { elements.append(.engineFailure(failure)) }
        }
    }

    private mutating func keep(_ fault: Fault) -> Fault {
        self.fault = fault
        return fault
    }
}
