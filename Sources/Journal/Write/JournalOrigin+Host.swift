internal import LinuxSystem

extension JournalOrigin {
    /// The running host and boot; what the kernel does not tell is empty.
    package static func ofThisHost() -> JournalOrigin {
        var origin = JournalOrigin(host: "", bootID: "")
        do throws(SystemError) {
            let name = try HostFiles.read("/proc/sys/kernel/hostname", limit: 256)
            origin.host = String(decoding: name.prefix { $0 > 0x20 }, as: UTF8.self)
            origin.bootID = try BootIdentifier.read()
        } catch {
            // A header without them is still a header; records do not depend on it.
        }
        return origin
    }
}
