package import HTTP
internal import Logging
internal import Metrics
internal import SandboxModel
package import SandboxSecurity

/// Answers requests: health, checks and reads of policies at once on the connection's thread, all else in a task.
package final class APIHandler: HTTPHandler {
    let manager: SandboxSecurityManager
    let access: AccessControl
    let readiness: @Sendable () async -> [ReadinessPart]

    /// The largest JSON body, and the largest file; what a policy allows may be less.
    package static let bodyLimit = 10 << 20
    package static let fileLimit = 256 << 20

    /// A handler over a manager.
    /// - Parameter readiness: Asked by `/readyz`.
    package init(
        manager: SandboxSecurityManager, access: AccessControl,
        readiness: @escaping @Sendable () async -> [ReadinessPart]
    ) {
        self.manager = manager
        self.access = access
        self.readiness = readiness
    }

    package func bodyLimit(for head: HTTPRequestHead) -> Int {
        let path = head.path
        if head.method == .put, path.count == 3, path.last == "files" { return APIHandler.fileLimit }
        return APIHandler.bodyLimit
    }

    // Whoever may not write gets the answer before a large body is read.
    package func refusal(of head: HTTPRequestHead, from peer: HTTPPeer) -> HTTPResponse? {
        do throws(SecurityError) {
            let principal = try access.principal(for: head, from: peer)
            if head.method == .put { try principal.require(.operator, to: "write") }
            return nil
        } catch {
            return Problem.response(error)
        }
    }

    package func respond(to request: HTTPRequest) -> HTTPHandling {
        do throws(SecurityError) {
            try access.refuseForeign(request)
            let route: Route
            do throws(Route.Mismatch) {
                route = try Route(method: request.head.method, segments: request.head.path)
            } catch {
                return .now(APIHandler.response(error, isOptions: request.head.method == .options))
            }
            if let open = answerOpen(route) { return open }
            let principal = try access.principal(for: request.head, from: request.peer)
            if route.takesJSON, let refusal = APIHandler.refusalUnlessJSON(request.head) {
                return .now(refusal)
            }
            if route == .validate { return .now(try validate(request, by: principal)) }
            return .later { [self] in await self.answer(route, request, principal) }
        } catch {
            return .now(Problem.response(error))
        }
    }

    private static func response(_ mismatch: Route.Mismatch, isOptions: Bool) -> HTTPResponse {
        switch mismatch {
        case .notFound(let detail):
            return Problem.response(.notFound, code: "not_found", detail: detail)
        case .methodNotAllowed(let methods):
            var names = methods.map(\.description)
            if names.contains("GET") { names.append("HEAD") }
            names.append("OPTIONS")
            let allow = names.joined(separator: ", ")
            var response =
                isOptions
                ? HTTPResponse(.noContent)
                : Problem.response(
                    .methodNotAllowed, code: "method_not_allowed", detail: "the path has \(allow)")
            response.headers.add("Allow", allow)
            return response
        }
    }

    /// The routes that are open to all.
    private func answerOpen(_ route: Route) -> HTTPHandling? {
        switch route {
        case .health: return .now(APIHandler.json(["status": "ok"]))
        case .description:
            return .now(APIHandler.bytes(PackageResources.openapi_yaml, "application/yaml"))
        case .readiness:
            return .later { [readiness] in
                let parts = await readiness()
                let isReady = parts.allSatisfy(\.isReady)
                let body: JSONValue = [
                    "ready": .bool(isReady),
                    "parts": .array(
                        parts.map {
                            [
                                "name": .string($0.name), "ready": .bool($0.isReady),
                                "detail": .string($0.detail),
                            ]
                        }),
                ]
                return APIHandler.json(body, status: isReady ? .ok : .serviceUnavailable)
            }
        default: return nil
        }
    }

    private func answer(_ route: Route, _ request: HTTPRequest, _ principal: Principal) async -> HTTPResponse {
        do throws(SecurityError) {
            switch route {
            case .listSandboxes, .createSandbox, .sandboxStatistics, .sandbox, .deleteSandbox, .patchSandbox,
                .exec,
                .pause, .resume, .stop, .respond, .startMonitoring, .stopMonitoring, .processes, .attestation:
                return try await answerSandboxes(route, request, principal)
            case .readFile, .writeFile, .deleteFile:
                return try await answerFiles(route, request, principal)
            case .listPolicies, .createPolicy, .checkPolicy, .policy, .replacePolicy, .deletePolicy,
                .simulatePolicy:
                return try await answerPolicies(route, request, principal)
            case .metrics, .violations, .fleetReport, .sandboxReport, .incident, .reportedViolations, .events:
                return try await answerReports(route, request, principal)
            case .scrape: return scrape(request)
            case .validate: return try validate(request, by: principal)
            case .health, .readiness, .description:
                return Problem.response(.notFound, code: "not_found", detail: "answered elsewhere")
            }
        } catch {
            return Problem.response(error)
        }
    }

    private func scrape(_ request: HTTPRequest) -> HTTPResponse {
        let registry = manager.metrics.registry
        let format = ExpositionFormat(accept: request.head.headers["Accept"])
        return APIHandler.bytes(registry.render(format), format.contentType)
    }

    // MARK: Replies

    static func json(_ value: JSONValue, status: HTTPStatus = .ok) -> HTTPResponse {
        bytes(value.bytes, "application/json", status: status)
    }

    static func bytes(_ bytes: [UInt8], _ type: String, status: HTTPStatus = .ok) -> HTTPResponse {
        var response = HTTPResponse(status, contentType: type, bytes)
        // Whatever a sandbox wrote must not be taken for a page of ours by a browser.
        response.headers.add("X-Content-Type-Options", "nosniff")
        return response
    }

    /// Refuses bodies of another type than the route reads.
    static func refusalUnlessJSON(_ head: HTTPRequestHead) -> HTTPResponse? {
        let type = head.headers["Content-Type"] ?? ""
        let base = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        if base == "application/json" { return nil }
        let found = type.isEmpty ? "no Content-Type" : excerpt(type, limit: 64)
        return Problem.response(
            .unsupportedMediaType, code: "unsupported_media_type",
            detail: "Content-Type: application/json was expected, found \(found)")
    }
}
