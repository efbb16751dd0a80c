internal import CLinuxShims
internal import Glibc

/// A file as a block device.
///
/// With `autoclear`, the device frees itself when the last user lets go: hold this value until the file
/// system on it is mounted, then let it go; unmounting later leaves nothing behind, even after a crash.
/// - SeeAlso: loop(4).
package struct LoopDevice: ~Copyable, Sendable {
    /// `/dev/loopN`.
    package let path: String
    package let number: UInt32
    private let device: Descriptor

    /// Attaches a file to a free device.
    ///
    /// Between asking for a free number and taking it somebody else can take it: tried again, a bounded
    /// number of times. A missing `/dev/loopN` (a container's private `/dev`) is made.
    /// - Parameters:
    ///   - file: A regular file, open for writing unless `readOnly`.
    ///   - name: What `losetup` shows; cut after 63 bytes.
    ///   - directIO: Past the host's page cache, so that the content is not cached twice. Refused by some
    ///     file systems; then it is left out.
    /// - Throws: `EBUSY` when all attempts met a taken device; `EPERM`, `ENOENT` where loop devices are not
    ///   to be had; as loop(4) says.
    package static func attach(
        file: borrowing Descriptor, autoclear: Bool = true, readOnly: Bool = false, directIO: Bool = false,
        name: String = ""
    ) throws(SystemError) -> LoopDevice {
        let control = try Descriptor.openAbsolute("/dev/loop-control", flags: O_RDWR)
        let label = RawPath(bytes: name.utf8.prefix(63))
        let readOnlyFlag: UInt32 = readOnly ? 1 : 0
        let autoclearFlag: UInt32 = autoclear ? 4 : 0
        var direct: UInt32 = directIO ? 16 : 0
        for _ in 0..<64 {
            let number = UInt32(
                try SystemError.check(sw_loop_get_free(control.rawValue), "LOOP_CTL_GET_FREE"))
            let device = try open(number, flags: readOnly ? O_RDONLY : O_RDWR)
            // SAFETY: the label is read during the call.
            let result = unsafe try label.withTerminated("LOOP_CONFIGURE") {
                unsafe sw_loop_configure(
                    device.rawValue, file.rawValue, readOnlyFlag | autoclearFlag | direct, 0, $0)
            }
            switch -result {
            case EBUSY:
                continue
            case EINVAL where direct != 0:
                direct = 0
                continue
            default:
                _ = try SystemError.check(result, "LOOP_CONFIGURE", "/dev/loop\(number)")
            }
            return LoopDevice(path: "/dev/loop\(number)", number: number, device: device)
        }
        throw SystemError(errno: EBUSY, operation: "LOOP_CONFIGURE", detail: "no free device in 64 attempts")
    }

    private static func open(_ number: UInt32, flags: Int32) throws(SystemError) -> Descriptor {
        let path = RawPath("/dev/loop\(number)")
        do throws(SystemError) {
            return try Descriptor.openAbsolute(path, flags: flags)
        } catch {
            guard error.errno == ENOENT || error.errno == ENXIO else { throw error }
        }
        // Major number 7 is the loop driver's (Linux admin-guide/devices.txt).
        // SAFETY: the path is read during the call.
        let result = unsafe try path.withTerminated("mknod") {
            unsafe sw_make_block_device($0, 0o660, 7, number)
        }
        if result != -EEXIST { _ = try SystemError.check(result, "mknod", "\(path)") }
        return try Descriptor.openAbsolute(path, flags: flags)
    }

    /// Inode of the backing file, as the driver tells it.
    package borrowing func backingInode() throws(SystemError) -> UInt64 {
        var deviceNumber: UInt64 = 0
        var inode: UInt64 = 0
        var flags: UInt32 = 0
        // SAFETY: the shim fills the three numbers.
        let result = unsafe sw_loop_status(device.rawValue, &deviceNumber, &inode, &flags)
        _ = try SystemError.check(result, "LOOP_GET_STATUS64", path)
        return inode
    }

    /// Lets go of the file; put off by the kernel while somebody has the device open or mounted.
    package consuming func detach() throws(SystemError) {
        _ = try SystemError.check(sw_loop_clear(device.rawValue), "LOOP_CLR_FD", path)
    }

    /// Detaches the device with that number, one that an earlier run may have left.
    /// - Throws: `ENXIO` when nothing is attached.
    package static func detach(number: UInt32) throws(SystemError) {
        let device = try Descriptor.openAbsolute(RawPath("/dev/loop\(number)"))
        _ = try SystemError.check(sw_loop_clear(device.rawValue), "LOOP_CLR_FD", "/dev/loop\(number)")
    }
}
