import LinuxSystem

/// Reads the limits of the control groups that one process is in, of either version, each with its place.
struct AttestationGroups {
    private let place: AttestationReading<CgroupPlace>
    private let limits: AttestationReading<CgroupLimits>

    /// Looks up the groups of a process and reads their limits. Blocks.
    init(pid: Int32) {
        let place: AttestationReading<CgroupPlace> = attempt { () throws(SystemError) in
            (try CgroupLayout.detect().place(of: try CgroupMembership.of(pid: pid)), "")
        }
        self.init(place)
    }

    /// Groups that are known already. For tests.
    init(place: CgroupPlace) { self.init(.found(place, evidence: "")) }

    private init(_ place: AttestationReading<CgroupPlace>) {
        self.place = place
        switch place {
        case .unknown(let reason): limits = .unknown(reason)
        case .found(let place, _):
            limits = attempt { () throws(SystemError) in (try CgroupLimits.read(place), "") }
        }
    }

    func memoryLimit() -> AttestationReading<KernelLimit> {
        reading("memory", legacy: "memory.limit_in_bytes", unified: "memory.max") { $0.memoryBytes }
    }

    func processLimit() -> AttestationReading<KernelLimit> {
        reading("pids", legacy: "pids.max", unified: "pids.max") { $0.tasks }
    }

    func cpu() -> AttestationReading<AttestationCPU> {
        reading("cpu", legacy: "cpu.cfs_quota_us, cpu.cfs_period_us", unified: "cpu.max") { limits in
            guard let quota = limits.cpuQuotaMicroseconds, let period = limits.cpuPeriodMicroseconds else { return nil }
            return AttestationCPU(quota: quota, period: period)
        }
    }

    func swap() -> AttestationReading<AttestationSwap> {
        guard case .found(let limits, _) = limits, limits.allowsSwap == nil else {
            return reading("memory", legacy: "memory.memsw.limit_in_bytes", unified: "memory.swap.max") { limits in
                switch (limits.swapBytes, limits.memoryAndSwapBytes, limits.memoryBytes) {
                case (let swap?, _, _): .limited(beyondMemory: swap)
                case (nil, .value(let both)?, .value(let memory)?):
                    .limited(beyondMemory: .value(both > memory ? both - memory : 0))
                default: .limited(beyondMemory: .unlimited)
                }
            }
        }
        return attempt { () throws(SystemError) in
            let table = try AttestationReader.textIfPresent("/proc/swaps") ?? ""
            // The first line is the table's head.
            return (.notCounted(hostHasSwap: table.split(separator: "\n").count > 1), "/proc/swaps")
        }
    }

    /// The device list of version 1; `nil` on a host where version 2 holds devices.
    func allowedDevices() throws(SystemError) -> (rules: [String], path: String)? {
        guard case .found(let place, _) = place, let folder = place.legacy["devices"] else { return nil }
        let path = folder + "/devices.list"
        guard let text = try AttestationReader.textIfPresent(path) else { return nil }
        return (text.split(separator: "\n").map(String.init), path)
    }

    /// One limit, and the file that it is read from.
    private func reading<Value: CustomStringConvertible>(
        _ controller: String, legacy: String, unified: String, _ pick: (CgroupLimits) -> Value?
    ) -> AttestationReading<Value> {
        switch (place, limits) {
        case (.unknown(let reason), _), (_, .unknown(let reason)): return .unknown(reason)
        case (.found(let place, _), .found(let limits, _)):
            let file: String
            if let folder = place.legacy[controller] {
                file = "\(folder)/\(legacy)"
            } else if let folder = place.unified {
                file = "\(folder)/\(unified)"
            } else {
                return .unknown("the process is in no \(controller) group")
            }
            guard let value = pick(limits) else { return .unknown("\(file) is not there") }
            return .found(value, evidence: "\(file): \(value)")
        }
    }
}
