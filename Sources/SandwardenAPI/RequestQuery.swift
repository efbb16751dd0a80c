package import HTTP
package import SandboxModel
package import SandboxSecurity

/// Reads a request's query: each parameter at most once, unknown ones refused, so that a misspelt filter never
/// widens an answer.
package struct RequestQuery {
    private var values: [String: String] = [:]
    private var faults: [DocumentFault] = []

    /// Takes the parameters that a route knows.
    package init(_ request: HTTPRequest, known: [String]) {
        for parameter in request.head.query {
            guard known.contains(parameter.name) else {
                fault(parameter.name, "unknown parameter; known are \(known.joined(separator: ", "))")
                continue
            }
            if values.updateValue(parameter.value, forKey: parameter.name) != nil {
                fault(parameter.name, "the parameter stands twice")
            }
        }
    }

    private mutating func fault(_ name: String, _ detail: String) {
        faults.append(
            DocumentFault(
                pointer: DocumentFault.pointer("/query", excerpt(name)), location: .none, detail: detail))
    }

    /// The text of a parameter.
    package func text(_ name: String) -> String? { values[name] }

    /// A parameter that must be there.
    package mutating func required(_ name: String) -> String {
        if let value = values[name], !value.isEmpty { return value }
        fault(name, "the parameter is needed")
        return ""
    }

    package mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = values[name] else { return nil }
        if let value = Int(text), range.contains(value), !text.hasPrefix("+") { return value }
        fault(name, "an integer from \(range.lowerBound) to \(range.upperBound) was expected")
        return nil
    }

    package mutating func flag(_ name: String) -> Bool {
        switch values[name] {
        case nil, "false": return false
        case "true": return true
        default:
            fault(name, "true or false was expected")
            return false
        }
    }

    package mutating func time(_ name: String) -> Timestamp? {
        guard let text = values[name] else { return nil }
        if let time = Timestamp(rfc3339: text) { return time }
        fault(name, "an RFC 3339 time was expected, such as 2026-01-31T12:00:00Z")
        return nil
    }

    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ type: Choice.Type
    ) -> Choice? {
        guard let text = values[name] else { return nil }
        if let value = Choice(rawValue: text) { return value }
        fault(name, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")) was expected")
        return nil
    }

    package mutating func policy(_ name: String) -> PolicyName? {
        guard let text = values[name] else { return nil }
        if let policy = PolicyName(rawValue: text) { return policy }
        fault(name, "a policy's name was expected")
        return nil
    }

    package mutating func sandbox(_ name: String) -> SandboxID? {
        guard let text = values[name] else { return nil }
        if let id = SandboxID(rawValue: text) { return id }
        fault(name, "a sandbox's identifier was expected")
        return nil
    }

    /// Throws everything that was wrong.
    package func check() throws(SecurityError) {
        guard let first = faults.first else { return }
        throw SecurityError(.invalid, "query \(first.pointer.dropFirst(7)): \(first.detail)", faults: faults)
    }
}
