internal import Glibc
package import LinuxSystem

/// Finds the program that an exec would run, below a sandbox's root, as the kernel would walk there.
package enum ProgramLookup {
    /// Resolves a bare name on the fixed `PATH`, or checks a path.
    ///
    /// The walk never leaves the root and follows none of `/proc`'s links to other files. Blocks for a few
    /// system calls a folder.
    /// - Parameters:
    ///   - program: A bare name, or a path (relative ones begin at the working directory).
    ///   - workingDirectory: Absolute inside the sandbox.
    ///   - root: The sandbox's root.
    /// - Returns: Absolute path inside the sandbox of a regular file that somebody may execute.
    /// - Throws: `notFound` when there is none; `invalid` for an empty name or one with a NUL byte.
    package static func resolve(
        _ program: String, workingDirectory: String, below root: borrowing Descriptor
    ) throws(RuntimeError) -> String {
        guard !program.isEmpty, !program.utf8.contains(0), program.utf8.count < 4096 else {
            throw RuntimeError(.invalid, operation: "exec", detail: "not a program's name")
        }
        let candidates: [String]
        if program.hasPrefix("/") {
            candidates = [program]
        } else if program.utf8.contains(0x2f) {
            candidates = ["\(workingDirectory)/\(program)"]
        } else {
            candidates = ExecEnvironment.directories.map { "\($0)/\(program)" }
        }
        for candidate in candidates where try isProgram(candidate, below: root) { return candidate }
        throw RuntimeError(
            .notFound, operation: "exec",
            detail: "no program \(ForeignText.printable(program.utf8)) in the sandbox")
    }

    /// Whether a path inside the sandbox is a regular file with an execute bit.
    /// - Throws: `failed` when the kernel refuses to tell for another reason than that nothing is there.
    package static func isProgram(
        _ path: String, below root: borrowing Descriptor
    ) throws(RuntimeError) -> Bool {
        guard let status = try status(path, below: root) else { return false }
        return status.kind == .regular && status.permissions & 0o111 != 0
    }

    /// Whether a path inside the sandbox is a folder.
    package static func isFolder(
        _ path: String, below root: borrowing Descriptor
    ) throws(RuntimeError) -> Bool {
        try status(path, below: root)?.kind == .directory
    }

    /// `O_PATH`: what is opened is only looked at.
    private static let pathOnly: Int32 = 0o10_000_000

    private static func status(
        _ path: String, below root: borrowing Descriptor
    ) throws(RuntimeError) -> FileStatus? {
        do throws(SystemError) {
            return try Descriptor.open(
                at: root, path: RawPath(path), flags: pathOnly, resolve: [.inRoot, .noMagiclinks]
            ).status()
        } catch {
            if [ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG, EXDEV].contains(error.errno) { return nil }
            throw RuntimeError(error, operation: "exec")
        }
    }
}
