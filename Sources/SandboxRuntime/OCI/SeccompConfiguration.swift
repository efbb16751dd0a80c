package import SandboxModel

/// Writes the `linux.seccomp` object of a bundle, or the profile file that Docker takes.
package enum SeccompConfiguration {
    /// The filter for a sandbox that holds the given capabilities.
    ///
    /// What is not allowed answers `EPERM`; `clone3` answers `ENOSYS` without `CAP_SYS_ADMIN`, because its
    /// flags lie behind a pointer that a filter cannot read and the C libraries then fall back to `clone`,
    /// whose flags it can.
    /// - Parameter capabilities: Names with `CAP_`.
    /// - SeeAlso: OCI runtime specification, `config-linux.md`, "Seccomp"; seccomp(2).
    package static func value(capabilities: [String]) -> JSONValue {
        value(capabilities: capabilities, architecture: .current)
    }

    static func value(capabilities: [String], architecture: HostArchitecture) -> JSONValue {
        let held = Set(capabilities)
        var rules = [allow(SeccompTable.always + (SeccompTable.byArchitecture[architecture] ?? []))]
        for family in SeccompTable.byCapability where held.contains(family.capability) {
            rules.append(allow(family.calls))
        }
        for personality in SeccompTable.personalities {
            rules.append(allow(["personality"], argument: condition(0, personality, "SCMP_CMP_EQ")))
        }
        // The kernel looks at the low half alone, so the upper half must not decide. One rule a family:
        // runtimes turn several conditions on one argument into alternatives.
        var families = SeccompTable.addressFamilies
        if held.contains("CAP_NET_RAW") { families.append(SeccompTable.rawAddressFamily) }
        for family in families {
            rules.append(allow(["socket"], argument: condition(0, 0xffff_ffff, "SCMP_CMP_MASKED_EQ", family)))
        }
        if !held.contains("CAP_SYS_ADMIN") {
            let noNamespaces = condition(0, SeccompTable.cloneNamespaceFlags, "SCMP_CMP_MASKED_EQ", 0)
            rules.append(allow(["clone"], argument: noNamespaces))
            rules.append(["names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38])
        }
        return [
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 1,
            "architectures": .strings(architecture.seccompNames),
            "syscalls": .array(rules),
        ]
    }

    private static func allow(_ names: [String]) -> JSONValue {
        ["names": .strings(names), "action": "SCMP_ACT_ALLOW"]
    }

    private static func allow(_ names: [String], argument: JSONValue) -> JSONValue {
        ["names": .strings(names), "action": "SCMP_ACT_ALLOW", "args": [argument]]
    }

    private static func condition(
        _ index: Int64, _ value: Int64, _ comparison: String, _ second: Int64? = nil
    ) -> JSONValue {
        var members = [
            JSONMember("index", .integer(index)), JSONMember("value", .integer(value)),
            JSONMember("op", .string(comparison)),
        ]
        if let second { members.insert(JSONMember("valueTwo", .integer(second)), at: 2) }
        return .object(members)
    }
}
