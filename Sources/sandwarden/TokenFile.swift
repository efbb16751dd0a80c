import LinuxSystem
import SandboxModel
import SandboxPolicy
import SandboxSecurity

/// The file that `access.tokens_file` names.
struct TokenFile: Sendable {
    let path: String

    /// What tells one state of the file from another.
    struct Stamp: Sendable, Equatable {
        var inode: UInt64
        var changed: Int64
        var size: UInt64
    }

    /// Reads the file.
    /// - Throws: ``CommandFailure`` `badInput` when others may read it, or it has faults.
    func read() throws(CommandFailure) -> (table: TokenTable, stamp: Stamp) {
        let bytes: [UInt8]
        let status: FileStatus
        do throws(SystemError) {
            let file = try Descriptor.openAbsolute(RawPath(path))
            status = try file.status()
            bytes = try file.readAll(limit: 1 << 20)
        } catch {
            throw CommandFailure(.badInput, "\(path): \(error)")
        }
        guard status.permissions & 0o077 == 0 else {
            throw CommandFailure(.badInput, "\(path): others may read it; run chmod 600 \(path)")
        }
        let node: DocumentNode
        do throws(YAMLSyntaxError) {
            node = try YAMLReader.read(bytes)
        } catch {
            throw CommandFailure(.badInput, "\(path):\(error)")
        }
        let read = TokenTable.read(node)
        guard read.faults.isEmpty else {
            throw CommandFailure(.badInput, read.faults.map { "\(path):\($0)" }.joined(separator: "\n"))
        }
        return (
            read.table, Stamp(inode: status.inode, changed: status.changedNanoseconds, size: status.sizeBytes)
        )
    }

    /// The file's present stamp; `nil` when it cannot be seen.
    func stamp() -> Stamp? {
        do throws(SystemError) {
            let status = try HostFiles.status(RawPath(path))
            return Stamp(inode: status.inode, changed: status.changedNanoseconds, size: status.sizeBytes)
        } catch {
            return nil
        }
    }
}
