package import SandboxPolicy

/// The environment that every exec begins with.
package enum ExecEnvironment {
    /// Where programs are looked for; the same for everybody, whatever a client sets.
    package static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The directories of ``path``, in order.
    package static let directories = path.split(separator: ":").map(String.init)

    /// The base with a client's variables over it. `PATH` stays fixed only if the caller lets no `PATH`
    /// through.
    /// - Parameter policy: Its workspace is the home folder.
    package static func variables(_ added: [String: String], policy: Policy) -> [String: String] {
        let base = ["PATH": path, "HOME": policy.workspace, "LANG": "C.UTF-8", "TERM": "dumb"]
        return base.merging(added) { _, client in client }
    }
}
