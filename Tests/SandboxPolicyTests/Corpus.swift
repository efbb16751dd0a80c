import FoundationEssentials
import SandboxModel
import SandboxPolicy
import Testing

/// Files of test cases that are not part of the source tree: JSON lines in the folder that
/// `SANDWARDEN_CORPORA` names.
enum Corpus {
    /// The folder, where it is given.
    static let folder = ProcessInfo.processInfo.environment["SANDWARDEN_CORPORA"]

    /// The rows of one file; `nil`, with a line that says so, where the file is not at hand.
    static func rows(_ name: String) throws -> [JSONValue]? {
        guard let folder else {
            print("skipped: 1 corpus, \(name) (set SANDWARDEN_CORPORA to its folder)")
            return nil
        }
        let bytes = Array(try Data(contentsOf: URL(filePath: "\(folder)/\(name).jsonl")))
        return try bytes.split(separator: 0x0A).map { try JSONParser.parse(Array($0)).json }
    }
}

/// A compiled policy from YAML text, over the built-in ones.
func compile(_ yaml: String) throws -> CompiledPolicy {
    let document = try PolicyDocument.parse(yaml: Array(yaml.utf8))
    let catalog = try PolicyCatalog(entries: [.init(document: document, origin: .api)])
    return try #require(catalog[document.name])
}
