internal import LinuxSystem

/// What the administrator decides about networks.
package struct NetworkConfiguration: Sendable, Hashable {
    /// Name servers for sandboxes: IPv4 addresses that are not loopback. Others are left out when rules are
    /// made.
    package var resolvers: [String]
    /// The block that sandboxes' addresses are taken from: IPv4, /8 to /20. It must be used by nothing else.
    package var subnetPool = "10.213.0.0/16"
    /// Private blocks that a policy may open with `allowed_cidrs`. Metadata and loopback are never opened.
    package var openablePrivate: [String] = []
    /// The namespace that counts as the host's; `nil` is our own. An absolute path such as `/run/netns/edge`.
    package var hostNamespacePath: String?
    /// How long one run of `ip` or `nft` may take.
    package var toolTimeout = Duration.seconds(20)

    /// The defaults; resolvers are those of this host unless given.
    package init(resolvers: [String] = NetworkConfiguration.hostResolvers()) {
        self.resolvers = resolvers
    }

    /// The host's own name servers that a sandbox could reach: those of `/etc/resolv.conf` that are not
    /// loopback, or, where a local stub stands there, those that systemd-resolved forwards to. Empty when
    /// there are none.
    package static func hostResolvers() -> [String] {
        for path in ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] {
            let text: [UInt8]
            do throws(SystemError) {
                text = try HostFiles.read(RawPath(path), limit: 65536)
            } catch {
                // A host without the file has no resolver there: the answer is the next place, or none.
                continue
            }
            let found = ResolverFile.nameservers(text).filter { !$0.isLoopback && !$0.isUnspecified }
            if !found.isEmpty { return found.map(\.description) }
        }
        return []
    }
}

/// The text of resolv.conf(5).
enum ResolverFile {
    /// The addresses on `nameserver` lines, in order; lines that hold something else are passed over, as the
    /// C library does.
    static func nameservers(_ text: [UInt8]) -> [InternetAddress] {
        var found: [InternetAddress] = []
        for line in text.split(whereSeparator: { $0 == 0x0A }) {
            let words = line.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D })
            guard words.count >= 2, words[0].elementsEqual("nameserver".utf8) else { continue }
            guard let address = InternetAddress(String(decoding: words[1], as: UTF8.self)) else { continue }
            if !found.contains(address) { found.append(address) }
        }
        return found
    }

    /// A file with these name servers and nothing else.
    static func text(_ nameservers: [InternetAddress]) -> String {
        nameservers.map { "nameserver \($0)\n" }.joined()
    }
}
