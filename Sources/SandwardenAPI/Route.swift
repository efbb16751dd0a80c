package import HTTP
package import SandboxModel

/// One route of the API with the identifiers from its path, checked.
package enum Route: Sendable, Hashable {
    case listSandboxes, createSandbox, sandboxStatistics
    case sandbox(SandboxID), deleteSandbox(SandboxID), patchSandbox(SandboxID)
    case exec(SandboxID)
    case readFile(SandboxID), writeFile(SandboxID), deleteFile(SandboxID)
    case pause(SandboxID), resume(SandboxID), stop(SandboxID), respond(SandboxID)
    case startMonitoring(SandboxID), stopMonitoring(SandboxID)
    case metrics(SandboxID), processes(SandboxID), violations(SandboxID), attestation(SandboxID)
    case listPolicies, createPolicy, checkPolicy
    case policy(PolicyName), replacePolicy(PolicyName), deletePolicy(PolicyName), simulatePolicy(PolicyName)
    case validate
    case fleetReport, sandboxReport(SandboxID), incident(SandboxID, String), reportedViolations, events
    case scrape, health, readiness, description

    /// Why a method and path are no route.
    package enum Mismatch: Error, Sendable, Hashable {
        case notFound(String)
        case methodNotAllowed([HTTPMethod])
    }

    /// Every route's method and path template, as `openapi.yaml` names them. Tests hold the two together.
    package static let table: [(method: String, path: String)] = [
        ("GET", "/sandboxes"), ("POST", "/sandboxes"), ("GET", "/sandboxes/stats"),
        ("GET", "/sandboxes/{id}"), ("DELETE", "/sandboxes/{id}"), ("PATCH", "/sandboxes/{id}"),
        ("POST", "/sandboxes/{id}/exec"),
        ("GET", "/sandboxes/{id}/files"), ("PUT", "/sandboxes/{id}/files"),
        ("DELETE", "/sandboxes/{id}/files"),
        ("POST", "/sandboxes/{id}/pause"), ("POST", "/sandboxes/{id}/resume"),
        ("POST", "/sandboxes/{id}/stop"),
        ("POST", "/sandboxes/{id}/respond"),
        ("PUT", "/sandboxes/{id}/monitoring"), ("DELETE", "/sandboxes/{id}/monitoring"),
        ("GET", "/sandboxes/{id}/metrics"), ("GET", "/sandboxes/{id}/processes"),
        ("GET", "/sandboxes/{id}/violations"), ("GET", "/sandboxes/{id}/attestation"),
        ("GET", "/policies"), ("POST", "/policies"), ("POST", "/policies/check"),
        ("GET", "/policies/{name}"), ("PUT", "/policies/{name}"), ("DELETE", "/policies/{name}"),
        ("POST", "/policies/{name}/simulate"),
        ("POST", "/validate"),
        ("GET", "/reports"), ("GET", "/reports/violations"), ("GET", "/reports/events"),
        ("GET", "/reports/{sandbox_id}"), ("GET", "/reports/{sandbox_id}/incidents/{incident_id}"),
        ("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/openapi.yaml"),
    ]

    /// Finds the route of a request.
    /// - Parameter segments: The path's segments, percent-decoded; `["sandboxes", "sb-…"]`.
    /// - Throws: ``Mismatch`` `notFound` for paths (or identifiers) that do not exist, `methodNotAllowed` with the
    ///   methods that the path has.
    package init(method: HTTPMethod, segments: [String]) throws(Mismatch) {
        // HEAD is GET without the body; the server leaves that out.
        let verb: HTTPMethod = method == .head ? .get : method
        let options = try Route.methods(segments)
        for (allowed, route) in options where allowed == verb {
            self = route
            return
        }
        throw .methodNotAllowed(options.map(\.0))
    }

    /// Whether the route reads a JSON body.
    package var takesJSON: Bool {
        switch self {
        case .createSandbox, .patchSandbox, .exec, .respond, .createPolicy, .checkPolicy, .replacePolicy,
            .simulatePolicy, .validate:
            true
        default: false
        }
    }

    private static func methods(_ segments: [String]) throws(Mismatch) -> [(HTTPMethod, Route)] {
        let rest = Array(segments.dropFirst())
        switch segments.first {
        case "sandboxes": return try sandboxes(rest)
        case "policies": return try policies(rest)
        case "reports": return try reports(rest)
        case "validate" where rest.isEmpty: return [(.post, .validate)]
        case "metrics" where rest.isEmpty: return [(.get, .scrape)]
        case "healthz" where rest.isEmpty: return [(.get, .health)]
        case "readyz" where rest.isEmpty: return [(.get, .readiness)]
        case "openapi.yaml" where rest.isEmpty: return [(.get, .description)]
        default: throw .notFound("no such path; see /openapi.yaml")
        }
    }

    private static func sandboxes(_ rest: [String]) throws(Mismatch) -> [(HTTPMethod, Route)] {
        guard let first = rest.first else { return [(.get, .listSandboxes), (.post, .createSandbox)] }
        if rest == ["stats"] { return [(.get, .sandboxStatistics)] }
        let id = try identifier(first)
        guard rest.count > 1 else {
            return [(.get, .sandbox(id)), (.delete, .deleteSandbox(id)), (.patch, .patchSandbox(id))]
        }
        guard rest.count == 2 else { throw .notFound("no such path; see /openapi.yaml") }
        switch rest[1] {
        case "exec": return [(.post, .exec(id))]
        case "files": return [(.get, .readFile(id)), (.put, .writeFile(id)), (.delete, .deleteFile(id))]
        case "pause": return [(.post, .pause(id))]
        case "resume": return [(.post, .resume(id))]
        case "stop": return [(.post, .stop(id))]
        case "respond": return [(.post, .respond(id))]
        case "monitoring": return [(.put, .startMonitoring(id)), (.delete, .stopMonitoring(id))]
        case "metrics": return [(.get, .metrics(id))]
        case "processes": return [(.get, .processes(id))]
        case "violations": return [(.get, .violations(id))]
        case "attestation": return [(.get, .attestation(id))]
        default: throw .notFound("a sandbox has no such part; see /openapi.yaml")
        }
    }

    private static func policies(_ rest: [String]) throws(Mismatch) -> [(HTTPMethod, Route)] {
        guard let first = rest.first else { return [(.get, .listPolicies), (.post, .createPolicy)] }
        if rest == ["check"] { return [(.post, .checkPolicy)] }
        guard let name = PolicyName(rawValue: first) else {
            throw .notFound("no policy can have that name; 1 to 63 of [a-z0-9-] were expected")
        }
        if rest.count == 1 {
            return [(.get, .policy(name)), (.put, .replacePolicy(name)), (.delete, .deletePolicy(name))]
        }
        if rest.count == 2, rest[1] == "simulate" { return [(.post, .simulatePolicy(name))] }
        throw .notFound("a policy has no such part; see /openapi.yaml")
    }

    private static func reports(_ rest: [String]) throws(Mismatch) -> [(HTTPMethod, Route)] {
        guard let first = rest.first else { return [(.get, .fleetReport)] }
        if rest == ["violations"] { return [(.get, .reportedViolations)] }
        if rest == ["events"] { return [(.get, .events)] }
        let id = try identifier(first)
        if rest.count == 1 { return [(.get, .sandboxReport(id))] }
        if rest.count == 3, rest[1] == "incidents" { return [(.get, .incident(id, rest[2]))] }
        throw .notFound("a report has no such part; see /openapi.yaml")
    }

    private static func identifier(_ text: String) throws(Mismatch) -> SandboxID {
        guard let id = SandboxID(rawValue: text) else {
            throw .notFound("no sandbox can have that identifier; sb-[a-z0-9]{10,40} was expected")
        }
        return id
    }
}
