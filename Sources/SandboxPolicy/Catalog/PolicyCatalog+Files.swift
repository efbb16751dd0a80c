import FoundationEssentials
import SandboxModel

extension PolicyDocument {
    /// Reads a policy from a file: JSON where its name ends in `.json`, else YAML. Blocks.
    /// - Throws: ``PolicyFaults``, also when the file is missing, no regular file, too large or not readable.
    public static func load(file path: String) throws(PolicyFaults) -> PolicyDocument {
        let bytes = try PolicyFiles.read(path)
        return path.hasSuffix(".json")
            ? try parse(json: bytes, file: path) : try parse(yaml: bytes, file: path)
    }
}

extension PolicyCatalog {
    /// Reads every policy of a folder: `*.yaml`, `*.yml` and `*.json`, in the order of their names, hidden
    /// files and sub-folders left out. Blocks.
    /// - Returns: Entries with the origin `file`, for ``init(entries:history:)``.
    /// - Throws: ``PolicyFaults`` with the faults of all files; also when the folder cannot be read.
    public static func load(directory: String) throws(PolicyFaults) -> [Entry] {
        var entries: [Entry] = []
        var faults: [PolicyFault] = []
        for path in try PolicyFiles.list(directory) {
            do {
                entries.append(
                    Entry(document: try PolicyDocument.load(file: path), origin: .file(path: path)))
            } catch {
                faults += error.faults
            }
        }
        guard faults.isEmpty else { throw PolicyFaults(faults) }
        return entries
    }

    /// Checks files together with each other and the built-in policies, as one catalog. Blocks.
    public static func check(files: [String]) -> PolicyCheckResult {
        var entries: [Entry] = []
        var faults: [PolicyFault] = []
        for path in files {
            do {
                entries.append(
                    Entry(document: try PolicyDocument.load(file: path), origin: .file(path: path)))
            } catch {
                faults += error.faults
            }
        }
        do {
            let catalog = try PolicyCatalog(entries: entries)
            return PolicyCheckResult(errors: faults, warnings: catalog.warnings)
        } catch {
            return PolicyCheckResult(errors: faults + error.faults, warnings: [])
        }
    }
}

/// The one place where this module touches the file system.
private enum PolicyFiles {
    static func list(_ directory: String) throws(PolicyFaults) -> [String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw PolicyFaults("the folder cannot be read: \(excerpt(reason(error)))", file: directory)
        }
        let wanted = names.filter { name in
            !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
        }
        guard wanted.count <= PolicyCatalog.maximumDocuments else {
            throw PolicyFaults(
                "the folder holds more than \(PolicyCatalog.maximumDocuments) policies", file: directory)
        }
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        return wanted.sorted().map { prefix + $0 }
    }

    static func read(_ path: String) throws(PolicyFaults) -> [UInt8] {
        do {
            // Looked at first, so that a pipe or a device is never opened and nothing huge is read.
            let attributes = try FileManager.default.attributesOfItem(atPath: resolved(path))
            guard attributes[.type] as? FileAttributeType == .typeRegular else {
                throw PolicyFaults("this is not a regular file", file: path)
            }
            if let size = attributes[.size] as? UInt64, size > UInt64(PolicyDocument.maximumBytes) {
                throw PolicyFaults(
                    "the file has \(size) bytes, more than the \(PolicyDocument.maximumBytes) allowed",
                    file: path)
            }
            return Array(try Data(contentsOf: URL(filePath: path)))
        } catch let faults as PolicyFaults {
            throw faults
        } catch {
            throw PolicyFaults("the file cannot be read: \(excerpt(reason(error)))", file: path)
        }
    }

    // `attributesOfItem` looks at a link itself; policies are often linked into place.
    private static func resolved(_ path: String) -> String {
        URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? CocoaError else { return "\(error)" }
        switch error.code {
        case .fileReadNoSuchFile, .fileNoSuchFile: return "it does not exist"
        case .fileReadNoPermission: return "permission is denied"
        default: return "\(error.code)"
        }
    }
}
