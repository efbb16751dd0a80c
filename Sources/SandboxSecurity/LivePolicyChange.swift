internal import SandboxPolicy

/// Which parts of a policy can change under a running sandbox.
enum LivePolicyChange {
    /// Fields that differ and are fixed when a sandbox is made: its file system, identity and kernel filters.
    static func fieldsThatNeedANewSandbox(from old: Policy, to new: Policy) -> [String] {
        var fields: [String] = []
        func compare(_ name: String, _ isEqual: Bool) {
            if !isEqual { fields.append(name) }
        }
        compare("resource_limits/disk_mb", old.resourceLimits.diskMB == new.resourceLimits.diskMB)
        compare(
            "resource_limits/max_open_files",
            old.resourceLimits.maxOpenFiles == new.resourceLimits.maxOpenFiles)
        compare("network_policy", old.networkPolicy == new.networkPolicy)
        compare("workspace", old.workspace == new.workspace)
        compare("shell", old.shell == new.shell)
        compare("isolation", old.isolation == new.isolation)
        compare("privileges", old.privileges == new.privileges)
        return fields
    }
}
