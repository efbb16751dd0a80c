/// One line of `/proc/PID/mountinfo`.
/// - SeeAlso: proc_pid_mountinfo(5).
package struct MountEntry: Sendable, Hashable {
    package let id: UInt64
    package let parent: UInt64
    /// Device of the file system, major number in the upper half.
    package let device: UInt64
    /// The part of the file system that is shown here.
    package let root: RawPath
    /// Where, seen from the process's root.
    package let point: RawPath
    /// Of this mount: `rw`, `nosuid`, …
    package let options: Set<String>
    /// Of its propagation: `shared:1`, `master:2`, …
    package let propagation: [String]
    package let type: String
    package let source: RawPath
    /// Of the file system as a whole.
    package let superOptions: Set<String>

    /// Whether writing is refused by the mount or by the file system.
    package var isReadOnly: Bool { options.contains("ro") || superOptions.contains("ro") }
}

/// Mounts of a mount namespace, as one process sees them.
package enum MountTable {
    /// Reads the file's text. Lines of another form are left out, and counted.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> (entries: [MountEntry], malformed: Int) {
        var entries: [MountEntry] = []
        var malformed = 0
        for line in KernelText.lines(bytes) {
            if let entry = entry(line) { entries.append(entry) } else { malformed += 1 }
        }
        return (entries, malformed)
    }

    private static func entry(_ line: ArraySlice<UInt8>) -> MountEntry? {
        // Spaces in names are escaped, so single spaces separate fields; an empty field is possible.
        let fields = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard fields.count >= 10 else { return nil }
        guard let dash = fields[6...].firstIndex(where: { $0.elementsEqual([0x2d]) }) else { return nil }
        guard fields.count >= dash + 4 else { return nil }
        let numbers = fields[2].split(separator: 0x3a)
        guard numbers.count == 2, let id = KernelText.unsigned(fields[0]),
            let parent = KernelText.unsigned(fields[1]),
            let major = KernelText.unsigned(numbers[0]), major < 1 << 32,
            let minor = KernelText.unsigned(numbers[1]), minor < 1 << 32
        else { return nil }
        return MountEntry(
            id: id, parent: parent, device: major << 32 | minor,
            root: RawPath(bytes: KernelText.unescapedOctal(fields[3])),
            point: RawPath(bytes: KernelText.unescapedOctal(fields[4])),
            options: set(fields[5]), propagation: fields[6..<dash].map { KernelText.text($0) },
            type: KernelText.text(fields[dash + 1]),
            source: RawPath(bytes: KernelText.unescapedOctal(fields[dash + 2])),
            superOptions: set(fields[dash + 3]))
    }

    private static func set(_ field: ArraySlice<UInt8>) -> Set<String> {
        Set(field.split(separator: 0x2c).map { KernelText.text(ArraySlice(KernelText.unescapedOctal($0))) })
    }

    /// Reads the table as process `pid` sees it.
    /// - Throws: `ENOENT` or `ESRCH` when it has ended; `EMSGSIZE` past 4 MiB.
    package static func read(pid: Int32) throws(SystemError) -> [MountEntry] {
        parse(try HostFiles.read(RawPath("/proc/\(pid)/mountinfo"), limit: 4 << 20)[...]).entries
    }

    /// Reads our own table.
    package static func readOwn() throws(SystemError) -> [MountEntry] {
        parse(try HostFiles.read("/proc/self/mountinfo", limit: 4 << 20)[...]).entries
    }
}
