internal import CLinuxShims
internal import Glibc

/// What kind of thing a name stands for.
package enum FileKind: String, Sendable, Hashable {
    case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket, unknown

    /// From the type bits of `st_mode`.
    init(mode: UInt32) {
        switch mode & 0o170000 {
        case 0o100000: self = .regular
        case 0o040000: self = .directory
        case 0o120000: self = .symbolicLink
        case 0o020000: self = .characterDevice
        case 0o060000: self = .blockDevice
        case 0o010000: self = .fifo
        case 0o140000: self = .socket
        default: self = .unknown
        }
    }

    /// From `d_type` of getdents64(2); some file systems say `unknown`.
    init(directoryType: UInt8) {
        self.init(mode: UInt32(directoryType) << 12)
    }
}

/// What statx(2) says of a file.
package struct FileStatus: Sendable, Hashable {
    package let kind: FileKind
    /// The lower twelve bits: permissions, set-id and sticky bits.
    package let permissions: UInt32
    package let uid: UInt32
    package let gid: UInt32
    package let sizeBytes: UInt64
    /// What the file really takes on the device, in bytes.
    package let allocatedBytes: UInt64
    package let links: UInt32
    package let inode: UInt64
    /// Device of the file system, major number in the upper half.
    package let device: UInt64
    /// For a device file, the device that it stands for, major number in the upper half.
    package let specialDevice: UInt64
    /// Mount that the file was reached through; 0 where the kernel does not tell (before 5.8).
    package let mountID: UInt64
    /// Nanoseconds since 1970 of the last change of the content.
    package let modifiedNanoseconds: Int64
    /// Nanoseconds since 1970 of the last change of content or status.
    package let changedNanoseconds: Int64

    init(_ raw: sw_status) {
        kind = FileKind(mode: raw.mode)
        permissions = raw.mode & 0o7777
        uid = raw.uid
        gid = raw.gid
        sizeBytes = raw.size
        allocatedBytes = raw.blocks_512 &* 512
        links = raw.links
        inode = raw.inode
        device = UInt64(raw.device_major) << 32 | UInt64(raw.device_minor)
        specialDevice = UInt64(raw.special_major) << 32 | UInt64(raw.special_minor)
        mountID = raw.mount_id
        modifiedNanoseconds =
            raw.modified_seconds &* 1_000_000_000 &+ Int64(raw.modified_nanoseconds)
        changedNanoseconds = raw.changed_seconds &* 1_000_000_000 &+ Int64(raw.changed_nanoseconds)
    }
}

/// Room on a file system.
package struct FileSystemSpace: Sendable, Hashable {
    package let totalBytes: UInt64
    /// Free for anybody, root included.
    package let freeBytes: UInt64
    /// Free for users without privilege.
    package let availableBytes: UInt64
    /// 0 on file systems that make inodes as they go.
    package let totalInodes: UInt64
    package let freeInodes: UInt64

    init(_ raw: statvfs) {
        let unit = UInt64(raw.f_frsize)
        totalBytes = UInt64(raw.f_blocks).multipliedReportingOverflow(by: unit).partialValue
        freeBytes = UInt64(raw.f_bfree).multipliedReportingOverflow(by: unit).partialValue
        availableBytes = UInt64(raw.f_bavail).multipliedReportingOverflow(by: unit).partialValue
        totalInodes = UInt64(raw.f_files)
        freeInodes = UInt64(raw.f_ffree)
    }

    /// Bytes that are not free.
    package var usedBytes: UInt64 { totalBytes >= freeBytes ? totalBytes - freeBytes : 0 }
}
