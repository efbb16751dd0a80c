/// Where a sandbox's root file system comes from.
struct OCIRoot: Sendable, Hashable {
    /// The folder that becomes `/`.
    var path: String
    /// What is mounted into it before everything else.
    var mounts: [OCIMount]
    /// Shown empty, besides what every sandbox has.
    var maskedPaths: [String]

    /// Where the kernel's file systems and our own folder are; a workspace there would hide or replace them.
    private static let reserved = ["/proc", "/sys", "/dev", "/etc", "/.sandwarden"]
    /// Memory file systems, in which the runtime makes the mount point itself.
    private static let temporary = ["/tmp", "/run"]

    /// Finds where the mount point of the workspace has to be made.
    /// - Parameters:
    ///   - workspace: Absolute and normalised, as a checked policy has it.
    ///   - shown: Read-only folders of the root, in which nothing can be made.
    /// - Returns: The folder to make, relative to the root; `nil` when it will be there.
    /// - Throws: `invalid` when the workspace would hide what the sandbox needs or lies in a read-only
    ///   folder.
    static func placeForWorkspace(_ workspace: String, below shown: [String]) throws(RuntimeError) -> String? {
        func isWithin(_ folders: [String]) -> Bool {
            folders.contains { workspace == $0 || workspace.hasPrefix($0 + "/") }
        }
        let components = workspace.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let isNormal =
            workspace.hasPrefix("/") && !components.isEmpty
            && components.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.utf8.contains(0) }
        guard isNormal, !isWithin(reserved), !isWithin(shown) else {
            throw RuntimeError(
                .invalid, operation: "workspace", detail: "cannot be at \(workspace.prefix(128))")
        }
        return isWithin(temporary) ? nil : String(workspace.dropFirst())
    }
}
