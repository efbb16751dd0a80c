package import SandboxModel
internal import SandboxPolicy
package import SandboxSecurity

/// Reads JSON bodies into requests; every fault is found at once, with its pointer.
package enum RequestBody {
    /// Reads a body as JSON.
    /// - Throws: `invalid` with line and column.
    package static func document(_ bytes: [UInt8]) throws(SecurityError) -> DocumentNode {
        do throws(JSONSyntaxError) {
            return try JSONParser.parse(bytes)
        } catch {
            throw SecurityError(
                .invalid, "the body is not JSON: \(error)",
                faults: [DocumentFault(pointer: "", location: error.location, detail: error.detail)])
        }
    }

    /// The body of `POST /sandboxes`.
    package static func sandbox(_ bytes: [UInt8]) throws(SecurityError) -> SandboxRequest {
        var checker = DocumentChecker()
        let keys = [
            "policy", "image", "runtime", "command", "env", "labels", "ttl_seconds", "idle_timeout_seconds",
            "adopt",
            "allow_degraded",
        ]
        guard let map = checker.map(try document(bytes), keys: keys) else { throw refusal(checker) }
        checker.require("policy", of: map)
        let name = policyName(&checker, "policy", map)
        let image = checker.string("image", of: map, maximumBytes: 255)
        let runtime = checker.choice("runtime", of: map, RuntimeChoice.self)
        let command = text(&checker, "command", map, maximumBytes: 65_536)
        let environment = strings(&checker, "env", map)
        let labels = strings(&checker, "labels", map)
        let ttl = checker.integer("ttl_seconds", of: map, in: 1...31_536_000)
        let idle = checker.integer("idle_timeout_seconds", of: map, in: 1...31_536_000)
        let adopt = checker.string("adopt", of: map, maximumBytes: 128)
        let degraded = checker.bool("allow_degraded", of: map)
        guard checker.faults.isEmpty, let name else { throw refusal(checker) }
        var request = SandboxRequest(policy: name)
        request.image = image
        request.runtime = runtime ?? .auto
        request.command = command
        request.environment = environment ?? [:]
        request.labels = labels ?? [:]
        request.ttlSeconds = ttl
        request.idleTimeoutSeconds = idle
        request.adopt = adopt
        request.allowsDegraded = degraded ?? false
        return request
    }

    /// The body of `PATCH /sandboxes/{id}`.
    package static func patch(_ bytes: [UInt8]) throws(SecurityError) -> SandboxPatch {
        var checker = DocumentChecker()
        let node = try document(bytes)
        guard let map = checker.map(node, keys: ["policy", "ttl_seconds", "labels"]) else {
            throw refusal(checker)
        }
        if node.members?.isEmpty == true {
            checker.fault(
                "at least one of policy, ttl_seconds, labels was expected", at: "", location: node.location)
        }
        var patch = SandboxPatch()
        patch.policy = policyName(&checker, "policy", map)
        if checker.isNull("ttl_seconds", of: map) {
            patch.ttlSeconds = .some(nil)
        } else if let seconds = checker.integer("ttl_seconds", of: map, in: 1...31_536_000) {
            patch.ttlSeconds = .some(seconds)
        }
        patch.labels = strings(&checker, "labels", map)
        guard checker.faults.isEmpty else { throw refusal(checker) }
        return patch
    }

    /// The body of `POST /sandboxes/{id}/respond`.
    package static func response(_ bytes: [UInt8]) throws(SecurityError) -> ResponseAction {
        var checker = DocumentChecker()
        guard let map = checker.map(try document(bytes), keys: ["action"]) else { throw refusal(checker) }
        checker.require("action", of: map)
        guard let action = checker.choice("action", of: map, ResponseAction.self), checker.faults.isEmpty
        else {
            throw refusal(checker)
        }
        return action
    }

    /// The body of `POST /sandboxes/{id}/exec`.
    package static func exec(_ bytes: [UInt8]) throws(SecurityError) -> CommandRequest {
        var checker = DocumentChecker()
        let keys = ["command", "argv", "cwd", "env", "stdin", "timeout_seconds"]
        guard let map = checker.map(try document(bytes), keys: keys) else { throw refusal(checker) }
        let program = self.program(&checker, map)
        let folder = checker.string("cwd", of: map, maximumBytes: 4096)
        let environment = strings(&checker, "env", map)
        let stdin = text(&checker, "stdin", map, maximumBytes: 8 << 20)
        let timeout = checker.integer("timeout_seconds", of: map, in: 1...31_536_000)
        guard checker.faults.isEmpty, let program else { throw refusal(checker) }
        var request = CommandRequest(program)
        request.workingDirectory = folder
        request.environment = environment ?? [:]
        request.stdin = stdin.map { Array($0.utf8) }
        request.timeoutSeconds = timeout
        return request
    }

    /// Exactly one of `command` and `argv`.
    static func program(_ checker: inout DocumentChecker, _ map: DocumentMap) -> CommandRequest.Program? {
        switch (map.has("command"), map.has("argv")) {
        case (true, false):
            return text(&checker, "command", map, maximumBytes: 65_536).map(CommandRequest.Program.command)
        case (false, true):
            guard let items = checker.list("argv", of: map) else { return nil }
            var arguments: [String] = []
            for item in items {
                if let argument = item.node.string, argument.utf8.count <= 65_536 {
                    arguments.append(argument)
                } else {
                    checker.fault(
                        "a string of at most 65536 bytes was expected", at: item.pointer,
                        location: item.node.location)
                }
            }
            return .arguments(arguments)
        default:
            checker.fault(
                "exactly one of `command` and `argv` was expected", at: map.pointer,
                location: map.node.location)
            return nil
        }
    }

    /// A text that may hold any character.
    static func text(
        _ checker: inout DocumentChecker, _ key: String, _ map: DocumentMap, maximumBytes: Int
    ) -> String? {
        guard let node = map[key] else { return nil }
        guard let text = node.string, text.utf8.count <= maximumBytes else {
            checker.fault("a string of at most \(maximumBytes) bytes was expected", key: key, of: map)
            return nil
        }
        return text
    }

    static func policyName(_ checker: inout DocumentChecker, _ key: String, _ map: DocumentMap) -> PolicyName? {
        guard let text = checker.string(key, of: map, maximumBytes: 63) else { return nil }
        if let name = PolicyName(rawValue: text) { return name }
        checker.fault("a policy's name was expected: 1 to 63 of [a-z0-9-]", key: key, of: map)
        return nil
    }

    static func sandboxID(_ checker: inout DocumentChecker, _ key: String, _ map: DocumentMap) -> SandboxID? {
        guard let text = checker.string(key, of: map, maximumBytes: 64) else { return nil }
        if let id = SandboxID(rawValue: text) { return id }
        checker.fault("a sandbox's identifier was expected: sb-[a-z0-9]{10,40}", key: key, of: map)
        return nil
    }

    static func strings(
        _ checker: inout DocumentChecker, _ key: String, _ map: DocumentMap
    ) -> [String: String]? {
        guard let node = map[key] else { return nil }
        guard let members = node.members else {
            checker.fault("a map of strings was expected", key: key, of: map)
            return nil
        }
        var result: [String: String] = [:]
        for member in members {
            if let text = member.value.string {
                result[member.key] = text
            } else {
                checker.fault(
                    "a string was expected", at: DocumentFault.pointer(map.pointer(to: key), member.key),
                    location: member.value.location)
            }
        }
        return result
    }

    /// All faults of a body as one refusal.
    static func refusal(_ checker: DocumentChecker) -> SecurityError {
        let count = checker.faults.count
        let first =
            checker.faults.first.map { "\($0.pointer.isEmpty ? "the body" : $0.pointer): \($0.detail)" } ?? ""
        return SecurityError(
            .invalid, count == 1 ? first : "\(count) fields are wrong; the first: \(first)",
            faults: checker.faults)
    }
}
