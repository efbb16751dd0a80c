internal import CZlib

/// gzip, by zlib, in memory.
///
/// - SeeAlso: RFC 1952; zlib's manual, `deflateInit2`, `inflateInit2`.
enum Gzip {
    /// Why bytes could not be decompressed.
    enum Fault: Error {
        /// They are no complete gzip stream.
        case malformed
        /// They are more than the limit when decompressed.
        case tooLarge
    }

    /// 15 bits of window, and 16 for the gzip wrapper.
    private static let gzipWindow: Int32 = 15 + 16

    /// Compresses.
    /// - Returns: One gzip member, or `nil` when zlib has no memory or the result would not be smaller.
    static func compress(_ bytes: [UInt8], level: Int32 = 5) -> [UInt8]? {
        var stream = unsafe z_stream()
        // SAFETY: zlib keeps a pointer to the stream, which stays in place: `withStream` works on one
        // variable.
        return unsafe withUnsafeMutablePointer(to: &stream) { stream in
            let size = unsafe Int32(MemoryLayout<z_stream>.size)
            let status = unsafe deflateInit2_(
                stream, level, Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
            guard status == Z_OK else { return nil }
            defer { _ = unsafe deflateEnd(stream) }
            var output = [UInt8](repeating: 0, count: bytes.count)
            // SAFETY: both buffers outlive the call and their counts bound what zlib reads and writes; zlib's
            // interface is not const-correct, it does not write through next_in.
            let written: Int? = unsafe bytes.withUnsafeBufferPointer { input in
                unsafe output.withUnsafeMutableBufferPointer { place in
                    unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                    unsafe stream.pointee.avail_in = UInt32(clamping: input.count)
                    unsafe stream.pointee.next_out = place.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(clamping: place.count)
                    let status = unsafe deflate(stream, Z_FINISH)
                    return status == Z_STREAM_END ? place.count - Int(unsafe stream.pointee.avail_out) : nil
                }
            }
            guard let written else { return nil }
            output.removeLast(output.count - written)
            return output
        }
    }

    /// Decompresses one gzip stream, which may have several members.
    /// - Parameter limit: Most bytes of the result; the work stops as soon as there would be more.
    static func decompress(_ bytes: [UInt8], limit: Int) throws(Fault) -> [UInt8] {
        var stream = unsafe z_stream()
        // SAFETY: as in `compress`.
        let result = unsafe withUnsafeMutablePointer(to: &stream) { stream -> Result<[UInt8], Fault> in
            let size = unsafe Int32(MemoryLayout<z_stream>.size)
            guard unsafe inflateInit2_(stream, gzipWindow, ZLIB_VERSION, size) == Z_OK else {
                return .failure(.malformed)
            }
            defer { _ = unsafe inflateEnd(stream) }
            return unsafe inflateAll(stream, bytes, limit: limit)
        }
        return try result.get()
    }

    private static func inflateAll(
        _ stream: UnsafeMutablePointer<z_stream>, _ bytes: [UInt8], limit: Int
    ) -> Result<[UInt8], Fault> {
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 32_768)
        // SAFETY: input and piece outlive their use by zlib, and their counts bound it.
        return unsafe bytes.withUnsafeBufferPointer { input in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(clamping: input.count)
            while true {
                let (status, produced) = unsafe piece.withUnsafeMutableBufferPointer { place in
                    unsafe stream.pointee.next_out = place.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(clamping: place.count)
                    let status = unsafe inflate(stream, Z_NO_FLUSH)
                    return (status, place.count - Int(unsafe stream.pointee.avail_out))
                }
                guard output.count + produced <= limit else { return .failure(.tooLarge) }
                output += piece[..<produced]
                let unread = unsafe stream.pointee.avail_in
                switch status {
                case Z_OK where produced > 0 || unread > 0:
                    continue
                case Z_STREAM_END:
                    guard unread > 0 else { return .success(output) }
                    guard unsafe inflateReset(stream) == Z_OK else { return .failure(.malformed) }
                default:
                    return .failure(.malformed)
                }
            }
        }
    }
}
