internal import HTTP
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxSecurity

// `/policies`.

extension APIHandler {
    func answerPolicies(
        _ route: Route, _ request: HTTPRequest, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        switch route {
        case .listPolicies: return APIHandler.json(await manager.listPolicies())
        case .policy(let name):
            let (json, tag) = try await manager.policyJSON(name)
            if let wanted = request.headers["If-None-Match"], APIHandler.matches(wanted, tag) {
                return HTTPResponse(.notModified, headers: ["ETag": tag])
            }
            return APIHandler.tagged(json, tag)
        case .checkPolicy:
            return APIHandler.json(await manager.checkPolicy(try RequestBody.document(request.body)))
        case .createPolicy: return try await createPolicy(request, principal)
        case .replacePolicy(let name):
            var query = RequestQuery(request, known: ["apply"])
            let apply = query.flag("apply")
            try query.check()
            let document = try RequestBody.document(request.body)
            let match = request.headers["If-Match"]
            let manager = manager
            return try await shielded { () async throws(SecurityError) in
                let (json, tag) = try await manager.replacePolicy(
                    name, with: document, ifMatch: match, apply: apply, by: principal)
                return APIHandler.tagged(json, tag)
            }
        case .deletePolicy(let name):
            try await manager.deletePolicy(name, ifMatch: request.headers["If-Match"], by: principal)
            return HTTPResponse(.noContent)
        case .simulatePolicy(let name):
            var query = RequestQuery(request, known: ["since"])
            let since = query.time("since")
            try query.check()
            let document = try RequestBody.document(request.body)
            return APIHandler.json(try await manager.simulate(name, document, since: since))
        default: throw SecurityError(.notFound, "no such path; see /openapi.yaml")
        }
    }

    private func createPolicy(
        _ request: HTTPRequest, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        let document = try RequestBody.document(request.body)
        let manager = manager
        let name = document["name"]?.string ?? ""
        return try await idempotently(
            request, principal, resource: "policy:" + name,
            { () async throws(SecurityError) in
                let (json, tag) = try await manager.createPolicy(document, by: principal)
                var response = APIHandler.created(json, at: "/policies/\(name)")
                response.headers.add("ETag", tag)
                return response
            },
            replay: { resource in
                guard let name = PolicyName(rawValue: String(resource.dropFirst(7))) else { return nil }
                do throws(SecurityError) {
                    let (json, tag) = try await manager.policyJSON(name)
                    var response = APIHandler.created(json, at: "/policies/\(name)")
                    response.headers.add("ETag", tag)
                    return response
                } catch {
                    return nil
                }
            })
    }

    private static func tagged(_ json: JSONValue, _ tag: String) -> HTTPResponse {
        var response = APIHandler.json(json)
        response.headers.add("ETag", tag)
        return response
    }

    /// Whether a field of entity tags names this one (RFC 9110, section 13.1); weak tags compare by their text here.
    static func matches(_ field: String, _ tag: String) -> Bool {
        field.split(separator: ",").contains { part in
            let text = part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
                .reversed()
            let candidate = String(text)
            return candidate == "*" || candidate == tag || candidate == "W/" + tag
        }
    }
}
