import LinuxSystem
import SandboxModel
import SandboxPolicy

/// Compares the limits of resources with what the kernel holds. Pure.
enum AttestationResources {
    static func controls(_ limits: ResourceLimits, _ facts: AttestationFacts) -> [AppliedControl] {
        [
            memory(limits, facts.memoryLimit), swap(facts.swap), cpu(limits, facts.cpu),
            processes(limits, facts.processLimit), openFiles(limits, facts.openFiles),
            disk(limits, facts.workspace),
        ]
    }

    static func memory(_ limits: ResourceLimits, _ reading: AttestationReading<KernelLimit>) -> AppliedControl {
        .attested("memory", wanted: "\(limits.memoryMB) MB", reading) { bytes in
            .held(bytes == .value(UInt64(clamping: limits.memoryMB) << 20), sizeText(bytes))
        }
    }

    static func swap(_ reading: AttestationReading<AttestationSwap>) -> AppliedControl {
        .attested("swap", wanted: "none", reading) { swap in
            switch swap {
            case .limited(let bytes): .held(bytes == .value(0), bytes == .value(0) ? "none" : sizeText(bytes))
            case .notCounted(hostHasSwap: false):
                AttestationJudgement(
                    status: .observed, found: "none", note: "the kernel does not count swap; this host has none now")
            case .notCounted(hostHasSwap: true):
                .held(false, "unlimited", note: "the kernel does not count swap by control group")
            }
        }
    }

    static func cpu(_ limits: ResourceLimits, _ reading: AttestationReading<AttestationCPU>) -> AppliedControl {
        .attested("cpu", wanted: percentText(limits.cpuPercent), reading) { cpu in
            guard case .value(let quota) = cpu.quota else { return .held(false, "unlimited") }
            guard cpu.period > 0 else { return .held(false, "a period of \(cpu.period) µs") }
            let wanted = limits.cpuPercent * Double(cpu.period) / 100
            // A quota is a whole number of microseconds: rounding either way is no difference.
            return .held(
                abs(Double(quota) - wanted) <= 1, percentText(Double(quota) * 100 / Double(cpu.period)))
        }
    }

    static func processes(_ limits: ResourceLimits, _ reading: AttestationReading<KernelLimit>) -> AppliedControl {
        .attested("processes", wanted: "\(limits.maxProcesses)", reading) { count in
            .held(count == .value(UInt64(clamping: limits.maxProcesses)), "\(count)")
        }
    }

    static func openFiles(
        _ limits: ResourceLimits, _ reading: AttestationReading<ProcessLimits.Pair>
    ) -> AppliedControl {
        .attested("open_files", wanted: "\(limits.maxOpenFiles)", reading) { pair in
            let wanted = KernelLimit.value(UInt64(clamping: limits.maxOpenFiles))
            let found = pair.soft == pair.hard ? "\(pair.soft)" : "\(pair.soft), hard \(pair.hard)"
            return .held(pair.hard == wanted && pair.soft == wanted, found)
        }
    }

    /// The bound is the workspace's own file system; its size may be rounded by the file system, never up.
    static func disk(
        _ limits: ResourceLimits, _ reading: AttestationReading<AttestationWorkspace>
    ) -> AppliedControl {
        .attested("disk", wanted: "\(limits.diskMB) MB", reading) { workspace in
            guard workspace.isTheHosts else { return .held(false, "another folder") }
            guard workspace.isOwnFileSystem, let bytes = workspace.sizeBytes else {
                return .held(false, "a folder on a larger file system", note: "nothing bounds its size")
            }
            let wanted = Int64(limits.diskMB) << 20
            return .held(bytes <= wanted && bytes >= wanted / 2, sizeText(.value(UInt64(clamping: bytes))))
        }
    }

    static func sizeText(_ limit: KernelLimit) -> String {
        guard case .value(let bytes) = limit else { return "unlimited" }
        return bytes % (1 << 20) == 0 ? "\(bytes >> 20) MB" : "\(bytes) bytes"
    }

    static func percentText(_ percent: Double) -> String {
        let hundredths = (percent * 100).rounded()
        guard hundredths.isFinite, abs(hundredths) < 1e15 else { return "\(percent) %" }
        let whole = Int64(hundredths)
        let (units, rest) = whole.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(units) %" }
        return rest % 10 == 0 ? "\(units).\(rest / 10) %" : "\(units).\(rest < 10 ? "0" : "")\(rest) %"
    }
}
