/// Replies that the server makes without asking the handler, as `application/problem+json`.
///
/// - SeeAlso: RFC 9457.
enum Problem {
    /// A refusal of a message that breaks a rule of the grammar or a limit.
    static func response(for rejection: HTTPRejection) -> HTTPResponse {
        response(rejection.status, code: rejection.reason.rawValue, detail: rejection.detail)
    }

    /// A refusal for overload.
    static func overload(_ status: HTTPStatus, detail: String, retryAfterSeconds: Int) -> HTTPResponse {
        var response = response(status, code: "overload", detail: detail)
        response.headers.add("Retry-After", "\(max(1, retryAfterSeconds))")
        return response
    }

    /// A problem; `code` and `detail` are the program's own text and need no escaping.
    static func response(_ status: HTTPStatus, code: String, detail: String) -> HTTPResponse {
        let json = """
            {"type":"about:blank","title":"\(status.phrase)","status":\(status.code),\
            "detail":"\(detail)","code":"\(code)"}
            """
        return HTTPResponse(status, contentType: "application/problem+json", Array(json.utf8))
    }
}
