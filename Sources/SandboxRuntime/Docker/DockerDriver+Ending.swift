import Glibc
import HTTP
import LinuxSystem
import Logging
package import SandboxModel

extension DockerDriver {
    /// How long the kernel may take to end every process of a container.
    static let killTime = Duration.seconds(20)

    package func kill(_ engineID: EngineID) async throws(RuntimeError) {
        // An ending that was begun is finished, also when whoever asked for it has gone.
        try await Uncancelled.run { () async throws(RuntimeError) in try await self.killAndConfirm(engineID) }
    }

    package func remove(_ engineID: EngineID) async throws(RuntimeError) {
        try await Uncancelled.run { () async throws(RuntimeError) in try await self.removeAndConfirm(engineID) }
        forgetWarnings(of: engineID)
    }

    // MARK: Killing

    private func killAndConfirm(_ engineID: EngineID) async throws(RuntimeError) {
        guard let container = try await inspect(engineID), container.isAlive else { return }
        let place = try await killByGroup(engineID, container.pid)
        let deadline = MonotonicInstant.now().advanced(by: Self.killTime)
        while true {
            // Not running any more is what is wanted; the look below tells it from a kill that failed.
            _ = try await engine.call(
                .post, "/containers/\(engineID)/kill?signal=KILL", accept: [204, 404, 409, 500], operation: "kill")
            guard let now = try await inspect(engineID), now.isAlive else { break }
            guard MonotonicInstant.now() < deadline else {
                throw RuntimeError(.timedOut, operation: "kill", detail: "the engine still says: \(now.state)")
            }
            try await pause(.milliseconds(50))
        }
        try await confirmEmpty(place)
    }

    /// Kills all members of the container's control group at once, which no fork can outrun, where the group can be
    /// told for certain. Otherwise the engine's own kill has to do.
    private func killByGroup(
        _ engineID: EngineID, _ pid: Int32?
    ) async throws(RuntimeError) -> CgroupPlace? {
        guard let pid else { return nil }
        do throws(RuntimeError) {
            return try await HostWork.end("kill") { () throws(RuntimeError) in
                try HostWork.calls("kill") { () throws(SystemError) in
                    guard let place = try DockerGroups.place(of: pid, engineID) else { return nil }
                    let deadline = MonotonicInstant.now().advanced(by: Self.killTime)
                    try CgroupKill.killAll(place, layout: try CgroupLayout.detect(), until: deadline)
                    return place
                }
            }
        } catch {
            logger.warning("kill by control group failed", metadata: ["container": "\(engineID)", "error": "\(error)"])
            return nil
        }
    }

    private func confirmEmpty(_ place: CgroupPlace?) async throws(RuntimeError) {
        guard let place else { return }
        let isEmpty = try await HostWork.run("kill") { () throws(RuntimeError) in
            try HostWork.calls("kill") { () throws(SystemError) in try place.isEmpty() }
        }
        guard isEmpty else {
            throw RuntimeError(.failed, operation: "kill", detail: "processes are left in the container's group")
        }
    }

    // MARK: Removing

    private func removeAndConfirm(_ engineID: EngineID) async throws(RuntimeError) {
        try await killAndConfirm(engineID)
        let deadline = MonotonicInstant.now().advanced(by: Self.killTime)
        while true {
            var failure: RuntimeError?
            do throws(RuntimeError) {
                _ = try await engine.call(
                    .delete, "/containers/\(engineID)?force=true&v=true", accept: [200, 204, 404], operation: "remove",
                    patience: .work)
            } catch {
                // Being removed already, or its file system is busy for a moment.
                guard [.conflict, .failed].contains(error.code) else { throw error }
                failure = error
            }
            guard try await description(engineID) != nil else { return }
            guard MonotonicInstant.now() < deadline else {
                throw failure
                    ?? RuntimeError(.timedOut, operation: "remove", detail: "the engine still has \(engineID)")
            }
            try await pause(.milliseconds(100))
        }
    }

    func pause(_ duration: Duration) async throws(RuntimeError) {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw RuntimeError(.failed, operation: "wait", detail: "cancelled")
        }
    }
}

extension EngineContainer {
    /// Whether processes of it may exist.
    var isAlive: Bool {
        switch state {
        case .running, .paused: true
        case .created, .exited: false
        }
    }
}

/// The control groups of a container.
enum DockerGroups {
    /// Finds them through the container's first process.
    /// - Returns: `nil` when they do not carry the container's identifier: then they may hold others as well.
    static func place(of pid: Int32, _ engineID: EngineID) throws(SystemError) -> CgroupPlace? {
        let membership: CgroupMembership
        do throws(SystemError) {
            membership = try CgroupMembership.of(pid: pid)
        } catch {
            // It has ended.
            guard error.errno == ENOENT || error.errno == ESRCH else { throw error }
            return nil
        }
        let own = only(membership, engineID)
        guard own.unified != nil || !own.legacy.isEmpty else { return nil }
        return try CgroupLayout.detect().place(of: own)
    }

    /// The hierarchies in which the path has an element with the identifier: `/docker/<id>`,
    /// `/system.slice/docker-<id>.scope`, `/machine.slice/libpod-<id>.scope/container`.
    static func only(_ membership: CgroupMembership, _ engineID: EngineID) -> CgroupMembership {
        // Shorter names could be part of a stranger's path.
        guard engineID.rawValue.utf8.count >= 64 else { return CgroupMembership.parse([]) }
        var text = ""
        if let path = membership.unified, path.contains(engineID.rawValue) { text += "0::\(path)\n" }
        for (index, entry) in membership.legacy.sorted(by: { $0.key < $1.key }).enumerated()
        where entry.value.contains(engineID.rawValue) {
            text += "\(index + 1):\(entry.key):\(entry.value)\n"
        }
        return CgroupMembership.parse(Array(text.utf8)[...])
    }
}
