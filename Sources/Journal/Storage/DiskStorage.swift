internal import Glibc
package import LinuxSystem

/// The storage below a real data folder.
///
/// Everything is opened from the folder's own descriptor and never through a symbolic link, so that nothing
/// planted in the data folder leads out of it.
package final class DiskStorage: JournalStorage {
    private let root: SharedDescriptor
    /// The most files that a folder may hold.
    static let folderLimit = 200_000

    /// Opens a data folder.
    /// - Parameter creating: Make it, for its owner alone, and the folders above it, when it is missing.
    package init(dataDirectory: String, creating: Bool) throws(SystemError) {
        if creating { try HostFiles.makeDirectories(RawPath(dataDirectory), mode: 0o700) }
        root = SharedDescriptor(try Descriptor.openDirectory(RawPath(dataDirectory)))
    }

    package func makeFolder(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            try root.descriptor.makeDirectory(RawPath(path), mode: 0o700)
        } catch {
            guard error.errno == EEXIST else { throw error }
        }
    }

    package func list(_ folder: String) throws(SystemError) -> [JournalFolderEntry] {
        let directory = try open(folder, flags: O_RDONLY | O_DIRECTORY)
        let listing = try directory.list(limit: DiskStorage.folderLimit)
        guard !listing.isCut else {
            throw SystemError(
                errno: EMSGSIZE, operation: "getdents64",
                detail: "\(folder): more than \(DiskStorage.folderLimit) files")
        }
        var entries: [JournalFolderEntry] = []
        for entry in listing.entries where entry.kind == .regular || entry.kind == .unknown {
            do throws(SystemError) {
                let status = try directory.status(of: RawPath(bytes: entry.name))
                guard status.kind == .regular else { continue }
                entries.append(JournalFolderEntry(name: entry.name, size: Int64(clamping: status.sizeBytes)))
            } catch {
                // Removed between the listing and the question.
                guard error.isMissing else { throw error }
            }
        }
        return entries
    }

    package func create(_ path: String) throws(SystemError) -> any JournalFile {
        DiskFile(try open(path, flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600))
    }

    package func open(_ path: String, forWriting: Bool) throws(SystemError) -> any JournalFile {
        DiskFile(try open(path, flags: (forWriting ? O_RDWR : O_RDONLY) | O_NOFOLLOW))
    }

    package func rename(_ old: String, to new: String) throws(SystemError) {
        try folder(of: old).rename(name(of: old), to: folder(of: new), name(of: new))
    }

    package func remove(_ path: String) throws(SystemError) {
        try folder(of: path).remove(name(of: path))
    }

    package func syncFolder(_ path: String) throws(SystemError) {
        try open(path.isEmpty ? "." : path, flags: O_RDONLY | O_DIRECTORY).fsync()
    }

    package func lock(_ path: String) throws(SystemError) -> (any JournalLock)? {
        let file = try open(path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        guard try file.lock() else { return nil }
        return DiskLock(file)
    }

    private func open(_ path: String, flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
        try Descriptor.open(
            at: root.descriptor, path: RawPath(path), flags: flags, mode: mode,
            resolve: [.beneath, .noSymlinks])
    }

    /// The folder that a path's last component is in.
    private func folder(of path: String) throws(SystemError) -> Descriptor {
        let bytes = Array(path.utf8)
        let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { String(decoding: bytes[..<$0], as: UTF8.self) } ?? "."
        return try open(folder, flags: O_RDONLY | O_DIRECTORY)
    }

    /// The last component of a path.
    private func name(of path: String) -> RawPath {
        RawPath(bytes: path.utf8.reversed().prefix { $0 != UInt8(ascii: "/") }.reversed())
    }
}

/// One real file.
private final class DiskFile: JournalFile {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    func size() throws(SystemError) -> Int64 {
        Int64(clamping: try descriptor.status().sizeBytes)
    }

    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        var place = buffer.mutableSpan
        let filled = try descriptor.pread(into: &place, at: offset)
        buffer.removeLast(count - filled)
        return buffer
    }

    func write(_ bytes: Span<UInt8>, at offset: Int64) throws(SystemError) -> Int {
        try descriptor.pwrite(bytes, at: offset)
    }

    func truncate(to size: Int64) throws(SystemError) {
        try descriptor.truncate(to: size)
    }

    func sync() throws(SystemError) {
        try descriptor.fdatasync()
    }
}

/// An flock(2) on a file that stays open.
private final class DiskLock: JournalLock {
    private let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }
}
