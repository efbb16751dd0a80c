package import SandboxModel
internal import SandboxPolicy
internal import SandboxRuntime

// Files in sandboxes: the policy is asked about the path as written, and again about where it really ends; then the
// operation acts on the very descriptor that was judged.

/// What reading a path gave.
package enum FileContent: Sendable, Hashable {
    case bytes([UInt8])
    /// One page of a folder, as the API shows it: `{entries, cursor}`.
    case listing(JSONValue)
}

extension FileContent {
    static func json(_ listing: SandboxFileListing) -> JSONValue {
        ["entries": .array(listing.entries.map(json)), "cursor": .optional(listing.cursor)]
    }

    private static func json(_ entry: SandboxFileEntry) -> JSONValue {
        let name =
            entry.text.map { JSONMember("name", .string($0)) }
            ?? JSONMember("name_base64", .string(Base64.encode(entry.name)))
        let octal = String(entry.mode & 0o7777, radix: 8)
        let mode = String(repeating: "0", count: max(0, 4 - octal.count)) + octal
        return .object([
            name, JSONMember("type", .string(entry.kind.rawValue)),
            JSONMember("size", .integer(Int64(clamping: entry.sizeBytes))), JSONMember("mode", .string(mode)),
            JSONMember("mtime", .string(entry.modified.description)),
        ])
    }
}

extension SandboxSecurityManager {
    /// Reads a file, or lists a folder.
    /// - Parameters:
    ///   - limit: Entries of a page, 1 to 1000.
    ///   - cursor: The page before's.
    /// - Throws: ``SecurityError`` `denied` after the violation is on disk, `notFound`, `conflict`, `tooLarge`.
    package func readFile(
        _ path: String, in id: SandboxID, limit: Int, cursor: String?, by principal: Principal
    ) async throws(SecurityError) -> FileContent {
        try principal.require(.operator, to: "read files")
        let target = try await open(path, in: id, for: .read, by: principal)
        let maximum = (records[id]?.policy.maxFileSizeMB ?? 0) << 20
        let files = workplace.files
        return try await runtime("read file") { () async throws(RuntimeError) -> FileContent in
            switch target.kind {
            case .folder:
                .listing(FileContent.json(try await files.list(target, limit: limit, cursor: cursor)))
            default: .bytes(try await files.read(target, limit: maximum))
            }
        }
    }

    /// Writes a file whole; its parents are made.
    /// - Parameter exclusive: Whether an existing file is refused.
    /// - Returns: Whether it is new.
    package func writeFile(
        _ bytes: [UInt8], to path: String, in id: SandboxID, exclusive: Bool, by principal: Principal
    ) async throws(SecurityError) -> Bool {
        try principal.require(.operator, to: "write files")
        let maximum = (try record(id).policy.maxFileSizeMB) << 20
        guard bytes.count <= maximum else {
            throw SecurityError(
                .tooLarge,
                "the file has \(bytes.count) bytes; the policy's max_file_size_mb allows \(maximum)")
        }
        let target = try await open(path, in: id, for: .write, by: principal)
        if exclusive, target.kind != .missing {
            throw SecurityError(
                .preconditionFailed, "there is a file already, and If-None-Match: * was asked for")
        }
        let files = workplace.files
        let written = try await runtime("write file") { () async throws(RuntimeError) in
            try await files.write(bytes, to: target, limit: maximum, exclusive: exclusive)
        }
        try await evidence.audit(
            AuditRecord(
                .fileWritten, at: now, by: principal.name, sandbox: id, policy: records[id]?.policy.name,
                details: [
                    JSONMember("path", .string(excerpt(target.resolvedPath, limit: 4096))),
                    JSONMember("bytes", .integer(Int64(bytes.count))),
                    JSONMember("new", .bool(written == .created)),
                ]))
        return written == .created
    }

    /// Removes a file, or a folder with all in it when `recursive`.
    package func deleteFile(
        _ path: String, in id: SandboxID, recursive: Bool, by principal: Principal
    ) async throws(SecurityError) {
        try principal.require(.operator, to: "delete files")
        let target = try await open(path, in: id, for: .delete, by: principal)
        let files = workplace.files
        let count = try await runtime("delete file") { () async throws(RuntimeError) in
            try await files.remove(target, recursive: recursive)
        }
        try await evidence.audit(
            AuditRecord(
                .fileDeleted, at: now, by: principal.name, sandbox: id, policy: records[id]?.policy.name,
                details: [
                    JSONMember("path", .string(excerpt(target.resolvedPath, limit: 4096))),
                    JSONMember("names", .integer(Int64(count))),
                ]))
    }

    private func open(
        _ path: String, in id: SandboxID, for operation: FileOperation, by principal: Principal
    ) async throws(SecurityError) -> SandboxFileTarget {
        let record = try living(id, [.running, .paused])
        guard let holder = record.holder else {
            throw SecurityError(.conflict, "the sandbox has no live process")
        }
        let compiled = try published.policy(of: id)
        let absolute = path.hasPrefix("/") ? path : record.policy.workspace + "/" + path
        try await judge(absolute, operation, compiled, in: id, by: principal)
        let files = workplace.files
        let intent: SandboxFileIntent =
            switch operation {
            case .read: .read
            case .write: .write
            case .delete: .remove
            }
        let target = try await runtime("open") { () async throws(RuntimeError) in
            let root = try await files.root(of: holder, user: record.user)
            return try await files.open(Array(absolute.utf8), in: root, for: intent)
        }
        try await judge(
            absolute, resolved: target.resolvedBytes, isFolder: target.kind == .folder, operation, compiled,
            in: id,
            by: principal)
        records[id]?.lastUsedAt = now
        return target
    }

    private func judge(
        _ path: String, resolved: [UInt8]? = nil, isFolder: Bool = false, _ operation: FileOperation,
        _ compiled: CompiledPolicy, in id: SandboxID, by principal: Principal
    ) async throws(SecurityError) {
        let verdict = compiled.evaluate(
            path: PathCheck(
                path: Array(path.utf8), operation: operation, resolvedPath: resolved, isFolder: isFolder))
        guard verdict.decision != .allow else { return }
        let details = [
            JSONMember("path", .string(excerpt(path, limit: 4096))),
            JSONMember(
                "resolved",
                .optional(resolved.map { excerpt(String(decoding: $0, as: UTF8.self), limit: 4096) })),
            JSONMember("operation", .string(operation.rawValue)),
            JSONMember("rules", .strings(verdict.reasons.map(\.rule))),
            JSONMember("audited", .bool(verdict.isAllowed)),
        ]
        await evidence.auditBestEffort(
            AuditRecord(
                .fileDenied, at: now, by: principal.name, sandbox: id, policy: verdict.policy,
                details: details))
        await handle(
            ViolationFinding(.fileAccessViolation, .medium, cause: "denied_file_access", details: details),
            in: id)
        guard verdict.isAllowed else {
            throw SecurityError(.denied, SecurityError.sentence(verdict), verdict: verdict)
        }
    }
}
