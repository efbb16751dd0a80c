/// A version of the Engine API, such as `1.41`.
struct DockerAPIVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    let major: Int
    let minor: Int

    init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads `MAJOR.MINOR`, each of one to four digits.
    /// - Returns: `nil` for anything else.
    init?(text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Self.number(parts[0]), let minor = Self.number(parts[1]) else {
            return nil
        }
        self.init(major, minor)
    }

    private static func number(_ digits: Substring) -> Int? {
        guard (1...4).contains(digits.utf8.count) else { return nil }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(digits)
    }

    /// Docker 20.10: the first whose fields hold every control (private cgroup namespaces among them).
    static let lowestDocker = DockerAPIVersion(1, 41)
    /// What Podman's compatible service calls itself; it takes the same fields under an older number.
    static let lowestPodman = DockerAPIVersion(1, 40)
    /// The newest whose documentation was read when the bodies were written.
    static let highest = DockerAPIVersion(1, 47)

    /// The version to speak with an engine that offers `offered` at most.
    /// - Returns: `nil` for an engine that is too old.
    static func negotiate(offered: DockerAPIVersion, isPodman: Bool) -> DockerAPIVersion? {
        guard offered >= (isPodman ? lowestPodman : lowestDocker) else { return nil }
        return min(offered, highest)
    }

    /// The first element of every path: `/v1.41`.
    var pathPrefix: String { "/v\(major).\(minor)" }

    var description: String { "\(major).\(minor)" }

    static func < (left: DockerAPIVersion, right: DockerAPIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}
