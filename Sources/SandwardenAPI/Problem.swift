package import HTTP
package import SandboxModel
package import SandboxSecurity

/// Errors as RFC 9457 documents.
package enum Problem {
    /// The status of each kind of refusal.
    package static func status(_ code: SecurityError.Code) -> HTTPStatus {
        switch code {
        case .invalid: .badRequest
        case .unauthenticated: .unauthorized
        case .denied, .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .preconditionFailed: .preconditionFailed
        case .tooLarge: .contentTooLarge
        case .unenforceable, .keyReused: .unprocessableContent
        case .exhausted: .tooManyRequests
        case .unavailable, .journalFailing: .serviceUnavailable
        case .timedOut: .gatewayTimeout
        case .failed: .internalServerError
        }
    }

    /// The reply for a refusal.
    package static func response(_ error: SecurityError) -> HTTPResponse {
        let status = status(error.code)
        var extra: [JSONMember] = []
        if !error.faults.isEmpty {
            extra.append(
                JSONMember(
                    "errors",
                    .array(
                        error.faults.map { ["pointer": .string($0.pointer), "detail": .string($0.detail)] })))
        }
        if let verdict = error.verdict { extra.append(JSONMember("verdict", verdict.json)) }
        if !error.controls.isEmpty { extra.append(JSONMember("applied", .array(error.controls.map(\.json)))) }
        var response = response(status, code: error.code.rawValue, detail: error.detail, extra: extra)
        if let seconds = error.retryAfterSeconds { response.headers.add("Retry-After", String(seconds)) }
        if status == .unauthorized { response.headers.add("WWW-Authenticate", "Bearer realm=\"sandwarden\"") }
        return response
    }

    /// A reply of any status in the form of all errors.
    package static func response(
        _ status: HTTPStatus, code: String, detail: String, extra: [JSONMember] = []
    ) -> HTTPResponse {
        let members = [
            JSONMember("type", "about:blank"), JSONMember("title", .string(status.phrase)),
            JSONMember("status", .integer(Int64(status.code))), JSONMember("detail", .string(detail)),
            JSONMember("code", .string(code)),
        ]
        var response = HTTPResponse(
            status, contentType: "application/problem+json", JSONValue.object(members + extra).bytes)
        response.headers.add("Cache-Control", "no-store")
        return response
    }
}
