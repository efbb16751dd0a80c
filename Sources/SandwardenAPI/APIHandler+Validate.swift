internal import HTTP
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxSecurity

// `POST /validate`: answered on the connection's own thread from the published snapshot.

extension APIHandler {
    /// The most checks that one request may hold.
    static let maximumChecks = 10_000

    func validate(_ request: HTTPRequest, by principal: Principal) throws(SecurityError) -> HTTPResponse {
        let document = try RequestBody.document(request.body)
        guard let checks = document["checks"] else {
            let verdict = try manager.validate(try ValidationBody.check(document), by: principal)
            return APIHandler.json(verdict.json)
        }
        var checker = DocumentChecker()
        let map = checker.map(document, keys: ["checks"])
        guard map != nil, let list = checks.array, list.count <= APIHandler.maximumChecks else {
            checker.fault(
                "a list of at most \(APIHandler.maximumChecks) checks was expected, and nothing beside it",
                at: "/checks", location: checks.location)
            throw RequestBody.refusal(checker)
        }
        var results: [JSONValue] = []
        results.reserveCapacity(list.count)
        for (index, node) in list.enumerated() {
            do throws(SecurityError) {
                results.append(
                    try manager.validate(
                        try ValidationBody.check(node, at: "/checks/\(index)"), by: principal
                    ).json)
            } catch {
                // One check that is wrong does not keep the others from being answered.
                results.append(ValidationBody.errorJSON(error))
            }
        }
        return APIHandler.json(["results": .array(results)])
    }
}
