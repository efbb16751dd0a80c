/// A mounted hierarchy of control groups.
package struct CgroupMount: Sendable, Hashable {
    /// Directory where it is mounted.
    package let point: String
    /// The group that is shown at that directory: `/` on a host, our own group inside a container.
    package let root: String

    package init(point: String, root: String) {
        self.point = point
        self.root = root
    }

    /// Directory of the group with that path; `nil` when it is not below what is shown.
    package func directory(of path: String) -> String? {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else { return nil }
        // A path that climbs (seen through a cgroup namespace) is outside of what is mounted.
        guard !path.split(separator: "/").contains("..") else { return nil }
        if root == "/" { return path == "/" ? point : point + path }
        if path == root { return point }
        guard path.hasPrefix(root + "/") else { return nil }
        return point + path.dropFirst(root.count)
    }
}

/// How this host lays out its control groups: version 1, version 2, or both beside each other.
/// - SeeAlso: cgroups(7); Linux `admin-guide/cgroup-v2.rst`.
package struct CgroupLayout: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// Version 2 alone.
        case unified
        /// Version 1 with a version 2 hierarchy beside it.
        case hybrid
        /// Version 1 alone.
        case legacy
        /// No control groups are mounted.
        case none
    }

    /// Version 1 mounts by controller; a named hierarchy is `name=…`.
    package let legacy: [String: CgroupMount]
    /// The version 2 mount.
    package let unified: CgroupMount?

    package init(legacy: [String: CgroupMount], unified: CgroupMount?) {
        self.legacy = legacy
        self.unified = unified
    }

    package var kind: Kind {
        switch (unified, legacy.isEmpty) {
        case (.some, true): .unified
        case (.some, false): .hybrid
        case (.none, false): .legacy
        case (.none, true): .none
        }
    }

    /// Reads the layout out of a mount table. A later mount of the same hierarchy does not count.
    package init(mounts: [MountEntry]) {
        var legacy: [String: CgroupMount] = [:]
        var unified: CgroupMount?
        for entry in mounts {
            guard let point = entry.point.text, let root = entry.root.text else { continue }
            let mount = CgroupMount(point: point, root: root)
            if entry.type == "cgroup2" {
                unified = unified ?? mount
            } else if entry.type == "cgroup" {
                for option in entry.superOptions where Self.isController(option) {
                    legacy[option] = legacy[option] ?? mount
                }
            }
        }
        self.init(legacy: legacy, unified: unified)
    }

    private static func isController(_ option: String) -> Bool {
        if option.hasPrefix("name=") { return true }
        let others: Set = ["rw", "ro", "xattr", "none", "noprefix", "clone_children", "all"]
        return !others.contains(option) && !option.contains("=") && !option.hasPrefix("cpuset_v2_mode")
            && !option.hasPrefix("favordynmods")
    }

    /// Reads the layout of this host.
    package static func detect() throws(SystemError) -> CgroupLayout {
        CgroupLayout(mounts: try MountTable.readOwn())
    }

    /// The directories of the groups that a process is in.
    package func place(of membership: CgroupMembership) -> CgroupPlace {
        var place = CgroupPlace()
        if let unified, let path = membership.unified { place.unified = unified.directory(of: path) }
        for (controller, mount) in legacy {
            guard let path = membership.legacy[controller] else { continue }
            place.legacy[controller] = mount.directory(of: path)
        }
        return place
    }

    /// The directories of the group with one path in every hierarchy, whether they exist or not.
    /// - Parameter path: From the root of the hierarchies, with a leading slash.
    package func place(of path: String) -> CgroupPlace {
        CgroupPlace(
            unified: unified.flatMap { $0.directory(of: path) },
            legacy: legacy.compactMapValues { $0.directory(of: path) })
    }

    /// The directories in which everything runs that has no group of its own: not to be killed or frozen.
    package func isRoot(_ directory: String) -> Bool {
        unified?.point == directory || legacy.values.contains { $0.point == directory }
    }
}

/// The control groups of one process, as paths from the roots of the hierarchies.
/// - SeeAlso: cgroups(7), "/proc/pid/cgroup".
package struct CgroupMembership: Sendable, Hashable {
    /// Version 1 paths by controller; a named hierarchy is `name=…`.
    package let legacy: [String: String]
    /// The version 2 path.
    package let unified: String?

    /// Reads the text of `/proc/PID/cgroup`. Lines of another form are left out.
    ///
    /// A path ends with ` (deleted)` when the group has been removed.
    package static func parse(_ bytes: ArraySlice<UInt8>) -> CgroupMembership {
        var legacy: [String: String] = [:]
        var unified: String?
        for line in KernelText.lines(bytes) {
            // The path may hold colons itself.
            let fields = line.split(separator: 0x3a, maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, KernelText.unsigned(fields[0]) != nil, fields[2].first == 0x2f else {
                continue
            }
            guard let path = String(validating: fields[2], as: UTF8.self) else { continue }
            if fields[0].elementsEqual([0x30]), fields[1].isEmpty {
                unified = unified ?? path
                continue
            }
            for controller in fields[1].split(separator: 0x2c) {
                let name = KernelText.text(controller)
                legacy[name] = legacy[name] ?? path
            }
        }
        return CgroupMembership(legacy: legacy, unified: unified)
    }

    /// Reads the groups of a process.
    /// - Throws: `ENOENT`, `ESRCH` when it has ended.
    package static func of(pid: Int32) throws(SystemError) -> CgroupMembership {
        parse(try HostFiles.read(RawPath("/proc/\(pid)/cgroup"), limit: 256 * 1024)[...])
    }
}

/// One group's directories over all hierarchies.
package struct CgroupPlace: Sendable, Hashable {
    /// Directory in the version 2 hierarchy.
    package var unified: String?
    /// Directories in the version 1 hierarchies, by controller; `name=…` for named ones.
    package var legacy: [String: String]

    package init(unified: String? = nil, legacy: [String: String] = [:]) {
        self.unified = unified
        self.legacy = legacy
    }

    /// The directories, each once, the version 2 one first.
    package var directories: [String] {
        var all = Set(legacy.values).sorted()
        if let unified { all.insert(unified, at: 0) }
        return all
    }

    /// The same place one level down, in some or all of the hierarchies.
    /// - Parameter controllers: Version 1 hierarchies to keep; `nil` keeps all.
    package func child(_ name: String, controllers: Set<String>? = nil) -> CgroupPlace {
        CgroupPlace(
            unified: unified.map { "\($0)/\(name)" },
            legacy: legacy.filter { controllers?.contains($0.key) ?? true }.mapValues { "\($0)/\(name)" })
    }
}
