import LinuxSystem

/// What somebody wants to do with a path.
package enum SandboxFileIntent: Sendable, Hashable {
    /// Read a file or list a folder; a last link is followed.
    case read
    /// Write a file whole; a last link is followed, and the path need not exist.
    case write
    /// Remove a name; a last link is removed itself.
    case remove
}

/// A path that has been followed to its end inside one sandbox, and is held there by descriptors.
///
/// Made by ``SandboxFiles/open(_:in:for:)``. What happens to the path afterwards changes nothing: everything that is
/// done through this value is done to what ``resolvedPath`` named, so a policy that allows the one allows the other.
package final class SandboxFileTarget: Sendable {
    /// What is there.
    package enum Kind: String, Sendable, Hashable {
        case file, folder, link
        /// Nothing yet; only for ``SandboxFileIntent/write``.
        case missing
    }

    /// How the target is held.
    enum Place: Sendable {
        /// By the open file itself (`O_PATH`).
        case itself(SharedDescriptor)
        /// By the folder that holds the name.
        case entry(folder: SharedDescriptor, name: [UInt8])
        /// By the deepest folder that exists, and the names below it that do not.
        case missing(base: SharedDescriptor, names: [[UInt8]])
    }

    package let kind: Kind
    /// Absolute from the sandbox's root, normalised, free of links; bytes that are not UTF-8 stand as U+FFFD.
    package let resolvedPath: String
    /// The same, as it is.
    package let resolvedBytes: [UInt8]
    /// Bytes of a file; 0 for anything else.
    package let sizeBytes: UInt64
    package let intent: SandboxFileIntent
    let root: SandboxFileRoot
    let place: Place
    /// Device and inode, where something is there.
    let identity: FileIdentity?

    init(
        _ kind: Kind, path: [[UInt8]], status: FileStatus?, intent: SandboxFileIntent, root: SandboxFileRoot,
        place: Place
    ) {
        self.kind = kind
        resolvedBytes = SandboxFilePath.join(path).bytes
        resolvedPath = String(decoding: resolvedBytes, as: UTF8.self)
        sizeBytes = kind == .file ? status?.sizeBytes ?? 0 : 0
        self.intent = intent
        self.root = root
        self.place = place
        identity = status.map(FileIdentity.init)
    }

    /// The path for messages.
    var shown: RawPath { RawPath(bytes: resolvedBytes) }

    func conflict(_ operation: String, _ detail: String) -> RuntimeError {
        RuntimeError(.conflict, operation: operation, detail: "\(shown): \(detail)")
    }

    /// Runs blocking work as the sandbox's user, once the holder was seen alive.
    func asUser<Value>(
        _ operation: String, _ body: () throws(SystemError) -> Value
    ) throws(RuntimeError) -> Value {
        try root.check()
        do throws(SystemError) {
            return try FileSystemIdentity.with(uid: root.user.uid, gid: root.user.gid, body)
        } catch {
            throw SandboxFileFault.error(error, operation, shown)
        }
    }
}

/// What tells one file from another on a host.
struct FileIdentity: Sendable, Hashable {
    let device: UInt64
    let inode: UInt64

    init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}
