internal import HTTP
internal import SandboxSecurity

// `/sandboxes/{id}/files`.

extension APIHandler {
    func answerFiles(
        _ route: Route, _ request: HTTPRequest, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        switch route {
        case .readFile(let id):
            var query = RequestQuery(request, known: ["path", "limit", "cursor"])
            let path = query.required("path")
            let limit = query.integer("limit", in: 1...1000) ?? 100
            let cursor = query.text("cursor")
            try query.check()
            let content = try await manager.readFile(
                path, in: id, limit: limit, cursor: cursor, by: principal)
            return APIHandler.response(content)
        case .writeFile(let id):
            var query = RequestQuery(request, known: ["path"])
            let path = query.required("path")
            try query.check()
            let exclusive = try APIHandler.isExclusive(request)
            let manager = manager
            return try await shielded { () async throws(SecurityError) in
                let isNew = try await manager.writeFile(
                    request.body, to: path, in: id, exclusive: exclusive, by: principal)
                return HTTPResponse(isNew ? .created : .noContent)
            }
        case .deleteFile(let id):
            var query = RequestQuery(request, known: ["path", "recursive"])
            let path = query.required("path")
            let recursive = query.flag("recursive")
            try query.check()
            try await manager.deleteFile(path, in: id, recursive: recursive, by: principal)
            return HTTPResponse(.noContent)
        default: throw SecurityError(.notFound, "no such path; see /openapi.yaml")
        }
    }

    private static func isExclusive(_ request: HTTPRequest) throws(SecurityError) -> Bool {
        switch request.headers["If-None-Match"] {
        case nil: return false
        case "*": return true
        default: throw SecurityError(.invalid, "If-None-Match: only * can be asked for here")
        }
    }

    private static func response(_ content: FileContent) -> HTTPResponse {
        switch content {
        case .bytes(let bytes): return APIHandler.bytes(bytes, "application/octet-stream")
        case .listing(let json): return APIHandler.json(json)
        }
    }
}
