internal import LinuxSystem
internal import Logging
internal import SandboxModel

/// What else a host must allow so that packets get from a sandbox's interface to the outside and back.
///
/// - Forwarding: `net.ipv4.ip_forward` is switched on when the first sandbox that leaves the host needs it,
///   and a warning says so. It stays on: by the time the last sandbox goes, others may rely on it.
/// - A firewall whose `FORWARD` chain drops by default, as Docker's does: the chain `DOCKER-USER`, which
///   Docker keeps for the administrator, gets two rules for this installation's interfaces, which go with the
///   last one.
struct ForwardPath: Sendable {
    private let names: NetworkNames
    private let tools: NetworkTools
    private let logger: Logger
    /// The program that `DOCKER-USER` was changed with; `nil` when there are no rules of ours.
    private var filter: String?
    /// When the firewall was last looked at; a look costs a run of nft.
    private var lastLook: MonotonicInstant?
    private static let lookInterval = Duration.seconds(10)

    init(names: NetworkNames, tools: NetworkTools, logger: Logger) {
        self.names = names
        self.tools = tools
        self.logger = logger
    }

    static let forwardingPath = "/proc/sys/net/ipv4/ip_forward"

    /// Opens or closes the way.
    /// - Parameters:
    ///   - isNeeded: Whether any sandbox has an interface.
    ///   - forwards: Whether any of them leaves the host.
    mutating func set(isNeeded: Bool, forwards: Bool) async throws(NetworkError) {
        if forwards { try await switchOnForwarding() }
        if isNeeded {
            if filter == nil, isLookDue { try await openFirewall() }
        } else if let program = filter {
            try await ForwardPath.closeFirewall(program, names, tools)
            filter = nil
            lastLook = nil
        }
    }

    private var isLookDue: Bool {
        guard let lastLook else { return true }
        return lastLook.duration(to: .now()) > ForwardPath.lookInterval
    }

    private func switchOnForwarding() async throws(NetworkError) {
        let current = try await tools.readControl(ForwardPath.forwardingPath, in: .host)
        guard current != "1" else { return }
        try await tools.writeControls([(ForwardPath.forwardingPath, "1")], in: .host)
        let after = try await tools.readControl(ForwardPath.forwardingPath, in: .host)
        guard after == "1" else {
            throw NetworkError(
                .unsupported, operation: "ip_forward", detail: "reads \(after ?? "nothing") after 1")
        }
        logger.warning(
            "network: net.ipv4.ip_forward was off and is on now; it stays on when sandboxes are gone")
    }

    private mutating func openFirewall() async throws(NetworkError) {
        let program = try await ForwardPath.droppingFirewall(tools)
        lastLook = .now()
        guard let program else { return }
        guard try await ForwardPath.hasUserChain(program, tools) else {
            logger.warning(
                "network: FORWARD drops by default and there is no DOCKER-USER; sandboxes reach nothing",
                metadata: ["accept": "\(names.prefix)+"])
            return
        }
        for rule in ForwardPath.rules(names) {
            let check = try await tools.run(
                program, ["-w", "5", "-C", "DOCKER-USER"] + rule, in: .host, name: "iptables")
            if check.exit.isSuccess { continue }
            try await tools.demand(
                program, ["-w", "5", "-I", "DOCKER-USER"] + rule, in: .host, name: "iptables")
        }
        filter = program
    }

    /// The two rules: what comes from our interfaces, and the answers. Our own table still judges both.
    private static func rules(_ names: NetworkNames) -> [[String]] {
        let comment = ["-m", "comment", "--comment", "sandwarden \(names.instance)", "-j", "ACCEPT"]
        return [
            ["-i", "\(names.prefix)+"] + comment,
            ["-o", "\(names.prefix)+", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"] + comment,
        ]
    }

    /// Takes our rules out of `DOCKER-USER`, however many times they are in it; fine without them or the
    /// chain.
    static func closeFirewall(
        _ program: String, _ names: NetworkNames, _ tools: NetworkTools
    ) async throws(NetworkError) {
        for rule in rules(names) {
            for _ in 0..<8 {
                let result = try await tools.run(
                    program, ["-w", "5", "-D", "DOCKER-USER"] + rule, in: .host, name: "iptables")
                guard result.exit.isSuccess else { break }
            }
        }
    }

    /// The iptables program of the firewall that drops forwarded packets by default; `nil` when none does.
    ///
    /// Asked through nft and `/proc`, because listing with iptables may itself make tables.
    static func droppingFirewall(_ tools: NetworkTools) async throws(NetworkError) -> String? {
        let result = try await tools.run(
            tools.nft, ["-j", "list", "chain", "ip", "filter", "FORWARD"], in: .host, name: "nft")
        if result.exit.isSuccess, try isDropping(result.stdout) {
            return ChildCommand.locate("iptables-nft") ?? ChildCommand.locate("iptables")
        }
        let tables = try await tools.readControl("/proc/thread-self/net/ip_tables_names", in: .host) ?? ""
        guard tables.split(separator: "\n").contains("filter"),
            let program = ChildCommand.locate("iptables-legacy")
        else { return nil }
        let listing = try await tools.run(program, ["-w", "5", "-S", "FORWARD"], in: .host, name: "iptables")
        return listing.stdoutText.contains("-P FORWARD DROP") ? program : nil
    }

    static func hasUserChain(_ program: String, _ tools: NetworkTools) async throws(NetworkError) -> Bool {
        try await tools.run(
            program, ["-w", "5", "-n", "-L", "DOCKER-USER"], in: .host, name: "iptables"
        ).exit.isSuccess
    }

    /// Whether the answer of `nft -j list chain` names the policy `drop`.
    private static func isDropping(_ bytes: [UInt8]) throws(NetworkError) -> Bool {
        do throws(JSONSyntaxError) {
            let document = try JSONParser.parse(bytes)
            return document["nftables"]?.array?.contains { $0["chain"]?["policy"]?.string == "drop" } ?? false
        } catch {
            throw NetworkError(.failed, operation: "nft", detail: "unexpected answer: \(error)")
        }
    }
}
