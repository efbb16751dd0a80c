import Glibc
import SandboxModel
import SandboxPolicy
import Testing

/// Files of test cases that are not part of the source tree: JSON lines in the folder that `SANDWARDEN_CORPORA` names.
enum Corpus {
    /// The folder, where it is given.
    static let folder: String? = {
        for entry in CommandLine.environment where entry.name == "SANDWARDEN_CORPORA" { return entry.value }
        return nil
    }()

    /// The rows of one file; `nil`, with a line that says so, where the file is not at hand.
    static func rows(_ name: String) throws -> [JSONValue]? {
        guard let folder, let bytes = read("\(folder)/\(name).jsonl") else {
            print("skipped: 1 corpus, \(name) (set SANDWARDEN_CORPORA to its folder)")
            return nil
        }
        return try bytes.split(separator: 0x0A).map { try JSONParser.parse(Array($0)).json }
    }

    private static func read(_ path: String) -> [UInt8]? {
        // SAFETY: the path is a NUL-terminated copy that lives for the call; the stream is closed below.
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { _ = unsafe fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            // SAFETY: at most `buffer.count` bytes are written into a buffer of that size.
            let count = unsafe fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}

extension CommandLine {
    /// The variables of this process.
    fileprivate static var environment: [(name: String, value: String)] {
        var result: [(String, String)] = []
        var index = 0
        // SAFETY: `environ` is a list of NUL-terminated strings that ends with a null; tests do not change it.
        while let entry = unsafe environ[index] {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                result.append((String(text[..<equals]), String(text[text.index(after: equals)...])))
            }
            index += 1
        }
        return result
    }
}

/// A compiled policy from YAML text, over the built-in ones.
func compile(_ yaml: String) throws -> CompiledPolicy {
    let document = try PolicyDocument.parse(yaml: Array(yaml.utf8))
    let catalog = try PolicyCatalog(entries: [.init(document: document, origin: .api)])
    return try #require(catalog[document.name])
}
