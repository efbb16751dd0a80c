import LinuxSystem
import SandboxModel
import Testing

/// A sandbox that a test made, seen through the API and from the host.
struct LiveSandbox {
    let id: String
    let engineID: String
    /// The reply that it was made with.
    let created: Reply
    let daemon: TestDaemon

    /// The same sandbox behind another daemon.
    func behind(_ other: TestDaemon) -> LiveSandbox {
        LiveSandbox(id: id, engineID: engineID, created: created, daemon: other)
    }

    func get(_ part: String = "") async throws -> Reply { try await daemon.ask("GET", "/sandboxes/\(id)\(part)") }

    func post(_ part: String) async throws -> Reply { try await daemon.ask("POST", "/sandboxes/\(id)/\(part)") }

    func delete() async throws -> Reply { try await daemon.ask("DELETE", "/sandboxes/\(id)") }

    /// Runs a command, whatever comes of it.
    func exec(_ command: String, _ more: [JSONMember] = [], headers: [String] = []) async throws -> Reply {
        try await daemon.ask(
            "POST", "/sandboxes/\(id)/exec", .object([JSONMember("command", .string(command))] + more), headers: headers
        )
    }

    /// Runs a command that must be let through.
    func run(_ command: String, _ more: [JSONMember] = []) async throws -> Reply {
        let reply = try await exec(command, more)
        try #require(reply.status == 200, "\(reply.text)")
        return reply
    }

    /// The path of a file, for a request.
    func file(_ path: String) -> String { "/sandboxes/\(id)/files?path=\(path)" }

    /// Waits for a violation of a cause.
    func violation(_ cause: String) async throws -> JSONValue {
        let found = try await eventually("a violation of cause \(cause)") { () async throws -> JSONValue? in
            let list = try await get("/violations")["violations"].array ?? []
            return list.first { $0["details"]?["cause"]?.string == cause }
        }
        return found
    }

    /// Waits for a state.
    func reach(_ state: String) async throws -> Reply {
        try await eventually("state \(state)") { () async throws -> Reply? in
            let reply = try await get()
            return reply["state"].string == state ? reply : nil
        }
    }

    /// The sandbox's processes: host process id and name.
    func processes() async throws -> [(host: Int64, name: String, inner: Int64)] {
        try await get("/processes")["processes"].array?.compactMap { item in
            guard let host = item["host_pid"]?.integer, let name = item["name"]?.string,
                let inner = item["pid"]?.integer
            else { return nil }
            return (host, name, inner)
        } ?? []
    }

    /// The sandbox's first process, as the host numbers it.
    func holder() async throws -> Int64 { try #require(try await processes().first { $0.inner == 1 }).host }

    /// A limit as the host's own files give it.
    func hostLimit(_ controller: String, _ file: String, unified: String) async throws -> String {
        let pid = try await holder()
        var path: String?
        for line in try TestHost.text("/proc/\(pid)/cgroup").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let base: String
            if parts[1].split(separator: ",").contains(Substring(controller)) {
                base = "/sys/fs/cgroup/\(controller)\(top(parts[2]))/\(file)"
            } else if parts[0] == "0" {
                base = "/sys/fs/cgroup\(top(parts[2]))/\(unified)"
            } else {
                continue
            }
            // Where both versions stand side by side, the one that has the controller counts.
            if path == nil || parts[0] != "0" { path = base }
        }
        return String(try TestHost.text(try #require(path)).prefix { $0 != "\n" })
    }

    /// The part of a group's path that ends with the sandbox's own group.
    private func top(_ path: Substring) -> String {
        var kept: [Substring] = []
        for part in path.split(separator: "/") {
            kept.append(part)
            if part.contains(engineID) || part.contains(id) { break }
        }
        return "/" + kept.joined(separator: "/")
    }

    /// The host's living processes that stand in this sandbox's groups; what has ended and is not yet waited for by
    /// its parent does not count.
    func hostProcesses() -> [String] {
        TestHost.names(in: "/proc").filter { name in
            guard Int(name) != nil else { return false }
            do {
                let groups = try TestHost.text("/proc/\(name)/cgroup")
                guard groups.contains(engineID) || groups.contains(id) else { return false }
                return try !TestHost.text("/proc/\(name)/status").contains("\nState:\tZ")
            } catch {
                // It has ended meanwhile.
                return false
            }
        }
    }
}

/// Asks again and again until there is an answer, for so long that only a broken daemon fails.
func eventually<Value>(_ what: String, _ look: () async throws -> Value?) async throws -> Value {
    let end = ContinuousClock.now + .seconds(40)
    while ContinuousClock.now < end {
        if let found = try await look() { return found }
        try await Task.sleep(for: .milliseconds(100))
    }
    throw Failure("\(what) did not come")
}
