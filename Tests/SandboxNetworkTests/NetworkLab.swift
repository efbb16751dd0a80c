import Glibc
import LinuxSystem
import SandboxModel
import SandboxPolicy
import Testing

@testable import SandboxNetwork

/// Whether this machine lets a test make namespaces and rules.
let canMakeNetworks = geteuid() == 0 && ChildCommand.locate("ip") != nil && ChildCommand.locate("nft") != nil

/// A host, and a world beyond it, each a network namespace that goes with the last descriptor of it.
///
/// The world answers on public and private addresses and as a metadata service. Nothing of this touches the
/// machine's own network.
final class NetworkLab: Sendable {
    static let publicHost = "198.51.100.10"
    static let otherPublicHost = "203.0.113.10"
    static let privateHosts = ["10.99.0.5", "192.168.77.5", "172.16.9.9", "100.64.1.1"]
    static let metadata = "169.254.169.254"
    static let resolver = "10.255.255.53"
    static let hostAddress = "192.0.2.2"

    let host: SharedDescriptor
    let world: SharedDescriptor
    let tools: NetworkTools
    /// Those of the world, by port, and those of the host.
    private let listeners: [UInt16: SharedDescriptor]
    private let hostListeners: [SharedDescriptor]

    /// - Parameter forwards: Whether the host forwards already, as one with containers does.
    static func make(forwards: Bool = true) async throws -> NetworkLab {
        let tools = try NetworkTools(NetworkConfiguration(resolvers: []))
        let host = try await tools.makeNamespace()
        let world = try await tools.makeNamespace()
        let worldPath = "/proc/\(getpid())/fd/\(world.descriptor.rawValue)"
        try await tools.ip(
            [
                "link set lo up", "link add wan0 type veth peer name wan0 netns \(worldPath)",
                "addr add \(hostAddress)/24 dev wan0", "link set wan0 up", "route add default via 192.0.2.1",
            ], in: .namespace(host))
        let addresses = [publicHost, otherPublicHost, metadata, resolver] + privateHosts
        try await tools.ip(
            ["link set lo up", "addr add 192.0.2.1/24 dev wan0", "link set wan0 up"]
                + addresses.map { "addr add \($0)/32 dev lo" } + ["route add default via \(hostAddress)"],
            in: .namespace(world))
        let forwarding = forwards ? "1" : "0"
        try await tools.writeControls([(ForwardPath.forwardingPath, forwarding)], in: .namespace(host))
        return try NetworkLab(host: host, world: world, tools: tools)
    }

    private init(host: SharedDescriptor, world: SharedDescriptor, tools: NetworkTools) throws {
        self.host = host
        self.world = world
        self.tools = tools
        let ports: [UInt16] = [25, 53, 80, 443]
        listeners = Dictionary(
            uniqueKeysWithValues: try ports.map { ($0, try NetworkLab.listen(in: world, port: $0)) })
        hostListeners = try [53, 80].map { try NetworkLab.listen(in: host, port: $0) }
    }

    /// A bound UDP socket of the world.
    func datagramListener(on address: String, _ port: UInt16) throws -> SharedDescriptor {
        let target = try #require(InternetAddress(address))
        return try NamespaceThread.run(in: world, kind: .network) { () throws(SystemError) in
            SharedDescriptor(try Datagram.bound(to: target, port))
        }
    }

    /// Takes one connection of the world's listener, waiting for it.
    func accept(_ port: UInt16) throws -> SharedDescriptor {
        let listener = try #require(listeners[port])
        let limit = MonotonicInstant.now().advanced(by: .seconds(5))
        while try listener.descriptor.waitReadable(until: limit) {
            if let accepted = try listener.descriptor.accept() { return SharedDescriptor(accepted) }
        }
        throw SystemError(errno: ETIMEDOUT, operation: "accept", detail: "\(port)")
    }

    func controller(
        instance: String = "lab", resolvers: [String] = [NetworkLab.resolver], openable: [String] = [],
        pool: String = "10.213.0.0/16"
    ) throws -> NetworkController {
        var configuration = NetworkConfiguration(resolvers: resolvers)
        configuration.subnetPool = pool
        configuration.openablePrivate = openable
        configuration.hostNamespacePath = "/proc/\(getpid())/fd/\(host.descriptor.rawValue)"
        return try NetworkController(configuration: configuration, instanceID: instance)
    }

    /// What is on the lab's host that an attachment could leave behind.
    func hostState() async throws -> String {
        let place = NetworkTools.Place.namespace(host)
        // By name alone: whether a link is up changes by itself for a while after it was made.
        let links = try await tools.interfaces(in: place).map(\.name).joined(separator: " ")
        let rules = try await tools.demand(tools.nft, ["-s", "list", "ruleset"], in: place, name: "nft")
        let routes = try await tools.routes(in: place).joined(separator: "\n")
        return links + "\n" + String(decoding: rules, as: UTF8.self) + routes
    }

    static func listen(in namespace: SharedDescriptor, port: UInt16) throws -> SharedDescriptor {
        try NamespaceThread.run(in: namespace, kind: .network) { () throws(SystemError) in
            SharedDescriptor(try Socket.listen(on: .internet(.v4(0), port: port)))
        }
    }
}

/// A sandbox as the module finds it: an idle holder in a namespace with loopback alone.
final class Holder: Sendable {
    let id: SandboxID
    let namespace: SharedDescriptor
    private let process: ChildProcess

    var pid: Int32 { process.pid }

    static func make(_ tools: NetworkTools) async throws -> Holder {
        let namespace = try await tools.makeNamespace()
        let command = ChildCommand("/bin/sleep", ["600"], networkNamespace: namespace)
        return Holder(namespace, try await ChildProcess.spawn(command))
    }

    private init(_ namespace: SharedDescriptor, _ process: ChildProcess) {
        var generator = SystemRandomNumberGenerator()
        id = SandboxID(using: &generator)
        self.namespace = namespace
        self.process = process
    }

    deinit { process.kill(SIGKILL) }

    func attachment(
        _ mode: NetworkPolicy, policy: String = "lab", connections: Int = 10,
        change: (inout NetworkRules) -> Void = { _ in }
    ) throws -> NetworkAttachment {
        var rules = NetworkRules()
        change(&rules)
        return NetworkAttachment(
            sandboxID: id, policyName: try #require(PolicyName(rawValue: policy)), networkPolicy: mode,
            rules: rules,
            maxConnections: connections, holderPID: pid)
    }

    /// Connects from inside.
    func connection(
        to address: String, _ port: UInt16, within limit: Duration = .seconds(2)
    ) throws -> SharedDescriptor {
        let target = try #require(InternetAddress(address))
        return try NamespaceThread.run(in: namespace, kind: .network) { () throws(SystemError) in
            SharedDescriptor(try Socket.connect(to: .internet(target, port: port), deadline: limit))
        }
    }

    /// Sends a datagram from inside; whether it arrives within a while at that listener.
    func datagram(to address: String, _ port: UInt16, arrivesAt listener: SharedDescriptor) throws -> Bool {
        let target = try #require(InternetAddress(address))
        let bytes: [UInt8] = [1, 2, 3]
        _ = try NamespaceThread.run(in: namespace, kind: .network) { () throws(SystemError) in
            let near = try Datagram.connected(to: target, port)
            do throws(SystemError) {
                return try near.send(bytes.span) == .bytes(3)
            } catch {
                // The refusal's answer may come with the call itself.
                return false
            }
        }
        return try listener.descriptor.waitReadable(until: .now().advanced(by: .milliseconds(500)))
    }

    /// `open`, or the name of what connecting came to.
    func tryConnecting(
        to address: String, _ port: UInt16, within limit: Duration = .seconds(2)
    ) throws -> String {
        do {
            _ = try connection(to: address, port, within: limit)
            return "open"
        } catch let error as SystemError {
            switch error.errno {
            case EHOSTUNREACH: return "refused"
            case ENETUNREACH: return "no network"
            case ECONNREFUSED: return "nobody listens"
            case ETIMEDOUT: return "silence"
            default: return error.description
            }
        }
    }
}

/// UDP, as far as these tests need it.
enum Datagram {
    static func bound(to address: InternetAddress, _ port: UInt16) throws(SystemError) -> Descriptor {
        // SAFETY: the pointer is only handed on, for the call.
        try unsafe make(address, port, "bind") { unsafe Glibc.bind($0, $1, $2) }
    }

    static func connected(to address: InternetAddress, _ port: UInt16) throws(SystemError) -> Descriptor {
        // SAFETY: the pointer is only handed on, for the call.
        try unsafe make(address, port, "connect") { unsafe Glibc.connect($0, $1, $2) }
    }

    private static func make(
        _ address: InternetAddress, _ port: UInt16, _ operation: String,
        _ call: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = socket(AF_INET, type, 0)
        guard number >= 0 else { throw SystemError(errno: errno, operation: "socket") }
        let descriptor = Descriptor(owning: number)
        guard case .v4(let value) = address else { throw SystemError(errno: EINVAL, operation: operation) }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = value.bigEndian
        // SAFETY: the structure is read during the call, and its size is given.
        let status = unsafe withUnsafePointer(to: &name) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe call(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw SystemError(errno: errno, operation: operation) }
        return descriptor
    }
}

extension AppliedControl {
    /// The status of a control among several, and the evidence where that is not `enforced`.
    static func outcome(_ name: String, in controls: [AppliedControl]) -> String {
        guard let control = controls.first(where: { $0.control == name }) else { return "missing" }
        return control.status == .enforced ? "enforced" : "\(control.status): \(control.evidence)"
    }
}
