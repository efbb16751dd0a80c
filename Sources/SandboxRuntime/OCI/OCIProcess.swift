internal import SandboxModel
internal import SandboxPolicy

/// Writes the `process` object of a bundle, for the holder and for every exec beside it.
enum OCIProcess {
    /// The holder, with everything that the policy says of processes.
    /// - Parameter facts: What this host lets us set.
    static func holder(_ plan: SandboxPlan, facts: OCIHostFacts) -> JSONValue {
        let privileges = plan.policy.privileges
        return [
            "terminal": false,
            "user": user(plan.user),
            "args": .strings([SandboxPlan.holderProgram, "hold"]),
            "env": .strings(["PATH=\(ExecEnvironment.path)"]),
            "cwd": "/",
            "capabilities": capabilities(privileges.capabilities, isRoot: plan.user.uid == 0),
            "noNewPrivileges": .bool(privileges.noNewPrivileges),
            "rlimits": .array(limits(plan, facts: facts)),
            // When the host itself runs out of memory, a sandbox goes before the daemon.
            "oomScoreAdj": 500,
        ]
    }

    /// The holder's object with another program in it: same user rules, capabilities, limits and filter.
    /// - Parameter holder: What ``holder(_:facts:)`` wrote.
    static func exec(_ process: ExecProcess, like holder: JSONValue) -> JSONValue {
        let replaced: [String: JSONValue] = [
            "user": user(process.user),
            "args": .strings(process.arguments),
            "env": .strings(process.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }),
            "cwd": .string(process.workingDirectory),
        ]
        let members = holder.members ?? []
        return .object(members.map { JSONMember($0.key, replaced[$0.key] ?? $0.value) })
    }

    /// The holder's object with another bound on open files; for processes to come.
    static func withOpenFiles(_ limit: Int, facts: OCIHostFacts, in holder: JSONValue) -> JSONValue {
        let value = facts.openFiles(wanted: limit)
        let members = (holder.members ?? []).map { member -> JSONMember in
            guard member.key == "rlimits", let limits = member.value.array else { return member }
            let changed = limits.map {
                $0["type"]?.string == "RLIMIT_NOFILE" ? Self.limit("NOFILE", value) : $0
            }
            return JSONMember(member.key, .array(changed))
        }
        return .object(members)
    }

    /// No group but the own one: the daemon's groups must not come along.
    private static func user(_ user: SandboxUser) -> JSONValue {
        [
            "uid": .integer(Int64(user.uid)), "gid": .integer(Int64(user.gid)), "umask": 0o022,
            "additionalGids": [],
        ]
    }

    /// Exactly the policy's list. Root gets them by being root; another user keeps them through execve(2)
    /// only as ambient ones, which the kernel ties to the inheritable set.
    /// - SeeAlso: capabilities(7), "Ambient".
    private static func capabilities(_ names: [String], isRoot: Bool) -> JSONValue {
        let granted = JSONValue.strings(names)
        let kept = isRoot ? JSONValue.array([]) : granted
        return [
            "bounding": granted, "effective": granted, "permitted": granted, "inheritable": kept,
            "ambient": kept,
        ]
    }

    private static func limits(_ plan: SandboxPlan, facts: OCIHostFacts) -> [JSONValue] {
        let limits = plan.policy.resourceLimits
        var list = [
            limit("NOFILE", facts.openFiles(wanted: limits.maxOpenFiles)),
            limit("CORE", 0),
            limit("FSIZE", Int64(limits.diskMB) << 20),
        ]
        if case .auto = plan.policy.privileges.user {
            // A second wall behind the pids controller, which has to meet the bound first so that it is
            // counted. A uid that other sandboxes share cannot have it: the kernel counts a user's processes
            // together.
            list.append(limit("NPROC", Int64(limits.maxProcesses) * 2 + 64))
        }
        return list
    }

    private static func limit(_ name: String, _ value: Int64) -> JSONValue {
        ["type": .string("RLIMIT_\(name)"), "hard": .integer(value), "soft": .integer(value)]
    }
}

/// What the host lets the OCI driver set; read once.
struct OCIHostFacts: Sendable, Hashable {
    /// The daemon's own hard limit on open files.
    var openFilesHardLimit: Int64
    /// Whether the daemon holds `CAP_SYS_RESOURCE` and may go beyond its own limits.
    var canRaiseLimits: Bool
    /// Whether the memory controller counts swap.
    var accountsSwap: Bool
    /// Whether control groups are of version 2 alone.
    var isUnified: Bool

    /// The bound on open files that can be had for a wanted one.
    func openFiles(wanted: Int) -> Int64 {
        canRaiseLimits ? Int64(wanted) : min(Int64(wanted), openFilesHardLimit)
    }
}
