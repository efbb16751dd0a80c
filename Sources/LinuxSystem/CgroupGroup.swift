internal import Glibc

extension CgroupPlace {
    /// Makes the group's directory in every hierarchy; those that are there already are no error.
    ///
    /// On failure what was made is removed again. A version 1 cpuset is given its parent's processors and
    /// memory nodes, without which nothing can be moved into it.
    /// - SeeAlso: cgroups(7).
    package func create() throws(SystemError) {
        var made: [String] = []
        do throws(SystemError) {
            for directory in directories {
                do throws(SystemError) {
                    try HostFiles.makeDirectory(RawPath(directory), mode: 0o755)
                    made.append(directory)
                } catch {
                    guard error.errno == EEXIST else { throw error }
                }
            }
            if let cpuset = legacy["cpuset"] { try inheritCPUSet(cpuset) }
        } catch {
            for directory in made.reversed() {
                do throws(SystemError) {
                    try HostFiles.remove(RawPath(directory), isDirectory: true)
                } catch {
                    // The first error is the one to report; an empty group left behind does no harm.
                    continue
                }
            }
            throw error
        }
    }

    private func inheritCPUSet(_ directory: String) throws(SystemError) {
        guard let slash = directory.lastIndex(of: "/") else { return }
        for name in ["cpuset.cpus", "cpuset.mems"] {
            let own = try HostFiles.read(RawPath("\(directory)/\(name)"), limit: 64 * 1024)
            guard KernelText.trimmed(own[...]).isEmpty else { continue }
            let above = try HostFiles.read(RawPath("\(directory[..<slash])/\(name)"), limit: 64 * 1024)
            let value = KernelText.text(KernelText.trimmed(above[...]))
            if !value.isEmpty { try HostFiles.writeControl(RawPath("\(directory)/\(name)"), value) }
        }
    }

    /// Removes the group, and with `recursively` the groups below it, from every hierarchy.
    ///
    /// A group whose last process is still being taken down answers `EBUSY` for a moment: tried until the
    /// deadline. Blocks.
    /// - Throws: `EBUSY` when it still has members then.
    package func remove(recursively: Bool = false, until deadline: MonotonicInstant) throws(SystemError) {
        for directory in directories {
            try Self.remove(directory, recursively: recursively, depth: 0, until: deadline)
        }
    }

    private static func remove(
        _ directory: String, recursively: Bool, depth: Int, until deadline: MonotonicInstant
    ) throws(SystemError) {
        if recursively {
            for name in try children(of: directory, depth: depth) {
                try remove("\(directory)/\(name)", recursively: true, depth: depth + 1, until: deadline)
            }
        }
        while true {
            do throws(SystemError) {
                try HostFiles.remove(RawPath(directory), isDirectory: true)
                return
            } catch {
                if error.errno == ENOENT { return }
                guard error.errno == EBUSY, MonotonicInstant.now() < deadline else { throw error }
            }
            usleep(1000)
        }
    }

    /// Moves a process, with all its threads, into the group in every hierarchy.
    /// - Throws: `ESRCH` when it has ended; `EBUSY`, `EOPNOTSUPP` when version 2's rules forbid members
    ///   there.
    package func add(pid: Int32) throws(SystemError) {
        for directory in directories {
            try HostFiles.writeControl(RawPath("\(directory)/cgroup.procs"), "\(pid)")
        }
    }

    /// Numbers of the processes in the group, of all hierarchies together.
    /// - Parameter recursively: Also of the groups below.
    /// - Returns: In no order, each once; without processes that our pid namespace does not show.
    /// - Throws: `EMSGSIZE` past 16 MiB of text or 64 levels; a group that is gone has no members.
    package func processes(recursively: Bool) throws(SystemError) -> Set<Int32> {
        var all: Set<Int32> = []
        for directory in directories {
            try Self.collect(directory, recursively: recursively, depth: 0, into: &all)
        }
        return all
    }

    private static func collect(
        _ directory: String, recursively: Bool, depth: Int, into all: inout Set<Int32>
    ) throws(SystemError) {
        do throws(SystemError) {
            let bytes = try HostFiles.read(RawPath("\(directory)/cgroup.procs"), limit: 16 << 20)
            all.formUnion(parseProcesses(bytes[...]))
        } catch {
            // EOPNOTSUPP: a threaded group of version 2, whose processes its domain lists.
            guard [ENOENT, ENODEV, EOPNOTSUPP].contains(error.errno) else { throw error }
        }
        guard recursively else { return }
        for name in try children(of: directory, depth: depth) {
            try collect("\(directory)/\(name)", recursively: true, depth: depth + 1, into: &all)
        }
    }

    /// Reads the text of `cgroup.procs`; 0, a process outside of our pid namespace, is left out.
    package static func parseProcesses(_ bytes: ArraySlice<UInt8>) -> [Int32] {
        KernelText.lines(bytes).compactMap { line in
            KernelText.unsigned(line).flatMap { Int32(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
        }
    }

    private static func children(of directory: String, depth: Int) throws(SystemError) -> [String] {
        guard depth < 64 else { throw SystemError(errno: EMSGSIZE, operation: "cgroup", detail: directory) }
        do throws(SystemError) {
            let listing = try Descriptor.openDirectory(RawPath(directory)).list(limit: 100_000)
            guard !listing.isCut else {
                throw SystemError(errno: EMSGSIZE, operation: "cgroup", detail: directory)
            }
            return listing.entries.filter { $0.kind == .directory }.compactMap {
                String(validating: $0.name, as: UTF8.self)
            }
        } catch {
            guard error.errno == ENOENT || error.errno == ENODEV else { throw error }
            return []
        }
    }

    /// Whether the kernel says that the group and those below it have no members.
    package func isEmpty() throws(SystemError) -> Bool {
        try processes(recursively: true).isEmpty
    }
}
