internal import LinuxSystem
internal import SandboxModel
internal import SandboxNetwork

/// What a refused packet means.
enum NetworkFindings {
    /// A violation for a refusal; packets that were only counted are one too, without a destination.
    static func finding(for event: NetworkEvent) -> ViolationFinding {
        ViolationFinding(
            .networkViolation, .high,
            cause: event.cause == .connectionLimit ? "connection_limit" : "refused_destination",
            details: [
                JSONMember("reason", .string(event.cause.rawValue)),
                JSONMember("address", .optional(event.address?.description)),
                JSONMember("port", .optional(event.port.map(Int64.init))),
                JSONMember("protocol", .string(event.protocolName)),
                JSONMember("packets", .integer(Int64(event.count))),
            ])
    }
}

/// Keeps one program that knocks at one door again and again from being one violation after the other: the same refusal
/// is told once a minute.
struct RecentRefusals {
    private static let quietSeconds: Int64 = 60
    private static let maximumCount = 1024

    private var times: [NetworkEvent: Timestamp] = [:]

    /// Whether a refusal is to be told, and remembers it.
    mutating func isNew(_ event: NetworkEvent, at now: Timestamp) -> Bool {
        var key = event
        key.count = 1
        if let last = times[key], last.advanced(bySeconds: RecentRefusals.quietSeconds) > now { return false }
        if times.count >= RecentRefusals.maximumCount { times.removeAll(keepingCapacity: true) }
        times[key] = now
        return true
    }
}
