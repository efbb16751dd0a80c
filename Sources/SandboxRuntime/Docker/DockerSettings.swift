/// How the docker driver finds its engine, and what it asks of it.
package struct DockerSettings: Sendable, Hashable {
    /// Path of the engine's unix socket, see ``DockerSocket``.
    package var socketPath: String
    /// Used for a sandbox that names no image; `nil` makes such a request a fault.
    package var defaultImage: String?
    /// This installation's identifier; containers of others are never touched.
    package var instanceID: String
    /// Control group below which the engine puts containers; `nil` leaves it to the engine.
    package var cgroupParent: String?
    /// How long the engine may take to answer a question; making, starting and removing may take four times as long.
    package var answerTime = Duration.seconds(15)

    /// Settings of the given parts.
    package init(
        socketPath: String, defaultImage: String? = nil, instanceID: String, cgroupParent: String? = nil
    ) {
        self.socketPath = socketPath
        self.defaultImage = defaultImage
        self.instanceID = instanceID
        self.cgroupParent = cgroupParent
    }
}

/// Where an engine listens.
package enum DockerSocket {
    /// The usual places, in the order in which they are looked at.
    package static let usualPaths = ["/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock"]

    /// Finds the socket's path: what is configured, else `DOCKER_HOST`, else the first usual place that exists.
    /// - Parameters:
    ///   - configured: `docker.socket`: `/path`, `unix:/path` or `unix:///path`.
    ///   - dockerHost: The variable's value; empty counts as absent.
    ///   - exists: Whether there is something at a path.
    /// - Throws: `unsupported` for another kind of address, `unavailable` when there is nothing anywhere; both say
    ///   what was tried.
    package static func resolve(
        configured: String?, dockerHost: String?, exists: (String) -> Bool
    ) throws(RuntimeError) -> String {
        if let configured, !configured.isEmpty { return try path(of: configured, "docker.socket") }
        if let dockerHost, !dockerHost.isEmpty { return try path(of: dockerHost, "DOCKER_HOST") }
        for path in usualPaths where exists(path) { return path }
        throw RuntimeError(
            .unavailable, operation: "docker",
            detail: "no engine at \(usualPaths.joined(separator: ", ")): start one, or set docker.socket")
    }

    private static func path(of address: String, _ source: String) throws(RuntimeError) -> String {
        var path = address[...]
        if path.hasPrefix("unix://") {
            path = path.dropFirst(7)
        } else if path.hasPrefix("unix:") {
            path = path.dropFirst(5)
        }
        // 107 bytes is what a socket's address holds.
        guard path.hasPrefix("/"), path.utf8.count <= 107, !path.utf8.contains(0) else {
            let shown = String(address.prefix(64))
            throw RuntimeError(
                .unsupported, operation: "docker",
                detail: "\(source) is \(shown): only unix sockets by absolute path (unix:///run/docker.sock) are used")
        }
        return String(path)
    }
}
