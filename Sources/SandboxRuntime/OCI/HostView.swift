internal import Glibc
internal import LinuxSystem
internal import SandboxModel
internal import SandboxPolicy

/// Makes a sandbox's root from a read-only view of the host: its programs and libraries, and next to nothing
/// else.
///
/// `/usr` and the folders that lie beside it on hosts that have not merged them are shown without what is
/// mounted below them. `/usr/local` and the programs that drive containers are hidden. `/etc` is generated.
enum HostView {
    /// Top-level folders of programs and libraries: shown where the host has them.
    static let shownFolders = ["bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"]

    /// Folders of `/etc` that are shown as they are: choices between programs, and public certificates.
    static let shownSettings = [
        "etc/alternatives", "etc/ssl/certs", "etc/pki/tls/certs", "etc/pki/ca-trust/extracted",
        "etc/ca-certificates",
    ]

    /// Made empty, so that programs find what they expect.
    static let emptyFolders = [
        "dev", "etc", "home", "media", "mnt", "opt", "proc", "root", "srv", "sys", "var",
        "var/cache", "var/lib", "var/log", "var/spool",
    ]

    /// Programs that are hidden wherever the host keeps them: those that drive containers, packet filters and
    /// this program itself. None would work without rights that a sandbox lacks; what is not there cannot be
    /// tried.
    static let hiddenPrograms = [
        "arptables", "buildah", "containerd", "containerd-shim", "containerd-shim-runc-v1",
        "containerd-shim-runc-v2", "containerd-stress", "crictl", "crio", "crun", "ctr", "docker",
        "docker-compose",
        "docker-init", "docker-proxy", "dockerd", "ebtables", "ip6tables", "iptables", "k3s", "kubeadm",
        "kubectl",
        "kubelet", "lxc-start", "machinectl", "nerdctl", "nft", "nsenter", "podman", "rootlesskit", "runc",
        "runsc",
        "sandwarden", "skopeo", "systemd-nspawn", "xtables-legacy-multi", "xtables-nft-multi",
    ]

    /// Makes the root's folder below the sandbox's own and says what to mount into it. Blocks.
    /// - Throws: `invalid` when the policy's shell is not on the host or its workspace has no place in the
    ///   view.
    static func make(_ plan: SandboxPlan) throws(RuntimeError) -> OCIRoot {
        try requireShell(plan.policy.shell)
        let shown = try HostWork.calls("host view") { () throws(SystemError) in try shownParts() }
        let place = try OCIRoot.placeForWorkspace(
            plan.policy.workspace, below: shown.mounts.map(\.destination))
        let path = "\(plan.directory)/rootfs"
        return try HostWork.calls("host view") { () throws(SystemError) in
            let folder = try HostFolder(making: path, mode: 0o755)
            for name in OCIMount.sharedFolders { try folder.makeFolders(name, mode: 0o1777) }
            for name in emptyFolders { try folder.makeFolders(name) }
            for mount in shown.mounts { try folder.makeFolders(String(mount.destination.dropFirst())) }
            for (name, target) in shown.links { try folder.link(name, to: target) }
            try folder.makeFolders(String(SandboxPlan.holderFolder.dropFirst()))
            if let place { try folder.makeFolders(place) }
            try HostViewSettings.write(plan, in: folder)
            return OCIRoot(path: path, mounts: shown.mounts, maskedPaths: try hiddenPaths())
        }
    }

    /// What the host has of the shown folders: mounts for folders, copies of the links of a merged `/usr`.
    private static func shownParts() throws(SystemError) -> (mounts: [OCIMount], links: [(String, RawPath)]) {
        var mounts: [OCIMount] = []
        var links: [(String, RawPath)] = [("var/run", "/run"), ("var/tmp", "/tmp")]
        for name in shownFolders + shownSettings {
            guard let status = try HostPath.status("/\(name)") else { continue }
            switch status.kind {
            case .directory: mounts.append(.bind("/\(name)", at: "/\(name)", isReadOnly: true))
            case .symbolicLink where !name.contains("/"):
                links.append((name, RawPath(bytes: try HostFiles.readLink(RawPath("/\(name)")))))
            default: continue
            }
        }
        return (mounts, links)
    }

    private static func requireShell(_ shell: PolicyShell) throws(RuntimeError) {
        let path = "/bin/\(shell.rawValue)"
        let status = try HostWork.calls("host view") { () throws(SystemError) in
            try HostPath.status(path, followingLink: true)
        }
        guard let status, status.kind == .regular, status.permissions & 0o111 != 0 else {
            throw RuntimeError(.invalid, operation: "shell", detail: "the host has no \(path)")
        }
    }

    /// Paths of hidden programs that exist, and `/usr/local`.
    private static func hiddenPaths() throws(SystemError) -> [String] {
        var paths = ["/usr/local"]
        for folder in ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/libexec/docker/cli-plugins"] {
            // The folders of a merged /usr are one and the same.
            guard try HostPath.status(folder)?.kind == .directory else { continue }
            for name in hiddenPrograms {
                let path = "\(folder)/\(name)"
                // A mask lies on the file that a link leads to: where there is none, there is nothing to
                // hide.
                if try HostPath.status(path, followingLink: true) != nil { paths.append(path) }
            }
        }
        return paths
    }
}

/// Files of the host that may be missing.
enum HostPath {
    /// What a path is; `nil` when there is nothing.
    static func status(_ path: String, followingLink: Bool = false) throws(SystemError) -> FileStatus? {
        do throws(SystemError) {
            return try HostFiles.status(RawPath(path), followingLink: followingLink)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error
        }
    }
}
