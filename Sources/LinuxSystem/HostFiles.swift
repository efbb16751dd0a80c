internal import Glibc

/// The kernel's identifier of this boot.
package enum BootIdentifier {
    /// Reads the identifier: 36 bytes, lower-case hexadecimal with hyphens, other after each boot.
    ///
    /// Process start times and inode numbers are comparable within one boot only.
    /// - SeeAlso: random(4), `/proc/sys/kernel/random/boot_id`.
    package static func read() throws(SystemError) -> String {
        let file = try Descriptor.openAbsolute("/proc/sys/kernel/random/boot_id")
        let text = try file.readPrefix(limit: 64)
        return String(decoding: text.prefix { $0 > 0x20 }, as: UTF8.self)
    }
}

extension Descriptor {
    /// Opens a file of the host by its absolute path, following symbolic links.
    ///
    /// For paths that this program or its configuration names. A path below a sandbox's root goes through
    /// ``open(at:path:flags:mode:resolve:)`` instead.
    /// - Parameter flags: `open(2)` flags; `O_CLOEXEC` is added.
    package static func openAbsolute(
        _ path: String, flags: Int32 = O_RDONLY, mode: UInt32 = 0
    ) throws(SystemError) -> Descriptor {
        guard !path.utf8.contains(0) else {
            throw SystemError(errno: EINVAL, operation: "open", detail: path)
        }
        while true {
            // SAFETY: the string is passed as a NUL-terminated copy for the call.
            let number = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
            if number >= 0 { return Descriptor(owning: number) }
            let failure = Glibc.errno
            guard failure == EINTR else { throw SystemError(errno: failure, operation: "open", detail: path) }
        }
    }
}
