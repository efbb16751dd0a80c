internal import CLinuxShims
internal import Glibc

/// One name in a directory.
package struct DirectoryEntry: Sendable, Hashable {
    /// The name's bytes: any but `/` and NUL.
    package let name: [UInt8]
    package let inode: UInt64
    /// `unknown` on file systems that do not say.
    package let kind: FileKind
}

/// Names of a directory, perhaps cut.
package struct DirectoryListing: Sendable, Hashable {
    /// Without `.` and `..`, in the file system's order.
    package var entries: [DirectoryEntry] = []
    /// Whether there is more than was asked for.
    package var isCut = false

    /// Takes the records out of one answer of getdents64(2).
    ///
    /// Total: a record that does not fit, or has no length, ends the walk with `nil`.
    /// - SeeAlso: getdents(2), `struct linux_dirent64`.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> [DirectoryEntry]? {
        var entries: [DirectoryEntry] = []
        var rest = bytes
        while !rest.isEmpty {
            let base = rest.startIndex
            guard rest.count >= 19 else { return nil }
            let length = Int(rest[base + 16]) | Int(rest[base + 17]) << 8
            guard length >= 19, length <= rest.count else { return nil }
            let inode = (0..<8).reduce(UInt64(0)) { $0 | UInt64(rest[base + $1]) << UInt64(8 * $1) }
            let field = rest[(base + 19)..<(base + length)]
            guard let end = field.firstIndex(of: 0) else { return nil }
            let name = Array(field[..<end])
            if name != [0x2e], name != [0x2e, 0x2e] {
                entries.append(
                    DirectoryEntry(name: name, inode: inode, kind: FileKind(directoryType: rest[base + 18])))
            }
            rest = rest[(base + length)...]
        }
        return entries
    }
}

extension Descriptor {
    /// Reads the names of this directory from its beginning.
    ///
    /// The descriptor's position is moved: do not list from two threads over one open file description.
    /// - Parameter limit: The most entries to take.
    /// - SeeAlso: getdents(2).
    package borrowing func list(limit: Int) throws(SystemError) -> DirectoryListing {
        guard lseek(rawValue, 0, SEEK_SET) == 0 else { throw .last("lseek") }
        var listing = DirectoryListing()
        var buffer = [UInt8](repeating: 0, count: 32 * 1024)
        let number = rawValue
        while true {
            // SAFETY: the kernel writes at most `count` bytes into a buffer of that size.
            let result = unsafe buffer.withUnsafeMutableBufferPointer { place in
                unsafe sw_getdents(number, place.baseAddress, place.count)
            }
            if result == -EINTR { continue }
            let count = Int(try SystemError.check(result, "getdents64"))
            if count == 0 { return listing }
            guard let entries = DirectoryListing.parse(buffer[..<count]) else {
                throw SystemError(errno: EBADMSG, operation: "getdents64")
            }
            let room = limit - listing.entries.count
            listing.entries += entries.prefix(room)
            if entries.count > room {
                listing.isCut = true
                return listing
            }
        }
    }
}
