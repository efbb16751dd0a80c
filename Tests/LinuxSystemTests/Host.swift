import Glibc
import LinuxSystem

/// What the machine that runs the tests offers.
enum Host {
    static let isRoot = geteuid() == 0
    static let hasLoopDevices = isRoot && exists("/dev/loop-control")
    static let canUnshare =
        isRoot
        && {
            do throws(SystemError) {
                return try NamespaceThread.runInNew([.network]) { true }
            } catch {
                return false
            }
        }()

    private static func exists(_ path: RawPath) -> Bool {
        do throws(SystemError) {
            _ = try HostFiles.status(path)
            return true
        } catch {
            return false
        }
    }
}

/// A directory of one test, removed with all below it at the end.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws(SystemError) {
        path = "/tmp/linux-system-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try HostFiles.makeDirectory(RawPath(path), mode: 0o700)
    }

    deinit {
        do throws(SystemError) {
            try Self.empty(RawPath(path))
            try HostFiles.remove(RawPath(path), isDirectory: true)
        } catch {
            print("left behind: \(path): \(error)")
        }
    }

    func file(_ name: String) -> RawPath { RawPath("\(path)/\(name)") }

    private static func empty(_ path: RawPath) throws(SystemError) {
        let directory = try Descriptor.openDirectory(path)
        for entry in try directory.list(limit: 100_000).entries {
            let isDirectory = entry.kind == .directory
            if isDirectory { try empty(RawPath(bytes: path.bytes + [0x2f] + entry.name)) }
            try directory.remove(RawPath(bytes: entry.name), isDirectory: isDirectory)
        }
    }
}

/// Runs a closure that must fail; gives its error number, or 0 when it did not.
func errnoOf(_ body: () throws(SystemError) -> Void) -> Int32 {
    do throws(SystemError) {
        try body()
        return 0
    } catch {
        return error.errno
    }
}
