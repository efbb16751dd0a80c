internal import CLinuxShims
internal import Glibc

/// Acting on files as somebody else, for a moment, on one thread.
///
/// The kernel checks file access against the thread's file system identity. Changing it from root to another
/// user also takes the thread's file system capabilities (`CAP_DAC_OVERRIDE`, `CAP_DAC_READ_SEARCH`,
/// `CAP_FOWNER`, `CAP_CHOWN`, `CAP_MKNOD`, `CAP_FSETID`, `CAP_LINUX_IMMUTABLE`) out of its effective set
/// until the change back, so the user's own permissions are all that counts. What is created belongs to that
/// user. Other threads are not touched.
/// - SeeAlso: setfsuid(2), capabilities(7) "Effect of user ID changes on capabilities", credentials(7).
package enum FileSystemIdentity {
    /// Runs `body` with the file access of `uid` and `gid` and no supplementary group, then changes back.
    ///
    /// `body` runs on the calling thread and cannot suspend. If the identity cannot be restored the process
    /// ends: a thread with an unknown identity must not go back to a pool.
    /// - Throws: `EPERM` when this process may not change identity; what `body` throws.
    package static func with<Value: ~Copyable>(
        uid: UInt32, gid: UInt32, _ body: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        let before = try Before()
        defer { before.restore() }
        guard sw_setfsgid(gid) == gid else { throw refused("setfsgid", gid) }
        _ = try SystemError.check(sw_setgroups(0, nil), "setgroups")
        guard sw_setfsuid(uid) == uid else { throw refused("setfsuid", uid) }
        return try body()
    }

    private static func refused(_ operation: String, _ id: UInt32) -> SystemError {
        SystemError(errno: EPERM, operation: operation, detail: "\(id)")
    }

    /// The identity to come back to.
    private struct Before {
        let uid: UInt32
        let gid: UInt32
        let groups: [UInt32]

        init() throws(SystemError) {
            // An impossible identity changes nothing and tells the present one.
            uid = sw_setfsuid(.max)
            gid = sw_setfsgid(.max)
            // With a count of zero the kernel only tells how many there are.
            let count = Int(try SystemError.check(sw_getgroups(0, nil), "getgroups"))
            var list = [UInt32](repeating: 0, count: count)
            // SAFETY: at most `count` groups are written into an array of that size.
            let result = unsafe list.withUnsafeMutableBufferPointer { place in
                unsafe sw_getgroups(Int32(place.count), place.baseAddress)
            }
            groups = Array(list.prefix(Int(try SystemError.check(result, "getgroups"))))
        }

        func restore() {
            precondition(sw_setfsuid(uid) == uid, "the thread's file system user could not be restored")
            precondition(sw_setfsgid(gid) == gid, "the thread's file system group could not be restored")
            // SAFETY: the kernel reads `count` groups from an array of that size.
            let result = unsafe groups.withUnsafeBufferPointer { place in
                unsafe sw_setgroups(Int32(place.count), place.baseAddress)
            }
            // Without the right to set groups none were dropped above either.
            precondition(result == 0 || result == -EPERM, "the thread's groups could not be restored")
        }
    }
}
