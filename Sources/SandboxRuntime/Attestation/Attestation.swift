package import SandboxModel
package import SandboxPolicy

/// Says of every control of a policy whether it holds in one running sandbox, from what was read on the host. Pure.
///
/// Nothing is believed because an engine accepted it. A difference is `degraded`, with what was found; so is what could
/// not be read.
package enum Attestation {
    /// What else guards the sandbox, besides what the kernel shows of its processes.
    package struct Guards: Sendable, Hashable {
        /// Whether each exec runs in a control group of its own, so that a timeout ends all that it started.
        package var hasExecGroups: Bool
        /// Whether samples are taken of it.
        package var isMonitored: Bool

        /// Guards of the given parts.
        package init(hasExecGroups: Bool, isMonitored: Bool) {
            self.hasExecGroups = hasExecGroups
            self.isMonitored = isMonitored
        }
    }

    /// The controls of one sandbox, each name once, in a fixed order.
    /// - Parameters:
    ///   - user: Whom its processes must be on the host.
    ///   - others: What drivers, the network and the monitor say of controls that are theirs. Where several speak of one
    ///     control the weakest status stands, and each of them is quoted.
    package static func controls(
        policy: Policy, user: SandboxUser, facts: AttestationFacts, guards: Guards, others: [AppliedControl]
    ) -> [AppliedControl] {
        let read =
            AttestationResources.controls(policy.resourceLimits, facts)
            + AttestationPrivileges.controls(policy, user: user, facts)
            + AttestationMounts.controls(policy, facts)
        let isVirtual = policy.isolation == .gvisor
        let kernel = isVirtual ? read.map(insideGVisor) : read
        return merge(kernel + others, defaults: AttestationDeclared.controls(policy, guards))
    }

    /// Controls that gVisor's own kernel holds, which the host's files do not show: what is read there is the state of
    /// gVisor itself, so neither a match nor a difference says anything.
    private static let heldInside: Set<String> = [
        "open_files", "capabilities", "no_new_privileges", "seccomp", "user", "read_only_root", "masked_paths",
        "readonly_paths", "workspace", "namespaces", "devices", "disk",
    ]

    private static func insideGVisor(_ control: AppliedControl) -> AppliedControl {
        guard heldInside.contains(control.control) else { return control }
        return AppliedControl(
            control.control, .observed, wanted: control.wanted, found: "",
            evidence: "asked for, and held by gVisor's own kernel, which the host cannot read back")
    }

    /// Joins what several sources say.
    /// - Parameter defaults: Used for a control that nobody else speaks of.
    static func merge(_ spoken: [AppliedControl], defaults: [AppliedControl]) -> [AppliedControl] {
        var order: [String] = []
        var byName: [String: AppliedControl] = [:]
        for control in spoken {
            guard let other = byName[control.control] else {
                order.append(control.control)
                byName[control.control] = control
                continue
            }
            byName[control.control] = weaker(other, control)
        }
        for control in defaults where byName[control.control] == nil {
            order.append(control.control)
            byName[control.control] = control
        }
        return order.compactMap { byName[$0] }
    }

    private static func weaker(_ first: AppliedControl, _ second: AppliedControl) -> AppliedControl {
        let (base, extra) = rank(second.status) > rank(first.status) ? (second, first) : (first, second)
        var joined = base
        let evidence = [base.evidence, extra.evidence].filter { !$0.isEmpty }
        joined.evidence = evidence.joined(separator: "; ")
        if joined.wanted.isEmpty { joined.wanted = extra.wanted }
        if joined.found.isEmpty { joined.found = extra.found }
        return joined
    }

    private static func rank(_ status: ControlStatus) -> Int {
        switch status {
        case .enforced: 0
        case .observed: 1
        case .degraded: 2
        case .unsupported: 3
        }
    }

    /// Why a sandbox must be refused.
    package struct Fault: Sendable, Hashable, CustomStringConvertible {
        /// The control's name.
        package var control: String
        /// Its status; `nil` when nothing is known of such a control.
        package var status: ControlStatus?
        /// One sentence: what was wanted, what was found.
        package var detail: String

        package var description: String { "\(control): \(detail)" }
    }

    /// Compares controls with what a policy insists on.
    /// - Parameters:
    ///   - requireKernel: Names that must be `enforced`; `observed` is not enough for them.
    ///   - allowDegraded: Accepts everything: the client was asked and said so.
    /// - Returns: One fault for each control that does not suffice, in the order of `controls`, then names that no
    ///   control has; empty when the sandbox may run.
    package static func requirementFaults(
        _ controls: [AppliedControl], requireKernel: [String], allowDegraded: Bool
    ) -> [Fault] {
        guard !allowDegraded else { return [] }
        var faults: [Fault] = []
        for control in controls {
            let found = control.found.isEmpty ? "nothing" : control.found
            switch control.status {
            case .enforced: continue
            case .observed:
                guard requireKernel.contains(control.control) else { continue }
                faults.append(
                    Fault(
                        control: control.control, status: .observed,
                        detail: "must be held by the kernel, but is only observed: \(control.evidence)"))
            case .degraded, .unsupported:
                faults.append(
                    Fault(
                        control: control.control, status: control.status,
                        detail: "is \(control.status.rawValue): wanted \(control.wanted), found \(found) "
                            + "(\(control.evidence))"))
            }
        }
        let known = Set(controls.map(\.control))
        for name in requireKernel where !known.contains(name) {
            faults.append(Fault(control: name, status: nil, detail: "is required, but there is no such control"))
        }
        return faults
    }
}
