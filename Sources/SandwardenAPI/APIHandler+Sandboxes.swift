internal import HTTP
internal import SandboxModel
internal import SandboxSecurity

// `/sandboxes` and its parts, but files, metrics and violations.

extension APIHandler {
    func answerSandboxes(
        _ route: Route, _ request: HTTPRequest, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        switch route {
        case .listSandboxes: return try await listSandboxes(request)
        case .sandboxStatistics: return APIHandler.json(await manager.statistics())
        case .sandbox(let id): return APIHandler.json(try await manager.sandbox(id))
        case .processes(let id): return APIHandler.json(try await manager.processes(id))
        case .attestation(let id): return APIHandler.json(try await manager.attest(id))
        case .createSandbox: return try await createSandbox(request, principal)
        case .exec(let id): return try await exec(request, in: id, principal)
        default: return try await changeSandbox(route, request, principal)
        }
    }

    private func changeSandbox(
        _ route: Route, _ request: HTTPRequest, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        switch route {
        case .deleteSandbox(let id):
            try await manager.delete(id, by: principal)
            return HTTPResponse(.noContent)
        case .patchSandbox(let id):
            let patch = try RequestBody.patch(request.body)
            return APIHandler.json(try await manager.patch(id, patch, by: principal))
        case .pause(let id): return APIHandler.json(try await manager.pause(id, by: principal))
        case .resume(let id): return APIHandler.json(try await manager.resume(id, by: principal))
        case .stop(let id): return APIHandler.json(try await manager.stop(id, by: principal))
        case .respond(let id):
            let action = try RequestBody.response(request.body)
            return APIHandler.json(try await manager.respond(action, to: id, by: principal))
        case .startMonitoring(let id):
            return APIHandler.json(try await manager.setMonitoring(true, of: id, by: principal))
        case .stopMonitoring(let id):
            return APIHandler.json(try await manager.setMonitoring(false, of: id, by: principal))
        default: throw SecurityError(.notFound, "no such path; see /openapi.yaml")
        }
    }

    private func listSandboxes(_ request: HTTPRequest) async throws(SecurityError) -> HTTPResponse {
        var query = RequestQuery(request, known: ["state", "policy", "label", "limit", "cursor"])
        var filter = SandboxFilter()
        filter.state = query.choice("state", SandboxState.self)
        filter.policy = query.policy("policy")
        filter.label = query.text("label")
        let limit = query.integer("limit", in: 1...1000) ?? 100
        let cursor = query.text("cursor")
        try query.check()
        return APIHandler.json(try await manager.list(filter, limit: limit, cursor: cursor))
    }

    private func createSandbox(
        _ request: HTTPRequest, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        let wanted = try RequestBody.sandbox(request.body)
        var generator = SystemRandomNumberGenerator()
        let id = SandboxID(using: &generator)
        let manager = manager
        // A client that goes away must not leave a sandbox half made.
        let work: @Sendable () async throws(SecurityError) -> HTTPResponse = {
            () async throws(SecurityError) in
            APIHandler.created(
                try await manager.create(wanted, id: id, by: principal).json, at: "/sandboxes/\(id)")
        }
        return try await idempotently(request, principal, resource: id.rawValue, work) { resource in
            guard let made = SandboxID(rawValue: resource) else { return nil }
            do throws(SecurityError) {
                return APIHandler.created(try await manager.sandbox(made), at: "/sandboxes/\(made)")
            } catch {
                return nil
            }
        }
    }

    static func created(_ json: JSONValue, at location: String) -> HTTPResponse {
        var response = APIHandler.json(json, status: .created)
        response.headers.add("Location", location)
        return response
    }

    // MARK: Exec

    private func exec(
        _ request: HTTPRequest, in id: SandboxID, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        let wanted = try RequestBody.exec(request.body)
        if let form = StreamForm(accept: request.headers["Accept"]) {
            return try await stream(wanted, in: id, form, principal)
        }
        let manager = manager
        return try await idempotently(
            request, principal, resource: nil,
            { () async throws(SecurityError) in
                APIHandler.json(try await manager.exec(wanted, in: id, by: principal).json)
            },
            replay: { _ in nil })
    }

    /// Runs a command whose output goes to the client as it comes. A refusal is an ordinary error: the stream begins
    /// with the first output, or with the result.
    private func stream(
        _ wanted: CommandRequest, in id: SandboxID, _ form: StreamForm, _ principal: Principal
    ) async throws(SecurityError) -> HTTPResponse {
        let manager = manager
        // What can be refused is refused before the stream begins, with the status that it deserves.
        let started = try await manager.beginExec(wanted, in: id, by: principal)
        let body = HTTPBodyStream { writer in
            let last: [UInt8]
            do throws(SecurityError) {
                let reply = try await manager.carryOut(started) { piece in
                    do throws(HTTPStreamError) {
                        try await writer.write(form.frame(event: "output", piece.json))
                    } catch {
                        // The client is gone: this task is cancelled, which ends the command.
                    }
                }
                last = form.frame(event: "result", reply.json)
            } catch {
                last = form.frame(
                    event: "error",
                    ["error": ["code": .string(error.code.rawValue), "detail": .string(error.detail)]])
            }
            try await writer.write(last)
        }
        return HTTPResponse(.ok, headers: ["Content-Type": form.contentType], body: .stream(body))
    }

    // MARK: Idempotency

    /// Carries out a request once for its `Idempotency-Key`, where it has one.
    /// - Parameter replay: The reply for a request that is done already, from the resource that it made.
    func idempotently(
        _ request: HTTPRequest, _ principal: Principal, resource: String?,
        _ work: @escaping @Sendable () async throws(SecurityError) -> HTTPResponse,
        replay: @Sendable (String) async -> HTTPResponse?
    ) async throws(SecurityError) -> HTTPResponse {
        guard let key = request.headers["Idempotency-Key"] else { return try await shielded(work) }
        guard IdempotencyLedger.isKey(key) else {
            throw SecurityError(.invalid, "Idempotency-Key: 1 to 255 printable bytes were expected")
        }
        let store = manager.idempotency
        let digest = IdempotencyLedger.digest(
            key: key, principal: principal.name, route: request.head.rawPath)
        let admission = try await store.admit(
            key: digest, body: IdempotencyLedger.digest(body: request.body), resource: resource,
            at: manager.time)
        switch admission {
        case .proceed: break
        case .inFlight:
            throw SecurityError(
                .conflict, "the request with this key is still under way", retryAfterSeconds: 1)
        case .otherBody: throw SecurityError(.keyReused, "the key was used with another body")
        case .full:
            throw SecurityError(
                .exhausted, "as many keyed requests are under way as may be", retryAfterSeconds: 5)
        case .replay(let status, let resource):
            if let resource, var response = await replay(resource) {
                response.headers.add("Idempotent-Replayed", "true")
                return response
            }
            throw SecurityError(
                .conflict,
                "the request with this key was carried out (status \(status)); its reply is not kept")
        }
        do throws(SecurityError) {
            let response = try await shielded(work)
            try await store.finish(key: digest, status: response.status.code, resource: resource)
            return response
        } catch {
            // Nothing lasting happened, so the client may try again with the same key.
            try await store.abandon(key: digest)
            throw error
        }
    }

    /// Lets work go to its end although the client has gone.
    func shielded(
        _ work: @escaping @Sendable () async throws(SecurityError) -> HTTPResponse
    ) async throws(SecurityError) -> HTTPResponse {
        let task = Task { () async -> Result<HTTPResponse, SecurityError> in
            do throws(SecurityError) {
                return .success(try await work())
            } catch {
                return .failure(error)
            }
        }
        return try await task.value.get()
    }
}
