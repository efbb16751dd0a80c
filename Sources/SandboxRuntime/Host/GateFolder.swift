internal import Glibc
package import LinuxSystem

/// The folder that a sandbox sees as `/.sandwarden`: the holder's program, and a named pipe for each exec
/// that waits behind its gate.
///
/// Everything in it belongs to root; the sandbox sees it read-only. A pipe may be read by everybody and
/// written by root alone, so that nothing in the sandbox can open a gate.
package struct GateFolder: Sendable, Hashable {
    /// The folder on the host.
    package let path: String

    /// A gate folder at a path; nothing is made yet.
    package init(path: String) { self.path = path }

    /// Name of the program that hands over standard streams, see ``StdioProgram``.
    static let stdioName = "stdio"
    /// Name of the holder's program.
    static let holderName = "init"

    /// Makes the folder and the programs; fine when they are there. Blocks.
    package func create() throws(RuntimeError) {
        try HostWork.calls("make gate") { () throws(SystemError) in
            let folder = try HostFolder(making: path, mode: 0o755)
            try folder.write(Self.holderName, HolderImage.elf(), mode: 0o555)
            try folder.write(Self.stdioName, StdioProgram.elf(), mode: 0o555)
        }
    }

    /// Whether there is one. Blocks for one system call.
    package func exists() throws(RuntimeError) -> Bool {
        try HostWork.calls("gate") { () throws(SystemError) in
            try HostPath.status("\(path)/\(Self.holderName)") != nil
        }
    }

    /// Makes the pipe of one exec. Blocks.
    /// - Parameter name: One component, unused so far.
    package func makePipe(_ name: String) throws(RuntimeError) {
        try HostWork.calls("make gate") { () throws(SystemError) in
            try HostFolder(making: path, mode: 0o755).makeFIFO(name, mode: 0o444)
        }
    }

    /// Opens the pipe for writing, without waiting.
    /// - Returns: `nil` as long as nobody has it open for reading.
    package func openPipe(_ name: String) throws(RuntimeError) -> Descriptor? {
        do throws(SystemError) {
            return try Descriptor.openAbsolute(
                RawPath("\(path)/\(name)"), flags: O_WRONLY | O_NONBLOCK | O_NOFOLLOW)
        } catch {
            if error.errno == ENXIO { return nil }
            throw RuntimeError(error, operation: "open gate")
        }
    }

    /// Removes the pipe; fine when it is gone.
    package func removePipe(_ name: String) throws(RuntimeError) {
        do throws(SystemError) {
            try HostFiles.remove(RawPath("\(path)/\(name)"))
        } catch {
            if error.errno != ENOENT { throw RuntimeError(error, operation: "remove gate") }
        }
    }

    /// Removes the folder and all in it; fine when it is gone.
    package func remove() throws(RuntimeError) {
        try HostWork.calls("remove gate") { () throws(SystemError) in try HostTree.remove(path) }
    }
}
