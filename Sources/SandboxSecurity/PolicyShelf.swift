package import SandboxModel
package import SandboxPolicy

/// The policies that there are, with what must be kept of them: documents that came by the API, and how far each
/// name's versions have counted.
package struct PolicyShelf: Sendable {
    package private(set) var catalog: PolicyCatalog
    /// Documents of policies that came by the API, as they came.
    private var documents: [PolicyName: JSONValue]

    /// The built-in policies alone.
    package init() {
        catalog = .builtIn
        documents = [:]
    }

    /// Puts together the built-in policies, a folder's, and the kept ones.
    /// - Parameters:
    ///   - directory: A folder of policy files; `nil` for none. Read here: blocks.
    ///   - stored: What ``stored`` gave in an earlier run.
    /// - Throws: ``PolicyFaults`` with the faults of every file, a name that stands in a file and in the data folder
    ///   included.
    package init(directory: String?, stored: [JSONValue]) throws(PolicyFaults) {
        var entries =
            try directory.map { path throws(PolicyFaults) in try PolicyCatalog.load(directory: path) } ?? []
        var history: [PolicyName: PolicyCatalog.History] = [:]
        var documents: [PolicyName: JSONValue] = [:]
        for item in stored {
            guard let name = item["name"]?.string.flatMap(PolicyName.init(rawValue:)) else { continue }
            if let version = item["version"]?.integer.flatMap({ Int(exactly: $0) }),
                let digest = item["digest"]?.string
            {
                history[name] = PolicyCatalog.History(version: version, digest: digest)
            }
            guard let json = item["document"], json.members != nil else { continue }
            documents[name] = json
            let document = try PolicyDocument.parse(
                json: json.bytes, file: "the data folder's policy \(name)")
            entries.append(PolicyCatalog.Entry(document: document, origin: .api))
        }
        catalog = try PolicyCatalog(entries: entries, history: history)
        self.documents = documents
    }

    /// Everything that must be kept, one value for each name that ever was, sorted.
    package var stored: [JSONValue] {
        catalog.history.sorted { $0.key < $1.key }.map { name, history in
            [
                "name": .string(name.rawValue), "version": .integer(Int64(history.version)),
                "digest": .string(history.digest), "document": documents[name] ?? .null,
            ]
        }
    }

    /// A shelf with a document added or replaced.
    package func putting(
        _ node: DocumentNode, name: PolicyName?
    ) throws(PolicyFaults) -> (shelf: PolicyShelf, name: PolicyName, change: PolicyCatalog.Change) {
        let document = try PolicyDocument(node: node, name: name)
        let change = try catalog.putting(document)
        var shelf = self
        shelf.catalog = change.catalog
        shelf.documents[document.name] = node.json
        return (shelf, document.name, change)
    }

    /// A shelf without a policy.
    package func removing(_ name: PolicyName) throws(PolicyFaults) -> PolicyShelf {
        let change = try catalog.removing(name)
        var shelf = self
        shelf.catalog = change.catalog
        shelf.documents[name] = nil
        return shelf
    }

    /// A policy's values made ready to check with, as the version that a sandbox keeps.
    package func compiled(_ policy: Policy, version: Int) -> CompiledPolicy {
        if let current = catalog[policy.name], current.version.version == version, current.policy == policy {
            return current
        }
        return CompiledPolicy(
            PolicyVersion(policy: policy, version: version, origin: .api, digest: policy.json.text))
    }
}

extension Policy {
    /// Reads values that ``json`` wrote, with nothing left to inherit.
    /// - Returns: `nil` when they are not those of a valid policy.
    package init?(stored json: JSONValue) {
        guard let name = json["name"]?.string.flatMap(PolicyName.init(rawValue:)), let members = json.members
        else {
            return nil
        }
        // The values are complete, so the parent has nothing to add; and the name may be one of ours.
        let restored = "restored"
        let complete = members.map { member -> JSONMember in
            switch member.key {
            case "name": JSONMember("name", .string(restored))
            case "extends": JSONMember("extends", .null)
            default: member
            }
        }
        do throws(PolicyFaults) {
            let document = try PolicyDocument.parse(json: JSONValue.object(complete).bytes)
            let change = try PolicyCatalog.builtIn.putting(document)
            guard var policy = change.catalog[document.name]?.policy else { return nil }
            policy.name = name
            policy.extends = json["extends"]?.string.flatMap(PolicyName.init(rawValue:))
            self = policy
        } catch {
            return nil
        }
    }
}
