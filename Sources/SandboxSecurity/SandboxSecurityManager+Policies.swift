internal import Logging
public import SandboxModel
public import SandboxPolicy

// Policies by name: made, replaced, deleted, tried out.

extension SandboxSecurityManager {
    /// All policies, the built-in ones first.
    public func listPolicies() -> JSONValue {
        ["policies": .array(shelf.catalog.versions.map(\.json))]
    }

    /// A policy and its entity tag.
    /// - Throws: `notFound`.
    public func policyJSON(_ name: PolicyName) throws(SecurityError) -> (json: JSONValue, tag: String) {
        guard let version = shelf.catalog.version(name) else {
            throw SecurityError(.notFound, "there is no policy named \(name); GET /policies lists them")
        }
        return (version.json, SandboxSecurityManager.tag(version))
    }

    private static func tag(_ version: PolicyVersion) -> String {
        "\"\(version.policy.name)-\(version.version)\""
    }

    /// Every fault of a document, as if it were put; nothing is changed.
    public func checkPolicy(_ node: DocumentNode) -> JSONValue {
        do throws(PolicyFaults) {
            return shelf.catalog.check(try PolicyDocument(node: node)).json
        } catch {
            return PolicyCheckResult(errors: error.faults, warnings: []).json
        }
    }

    /// Makes a policy.
    /// - Throws: `invalid` with every fault; `conflict` when there is one of that name.
    public func createPolicy(
        _ node: DocumentNode, by principal: Principal
    ) async throws(SecurityError) -> (json: JSONValue, tag: String) {
        try principal.require(.admin, to: "make a policy")
        if let name = node["name"]?.string.flatMap(PolicyName.init(rawValue:)), shelf.catalog[name] != nil {
            throw SecurityError(
                .conflict, "there is a policy named \(name) already; PUT makes a new version of it")
        }
        return try await put(node, name: nil, event: .policyCreated, by: principal)
    }

    /// Makes a policy of checked values, or a new version of it; a built-in one is left as it is.
    public func define(_ policy: Policy, by principal: Principal) async throws(SecurityError) {
        try principal.require(.admin, to: "make a policy")
        guard PolicyCatalog.builtIn[policy.name] == nil else { return }
        // The values are complete: nothing is left to inherit.
        let members = (policy.json.members ?? []).filter { $0.key != "extends" }
        let node: DocumentNode
        do throws(JSONSyntaxError) {
            node = try JSONParser.parse(JSONValue.object(members).bytes)
        } catch {
            throw SecurityError(.failed, "the policy could not be read back: \(error)")
        }
        let isNew = shelf.catalog[policy.name] == nil
        _ = try await put(
            node, name: policy.name, event: isNew ? .policyCreated : .policyReplaced, by: principal)
    }

    /// Makes a new version of a policy; its children get new versions too.
    /// - Parameters:
    ///   - ifMatch: The tag that the present version must have.
    ///   - apply: Whether running sandboxes of it are changed live; else they keep their version until patched.
    public func replacePolicy(
        _ name: PolicyName, with node: DocumentNode, ifMatch: String?, apply: Bool, by principal: Principal
    ) async throws(SecurityError) -> (json: JSONValue, tag: String) {
        try principal.require(.admin, to: "replace a policy")
        let old = try changeable(name, ifMatch: ifMatch)
        if let other = node["name"]?.string, other != name.rawValue {
            throw .invalid("/name", "\(name), the path's name, was expected")
        }
        _ = old
        let result = try await put(node, name: name, event: .policyReplaced, by: principal)
        if apply { try await applyToRunning(name) }
        return result
    }

    /// Deletes a policy.
    /// - Throws: `conflict` naming the sandboxes or policies that use it.
    public func deletePolicy(
        _ name: PolicyName, ifMatch: String?, by principal: Principal
    ) async throws(SecurityError) {
        try principal.require(.admin, to: "delete a policy")
        _ = try changeable(name, ifMatch: ifMatch)
        let users = records.values.filter { $0.policy.name == name && $0.state.isAlive }.map(\.id.rawValue)
            .sorted()
        guard users.isEmpty else {
            throw SecurityError(.conflict, "sandboxes use it: \(users.prefix(10).joined(separator: ", "))")
        }
        let children = shelf.catalog.children(of: name)
        guard children.isEmpty else {
            throw SecurityError(
                .conflict,
                "policies extend it: \(children.prefix(10).map(\.rawValue).joined(separator: ", "))")
        }
        let before = shelf
        do throws(PolicyFaults) {
            shelf = try shelf.removing(name)
        } catch {
            throw SecurityError(error)
        }
        try await keep(orGoBackTo: before)
        try await evidence.audit(
            AuditRecord(.policyDeleted, at: now, by: principal.name, policy: name))
    }

    private func changeable(_ name: PolicyName, ifMatch: String?) throws(SecurityError) -> PolicyVersion {
        let current = shelf.catalog.version(name)
        if let ifMatch {
            let tag = current.map(SandboxSecurityManager.tag)
            let tags = ifMatch.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let tag, tags.contains("*") || tags.contains(tag) else {
                throw SecurityError(
                    .preconditionFailed, "the policy's tag is \(tag ?? "not there"), not \(excerpt(ifMatch))")
            }
        }
        guard let current else {
            throw SecurityError(.notFound, "there is no policy named \(name); POST /policies makes one")
        }
        switch current.origin {
        case .api: return current
        case .builtIn: throw SecurityError(.conflict, "\(name) is built in and read-only; extend it instead")
        case .file:
            throw SecurityError(
                .conflict, "\(name) stands in a file of the policies folder and is read-only here")
        }
    }

    private func put(
        _ node: DocumentNode, name: PolicyName?, event: AuditRecord.Event, by principal: Principal
    ) async throws(SecurityError) -> (json: JSONValue, tag: String) {
        let before = shelf
        let put: (shelf: PolicyShelf, name: PolicyName, change: PolicyCatalog.Change)
        do throws(PolicyFaults) {
            put = try shelf.putting(node, name: name)
        } catch {
            throw SecurityError(error)
        }
        shelf = put.shelf
        try await keep(orGoBackTo: before)
        let version = shelf.catalog.version(put.name)
        try await evidence.audit(
            AuditRecord(
                event, at: now, by: principal.name, policy: put.name,
                details: [
                    JSONMember("version", .integer(Int64(version?.version ?? 0))),
                    JSONMember("changed", .strings(put.change.changed.map(\.rawValue))),
                    JSONMember("policy_summary", version?.policy.json ?? .null),
                ]))
        var (json, tag) = try policyJSON(put.name)
        if !put.change.warnings.isEmpty, case .object(var members) = json {
            members.append(
                JSONMember(
                    "warnings",
                    .array(
                        put.change.warnings.map {
                            ["pointer": .string($0.fault.pointer), "detail": .string($0.fault.detail)]
                        })))
            json = .object(members)
        }
        return (json, tag)
    }

    // What is published is on disk first.
    private func keep(orGoBackTo before: PolicyShelf) async throws(SecurityError) {
        do throws(SecurityError) {
            try await folder.replaceLines("policies.jsonl", with: shelf.stored)
        } catch {
            shelf = before
            throw error
        }
        publishPolicies()
    }

    /// Lets checks see the catalog as it is now.
    func publishPolicies() {
        var policies: [PolicyName: CompiledPolicy] = [:]
        for name in shelf.catalog.names { policies[name] = shelf.catalog[name] }
        let table = policies
        published.publish { $0.policies = table }
    }

    private func applyToRunning(_ name: PolicyName) async throws(SecurityError) {
        guard let compiled = shelf.catalog[name] else { return }
        var failures: [String] = []
        for record in allRecords where record.policy.name == name && record.state == .running {
            do throws(SecurityError) {
                try await apply(compiled, to: record.id)
                try await announce(record.id, .sandboxChanged, by: .daemon)
            } catch {
                failures.append("\(record.id): \(error.detail)")
            }
        }
        guard failures.isEmpty else {
            throw SecurityError(
                .conflict,
                "the version is stored, but not every sandbox could take it: "
                    + failures.prefix(10).joined(separator: "; "))
        }
    }

    /// Replays recorded commands against a proposed policy.
    /// - Parameter node: The proposal; an empty map stands for the policy as it is.
    public func simulate(
        _ name: PolicyName, _ node: DocumentNode, since: Timestamp?
    ) async throws(SecurityError) -> JSONValue {
        guard let current = shelf.catalog[name] else {
            throw SecurityError(.notFound, "there is no policy named \(name)")
        }
        let proposed: CompiledPolicy
        if node.members?.isEmpty == true {
            proposed = current
        } else {
            do throws(PolicyFaults) {
                let document = try PolicyDocument(node: node, name: PolicyName(rawValue: "proposed"))
                guard let made = try PolicyShelf.proposal(document, in: shelf.catalog) else {
                    throw PolicyFaults([])
                }
                proposed = made
            } catch {
                throw SecurityError(error)
            }
        }
        var replay = PolicyReplay(proposed: proposed, policy: name)
        let start = replay
        replay = try await evidence.read { (reader) throws(SecurityError) in
            var replay = start
            try reader.audit(since: since) { replay.add($0) }
            return replay
        }
        return replay.json
    }
}

extension PolicyShelf {
    /// A document resolved beside the catalog's policies without becoming one of them.
    static func proposal(
        _ document: PolicyDocument, in catalog: PolicyCatalog
    ) throws(PolicyFaults) -> CompiledPolicy? {
        try catalog.putting(document).catalog[document.name]
    }
}
