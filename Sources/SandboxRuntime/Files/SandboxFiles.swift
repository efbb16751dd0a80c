package import LinuxSystem

/// Reads, writes, lists and removes files inside live sandboxes, from the host, by descriptors alone.
///
/// Two steps: ``open(_:in:for:)`` follows the path and tells where it really ends; the caller asks the policy about
/// that; then the other calls act on what was opened. Nothing runs inside the sandbox and the engine is not asked.
/// Every call waits on a thread of its own queue, as the sandbox's user: what its user may not, this may not.
package struct SandboxFiles: Sendable {
    private let queue: BlockingQueue

    /// Files calls that wait on `queue`.
    package init(queue: BlockingQueue = BlockingQueue(label: "sandbox-files", width: 4, waitingLimit: 128)) {
        self.queue = queue
    }

    /// Opens the root folder of a sandbox.
    /// - Throws: `conflict` when the holder is gone, `denied` without root, `exhausted` when too many calls wait.
    package func root(of holder: HolderProcess, user: SandboxUser) async throws(RuntimeError) -> SandboxFileRoot {
        try await run { () throws(RuntimeError) in try SandboxFileRoot(holder: holder, user: user) }
    }

    /// Follows a path as the sandbox's user sees it.
    /// - Parameter path: Absolute in the sandbox; any bytes but NUL.
    /// - Throws: `notFound`; `invalid` for a path that cannot be; `denied` for what leads out, is neither file nor
    ///   folder, is a file of the kernel's own, or is closed to the user; `conflict` without a live process or when
    ///   the path changed underway.
    package func open(
        _ path: [UInt8], in root: SandboxFileRoot, for intent: SandboxFileIntent
    ) async throws(RuntimeError) -> SandboxFileTarget {
        let parsed = try SandboxFilePath(path)
        return try await run { () throws(RuntimeError) in
            try root.check()
            let mounts = try root.mounts()
            return try SandboxFileOpener(root: root, path: parsed, intent: intent, mounts: mounts).open()
        }
    }

    /// The content of a file that was opened to be read.
    /// - Throws: `tooLarge` past `limit` bytes, `conflict` for a folder.
    package func read(_ target: SandboxFileTarget, limit: Int) async throws(RuntimeError) -> [UInt8] {
        try await run { () throws(RuntimeError) in try target.readWhole(limit: limit) }
    }

    /// A page of a folder that was opened to be read, in the order of the names' bytes.
    /// - Parameters:
    ///   - limit: 1 to 1000.
    ///   - cursor: The page before's; `nil` for the first.
    package func list(
        _ target: SandboxFileTarget, limit: Int, cursor: String?
    ) async throws(RuntimeError) -> SandboxFileListing {
        try await run { () throws(RuntimeError) in try target.listPage(limit: limit, cursor: cursor) }
    }

    /// Writes a file whole; missing folders are made.
    /// - Parameter exclusive: Whether an existing file is a `conflict`.
    /// - Throws: `tooLarge` past `limit` bytes, `conflict` for a folder, `exhausted` when the workspace is full.
    package func write(
        _ bytes: [UInt8], to target: SandboxFileTarget, limit: Int, exclusive: Bool = false
    ) async throws(RuntimeError) -> SandboxFileWritten {
        try await run { () throws(RuntimeError) in
            try target.writeWhole(bytes, limit: limit, exclusive: exclusive)
        }
    }

    /// Removes a file, a link or a folder that was opened to be removed.
    /// - Returns: How many names were removed.
    /// - Throws: `conflict` for a full folder unless `recursive`.
    package func remove(_ target: SandboxFileTarget, recursive: Bool = false) async throws(RuntimeError) -> Int {
        try await run { () throws(RuntimeError) in try target.removeEntry(recursive: recursive) }
    }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(RuntimeError) -> Value
    ) async throws(RuntimeError) -> Value {
        try await Blocking.run(
            on: queue, whenFull: { RuntimeError(.exhausted, operation: "files", detail: $0) }, body)
    }
}
