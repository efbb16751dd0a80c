internal import CLinuxShims
internal import Glibc

/// Properties of one mount.
package struct MountFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt

    package init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    package static let readOnly = MountFlags(rawValue: 1)
    package static let noSetuid = MountFlags(rawValue: 2)
    package static let noDevices = MountFlags(rawValue: 4)
    package static let noExec = MountFlags(rawValue: 8)
    package static let noAccessTime = MountFlags(rawValue: 1024)
    package static let remount = MountFlags(rawValue: 32)
    package static let bind = MountFlags(rawValue: 4096)
    package static let recursive = MountFlags(rawValue: 16384)
    package static let isPrivate = MountFlags(rawValue: 1 << 18)
    package static let isSlave = MountFlags(rawValue: 1 << 19)
    package static let isShared = MountFlags(rawValue: 1 << 20)
}

/// Attributes of mount_setattr(2), which unlike mount(2)'s reach the mounts below as well.
package struct MountAttributes: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static let readOnly = MountAttributes(rawValue: 1)
    package static let noSetuid = MountAttributes(rawValue: 2)
    package static let noDevices = MountAttributes(rawValue: 4)
    package static let noExec = MountAttributes(rawValue: 8)
}

/// Mounting and unmounting in the caller's mount namespace. Needs `CAP_SYS_ADMIN`.
///
/// A place that others can rename is given as `/proc/self/fd/N` of a descriptor that was opened with care.
package enum Mount {
    /// Mounts a file system.
    /// - Parameter options: The file system's own, such as `size=1m,mode=755`.
    /// - SeeAlso: mount(2).
    package static func mount(
        _ source: RawPath, at target: RawPath, type: String, flags: MountFlags = [], options: String = ""
    ) throws(SystemError) {
        try call(source, target, RawPath(type), flags, RawPath(options))
    }

    /// Shows a file or a directory at a second place; with `.recursive`, the mounts below it too.
    ///
    /// mount(2) ignores other properties at this step: set them with ``setAttributes(_:at:recursively:)``.
    package static func bind(
        _ source: RawPath, at target: RawPath, recursively: Bool = false
    ) throws(SystemError) {
        try call(source, target, "", recursively ? [.bind, .recursive] : .bind, "")
    }

    /// Changes whether mounts below appear in other namespaces: one of `isPrivate`, `isSlave`, `isShared`,
    /// with `recursive` or without.
    package static func setPropagation(_ flags: MountFlags, at target: RawPath) throws(SystemError) {
        try call("none", target, "", flags, "")
    }

    /// Sets and clears attributes, of one mount or of all the mounts below it too, in one step.
    /// - Throws: `ENOSYS` before Linux 5.12.
    /// - SeeAlso: mount_setattr(2).
    package static func setAttributes(
        _ set: MountAttributes, clearing clear: MountAttributes = [], at target: RawPath, recursively: Bool
    ) throws(SystemError) {
        // AT_RECURSIVE
        let flags: UInt32 = recursively ? 0x8000 : 0
        // SAFETY: the path is read during the call.
        let result = unsafe try target.withTerminated("mount_setattr") {
            unsafe sw_mount_setattr(AT_FDCWD, $0, flags, set.rawValue, clear.rawValue, 0)
        }
        _ = try SystemError.check(result, "mount_setattr", "\(target)")
    }

    /// Unmounts.
    /// - Parameter detached: `MNT_DETACH`: gone from the tree at once, freed when nobody uses it.
    /// - Throws: `EINVAL` when nothing is mounted there, `EBUSY` when it is in use and not `detached`.
    /// - SeeAlso: umount(2). `UMOUNT_NOFOLLOW` is always set.
    package static func unmount(_ target: RawPath, detached: Bool = true) throws(SystemError) {
        let noFollow: Int32 = 8
        let detach: Int32 = 2
        // SAFETY: the path is read during the call.
        let result = unsafe try target.withTerminated("umount2") {
            unsafe umount2($0, noFollow | (detached ? detach : 0)) == 0 ? 0 : -Glibc.errno
        }
        _ = try SystemError.check(result, "umount2", "\(target)")
    }

    private static func call(
        _ source: RawPath, _ target: RawPath, _ type: RawPath, _ flags: MountFlags, _ options: RawPath
    ) throws(SystemError) {
        for text in [source, type, options] where text.bytes.contains(0) {
            throw SystemError(errno: EINVAL, operation: "mount", detail: "\(text): NUL byte")
        }
        // The kernel's type and data are absent for binds and changes, not empty.
        let typeBytes = type.bytes.map { CChar(bitPattern: $0) } + [0]
        let optionBytes = options.bytes.map { CChar(bitPattern: $0) } + [0]
        let sourceBytes = source.bytes.map { CChar(bitPattern: $0) } + [0]
        // SAFETY: four terminated texts that live during the call.
        let result = unsafe try target.withTerminated("mount") { name in
            unsafe Glibc.mount(
                sourceBytes, name, type.bytes.isEmpty ? nil : typeBytes, flags.rawValue,
                options.bytes.isEmpty ? nil : optionBytes) == 0 ? 0 : -Glibc.errno
        }
        _ = try SystemError.check(result, "mount", "\(target)")
    }
}
