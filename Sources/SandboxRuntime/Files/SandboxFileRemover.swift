import Glibc
import LinuxSystem

extension SandboxFileTarget {
    /// How deep a folder may be nested to be removed whole; one descriptor a level is held.
    static let removalDepth = 64
    /// Names that one removal takes away at most.
    static let removalLimit = 200_000

    /// Removes the name; a link itself, not what it leads to. Blocks.
    ///
    /// A folder's content is removed by descriptors, without following links or leaving the file system.
    /// - Returns: How many names were removed.
    /// - Throws: `conflict` for a full folder unless `recursive`, a mount point, or a path that changed;
    ///   `tooLarge` past a bound, with what was removed until then gone; `denied` by permissions.
    func removeEntry(recursive: Bool) throws(RuntimeError) -> Int {
        guard case .entry(let folder, let name) = place, intent == .remove else {
            throw conflict("remove", "was not opened to be removed")
        }
        var removal = Removal()
        let kind = kind
        let identity = identity
        let isSame = try asUser("remove") { () throws(SystemError) in
            let now = try folder.descriptor.status(of: RawPath(bytes: name))
            guard FileIdentity(now) == identity else { return false }
            if kind == .folder, recursive { try removal.empty(name, in: folder.descriptor, depth: 1) }
            if !removal.isOverLimit { try removal.remove(name, in: folder.descriptor, isFolder: kind == .folder) }
            return true
        }
        guard isSame else { throw conflict("remove", "changed while it was followed") }
        guard !removal.isOverLimit else {
            throw RuntimeError(
                .tooLarge, operation: "remove",
                detail: "\(shown): deeper than \(Self.removalDepth) folders or more than \(Self.removalLimit) names; "
                    + "\(removal.count) were removed")
        }
        return removal.count
    }

    private struct Removal {
        var count = 0
        var isOverLimit = false

        /// Removes everything in a folder. Ends early, with `isOverLimit`, at a bound.
        mutating func empty(
            _ name: [UInt8], in parent: borrowing Descriptor, depth: Int
        ) throws(SystemError) {
            guard depth <= SandboxFileTarget.removalDepth else {
                isOverLimit = true
                return
            }
            let folder = try openFolder(name, in: parent)
            // Names are added behind our back as long as somebody likes: the count bounds the rounds.
            while !isOverLimit {
                let listing = try folder.list(limit: 1000)
                if listing.entries.isEmpty { return }
                isOverLimit = count >= SandboxFileTarget.removalLimit
                for entry in listing.entries where !isOverLimit {
                    try removeChild(entry.name, in: folder, depth: depth)
                }
            }
        }

        private mutating func removeChild(
            _ name: [UInt8], in folder: borrowing Descriptor, depth: Int
        ) throws(SystemError) {
            do throws(SystemError) {
                let isFolder = try folder.status(of: RawPath(bytes: name)).kind == .directory
                if isFolder { try empty(name, in: folder, depth: depth + 1) }
                if !isOverLimit { try remove(name, in: folder, isFolder: isFolder) }
            } catch {
                // Somebody else was faster.
                guard error.errno == ENOENT else { throw error }
                count += 1
            }
        }

        private func openFolder(
            _ name: [UInt8], in parent: borrowing Descriptor
        ) throws(SystemError) -> Descriptor {
            do throws(SystemError) {
                return try Descriptor.open(
                    at: parent, path: RawPath(bytes: name), flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                    resolve: [.beneath, .noSymlinks, .noXdev])
            } catch {
                guard error.errno == EXDEV else { throw error }
                throw SystemError(errno: EBUSY, operation: "open", detail: "a mount point")
            }
        }

        mutating func remove(
            _ name: [UInt8], in folder: borrowing Descriptor, isFolder: Bool
        ) throws(SystemError) {
            guard count < SandboxFileTarget.removalLimit else {
                isOverLimit = true
                return
            }
            try folder.remove(RawPath(bytes: name), isDirectory: isFolder)
            count += 1
        }
    }
}
