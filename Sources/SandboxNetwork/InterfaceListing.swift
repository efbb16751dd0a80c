internal import LinuxSystem
internal import SandboxModel

/// An interface as `ip -j addr` tells it.
struct ListedInterface: Sendable, Hashable {
    let name: String
    let isUp: Bool
    let alias: String
    /// The bridge that it is a port of; empty when none.
    let bridge: String
    /// IPv4 and IPv6, with the length of their prefix.
    let addresses: [(address: InternetAddress, prefixLength: Int)]

    static func == (left: ListedInterface, right: ListedInterface) -> Bool {
        left.name == right.name && left.isUp == right.isUp && left.alias == right.alias
            && left.bridge == right.bridge && left.addressTexts == right.addressTexts
    }

    func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// Each as `192.0.2.1/24`.
    var addressTexts: [String] { addresses.map { "\($0.address)/\($0.prefixLength)" } }

    /// Reads the output of `ip -j -d addr`; without `-d` it has no aliases.
    /// - Throws: `failed` for anything that is not a list of interfaces.
    static func parse(_ bytes: [UInt8]) throws(NetworkError) -> [ListedInterface] {
        let document = try json(bytes)
        guard let entries = document.array else { throw malformed("no list") }
        var found: [ListedInterface] = []
        // An interface that went while it was being listed leaves an empty object.
        for entry in entries where entry.members?.isEmpty == false {
            guard let name = entry["ifname"]?.string, let flags = entry["flags"]?.array else {
                throw malformed("no name or flags")
            }
            var addresses: [(address: InternetAddress, prefixLength: Int)] = []
            for item in entry["addr_info"]?.array ?? [] where item.members?.isEmpty == false {
                guard let local = item["local"]?.string, let address = InternetAddress(local),
                    let length = item["prefixlen"]?.integer
                else { throw malformed("an address of \(name)") }
                addresses.append((address, Int(length)))
            }
            found.append(
                ListedInterface(
                    name: name, isUp: flags.contains { $0.string == "UP" },
                    alias: entry["ifalias"]?.string ?? "",
                    bridge: entry["master"]?.string ?? "", addresses: addresses))
        }
        return found
    }

    /// Routes of `ip -j route`, each as `default via 10.0.0.1 dev eth0`; ordered.
    static func parseRoutes(_ bytes: [UInt8]) throws(NetworkError) -> [String] {
        // Older versions print nothing at all when there is no route.
        guard bytes.contains(where: { $0 > 0x20 }) else { return [] }
        guard let entries = try json(bytes).array else { throw malformed("no list of routes") }
        return entries.map { entry in
            let via = entry["gateway"]?.string.map { " via \($0)" } ?? ""
            return "\(entry["dst"]?.string ?? "?")\(via) dev \(entry["dev"]?.string ?? "?")"
        }.sorted()
    }

    private static func json(_ bytes: [UInt8]) throws(NetworkError) -> DocumentNode {
        do throws(JSONSyntaxError) {
            return try JSONParser.parse(bytes)
        } catch {
            throw malformed(error.description)
        }
    }

    private static func malformed(_ detail: String) -> NetworkError {
        NetworkError(.failed, operation: "ip", detail: "unexpected answer: \(detail)")
    }
}

extension NetworkTools {
    /// All interfaces of a place with their addresses.
    func interfaces(in place: Place) async throws(NetworkError) -> [ListedInterface] {
        try ListedInterface.parse(
            try await demand(ip, ["-j", "-d", "addr", "show"], in: place, name: "ip"))
    }

    /// The routes of the main table.
    func routes(in place: Place) async throws(NetworkError) -> [String] {
        try ListedInterface.parseRoutes(
            try await demand(ip, ["-j", "-4", "route", "show"], in: place, name: "ip"))
    }
}
