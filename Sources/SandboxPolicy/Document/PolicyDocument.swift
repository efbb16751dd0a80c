public import SandboxModel

/// One policy as it was written: the fields that stand in it and no others, each of them checked.
///
/// What it means depends on its parent; ``PolicyCatalog`` resolves that.
public struct PolicyDocument: Sendable, Hashable {
    /// The policy's name.
    public let name: PolicyName
    /// The parent that it names; `nil` stands for `default`.
    public let extends: PolicyName?
    /// The file it was read from; `nil` for a text that came over the wire.
    public let file: String?
    /// The document's tree, with places.
    let node: DocumentNode

    /// Longest document in bytes.
    public static let maximumBytes = 1 << 20

    /// Reads a policy in JSON.
    /// - Parameters:
    ///   - json: The document's bytes.
    ///   - file: Named in faults.
    ///   - name: The name it must have, or takes when it names none; `nil` where the document must name
    ///     itself.
    /// - Throws: ``PolicyFaults`` with every fault that can be found without knowing other policies.
    public static func parse(
        json: [UInt8], file: String? = nil, name: PolicyName? = nil
    ) throws(PolicyFaults) -> PolicyDocument {
        guard json.count <= maximumBytes else {
            throw PolicyFaults(
                "the text has \(json.count) bytes, more than the \(maximumBytes) allowed", file: file)
        }
        let node: DocumentNode
        do {
            node = try JSONParser.parse(json)
        } catch {
            throw PolicyFaults(error.detail, file: file, location: error.location)
        }
        return try PolicyDocument(node: node, file: file, name: name)
    }

    /// Reads a policy in YAML; otherwise like ``parse(json:file:name:)``.
    public static func parse(
        yaml: [UInt8], file: String? = nil, name: PolicyName? = nil
    ) throws(PolicyFaults) -> PolicyDocument {
        let node: DocumentNode
        do {
            node = try YAMLReader.read(yaml)
        } catch {
            throw PolicyFaults([PolicyFault(file: file, fault: error.fault)])
        }
        return try PolicyDocument(node: node, file: file, name: name)
    }

    /// Checks a document's tree.
    /// - Throws: ``PolicyFaults`` with every fault that can be found without knowing other policies.
    public init(
        node: DocumentNode, file: String? = nil, name expected: PolicyName? = nil
    ) throws(PolicyFaults) {
        var checker = DocumentChecker()
        guard let map = checker.map(node, keys: PolicyFields.keys) else {
            throw PolicyDocument.faults(checker.faults, file)
        }
        let name = PolicyDocument.readName(map, expected: expected, &checker)
        let extends = PolicyDocument.readParent(map, &checker)
        var scratch = Policy(name: name ?? .default)
        PolicyFields.read(map, into: &scratch, &checker)
        guard checker.faults.isEmpty, let name else { throw PolicyDocument.faults(checker.faults, file) }
        self.name = name
        self.extends = extends
        self.file = file
        self.node = node
    }

    /// The policy that the document means over a parent's values, and what is wrong or doubtful about it.
    func resolve(onto parent: Policy) -> PolicyResolution {
        var policy = parent
        policy.name = name
        policy.extends = extends
        // A parent's text for people is about the parent.
        policy.description = ""
        var checker = DocumentChecker()
        guard let map = checker.map(node, keys: PolicyFields.keys) else {
            return PolicyResolution(policy: policy, faults: checker.faults, warnings: [])
        }
        PolicyFields.read(map, into: &policy, &checker)
        var consistency = PolicyConsistency(map: map, policy: policy, parent: parent, checker: checker)
        consistency.check()
        return PolicyResolution(
            policy: policy, faults: consistency.checker.faults, warnings: consistency.checker.warnings)
    }

    /// The place of `extends`, for faults that only the catalog can find.
    var parentLocation: SourceLocation { (node["extends"] ?? node).location }
    /// The place of `name`.
    var nameLocation: SourceLocation { (node["name"] ?? node).location }

    private static func faults(_ faults: [DocumentFault], _ file: String?) -> PolicyFaults {
        PolicyFaults(faults.map { PolicyFault(file: file, fault: $0) })
    }

    private static func readName(
        _ map: DocumentMap, expected: PolicyName?, _ checker: inout DocumentChecker
    ) -> PolicyName? {
        if expected == nil { checker.require("name", of: map) }
        guard map.has("name") else { return expected }
        guard let name = policyName("name", of: map, &checker) else { return nil }
        guard let expected, name != expected else { return name }
        checker.fault("`\(expected)` was expected, found `\(name)`", key: "name", of: map)
        return nil
    }

    private static func readParent(_ map: DocumentMap, _ checker: inout DocumentChecker) -> PolicyName? {
        checker.isNull("extends", of: map) ? nil : policyName("extends", of: map, &checker)
    }

    private static func policyName(
        _ key: String, of map: DocumentMap, _ checker: inout DocumentChecker
    ) -> PolicyName? {
        guard let text = checker.string(key, of: map) else { return nil }
        if let name = PolicyName(rawValue: text) { return name }
        let detail =
            text == "check"
            ? "`check` is reserved" : "`\(excerpt(text, limit: 64))` is not a name: 1 to 63 of a-z, 0-9 and -"
        checker.fault(detail, key: key, of: map)
        return nil
    }
}

/// What a document means, once its parent is known.
struct PolicyResolution {
    var policy: Policy
    var faults: [DocumentFault]
    var warnings: [DocumentFault]
}
