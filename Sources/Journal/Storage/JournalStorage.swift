package import LinuxSystem

/// The file system below a data folder, as far as the journal uses it.
///
/// A seam: tests put in a storage that fails the Nth call, writes short, or forgets what was not flushed.
/// Paths are relative to the data folder and of the journal's own making: one or two components, no `..`.
package protocol JournalStorage: Sendable {
    /// Makes a folder, for its owner alone; one that is there already is no error.
    func makeFolder(_ path: String) throws(SystemError)
    /// Files of a folder, in no order; `ENOENT` when it is not there.
    func list(_ folder: String) throws(SystemError) -> [JournalFolderEntry]
    /// Makes a file for reading and writing, for its owner alone; `EEXIST` when the name is taken.
    func create(_ path: String) throws(SystemError) -> any JournalFile
    /// Opens a file that is there; `ENOENT` when it is not.
    func open(_ path: String, forWriting: Bool) throws(SystemError) -> any JournalFile
    /// Renames within a folder, over what is there.
    func rename(_ old: String, to new: String) throws(SystemError)
    /// Removes a file.
    func remove(_ path: String) throws(SystemError)
    /// Flushes a folder's names to the device; `""` is the data folder itself. Blocks.
    func syncFolder(_ path: String) throws(SystemError)
    /// Takes the lock that lasts as long as the answer lives; `nil` when another process has it.
    func lock(_ path: String) throws(SystemError) -> (any JournalLock)?
}

/// One open file of the journal.
package protocol JournalFile: AnyObject, Sendable {
    /// The size in bytes.
    func size() throws(SystemError) -> Int64
    /// Reads at most `count` bytes; fewer at the end of the file and where the kernel gives fewer, none past
    /// it.
    func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8]
    /// Writes once at an offset; may write less than asked.
    func write(_ bytes: Span<UInt8>, at offset: Int64) throws(SystemError) -> Int
    /// Cuts the file.
    func truncate(to size: Int64) throws(SystemError)
    /// Flushes the content, and what is needed to read it back, to the device. Blocks.
    func sync() throws(SystemError)
}

/// A lock that is held as long as this lives.
package protocol JournalLock: AnyObject, Sendable {}

/// One file of a folder.
package struct JournalFolderEntry: Sendable, Hashable {
    /// The name's bytes.
    package var name: [UInt8]
    /// The size in bytes.
    package var size: Int64

    /// An entry of the given parts.
    package init(name: [UInt8], size: Int64) {
        self.name = name
        self.size = size
    }
}

extension JournalFile {
    /// Writes everything, going on after short writes and interruptions.
    func writeAll(_ bytes: [UInt8], at offset: Int64) throws(SystemError) {
        var done = 0
        var attempts = 0
        while done < bytes.count {
            do throws(SystemError) {
                let count = try write(bytes.span.extracting(done..<bytes.count), at: offset + Int64(done))
                guard count > 0 else { throw SystemError(errno: ErrorNumber.io, operation: "write") }
                done += count
                attempts = 0
            } catch {
                attempts += 1
                guard error.errno == ErrorNumber.interrupted, attempts < 64 else { throw error }
            }
        }
    }

    /// Reads `count` bytes, or fewer at the end of the file.
    func readAll(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
        var result: [UInt8] = []
        var attempts = 0
        while result.count < count {
            do throws(SystemError) {
                let piece = try read(at: offset + Int64(result.count), count: count - result.count)
                if piece.isEmpty { break }
                if result.isEmpty { result = piece } else { result += piece }
                attempts = 0
            } catch {
                attempts += 1
                guard error.errno == ErrorNumber.interrupted, attempts < 64 else { throw error }
            }
        }
        return result
    }
}

extension JournalStorage {
    /// Reads a small file; `nil` when it is not there.
    /// - Throws: `EMSGSIZE` past `limit` bytes.
    func readFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            let content = try open(path, forWriting: false).readAll(at: 0, count: limit + 1)
            guard content.count <= limit else {
                throw SystemError(errno: ErrorNumber.tooLong, operation: "read", detail: path)
            }
            return content
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// Replaces a file as a whole: after a crash at any moment the old content or the new is there. Blocks.
    func replaceFile(
        _ path: String, by temporary: String, in folder: String, content: [UInt8]
    ) throws(SystemError) {
        try removeIfThere(temporary)
        let file = try create(temporary)
        try file.writeAll(content, at: 0)
        try file.sync()
        try rename(temporary, to: path)
        try syncFolder(folder)
    }

    /// Removes a file, which need not be there.
    func removeIfThere(_ path: String) throws(SystemError) {
        do throws(SystemError) {
            try remove(path)
        } catch {
            guard error.isMissing else { throw error }
        }
    }
}
