package import SandboxModel

/// Counts the violations of one sandbox that lie within the policy's window.
///
/// Low ones never count. The number kept is bounded by the threshold: once it is reached, older entries do not matter.
package struct ViolationWindow: Sendable, Hashable {
    private var times: [Timestamp] = []

    /// An empty window.
    package init() {}

    /// Adds one violation.
    /// - Returns: Whether the threshold is reached with it.
    package mutating func record(
        _ severity: Severity, at now: Timestamp, threshold: Int, windowSeconds: Int
    ) -> Bool {
        guard severity >= .medium else { return false }
        let earliest = now.advanced(bySeconds: -Int64(windowSeconds))
        times.removeAll { $0 < earliest }
        times.append(now)
        if times.count > max(threshold, 1) { times.removeFirst(times.count - max(threshold, 1)) }
        return threshold > 0 && times.count >= threshold
    }
}
