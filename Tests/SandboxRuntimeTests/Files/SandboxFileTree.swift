import Glibc
import LinuxSystem

@testable import SandboxRuntime

/// A folder of the host that stands in for a sandbox's root, removed with its value.
final class SandboxFileTree: Sendable {
    static let user = SandboxUser(uid: 70_001, gid: 70_001)

    let path: String
    let root: SandboxFileRoot

    init() throws {
        var generator = SystemRandomNumberGenerator()
        path = "/tmp/sandwarden-files-\(UInt64.random(in: 0 ... .max, using: &generator))"
        try HostFiles.makeDirectory(RawPath(path), mode: 0o755)
        let holder = HolderProcess(pid: getpid(), startTicks: try ProcessDirectory(pid: getpid()).stat().startTicks)
        root = try SandboxFileRoot(
            folder: try Descriptor.openDirectory(RawPath(path)), holder: holder, user: Self.user)
        try Descriptor.openDirectory(RawPath(path)).changeMode(0o755)
        try folder("work")
    }

    deinit {
        do {
            try Self.remove(RawPath(path))
        } catch {
            print("left behind: \(path): \(error)")
        }
    }

    private func at(_ name: String) -> RawPath { RawPath("\(path)/\(name)") }

    private func give(_ name: String, to owner: SandboxUser) throws {
        let parent = try Descriptor.openDirectory(RawPath(path))
        try parent.changeOwner(of: RawPath(name), uid: owner.uid, gid: owner.gid)
    }

    /// Makes a folder and those above it, all with mode 0755.
    func folder(_ name: String, owner: SandboxUser = user) throws {
        var made = ""
        for part in name.split(separator: "/") {
            made += made.isEmpty ? String(part) : "/\(part)"
            do throws(SystemError) {
                try HostFiles.makeDirectory(at(made), mode: 0o755)
            } catch {
                if error.errno == EEXIST { continue }
                throw error
            }
            try Descriptor.openDirectory(at(made)).changeMode(0o755)
            try give(made, to: owner)
        }
    }

    func file(_ name: String, _ text: String, mode: UInt32 = 0o644, owner: SandboxUser = user) throws {
        let file = try Descriptor.openAbsolute(at(name), flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try file.writeAll(text)
        try file.changeMode(mode)
        try give(name, to: owner)
    }

    func link(_ name: String, to target: String) throws {
        let parent = try Descriptor.openDirectory(RawPath(path))
        try parent.makeSymbolicLink(RawPath(name), target: RawPath(target))
        try give(name, to: Self.user)
    }

    func fifo(_ name: String) throws {
        try HostFiles.makeFIFO(at(name), mode: 0o666)
        try give(name, to: Self.user)
    }

    func socket(_ name: String) throws {
        _ = try Socket.listen(on: .unix(path: "\(path)/\(name)"))
    }

    func device(_ name: String, major: UInt32, minor: UInt32) throws {
        // Small numbers are one byte each.
        let number = dev_t(major) << 8 | dev_t(minor)
        // SAFETY: the string is passed as a NUL-terminated copy for the call.
        guard unsafe mknod("\(path)/\(name)", S_IFCHR | 0o666, number) == 0 else {
            throw SystemError(errno: errno, operation: "mknod", detail: name)
        }
    }

    func text(_ name: String) throws -> String {
        String(decoding: try HostFiles.read(at(name), limit: 1 << 20), as: UTF8.self)
    }

    func status(_ name: String) throws -> FileStatus { try HostFiles.status(at(name), followingLink: false) }

    func exists(_ name: String) throws -> Bool {
        do throws(SystemError) {
            _ = try HostFiles.status(at(name), followingLink: false)
            return true
        } catch {
            if error.errno == ENOENT { return false }
            throw error
        }
    }

    private static func remove(_ path: RawPath) throws {
        if try HostFiles.status(path, followingLink: false).kind != .directory {
            return try HostFiles.remove(path)
        }
        for entry in try Descriptor.openDirectory(path).list(limit: 1_000_000).entries {
            try remove(RawPath(bytes: path.bytes + [0x2F] + entry.name))
        }
        try HostFiles.remove(path, isDirectory: true)
    }
}

/// Whether this process may act as other users.
let mayChangeIdentity = geteuid() == 0
