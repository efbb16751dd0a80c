internal import Glibc
internal import LinuxSystem

/// Questions and clean-up around mounts that this module makes on the host.
enum HostMount {
    /// How many mounts on top of each other are undone; more is not of our making.
    private static let depthLimit = 16

    /// Whether something is mounted exactly there.
    /// - Returns: `false` when the path does not exist.
    static func isMountPoint(_ path: String) throws(SystemError) -> Bool {
        do throws(SystemError) {
            let own = try HostFiles.status(RawPath(path), followingLink: false)
            let parent = try HostFiles.status(RawPath("\(path)/.."))
            guard own.kind == .directory else { return false }
            if own.mountID != 0, parent.mountID != 0 { return own.mountID != parent.mountID }
            return own.device != parent.device
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return false }
            throw error
        }
    }

    /// Unmounts everything that is mounted there; fine when nothing is.
    ///
    /// First in order, so that the file system is written out and its device let go; where somebody still
    /// holds it, it is taken out of the tree and freed with its last user.
    static func unmountAll(_ path: String) throws(SystemError) {
        for _ in 0..<depthLimit {
            guard try isMountPoint(path) else { return }
            do throws(SystemError) {
                try Mount.unmount(RawPath(path), detached: false)
            } catch {
                if error.errno == EINVAL || error.errno == ENOENT { return }
                guard error.errno == EBUSY else { throw error }
                try Mount.unmount(RawPath(path), detached: true)
            }
        }
        guard try !isMountPoint(path) else {
            throw SystemError(errno: EBUSY, operation: "umount2", detail: path)
        }
    }
}
