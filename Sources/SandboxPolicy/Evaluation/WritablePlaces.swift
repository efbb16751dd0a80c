/// Places that processes in a sandbox can write, so that a program there is the sandbox's own and not the
/// image's.
enum WritablePlaces {
    /// The memory file systems that every sandbox has, besides its workspace.
    static let fixed = ["/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm", "/dev/mqueue", "/proc"]

    /// Every such place under a policy, as normalised paths.
    static func all(of policy: Policy) -> [[UInt8]] { ([policy.workspace] + fixed).map { Array($0.utf8) } }
}
