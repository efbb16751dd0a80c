internal import HTTP
internal import SandboxModel
internal import SandboxSecurity

// `/reports`, and the history of one sandbox.

/// The forms of a report.
enum ReportFormat: String, Sendable, Hashable, CaseIterable {
    case json, markdown
}

extension APIHandler {
    func answerReports(
        _ route: Route, _ request: HTTPRequest, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        switch route {
        case .metrics(let id):
            var query = RequestQuery(request, known: ["since", "until", "step_seconds"])
            let (since, until) = (query.time("since"), query.time("until"))
            let step = query.integer("step_seconds", in: 1...86_400)
            try query.check()
            return APIHandler.json(
                try await manager.samples(id, since: since, until: until, stepSeconds: step))
        case .violations(let id):
            var query = RequestQuery(request, known: ["limit", "cursor"])
            var filter = ViolationFilter()
            filter.sandboxID = id
            let (limit, cursor) = (query.integer("limit", in: 1...1000) ?? 100, query.text("cursor"))
            try query.check()
            _ = try await manager.sandbox(id)
            return APIHandler.json(try await manager.violations(filter, limit: limit, cursor: cursor))
        case .reportedViolations: return try await reportedViolations(request)
        case .fleetReport: return try await fleetReport(request)
        case .sandboxReport(let id):
            var query = RequestQuery(request, known: ["format"])
            let format = try reportFormat(&query, request)
            let report = try await manager.report(on: id)
            return APIHandler.render(format, report.json, ReportMarkdown.render(report))
        case .incident(let id, let incident):
            return APIHandler.json(try await manager.incident(incident, of: id))
        case .events: return try await events(request)
        default: throw SecurityError(.notFound, "no such path; see /openapi.yaml")
        }
    }

    private func reportedViolations(_ request: HTTPRequest) async throws(SecurityError) -> HTTPResponse {
        var query = RequestQuery(
            request, known: ["sandbox_id", "type", "severity", "policy", "since", "until", "limit", "cursor"])
        var filter = ViolationFilter()
        filter.sandboxID = query.sandbox("sandbox_id")
        filter.type = query.choice("type", ViolationType.self)
        filter.severity = query.choice("severity", Severity.self)
        filter.policy = query.policy("policy")
        filter.since = query.time("since")
        filter.until = query.time("until")
        let (limit, cursor) = (query.integer("limit", in: 1...1000) ?? 100, query.text("cursor"))
        try query.check()
        return APIHandler.json(try await manager.violations(filter, limit: limit, cursor: cursor))
    }

    private func fleetReport(_ request: HTTPRequest) async throws(SecurityError) -> HTTPResponse {
        var query = RequestQuery(request, known: ["format", "since"])
        let since = query.time("since")
        let format = try reportFormat(&query, request)
        let report = try await manager.fleetReport(since: since)
        return APIHandler.render(format, report.json, ReportMarkdown.render(report))
    }

    private func reportFormat(
        _ query: inout RequestQuery, _ request: HTTPRequest
    ) throws(SecurityError) -> ReportFormat {
        let asked = query.choice("format", ReportFormat.self)
        try query.check()
        if let asked { return asked }
        return (request.headers["Accept"] ?? "").lowercased().contains("text/markdown") ? .markdown : .json
    }

    private static func render(
        _ format: ReportFormat, _ json: JSONValue, _ markdown: @autoclosure () -> String
    ) -> HTTPResponse {
        switch format {
        case .json: APIHandler.json(json)
        case .markdown: APIHandler.bytes(Array(markdown().utf8), "text/markdown; charset=utf-8")
        }
    }

    /// Server-sent events, resumed after `Last-Event-ID`.
    private func events(_ request: HTTPRequest) async throws(SecurityError) -> HTTPResponse {
        let position = try EventPosition.read(request.headers["Last-Event-ID"])
        let feed = try await manager.events(after: position)
        let drain = manager.drain
        let body = HTTPBodyStream { writer in
            // Told at once, so that a client knows that it is connected.
            try await writer.write(": sandwarden\n\n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while let event = try await feed.next() {
                        try await writer.write(
                            StreamForm.events.frame(event: event.kind, id: event.id, event.json))
                    }
                }
                group.addTask { await drain.wait() }
                // Whichever ends first ends the stream: the client's going, the journal's, the daemon's.
                try await group.next()
                group.cancelAll()
            }
        }
        return HTTPResponse(
            .ok, headers: ["Content-Type": "text/event-stream", "Cache-Control": "no-store"],
            body: .stream(body))
    }
}
