internal import CZlib
internal import LinuxSystem

/// One block of a compressed segment: a gzip member of its own that holds whole lines.
///
/// A file of such members is an ordinary gzip file, and any member can be read without those before it.
/// - SeeAlso: RFC 1952, section 2.2.
struct GzipBlock: Sendable {
    let bytes: [UInt8]
    /// Where the next member begins.
    let end: Int64

    /// A block is closed at the first line that makes it this long.
    static let wantedBytes = 256 * 1024
    /// The longest content that is read; the longest that is written is `wantedBytes` and one line.
    static let limitBytes = 2 << 20

    /// The ten bytes that every member of ours begins with: no name, no time, made on Unix.
    static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]

    /// Compresses one block.
    static func deflate(_ bytes: [UInt8]) throws(JournalError) -> [UInt8] {
        let zlib = try ZlibStream(.deflate)
        return try zlib.deflateAll(bytes)
    }

    /// Reads the member that begins at an offset.
    /// - Returns: `nil` at the end of the file.
    /// - Throws: `damaged` when it is not whole, its checksum is wrong or it is longer than the format
    ///   allows.
    static func inflate(_ file: any JournalFile, at offset: Int64) throws(JournalError) -> GzipBlock? {
        let zlib = try ZlibStream(.inflate)
        var position = offset
        var output: [UInt8] = []
        while true {
            let input: [UInt8]
            do throws(SystemError) {
                input = try file.readAll(at: position, count: 64 * 1024)
            } catch {
                throw JournalError(error)
            }
            if input.isEmpty {
                if position == offset { return nil }
                throw JournalError(.damaged, operation: "inflate", detail: "the member at \(offset) is cut")
            }
            if position == offset, !input.starts(with: header) {
                throw JournalError(
                    .damaged, operation: "inflate", detail: "no member of the journal's begins at \(offset)")
            }
            let step = try zlib.inflate(input, into: &output, limit: limitBytes)
            position += Int64(step.consumed)
            if step.isAtEnd { return GzipBlock(bytes: output, end: position) }
        }
    }
}

/// zlib's state at an address that does not change, because zlib keeps pointers to it.
@safe
private struct ZlibStream: ~Copyable {
    enum Direction { case inflate, deflate }

    private let direction: Direction
    private let state: UnsafeMutablePointer<z_stream>

    init(_ direction: Direction) throws(JournalError) {
        self.direction = direction
        // SAFETY: allocated and initialized here, freed in deinit, never handed out.
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: z_stream())
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        // Window bits 15, and 16 more for the gzip form.
        let status =
            direction == .inflate
            ? unsafe inflateInit2_(state, 31, ZLIB_VERSION, size)
            : unsafe deflateInit2_(state, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
        guard status == Z_OK else {
            throw JournalError(.io, operation: "zlib", detail: "no memory for a stream")
        }
    }

    deinit {
        // SAFETY: zlib accepts the end of a stream whose beginning failed.
        _ = direction == .inflate ? unsafe inflateEnd(state) : unsafe deflateEnd(state)
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    func deflateAll(_ bytes: [UInt8]) throws(JournalError) -> [UInt8] {
        // SAFETY: both buffers live during the call and their own counts bound what zlib touches.
        let bound = unsafe Int(deflateBound(state, UInt(bytes.count)))
        var output = [UInt8](repeating: 0, count: bound)
        var input = bytes
        let room = output.count
        let status = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { place in
                unsafe state.pointee.next_in = source.baseAddress
                unsafe state.pointee.avail_in = UInt32(source.count)
                unsafe state.pointee.next_out = place.baseAddress
                unsafe state.pointee.avail_out = UInt32(room)
                return unsafe CZlib.deflate(state, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else {
            throw JournalError(.io, operation: "deflate", detail: "zlib answered \(status)")
        }
        output.removeLast(unsafe Int(state.pointee.avail_out))
        return output
    }

    /// Inflates as much of `bytes` as belongs to the member.
    func inflate(
        _ bytes: [UInt8], into output: inout [UInt8], limit: Int
    ) throws(JournalError) -> (consumed: Int, isAtEnd: Bool) {
        var input = bytes
        var piece = [UInt8](repeating: 0, count: 128 * 1024)
        var consumed = 0
        while true {
            let done = consumed
            // SAFETY: as in `deflateAll`; the input is taken from `done` on, which never exceeds its count.
            let (status, used, made) = unsafe input.withUnsafeMutableBufferPointer { source in
                unsafe piece.withUnsafeMutableBufferPointer { place in
                    unsafe state.pointee.next_in = source.baseAddress.map { unsafe $0 + done }
                    unsafe state.pointee.avail_in = UInt32(source.count - done)
                    unsafe state.pointee.next_out = place.baseAddress
                    unsafe state.pointee.avail_out = UInt32(place.count)
                    let status = unsafe CZlib.inflate(state, Z_NO_FLUSH)
                    return unsafe (
                        status, source.count - done - Int(state.pointee.avail_in),
                        place.count - Int(state.pointee.avail_out)
                    )
                }
            }
            consumed += used
            output += piece[..<made]
            guard output.count <= limit else {
                throw JournalError(
                    .damaged, operation: "inflate", detail: "a member is longer than \(limit) bytes")
            }
            if status == Z_STREAM_END { return (consumed, true) }
            guard status == Z_OK || status == Z_BUF_ERROR else {
                throw JournalError(.damaged, operation: "inflate", detail: "zlib answered \(status)")
            }
            if consumed == input.count, made < piece.count { return (consumed, false) }
        }
    }
}
