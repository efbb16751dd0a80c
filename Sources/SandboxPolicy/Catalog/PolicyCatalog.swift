public import SandboxModel

/// All policies that can be named, resolved and compiled: the built-in ones and those of documents.
///
/// An immutable value: a change gives a new catalog, or faults and no change. Every policy's parent is there,
/// no chain of parents is a circle, and the implicit parent of a policy that names none is `default`.
public struct PolicyCatalog: Sendable {
    /// What is remembered of a policy's past, so that its versions go on counting.
    public struct History: Sendable, Hashable {
        /// The last version that was published.
        public var version: Int
        /// Its digest.
        public var digest: String

        /// The last version of a policy.
        public init(version: Int, digest: String) {
            self.version = version
            self.digest = digest
        }
    }

    /// A document and where it came from.
    public struct Entry: Sendable, Hashable {
        /// The document.
        public var document: PolicyDocument
        /// A file, or the API.
        public var origin: PolicyVersion.Origin

        /// A document that stands in a file, or that came by the API.
        public init(document: PolicyDocument, origin: PolicyVersion.Origin) {
            self.document = document
            self.origin = origin
        }
    }

    /// A changed catalog and what in it is new.
    public struct Change: Sendable {
        /// The catalog after the change.
        public var catalog: PolicyCatalog
        /// Policies whose values are new or changed, the changed one's children included, by name.
        public var changed: [PolicyName]
        /// What is doubtful about them.
        public var warnings: [PolicyFault]
    }

    /// Most policies besides the built-in ones.
    public static let maximumDocuments = 10_000

    private let entries: [PolicyName: Entry]
    private let compiled: [PolicyName: CompiledPolicy]
    private let histories: [PolicyName: History]
    private let doubts: [PolicyName: [PolicyFault]]

    /// The built-in policies alone.
    public static let builtIn = PolicyCatalog()

    private init() {
        entries = [:]
        doubts = [:]
        histories = [:]
        compiled = PolicyCatalog.compiledBuiltIns
    }

    private static let compiledBuiltIns: [PolicyName: CompiledPolicy] = {
        var compiled: [PolicyName: CompiledPolicy] = [:]
        for policy in Policy.builtIns {
            let version = PolicyVersion(policy: policy, version: 1, origin: .builtIn, digest: policy.digest)
            compiled[policy.name] = CompiledPolicy(version)
        }
        return compiled
    }()

    /// Resolves a set of documents together with the built-in policies.
    /// - Parameters:
    ///   - entries: The documents.
    ///   - history: The last published version of each name; a policy whose values are still the same keeps
    ///     it, any other counts on from it, a new one begins at 1.
    /// - Throws: ``PolicyFaults`` with every fault of every document: names that stand twice or belong to a
    ///   built-in policy, unknown parents, circles, contradictions.
    public init(entries: [Entry], history: [PolicyName: History] = [:]) throws(PolicyFaults) {
        try self.init(entries: entries, history: history, reusing: [:])
    }

    private init(
        entries list: [Entry], history: [PolicyName: History], reusing old: [PolicyName: CompiledPolicy]
    ) throws(PolicyFaults) {
        var faults: [PolicyFault] = []
        var entries: [PolicyName: Entry] = [:]
        for entry in list {
            if let problem = PolicyCatalog.nameProblem(of: entry, among: entries) {
                faults.append(problem)
            } else {
                entries[entry.document.name] = entry
            }
        }
        if list.count > PolicyCatalog.maximumDocuments {
            faults +=
                PolicyFaults("there are more than \(PolicyCatalog.maximumDocuments) policies", file: nil)
                .faults
        }
        var resolver = PolicyResolver(entries: entries)
        resolver.resolveAll()
        faults += resolver.faults
        guard faults.isEmpty else { throw PolicyFaults(faults) }
        var compiled = PolicyCatalog.compiledBuiltIns
        var histories = history
        for (name, policy) in resolver.policies {
            guard let entry = entries[name] else { continue }
            let digest = policy.digest
            let last = history[name]
            let number = last.map { $0.digest == digest ? $0.version : $0.version + 1 } ?? 1
            histories[name] = History(version: number, digest: digest)
            let version = PolicyVersion(policy: policy, version: number, origin: entry.origin, digest: digest)
            if let kept = old[name], kept.version == version {
                compiled[name] = kept
            } else {
                compiled[name] = CompiledPolicy(version)
            }
        }
        self.entries = entries
        self.compiled = compiled
        self.histories = histories
        doubts = resolver.warnings
    }

    private static func nameProblem(of entry: Entry, among others: [PolicyName: Entry]) -> PolicyFault? {
        let document = entry.document
        let detail: String
        if let other = others[document.name] {
            let places = [other, entry].map {
                $0.document.file.map { "`\(excerpt($0, limit: 256))`" } ?? "the API"
            }
            detail = "the policy `\(document.name)` stands twice: in \(places[0]) and in \(places[1])"
        } else if Policy.builtInNames.contains(document.name.rawValue) {
            detail =
                "`\(document.name)` is a built-in policy and cannot be replaced; extend it under another name"
        } else {
            return nil
        }
        let fault = DocumentFault(pointer: "/name", location: document.nameLocation, detail: detail)
        return PolicyFault(file: document.file, fault: fault)
    }

    // MARK: Asking

    /// What is doubtful about the documents, in the order of their policies' names.
    public var warnings: [PolicyFault] { names.flatMap { doubts[$0] ?? [] } }

    /// The names of all policies, sorted, the built-in ones first.
    public var names: [PolicyName] {
        let own = entries.keys.sorted()
        return Policy.builtIns.map(\.name) + own
    }

    /// A policy by name, ready to check with.
    public subscript(name: PolicyName) -> CompiledPolicy? { compiled[name] }

    /// A policy's published version.
    public func version(_ name: PolicyName) -> PolicyVersion? { compiled[name]?.version }

    /// Every policy's published version, in the order of ``names``.
    public var versions: [PolicyVersion] { names.compactMap { compiled[$0]?.version } }

    /// The last version of every name that ever was in this catalog, to be kept and given back at the next
    /// start.
    public var history: [PolicyName: History] { histories }

    /// The document behind a policy; `nil` for a built-in one.
    public func entry(_ name: PolicyName) -> Entry? { entries[name] }

    /// The policies that name another one as their parent, sorted.
    public func children(of name: PolicyName) -> [PolicyName] {
        entries.values.filter { $0.document.extends == name }.map(\.document.name).sorted()
    }

    // MARK: Changing

    /// The catalog with a document added, or in place of the one of that name. Its children are resolved
    /// anew.
    /// - Throws: ``PolicyFaults`` when it, or a child under it, has a fault; also for the name of a policy
    ///   that does not come from the same kind of origin.
    public func putting(
        _ document: PolicyDocument, origin: PolicyVersion.Origin = .api
    ) throws(PolicyFaults) -> Change {
        if let old = entries[document.name], case .file(let path) = old.origin, old.origin != origin {
            throw PolicyFaults(
                "the policy `\(document.name)` stands in the file `\(excerpt(path, limit: 256))`",
                file: document.file,
                pointer: "/name", location: document.nameLocation)
        }
        var list = entries
        list[document.name] = Entry(document: document, origin: origin)
        let next = try PolicyCatalog(entries: Array(list.values), history: histories, reusing: compiled)
        return change(to: next)
    }

    /// The catalog without a policy.
    /// - Throws: ``PolicyFaults`` when it is built in, unknown, or somebody's parent.
    public func removing(_ name: PolicyName) throws(PolicyFaults) -> Change {
        guard entries[name] != nil else {
            let isBuiltIn = Policy.builtInNames.contains(name.rawValue)
            throw PolicyFaults("the policy `\(name)` is \(isBuiltIn ? "built in" : "not known")", file: nil)
        }
        let children = children(of: name)
        guard children.isEmpty else {
            let list = children.map { "`\($0)`" }.joined(separator: ", ")
            throw PolicyFaults("the policy `\(name)` is the parent of \(list)", file: nil)
        }
        var list = entries
        list[name] = nil
        let next = try PolicyCatalog(entries: Array(list.values), history: histories, reusing: compiled)
        return change(to: next)
    }

    private func change(to next: PolicyCatalog) -> Change {
        let changed = next.names.filter { next.compiled[$0]?.version != compiled[$0]?.version }
        return Change(catalog: next, changed: changed, warnings: changed.flatMap { next.doubts[$0] ?? [] })
    }

    // MARK: Checking

    /// Checks a document as if it were put, and changes nothing.
    public func check(_ document: PolicyDocument) -> PolicyCheckResult {
        var list = entries
        list[document.name] = Entry(document: document, origin: .api)
        var resolver = PolicyResolver(entries: list)
        // The policies that build on it are resolved too: what it changes may not fit them.
        resolver.resolveAll()
        var errors = resolver.faults
        if Policy.builtInNames.contains(document.name.rawValue),
            let problem = PolicyCatalog.nameProblem(of: Entry(document: document, origin: .api), among: [:])
        {
            errors.insert(problem, at: 0)
        }
        return PolicyCheckResult(errors: errors, warnings: resolver.warnings[document.name] ?? [])
    }

    /// Checks a text in JSON as if its policy were put, and changes nothing.
    public func check(json: [UInt8]) -> PolicyCheckResult {
        do {
            return check(try PolicyDocument.parse(json: json))
        } catch {
            return PolicyCheckResult(errors: error.faults, warnings: [])
        }
    }
}
