/// What would be done to a file.
public enum FileOperation: String, Sendable, Hashable, CaseIterable {
    case read, write, delete
}

/// A question about one path: may this operation be done to it?
public struct PathCheck: Sendable, Hashable {
    /// The path as the client wrote it. Bytes, since nothing may repair it before it was looked at.
    public var path: [UInt8]
    /// What would be done to the file.
    public var operation: FileOperation
    /// The absolute folder that a relative path starts from; `nil` for the policy's workspace.
    public var workingDirectory: String?
    /// The absolute path that the file really has once links are followed, where the caller has opened it or
    /// walked to it; `nil` when nobody looked.
    public var resolvedPath: [UInt8]?
    /// Whether the caller knows that the path names a folder, to which no extension applies.
    public var isFolder: Bool

    /// A question about the bytes of a path.
    public init(
        path: [UInt8], operation: FileOperation = .read, workingDirectory: String? = nil,
        resolvedPath: [UInt8]? = nil,
        isFolder: Bool = false
    ) {
        self.path = path
        self.operation = operation
        self.workingDirectory = workingDirectory
        self.resolvedPath = resolvedPath
        self.isFolder = isFolder
    }

    /// A question about a path.
    public init(_ path: String, operation: FileOperation = .read, workingDirectory: String? = nil) {
        self.init(path: Array(path.utf8), operation: operation, workingDirectory: workingDirectory)
    }
}
