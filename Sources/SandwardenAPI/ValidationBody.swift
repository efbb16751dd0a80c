package import SandboxModel
internal import SandboxPolicy
package import SandboxSecurity

/// Reads one check of `POST /validate` and of `sandwarden validate --input`.
package enum ValidationBody {
    private static let keys = [
        "policy", "sandbox_id", "command", "argv", "cwd", "env", "stdin", "path", "operation",
    ]

    /// One check.
    /// - Parameters:
    ///   - pointer: Where the check stands in the body.
    ///   - isSubjectGiven: Whether the policy is known from elsewhere, so that neither `policy` nor `sandbox_id`
    ///     may stand here.
    package static func check(
        _ node: DocumentNode, at pointer: String = "", subject: ValidationSubject? = nil
    ) throws(SecurityError) -> ValidationCheck {
        var checker = DocumentChecker()
        guard let map = checker.map(node, at: pointer, keys: keys) else { throw RequestBody.refusal(checker) }
        let found = subject ?? self.subject(&checker, map)
        if subject != nil, map.has("policy") || map.has("sandbox_id") {
            checker.fault("the policy is given outside", at: pointer, location: node.location)
        }
        let what: ValidationCheck.What?
        if map.has("path") {
            for key in ["command", "argv", "cwd", "env", "stdin"] where map.has(key) {
                checker.fault("`\(key)` does not go with `path`", key: key, of: map)
            }
            let path = RequestBody.text(&checker, "path", map, maximumBytes: 65_536)
            let operation = checker.choice("operation", of: map, FileOperation.self) ?? .read
            what = path.map { .path(PathCheck($0, operation: operation)) }
        } else {
            if map.has("operation") {
                checker.fault("`operation` goes with `path`", key: "operation", of: map)
            }
            what = command(&checker, map)
        }
        guard checker.faults.isEmpty, let found, let what else { throw RequestBody.refusal(checker) }
        return ValidationCheck(subject: found, what: what)
    }

    private static func subject(_ checker: inout DocumentChecker, _ map: DocumentMap) -> ValidationSubject? {
        switch (map.has("policy"), map.has("sandbox_id")) {
        case (true, false):
            return RequestBody.policyName(&checker, "policy", map).map(ValidationSubject.policy)
        case (false, true):
            return RequestBody.sandboxID(&checker, "sandbox_id", map).map(ValidationSubject.sandbox)
        default:
            checker.fault(
                "exactly one of `policy` and `sandbox_id` was expected", at: map.pointer,
                location: map.node.location)
            return nil
        }
    }

    private static func command(_ checker: inout DocumentChecker, _ map: DocumentMap) -> ValidationCheck.What? {
        let program = RequestBody.program(&checker, map)
        let folder = checker.string("cwd", of: map, maximumBytes: 4096)
        let environment = RequestBody.strings(&checker, "env", map) ?? [:]
        let stdin = RequestBody.text(&checker, "stdin", map, maximumBytes: 8 << 20)
        guard let program else { return nil }
        let source: CommandCheck.Subject
        switch program {
        case .command(let text): source = .script(Array(text.utf8))
        case .arguments(let arguments): source = .arguments(arguments)
        }
        return .command(
            CommandCheck(
                source, workingDirectory: folder, environment: environment,
                stdin: stdin.map { Array($0.utf8) }))
    }

    /// What stands in place of a verdict for a check that is wrong.
    package static func errorJSON(_ error: SecurityError) -> JSONValue {
        [
            "error": [
                "code": .string(error.code.rawValue), "detail": .string(error.detail),
                "errors": .array(
                    error.faults.map { ["pointer": .string($0.pointer), "detail": .string($0.detail)] }),
            ]
        ]
    }
}
