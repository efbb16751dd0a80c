internal import Glibc
internal import LinuxSystem

/// A folder that this module makes below a sandbox's own folder: entries with exact modes, whatever the
/// umask.
struct HostFolder: ~Copyable, Sendable {
    let path: String
    private let descriptor: Descriptor

    /// Makes the folder unless it is there, gives it the mode, and opens it.
    init(making path: String, mode: UInt32) throws(SystemError) {
        do throws(SystemError) {
            try HostFiles.makeDirectory(RawPath(path), mode: mode)
        } catch {
            guard error.errno == EEXIST else { throw error }
        }
        // A link here would lead the writes below to wherever it points.
        let folder = try Descriptor.openAbsolute(RawPath(path), flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        try folder.changeMode(mode)
        self.init(path: path, descriptor: folder)
    }

    private init(path: String, descriptor: consuming Descriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    /// Makes a folder, with those above it, below this one. What is there already stays as it is.
    /// - Parameter name: Relative, of ordinary components.
    borrowing func makeFolders(_ name: String, mode: UInt32 = 0o755) throws(SystemError) {
        var done = ""
        for component in name.split(separator: "/") {
            let place = try place(of: done.isEmpty ? String(component) : "\(done)/\(component)")
            done += done.isEmpty ? String(component) : "/\(component)"
            do throws(SystemError) {
                try place.parent.makeDirectory(place.name, mode: mode)
            } catch {
                guard error.errno == EEXIST else { throw error }
                continue
            }
            try place.open(flags: O_RDONLY | O_DIRECTORY).changeMode(mode)
        }
    }

    /// Writes a whole file, anew.
    borrowing func write(_ name: String, _ content: [UInt8], mode: UInt32) throws(SystemError) {
        let place = try place(of: name)
        do throws(SystemError) {
            try place.parent.remove(place.name)
        } catch {
            guard error.errno == ENOENT else { throw error }
        }
        let file = try place.open(flags: O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        try file.writeAll(content.span)
        try file.changeMode(mode)
    }

    /// Writes a whole text file, readable by everybody.
    borrowing func write(_ name: String, _ text: String) throws(SystemError) {
        try write(name, Array(text.utf8), mode: 0o644)
    }

    /// Makes a symbolic link unless one is there.
    borrowing func link(_ name: String, to target: RawPath) throws(SystemError) {
        let place = try place(of: name)
        do throws(SystemError) {
            try place.parent.makeSymbolicLink(place.name, target: target)
        } catch {
            guard error.errno == EEXIST else { throw error }
        }
    }

    /// Makes a named pipe.
    borrowing func makeFIFO(_ name: String, mode: UInt32) throws(SystemError) {
        let place = try place(of: name)
        try place.parent.makeFIFO(place.name, mode: mode)
        // Opening a FIFO for both directions does not wait for another side.
        try place.open(flags: O_RDWR | O_NONBLOCK).changeMode(mode)
    }

    /// One name in an opened folder.
    private struct Place: ~Copyable {
        let parent: Descriptor
        let name: RawPath

        borrowing func open(flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
            try Descriptor.open(
                at: parent, path: name, flags: flags | O_NOFOLLOW, mode: mode,
                resolve: [.beneath, .noSymlinks])
        }
    }

    /// Opens the folder that a name is in; no link on the way is followed.
    private borrowing func place(of name: String) throws(SystemError) -> Place {
        var components = name.split(separator: "/")
        guard let last = components.popLast(), last != "..", last != "." else {
            throw SystemError(errno: EINVAL, operation: "open", detail: name)
        }
        let above = components.isEmpty ? "." : components.joined(separator: "/")
        let parent = try Descriptor.open(
            at: descriptor, path: RawPath(above), flags: O_RDONLY | O_DIRECTORY,
            resolve: [.beneath, .noSymlinks])
        return Place(parent: parent, name: RawPath(String(last)))
    }
}

/// Removal of folders that this module made.
enum HostTree {
    /// The deepest nesting that is followed; what this module makes is far less deep.
    private static let depthLimit = 32

    /// Removes a folder and all below it on the same mount; fine when it is gone. Blocks.
    ///
    /// Links are removed, not followed; a mount below stops the removal with `EBUSY`, as its content is not
    /// ours.
    static func remove(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            let parent = try Descriptor.openAbsolute(
                RawPath(path), flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            let mountID = try parent.status().mountID
            try empty(parent, mountID: mountID, depth: 0)
        } catch {
            if error.errno == ENOENT { return }
            guard error.errno == ENOTDIR || error.errno == ELOOP else { throw error }
            try HostFiles.remove(RawPath(path))
            return
        }
        try HostFiles.remove(RawPath(path), isDirectory: true)
    }

    private static func empty(
        _ folder: borrowing Descriptor, mountID: UInt64, depth: Int
    ) throws(SystemError) {
        guard depth < depthLimit else {
            throw SystemError(errno: ELOOP, operation: "remove", detail: "too deep")
        }
        var listing = try folder.list(limit: 4096)
        while !listing.entries.isEmpty {
            for entry in listing.entries {
                let name = RawPath(bytes: entry.name)
                let status = try folder.status(of: name)
                guard status.kind == .directory else {
                    try folder.remove(name)
                    continue
                }
                guard status.mountID == mountID else {
                    throw SystemError(errno: EBUSY, operation: "remove", detail: "\(name) is a mount")
                }
                let child = try Descriptor.open(
                    at: folder, path: name, flags: O_RDONLY | O_DIRECTORY,
                    resolve: [.beneath, .noSymlinks, .noXdev])
                try empty(child, mountID: mountID, depth: depth + 1)
                try folder.remove(name, isDirectory: true)
            }
            // Removing while listing may skip names: list again until nothing is left.
            listing = try folder.list(limit: 4096)
        }
    }
}
