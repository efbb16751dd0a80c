package import SandboxModel
package import SandboxNetwork
package import SandboxPolicy
package import SandboxRuntime

/// All that the daemon knows of one sandbox and must find again after a crash.
///
/// It is written whole to the state folder before and after every step that changes it; containers' labels are only
/// hints, this is the truth. It may hold the client's environment: the file is readable by the daemon alone.
package struct SandboxRecord: Sendable, Hashable {
    package var id: SandboxID
    package var state: SandboxState
    package var causeOfDeath: CauseOfDeath?
    /// The policy's values as they apply to this sandbox; later versions do not change it until it is patched.
    package var policy: Policy
    package var policyVersion: Int
    package var runtime: RuntimeKind
    /// Known once the driver has prepared the container.
    package var engineID: EngineID?
    package var image: String?
    package var user: SandboxUser
    package var labels: [String: String]
    /// Given by the client at create, added to every exec's environment.
    package var environment: [String: String]
    package var createdAt: Timestamp
    package var expiresAt: Timestamp?
    package var idleTimeoutSeconds: Int?
    package var lastUsedAt: Timestamp
    package var endedAt: Timestamp?
    package var isMonitored: Bool
    package var isAdopted: Bool
    package var allowsDegraded: Bool
    package var violations: Int
    package var holder: HolderProcess?
    package var network: NetworkHandle?
    package var controls: [AppliedControl]
    /// Whether its network was cut as an answer.
    package var isIsolated = false
    /// Whether the daemon froze it when it stopped, so that the next start thaws it.
    package var isPausedByShutdown = false
    /// Whether everything that it held on the host is given back.
    package var isReleased = false

    /// A sandbox that is being created.
    package init(
        id: SandboxID, policy: Policy, policyVersion: Int, runtime: RuntimeKind, image: String?,
        user: SandboxUser,
        createdAt: Timestamp
    ) {
        self.id = id
        self.state = .creating
        self.policy = policy
        self.policyVersion = policyVersion
        self.runtime = runtime
        self.image = image
        self.user = user
        self.labels = [:]
        self.environment = [:]
        self.createdAt = createdAt
        self.lastUsedAt = createdAt
        self.isMonitored = policy.enableMonitoring
        self.isAdopted = false
        self.allowsDegraded = false
        self.violations = 0
        self.controls = []
    }

    /// The sandbox as the API shows it; the environment is never shown.
    package var json: JSONValue {
        [
            "id": .string(id.rawValue), "state": .string(state.rawValue),
            "cause_of_death": .optional(causeOfDeath?.rawValue), "policy": .string(policy.name.rawValue),
            "policy_version": .integer(Int64(policyVersion)), "runtime": .string(runtime.rawValue),
            "engine_id": .optional(engineID?.rawValue), "image": .optional(image),
            "created_at": .string(createdAt.description), "expires_at": .optional(expiresAt?.description),
            "idle_timeout_seconds": .optional(idleTimeoutSeconds.map(Int64.init)),
            "ended_at": .optional(endedAt?.description),
            "labels": SandboxRecord.json(of: labels), "monitored": .bool(isMonitored),
            "adopted": .bool(isAdopted), "violations": .integer(Int64(violations)),
            "applied": .array(controls.map(\.json)),
        ]
    }

    /// A map of strings with its names in order.
    package static func json(of map: [String: String]) -> JSONValue {
        .object(map.sorted { $0.key < $1.key }.map { JSONMember($0.key, .string($0.value)) })
    }
}

extension SandboxRecord {
    /// The state file's content.
    package var stateJSON: JSONValue {
        var members = json.members ?? []
        members += [
            JSONMember("policy_document", policy.json),
            JSONMember("environment", SandboxRecord.json(of: environment)),
            JSONMember("uid", .integer(Int64(user.uid))), JSONMember("gid", .integer(Int64(user.gid))),
            JSONMember("last_used_at", .string(lastUsedAt.description)),
            JSONMember("allow_degraded", .bool(allowsDegraded)), JSONMember("isolated", .bool(isIsolated)),
            JSONMember("paused_by_shutdown", .bool(isPausedByShutdown)),
            JSONMember("released", .bool(isReleased)),
            JSONMember("holder_pid", .optional(holder.map { Int64($0.pid) })),
            JSONMember("holder_start_ticks", .optional(holder.map { Int64($0.startTicks) })),
            JSONMember("network_handle", network?.json ?? .null),
        ]
        return .object(members)
    }

    /// Reads what ``stateJSON`` wrote.
    /// - Returns: `nil` when a member that matters is missing or of another type: the file is not ours, or damaged.
    package init?(stateJSON json: JSONValue) {
        guard let id = json["id"]?.string.flatMap(SandboxID.init(rawValue:)),
            let state = json["state"]?.string.flatMap(SandboxState.init(rawValue:)),
            let document = json["policy_document"], let policy = Policy(stored: document),
            let version = json["policy_version"]?.integer,
            let runtime = json["runtime"]?.string.flatMap(RuntimeKind.init(rawValue:)),
            let createdAt = json["created_at"]?.string.flatMap(Timestamp.init(rfc3339:)),
            let uid = json["uid"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let gid = json["gid"]?.integer.flatMap({ UInt32(exactly: $0) })
        else { return nil }
        self.init(
            id: id, policy: policy, policyVersion: Int(version), runtime: runtime,
            image: json["image"]?.string,
            user: SandboxUser(uid: uid, gid: gid), createdAt: createdAt)
        self.state = state
        causeOfDeath = json["cause_of_death"]?.string.flatMap(CauseOfDeath.init(rawValue:))
        engineID = json["engine_id"]?.string.flatMap(EngineID.init(rawValue:))
        labels = SandboxRecord.strings(json["labels"])
        environment = SandboxRecord.strings(json["environment"])
        expiresAt = json["expires_at"]?.string.flatMap(Timestamp.init(rfc3339:))
        idleTimeoutSeconds = json["idle_timeout_seconds"]?.integer.flatMap { Int(exactly: $0) }
        lastUsedAt = json["last_used_at"]?.string.flatMap(Timestamp.init(rfc3339:)) ?? createdAt
        endedAt = json["ended_at"]?.string.flatMap(Timestamp.init(rfc3339:))
        isMonitored = json["monitored"]?.bool ?? policy.enableMonitoring
        isAdopted = json["adopted"]?.bool ?? false
        allowsDegraded = json["allow_degraded"]?.bool ?? false
        isIsolated = json["isolated"]?.bool ?? false
        isPausedByShutdown = json["paused_by_shutdown"]?.bool ?? false
        isReleased = json["released"]?.bool ?? false
        violations = json["violations"]?.integer.flatMap { Int(exactly: $0) } ?? 0
        controls = (json["applied"]?.array ?? []).compactMap(AppliedControl.init(json:))
        if let pid = json["holder_pid"]?.integer.flatMap({ Int32(exactly: $0) }),
            let ticks = json["holder_start_ticks"]?.integer.flatMap({ UInt64(exactly: $0) })
        {
            holder = HolderProcess(pid: pid, startTicks: ticks)
        }
        network = json["network_handle"].flatMap(NetworkHandle.init(json:))
    }

    private static func strings(_ json: JSONValue?) -> [String: String] {
        var result: [String: String] = [:]
        for member in json?.members ?? [] {
            if let text = member.value.string { result[member.key] = text }
        }
        return result
    }
}
