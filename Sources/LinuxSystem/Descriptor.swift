internal import CLinuxShims
internal import Glibc

/// The one owner of an open descriptor: closed when the owner goes away, never inherited by a child process.
///
/// Every call retries after `EINTR`. Instance methods only borrow, so a descriptor inside a class or an actor
/// can be used without moving it out.
package struct Descriptor: ~Copyable, Sendable {
    /// The descriptor's number; valid as long as this owner lives.
    package let rawValue: Int32

    /// Takes over a descriptor that nobody else closes.
    package init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        // An error of close(2) leaves the number free on Linux; retrying could close somebody else's file.
        _ = Glibc.close(rawValue)
    }

    /// Gives the number away; the caller closes it.
    package consuming func take() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// Closes now, and tells the error that a deferred write may have left (close(2): `EIO`, `ENOSPC`,
    /// `EDQUOT`).
    package consuming func close() throws(SystemError) {
        let number = take()
        guard Glibc.close(number) == 0 || Glibc.errno == EINTR else { throw .last("close") }
    }

    /// A second descriptor for the same open file description.
    /// - Throws: `EMFILE` at the process's limit.
    package borrowing func duplicate() throws(SystemError) -> Descriptor {
        let number = fcntl(rawValue, F_DUPFD_CLOEXEC, 3)
        guard number >= 0 else { throw .last("dup") }
        return Descriptor(owning: number)
    }

    /// Sets or clears `O_NONBLOCK` on the open file description.
    package borrowing func setNonBlocking(_ isOn: Bool) throws(SystemError) {
        let flags = fcntl(rawValue, F_GETFL)
        guard flags >= 0 else { throw .last("fcntl") }
        let wanted = isOn ? flags | O_NONBLOCK : flags & ~O_NONBLOCK
        guard wanted == flags || fcntl(rawValue, F_SETFL, wanted) == 0 else { throw .last("fcntl") }
    }
}

/// A descriptor that several owners share; closed when the last of them goes away.
package final class SharedDescriptor: Sendable {
    /// The descriptor; borrow it in place.
    package let descriptor: Descriptor

    /// Takes over `descriptor`.
    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}

/// What a transfer that does not wait came to.
package enum Transfer: Sendable, Equatable {
    /// So many bytes were moved, at least one.
    case bytes(Int)
    /// Nothing can be moved now; wait for readiness.
    case wouldBlock
    /// Reading only: the other side will send no more.
    case endOfStream
}

extension Descriptor {
    /// Reads once; blocks when the descriptor does.
    /// - Returns: Bytes read; 0 at the end of file, or for an empty buffer.
    /// - SeeAlso: read(2).
    package borrowing func read(into buffer: inout MutableSpan<UInt8>) throws(SystemError) -> Int {
        let number = rawValue
        return try Self.retrying("read") {
            // SAFETY: the span's storage is exclusively ours for the call and its own count bounds the write.
            unsafe buffer.withUnsafeMutableBufferPointer { place in
                unsafe Glibc.read(number, place.baseAddress, place.count)
            }
        }
    }

    /// Reads once into the part of an array that begins at `start`.
    /// - Returns: Bytes read; 0 at the end of file, or when nothing is left of the array.
    package borrowing func read(into bytes: inout [UInt8], from start: Int) throws(SystemError) -> Int {
        precondition(start >= 0 && start <= bytes.count)
        let number = rawValue
        return try Self.retrying("read") {
            // SAFETY: the rest of the array's storage from `start` on, which the precondition bounds.
            unsafe bytes.withUnsafeMutableBytes { place in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: place[start...])
                return unsafe Glibc.read(number, rest.baseAddress, rest.count)
            }
        }
    }

    /// Reads once at an offset, without moving the file position.
    /// - SeeAlso: pread(2).
    package borrowing func pread(
        into buffer: inout MutableSpan<UInt8>, at offset: Int64
    ) throws(SystemError) -> Int {
        let number = rawValue
        return try Self.retrying("pread") {
            // SAFETY: as in `read(into:)`.
            unsafe buffer.withUnsafeMutableBufferPointer { place in
                unsafe Glibc.pread(number, place.baseAddress, place.count, off_t(offset))
            }
        }
    }

    /// Writes once; may write less than asked.
    /// - SeeAlso: write(2).
    package borrowing func write(_ bytes: Span<UInt8>) throws(SystemError) -> Int {
        let number = rawValue
        return try Self.retrying("write") {
            // SAFETY: the span keeps its storage alive for the call and its own count bounds the read.
            unsafe bytes.withUnsafeBufferPointer { place in
                unsafe Glibc.write(number, place.baseAddress, place.count)
            }
        }
    }

    /// Writes once at an offset, without moving the file position.
    /// - SeeAlso: pwrite(2).
    package borrowing func pwrite(_ bytes: Span<UInt8>, at offset: Int64) throws(SystemError) -> Int {
        let number = rawValue
        return try Self.retrying("pwrite") {
            // SAFETY: as in `write(_:)`.
            unsafe bytes.withUnsafeBufferPointer { place in
                unsafe Glibc.pwrite(number, place.baseAddress, place.count, off_t(offset))
            }
        }
    }

    /// Writes everything; for blocking descriptors.
    /// - Throws: what write(2) says, with some of the bytes perhaps written.
    package borrowing func writeAll(_ bytes: Span<UInt8>) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            done += try write(bytes.extracting(done..<bytes.count))
        }
    }

    /// Writes the whole text; for blocking descriptors and kernel files that take one write.
    package borrowing func writeAll(_ text: String) throws(SystemError) {
        let bytes = Array(text.utf8)
        try writeAll(bytes.span)
    }

    /// Reads to the end of the file.
    /// - Throws: `EMSGSIZE` when there is more than `limit` bytes: a cut file would be a wrong answer.
    package borrowing func readAll(limit: Int) throws(SystemError) -> [UInt8] {
        let bytes = try readPrefix(limit: limit + 1)
        guard bytes.count <= limit else {
            throw SystemError(errno: EMSGSIZE, operation: "read", detail: "more than \(limit) bytes")
        }
        return bytes
    }

    /// Reads to the end of the file or to `limit` bytes, whichever is first.
    package borrowing func readPrefix(limit: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: min(limit, 4096))
        var filled = 0
        while filled < limit {
            if filled == bytes.count {
                bytes.append(contentsOf: repeatElement(0, count: min(limit - filled, filled)))
            }
            let count = try read(into: &bytes, from: filled)
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Reads a small kernel file from its beginning again, into a buffer kept by the caller.
    ///
    /// The form for samplers: one pread(2), no allocation. A file larger than the buffer is cut.
    /// - Returns: Bytes read.
    package borrowing func reread(into buffer: inout [UInt8]) throws(SystemError) -> Int {
        var place = buffer.mutableSpan
        return try pread(into: &place, at: 0)
    }

    /// Flushes data and metadata to the device. Blocks.
    /// - SeeAlso: fsync(2).
    package borrowing func fsync() throws(SystemError) {
        let number = rawValue
        _ = try Self.retrying("fsync") { Int(Glibc.fsync(number)) }
    }

    /// Flushes data, and the metadata needed to read it back, to the device. Blocks.
    /// - SeeAlso: fdatasync(2).
    package borrowing func fdatasync() throws(SystemError) {
        let number = rawValue
        _ = try Self.retrying("fdatasync") { Int(Glibc.fdatasync(number)) }
    }

    /// Repeats a call that a signal interrupted.
    static func retrying(_ operation: String, _ call: () -> Int) throws(SystemError) -> Int {
        while true {
            let result = call()
            if result >= 0 { return result }
            let number = Glibc.errno
            guard number == EINTR else { throw SystemError(errno: number, operation: operation) }
        }
    }
}
