internal import Glibc

/// Holding still and letting go all processes of a control group.
///
/// Version 2's `cgroup.freeze` where the group is in that hierarchy, else version 1's freezer.
/// - SeeAlso: Linux `admin-guide/cgroup-v2.rst` "cgroup.freeze",
///   `admin-guide/cgroup-v1/freezer-subsystem.rst`.
package enum CgroupFreezer {
    /// Freezes, and waits until the kernel says that all members are held. Blocks.
    /// - Throws: `ETIMEDOUT` past the deadline, the group being thawed again; `EOPNOTSUPP` without a freezer.
    package static func freeze(_ place: CgroupPlace, until deadline: MonotonicInstant) throws(SystemError) {
        let control = try Control(place)
        try control.write(frozen: true)
        while try !control.isFrozen() {
            guard MonotonicInstant.now() < deadline else {
                try control.write(frozen: false)
                throw SystemError(errno: ETIMEDOUT, operation: "freeze", detail: control.directory)
            }
            // Version 1 stays at FREEZING when a member forked meanwhile, until it is told once more.
            if !control.isUnified { try control.write(frozen: true) }
            usleep(500)
        }
    }

    /// Lets all members run again.
    /// - Throws: `EOPNOTSUPP` without a freezer.
    package static func thaw(_ place: CgroupPlace) throws(SystemError) {
        try Control(place).write(frozen: false)
    }

    /// Whether all members are held.
    package static func isFrozen(_ place: CgroupPlace) throws(SystemError) -> Bool {
        try Control(place).isFrozen()
    }

    private struct Control {
        let directory: String
        let isUnified: Bool

        init(_ place: CgroupPlace) throws(SystemError) {
            if let unified = place.unified, CgroupKill.exists("\(unified)/cgroup.freeze") {
                directory = unified
                isUnified = true
            } else if let freezer = place.legacy["freezer"], CgroupKill.exists("\(freezer)/freezer.state") {
                directory = freezer
                isUnified = false
            } else {
                throw SystemError(
                    errno: EOPNOTSUPP, operation: "freeze", detail: place.directories.first ?? "")
            }
        }

        func write(frozen: Bool) throws(SystemError) {
            if isUnified {
                try HostFiles.writeControl(RawPath("\(directory)/cgroup.freeze"), frozen ? "1" : "0")
            } else {
                try HostFiles.writeControl(
                    RawPath("\(directory)/freezer.state"), frozen ? "FROZEN" : "THAWED")
            }
        }

        func isFrozen() throws(SystemError) -> Bool {
            if isUnified {
                let events = try HostFiles.read(RawPath("\(directory)/cgroup.events"), limit: 4096)
                return KernelText.number(after: "frozen", in: events[...]) == 1
            }
            let state = try HostFiles.read(RawPath("\(directory)/freezer.state"), limit: 64)
            return KernelText.trimmed(state[...]).elementsEqual("FROZEN".utf8)
        }
    }
}

/// Ending all processes of a control group.
package enum CgroupKill {
    /// Kills every member of the group and of those below it, and waits until none is left. Blocks.
    ///
    /// `cgroup.kill` of version 2 first, which no fork can outrun. Members that only version 1 hierarchies
    /// list are held by the freezer where there is one, sent `SIGKILL` one by one, and let go to die, again
    /// until the kernel lists none. Before a signal is sent, the process is held by a descriptor and its
    /// membership looked up again: its number may have gone to somebody else.
    /// - Parameter layout: Says which directories are the roots of hierarchies; those are left out.
    /// - Throws: `EINVAL` when nothing but roots is left, or this process is a member itself; `ETIMEDOUT`
    ///   when members are left at the deadline.
    package static func killAll(
        _ group: CgroupPlace, layout: CgroupLayout, until deadline: MonotonicInstant
    ) throws(SystemError) {
        let place = group.withoutRoots(of: layout)
        let directories = place.directories
        guard !directories.isEmpty, try !place.processes(recursively: true).contains(getpid()) else {
            throw SystemError(
                errno: EINVAL, operation: "cgroup.kill", detail: "not a group of its own: \(directories)")
        }
        if let unified = place.unified, exists("\(unified)/cgroup.kill") {
            try HostFiles.writeControl(RawPath("\(unified)/cgroup.kill"), "1")
        }
        var round = 0
        while true {
            let members = try place.processes(recursively: true)
            if members.isEmpty { return }
            guard MonotonicInstant.now() < deadline else {
                throw SystemError(
                    errno: ETIMEDOUT, operation: "cgroup.kill",
                    detail: "\(members.count) left in \(directories[0])")
            }
            // The first round gives cgroup.kill its moment; what it reaches is gone by itself.
            if round > 0 || place.unified == nil {
                try signalHeld(members, place, layout, deadline)
            }
            round += 1
            usleep(round < 20 ? 500 : 5000)
        }
    }

    private static func signalHeld(
        _ members: Set<Int32>, _ place: CgroupPlace, _ layout: CgroupLayout, _ deadline: MonotonicInstant
    ) throws(SystemError) {
        // Held, members cannot fork away while they are counted.
        let freezers = [
            CgroupPlace(unified: place.unified),
            CgroupPlace(legacy: place.legacy.filter { $0.key == "freezer" }),
        ]
        for freezer in freezers {
            let soon = min(deadline, MonotonicInstant.now().advanced(by: .milliseconds(100)))
            do throws(SystemError) {
                try CgroupFreezer.freeze(freezer, until: soon)
            } catch {
                // A member in an uninterruptible wait cannot be held: the signals go out all the same.
                guard [ETIMEDOUT, EOPNOTSUPP, ENOENT, ENODEV].contains(error.errno) else { throw error }
            }
        }
        for pid in members.union(try place.processes(recursively: true)) {
            try send(to: pid, place, layout)
        }
        // Version 1 lets nobody die who is held: always let go, also what somebody else had frozen.
        for freezer in freezers {
            do throws(SystemError) {
                try CgroupFreezer.thaw(freezer)
            } catch {
                guard [EOPNOTSUPP, ENOENT, ENODEV].contains(error.errno) else { throw error }
            }
        }
    }

    private static func send(
        to pid: Int32, _ place: CgroupPlace, _ layout: CgroupLayout
    ) throws(SystemError) {
        do throws(SystemError) {
            let process = try ProcessHandle(pid: pid)
            let present = layout.place(of: try CgroupMembership.of(pid: pid))
            guard place.covers(present) else { return }
            try process.send(signal: SIGKILL)
        } catch {
            // It has ended meanwhile.
            guard error.errno == ESRCH || error.errno == ENOENT else { throw error }
        }
    }

    static func exists(_ path: String) -> Bool {
        do throws(SystemError) {
            _ = try HostFiles.status(RawPath(path))
            return true
        } catch {
            return false
        }
    }
}

extension CgroupPlace {
    /// The same place without the hierarchies in whose root it lies: there it is no group of its own.
    package func withoutRoots(of layout: CgroupLayout) -> CgroupPlace {
        CgroupPlace(
            unified: unified.flatMap { layout.isRoot($0) ? nil : $0 },
            legacy: legacy.filter { !layout.isRoot($0.value) })
    }

    /// Whether a process with those groups is in this group or below it, in any hierarchy.
    package func covers(_ other: CgroupPlace) -> Bool {
        func isWithin(_ inner: String?, _ outer: String?) -> Bool {
            guard let inner, let outer else { return false }
            return inner == outer || inner.hasPrefix(outer + "/")
        }
        if isWithin(other.unified, unified) { return true }
        return legacy.contains { isWithin(other.legacy[$0.key], $0.value) }
    }
}
