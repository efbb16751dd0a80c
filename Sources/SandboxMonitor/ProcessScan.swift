internal import Glibc
internal import LinuxSystem

/// Reads single processes of the host. One that ends meanwhile is no error: it is left out.
enum ProcessScan {
    /// What the detector needs of a process.
    static func reading(_ pid: Int32) throws(SystemError) -> DetectorReading.Process? {
        try unlessGone { () throws(SystemError) in
            let process = try ProcessDirectory(pid: pid)
            let stat = try process.stat()
            // A zombie has neither files nor a program any more.
            guard stat.state != UInt8(ascii: "Z") else { return nil }
            let status = try process.status()
            return DetectorReading.Process(
                pid: pid, startTicks: stat.startTicks, names: try names(process, stat.name),
                openFiles: try process.openFileCount(limit: 1 << 16),
                capabilities: status.capabilities?.effective,
                hasNoNewPrivileges: status.hasNoNewPrivileges)
        }
    }

    // The name that the process gives itself, its first argument's and its executable's: a multi-call binary shows
    // the second, a renamed copy the third, and all three can be wrong for a program that hides.
    private static func names(
        _ process: borrowing ProcessDirectory, _ own: String
    ) throws(SystemError) -> [String] {
        var names = [own]
        if let first = try process.arguments(limit: 1024).first { names.append(lastComponent(first)) }
        if let path = try executable(process) { names.append(lastComponent(path)) }
        var unique: [String] = []
        for name in names where !name.isEmpty && !unique.contains(name) { unique.append(name) }
        return unique
    }

    private static func executable(_ process: borrowing ProcessDirectory) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            return try process.executable().bytes
        } catch {
            // A kernel thread has none, and some hosts show it to nobody: the other names remain.
            guard [ENOENT, EACCES, EPERM].contains(error.errno) else { throw error }
            return nil
        }
    }

    private static func lastComponent(_ path: some Collection<UInt8>) -> String {
        var bytes = Array(path)
        let deleted = Array(" (deleted)".utf8)
        if bytes.count > deleted.count, bytes.suffix(deleted.count).elementsEqual(deleted) {
            bytes.removeLast(deleted.count)
        }
        // A login shell's first argument begins with a hyphen.
        let name = bytes.split(separator: UInt8(ascii: "/")).last ?? []
        return String(decoding: name.first == UInt8(ascii: "-") ? name.dropFirst() : name, as: UTF8.self)
    }

    /// All that is shown of a process.
    static func entry(_ pid: Int32) throws(SystemError) -> ProcessEntry? {
        try unlessGone { () throws(SystemError) in
            let process = try ProcessDirectory(pid: pid)
            let stat = try process.stat()
            let status = try process.status()
            return ProcessEntry(
                pid: pid, innerPID: status.namespacePIDs.last ?? pid, parentPID: stat.parent,
                uid: status.uids.effective, name: stat.name,
                arguments: try process.arguments(limit: 4096).map { String(decoding: $0, as: UTF8.self) },
                executable: try executable(process).map { String(decoding: $0, as: UTF8.self) } ?? "",
                state: String(decoding: [stat.state], as: UTF8.self),
                residentBytes: Int64(clamping: status.residentBytes ?? 0),
                openFiles: try process.openFileCount(limit: 1 << 16), threads: stat.threads)
        }
    }

    private static func unlessGone<Value>(
        _ body: () throws(SystemError) -> Value?
    ) throws(SystemError) -> Value? {
        do throws(SystemError) {
            return try body()
        } catch {
            guard error.errno == ESRCH || error.errno == ENOENT else { throw error }
            return nil
        }
    }
}
