import Foundation
import Testing

/// The package's own files, as these tests read them.
enum SourceTree {
    /// The package's root folder.
    static let root: URL = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url
    }()

    struct SourceFile {
        let target: String
        /// Below the root, such as `Sources/HTTP/HTTP.swift`.
        let path: String
        let lines: [String]
    }

    /// Every Swift file below `Sources` or `Tests`.
    static func files(in folder: String) throws -> [SourceFile] {
        let base = root.appendingPathComponent(folder).resolvingSymlinksInPath()
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var files: [SourceFile] = []
        for case let name as String in walk where name.hasSuffix(".swift") {
            let text = try String(contentsOf: base.appendingPathComponent(name), encoding: .utf8)
            let target = String(name.prefix { $0 != "/" })
            files.append(
                SourceFile(
                    target: target, path: "\(folder)/\(name)",
                    lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)))
        }
        return files.sorted { $0.path < $1.path }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }
}
