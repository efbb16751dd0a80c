internal import SandboxModel
internal import SandboxRuntime

/// One part of the daemon, and whether it works.
public struct ReadinessPart: Sendable, Hashable {
    /// A short stable name.
    public var name: String
    /// Whether it works.
    public var isReady: Bool
    /// For people: what was found, or what is missing and how to get it.
    public var detail: String

    /// A part's state.
    public init(name: String, isReady: Bool, detail: String) {
        self.name = name
        self.isReady = isReady
        self.detail = detail
    }
}

extension SandboxSecurityManager {
    /// Every part with its state. At least one runtime has to work for sandboxes to be made.
    public func readiness() async -> [ReadinessPart] {
        var parts = [
            ReadinessPart(
                name: "journal", isReady: evidence.failure == nil,
                detail: evidence.failure ?? "\(configuration.dataDirectory)")
        ]
        var probes: [RuntimeProbe] = []
        for kind in RuntimeKind.allCases {
            if let driver = drivers[kind] { probes.append(await driver.probe()) }
        }
        let isAnyAvailable = probes.contains(where: \.isAvailable)
        parts.append(
            ReadinessPart(
                name: "runtime", isReady: isAnyAvailable,
                detail: probes.map { "\($0.kind.rawValue): \($0.detail)" }.joined(separator: "; ")))
        parts.append(ReadinessPart(name: "cgroups", isReady: true, detail: workplace.controlGroupText))
        if isDraining { parts.append(ReadinessPart(name: "daemon", isReady: false, detail: "stopping")) }
        return parts
    }
}
