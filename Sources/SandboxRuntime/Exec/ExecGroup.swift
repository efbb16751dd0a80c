internal import Glibc
internal import LinuxSystem

/// A control group of one exec below its sandbox's: everything that the exec starts is in it, whatever it
/// does, and can be ended together.
///
/// It carries no limits, those of the sandbox hold above it. In version 2 it is a plain child group; without
/// version 2, a child in version 1's freezer hierarchy. Moving a process there needs root, so nothing in the
/// sandbox gets out.
struct ExecGroup: Sendable, Hashable {
    /// Prefix of the groups' names.
    static let prefix = "sw-exec-"

    let name: String
    /// The one directory of the group.
    let place: CgroupPlace
    let layout: CgroupLayout

    /// Makes a group below the sandbox's. Blocks.
    /// - Parameter sandbox: The groups of the sandbox's first process.
    /// - Throws: `unsupported` where none can be made: then the exec could not be ended apart from the
    ///   sandbox.
    init(name: String, below sandbox: CgroupPlace, layout: CgroupLayout) throws(RuntimeError) {
        let own = sandbox.withoutRoots(of: layout)
        let parent: CgroupPlace
        if let unified = own.unified {
            parent = CgroupPlace(unified: unified)
        } else if let freezer = own.legacy["freezer"] {
            parent = CgroupPlace(legacy: ["freezer": freezer])
        } else {
            throw Self.unsupported(
                "the sandbox has no control group of its own in version 2 or in the freezer")
        }
        self.name = name
        self.layout = layout
        place = parent.child(name)
        do throws(SystemError) {
            try place.create()
        } catch {
            throw Self.unsupported("\(error)")
        }
    }

    private static func unsupported(_ reason: String) -> RuntimeError {
        RuntimeError(
            .unsupported, operation: "exec group",
            detail: ForeignText.printable("an exec could not be ended by itself: \(reason)".utf8, limit: 512))
    }

    /// Moves a process, which must not run anything of the client's yet, into the group and looks whether it
    /// is there.
    /// - Throws: `unsupported` when the kernel does not let it in; `conflict` when it has ended.
    func adopt(_ pid: Int32) throws(RuntimeError) {
        do throws(SystemError) {
            try place.add(pid: pid)
            let present = layout.place(of: try CgroupMembership.of(pid: pid))
            guard place.covers(present) else {
                // A process that has ended but not been waited for stays where it was, without an error.
                guard try !Self.isDead(pid) else { throw SystemError(errno: ESRCH, operation: "move") }
                throw SystemError(
                    errno: EPERM, operation: "move", detail: "\(pid) is not in \(place.directories)")
            }
        } catch {
            guard error.errno != ESRCH, error.errno != ENOENT else {
                throw RuntimeError(.conflict, operation: "exec", detail: "it ended before it could begin")
            }
            throw Self.unsupported("\(error)")
        }
    }

    private static func isDead(_ pid: Int32) throws(SystemError) -> Bool {
        let state = try ProcessDirectory(pid: pid).stat().state
        return state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    }

    /// Whether nothing is left in it. Blocks for one small file.
    func hasEnded() throws(RuntimeError) -> Bool {
        try HostWork.calls("exec") { () throws(SystemError) in try place.isEmpty() }
    }

    /// Kills everything in the group and returns once nothing is left. Blocks.
    func killAll(until deadline: MonotonicInstant) throws(RuntimeError) {
        try HostWork.calls("end exec") { () throws(SystemError) in
            try CgroupKill.killAll(place, layout: layout, until: deadline)
        }
    }

    /// Removes the group when nothing is in it.
    /// - Returns: Whether it is gone; `false` while something that the exec left behind still runs.
    func removeIfEmpty() throws(RuntimeError) -> Bool {
        do throws(SystemError) {
            guard try place.isEmpty() else { return false }
            try place.remove(until: MonotonicInstant.now().advanced(by: .milliseconds(200)))
            return true
        } catch {
            if error.errno == EBUSY { return false }
            throw RuntimeError(error, operation: "remove exec group")
        }
    }
}
