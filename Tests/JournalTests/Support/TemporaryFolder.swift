import LinuxSystem

/// A folder of this test's own, removed when it goes away.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws(SystemError) {
        var generator = SystemRandomNumberGenerator()
        path = "/tmp/sandwarden-journal-\(UInt64.random(in: 0 ... .max, using: &generator))"
        try HostFiles.makeDirectory(RawPath(path), mode: 0o700)
    }

    deinit {
        TemporaryFolder.remove(path)
    }

    private static func remove(_ path: String) {
        do {
            let directory = try Descriptor.openDirectory(RawPath(path))
            for entry in try directory.list(limit: 100_000).entries {
                if entry.kind == .directory {
                    remove(path + "/" + String(decoding: entry.name, as: UTF8.self))
                } else {
                    try directory.remove(RawPath(bytes: entry.name))
                }
            }
            try HostFiles.remove(RawPath(path), isDirectory: true)
        } catch {
            // What stays behind is in /tmp.
        }
    }
}
