import SandboxModel

/// Resolves documents over their parents, each once, and finds parents that are missing or stand in a circle.
struct PolicyResolver {
    private let entries: [PolicyName: PolicyCatalog.Entry]
    private let builtIns: [PolicyName: Policy]
    /// What was resolved so far, built-in policies not counted.
    private(set) var policies: [PolicyName: Policy] = [:]
    private(set) var faults: [PolicyFault] = []
    /// What is doubtful, by the policy that it is about.
    private(set) var warnings: [PolicyName: [PolicyFault]] = [:]
    /// Names that have a fault, their own or their parent's: said once, not again by every child.
    private var broken: Set<PolicyName> = []

    init(entries: [PolicyName: PolicyCatalog.Entry]) {
        self.entries = entries
        var builtIns: [PolicyName: Policy] = [:]
        for policy in Policy.builtIns { builtIns[policy.name] = policy }
        self.builtIns = builtIns
    }

    /// Resolves every document, in the order of their names.
    mutating func resolveAll() {
        for name in entries.keys.sorted() { resolve(name) }
    }

    /// Resolves one document and the parents that it needs. Iterative: a chain may be as long as there are
    /// documents.
    mutating func resolve(_ name: PolicyName) {
        var chain: [PolicyDocument] = []
        var current = name
        while policies[current] == nil, !broken.contains(current), let entry = entries[current],
            builtIns[current] == nil
        {
            if let start = chain.firstIndex(where: { $0.name == current }) {
                reportCircle(Array(chain[start...]))
                broken.formUnion(chain.map(\.name))
                return
            }
            chain.append(entry.document)
            current = entry.document.extends ?? .default
        }
        if policies[current] == nil, builtIns[current] == nil, !broken.contains(current),
            let last = chain.last
        {
            reportUnknownParent(of: last)
            broken.insert(last.name)
            chain.removeLast()
            broken.formUnion(chain.map(\.name))
            return
        }
        for document in chain.reversed() { resolve(document) }
    }

    private mutating func resolve(_ document: PolicyDocument) {
        let parentName = document.extends ?? .default
        guard !broken.contains(parentName), let parent = policies[parentName] ?? builtIns[parentName] else {
            broken.insert(document.name)
            return
        }
        let resolution = document.resolve(onto: parent)
        let doubts = resolution.warnings.map { PolicyFault(file: document.file, fault: $0) }
        if !doubts.isEmpty { warnings[document.name] = doubts }
        guard resolution.faults.isEmpty else {
            faults += resolution.faults.map { PolicyFault(file: document.file, fault: $0) }
            broken.insert(document.name)
            return
        }
        policies[document.name] = resolution.policy
    }

    private mutating func reportCircle(_ circle: [PolicyDocument]) {
        guard let first = circle.min(by: { $0.name < $1.name }),
            let start = circle.firstIndex(of: first)
        else { return }
        let turned = Array(circle[start...] + circle[..<start])
        let path = (turned.map(\.name) + [first.name]).map { "`\($0)`" }.joined(separator: " → ")
        report("policies extend each other in a circle: \(path)", at: first)
    }

    private mutating func reportUnknownParent(of document: PolicyDocument) {
        let wanted = document.extends ?? .default
        let known = Policy.builtInNames + entries.keys.map(\.rawValue).sorted()
        var detail = "the policy `\(wanted)` is not known"
        if let near = nearestName(to: wanted.rawValue, among: known) { detail += "; did you mean `\(near)`?" }
        report(detail, at: document)
    }

    private mutating func report(_ detail: String, at document: PolicyDocument) {
        let fault = DocumentFault(pointer: "/extends", location: document.parentLocation, detail: detail)
        faults.append(PolicyFault(file: document.file, fault: fault))
    }
}
