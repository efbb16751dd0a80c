internal import Glibc
internal import LinuxSystem
internal import SandboxPolicy

/// Makes a sandbox's root from an image: a folder tree below the administrator's images folder.
///
/// The image is never written. A read-only overlay of a small generated folder (mount points, host names, the
/// sandbox's user) over the image becomes the root; it is a file system of its own for each sandbox, mounted
/// `nosuid,nodev`, and what is mounted below the image's folder on the host does not come along.
struct ImageRoot: Sendable {
    /// The administrator's folder of images; `nil` when there is none.
    let imagesDirectory: String?

    /// Folder of an image.
    /// - Parameter name: 1 to 128 of `[A-Za-z0-9._-]`, not starting with a separator.
    /// - Returns: `nil` for a name that cannot be an image here, or when there is no such folder. Blocks.
    func folder(of name: String) throws(RuntimeError) -> String? {
        guard let imagesDirectory, Self.isName(name) else { return nil }
        let path = "\(imagesDirectory)/\(name)"
        return try HostWork.calls("image") { () throws(SystemError) in
            try HostPath.status(path, followingLink: true)?.kind == .directory ? path : nil
        }
    }

    /// Whether a text can name an image: nothing that leads out of the folder.
    static func isName(_ name: String) -> Bool {
        func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            default: false
            }
        }
        guard (1...128).contains(name.utf8.count), let first = name.utf8.first, isPlain(first) else {
            return false
        }
        return name.utf8.allSatisfy { isPlain($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d }
    }

    /// Makes the root and says where it is. Blocks.
    /// - Throws: `notFound` for an image that is not there, `invalid` when it lacks the policy's shell or the
    ///   workspace has no place in it, `unsupported` where the kernel has no overlay file system.
    func make(_ plan: SandboxPlan, image: String) throws(RuntimeError) -> OCIRoot {
        guard let folder = try folder(of: image) else {
            throw RuntimeError(.notFound, operation: "image", detail: "no image \(image.prefix(128))")
        }
        // Separators of the overlay's options; the administrator's folders can do without.
        guard !(plan.directory + folder).utf8.contains(where: { [0x2c, 0x3a, 0x5c].contains($0) }) else {
            throw RuntimeError(
                .invalid, operation: "image", detail: "the data and images folders may not contain , : or \\")
        }
        try requireShell(plan.policy.shell, in: folder)
        let place = try OCIRoot.placeForWorkspace(plan.policy.workspace, below: [])
        return try HostWork.calls("image") { () throws(SystemError) in
            let layer = try HostFolder(making: "\(plan.directory)/rootfs", mode: 0o755)
            for name in OCIMount.sharedFolders { try layer.makeFolders(name, mode: 0o1777) }
            for name in ["dev", "etc", "proc", "sys"] { try layer.makeFolders(name) }
            try layer.makeFolders(String(SandboxPlan.holderFolder.dropFirst()))
            if let place { try layer.makeFolders(place) }
            try HostViewSettings.writeNames(plan, in: layer)
            try writeUsers(plan, image: folder, in: layer)
            let root = Self.mountPath(plan.directory)
            try HostFiles.makeDirectories(RawPath(root), mode: 0o755)
            try HostMount.unmountAll(root)
            try Mount.mount(
                "overlay", at: RawPath(root), type: "overlay", flags: [.readOnly, .noSetuid, .noDevices],
                options: "lowerdir=\(layer.path):\(folder)")
            return OCIRoot(path: root, mounts: [], maskedPaths: [])
        }
    }

    /// Where the overlay of a sandbox is mounted on the host.
    static func mountPath(_ sandboxDirectory: String) -> String { "\(sandboxDirectory)/root" }

    private func requireShell(_ shell: PolicyShell, in folder: String) throws(RuntimeError) {
        let root = try HostWork.calls("image") { () throws(SystemError) in
            try Descriptor.openDirectory(RawPath(folder))
        }
        guard try ProgramLookup.isProgram("/bin/\(shell.rawValue)", below: root) else {
            throw RuntimeError(
                .invalid, operation: "shell", detail: "the image has no /bin/\(shell.rawValue)")
        }
    }

    /// Adds the sandbox's user to the image's own, unless the number is known there.
    private func writeUsers(
        _ plan: SandboxPlan, image: String, in layer: borrowing HostFolder
    ) throws(SystemError) {
        let root = try Descriptor.openDirectory(RawPath(image))
        let line = HostViewSettings.userLine(plan.user, home: plan.policy.workspace, shell: plan.policy.shell)
        let tables = [
            ("etc/passwd", line, plan.user.uid),
            ("etc/group", HostViewSettings.groupLine(plan.user), plan.user.gid),
        ]
        for (name, line, number) in tables {
            let text: String
            do throws(SystemError) {
                let file = try Descriptor.open(
                    at: root, path: RawPath(name), flags: O_RDONLY | O_NOCTTY | O_NONBLOCK,
                    resolve: [.inRoot, .noMagiclinks])
                text = String(decoding: try file.readAll(limit: 1 << 20), as: UTF8.self)
            } catch {
                guard [ENOENT, ENOTDIR, ELOOP].contains(error.errno) else { throw error }
                try layer.write(name, line + "\n")
                continue
            }
            let isKnown = text.split(separator: "\n").contains {
                let fields = $0.split(separator: ":", omittingEmptySubsequences: false)
                return fields.count > 2 && UInt32(fields[2]) == number
            }
            if !isKnown {
                try layer.write(name, text + (text.isEmpty || text.hasSuffix("\n") ? "" : "\n") + line + "\n")
            }
        }
    }
}
