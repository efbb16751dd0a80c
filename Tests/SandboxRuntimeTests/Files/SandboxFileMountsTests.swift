import LinuxSystem
import Testing

@testable import SandboxRuntime

@Suite struct SandboxFileMountsTests {
    private static let table = """
        72 48 0:39 / / ro - overlay overlay rw
        73 72 0:42 / /proc rw - proc proc rw
        76 72 0:45 / /sys ro - sysfs sysfs ro
        75 74 0:44 / /dev/pts rw - devpts devpts rw
        89 72 7:1 / /work rw - ext4 /dev/loop1 rw

        """

    @Test func theKernelsFileSystemsAreRefused() throws {
        let mounts = SandboxFileMounts(MountTable.parse(Array(Self.table.utf8)[...]).entries)
        let own = try HostFiles.status("/")
        // A file of this host, on a mount that the table does not have.
        #expect(!mounts.allow(own))
    }

    @Test func ourOwnFilesAreAllowedAndOurProcIsNot() throws {
        let mounts = SandboxFileMounts(try MountTable.readOwn())
        #expect(mounts.allow(try HostFiles.status("/etc/passwd")))
        #expect(!mounts.allow(try HostFiles.status("/proc/self/status")))
        #expect(!mounts.allow(try HostFiles.status("/sys/kernel")))
    }

    @Test func anEmptyTableAllowsNothing() throws {
        #expect(!SandboxFileMounts([]).allow(try HostFiles.status("/etc/passwd")))
    }
}
