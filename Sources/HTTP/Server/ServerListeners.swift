internal import LinuxSystem

/// The listeners of a server, opened, and how the loops share them.
struct ServerListeners {
    /// Addresses with real ports.
    private(set) var addresses: [String] = []
    /// Files that the server makes.
    private(set) var unixPaths: [String] = []
    /// For each loop, the listeners that it accepts from.
    private(set) var byLoop: [[ServerListener]]

    /// Opens all listeners.
    ///
    /// Each loop has its own listener for a TCP address, so that the kernel spreads connections without a
    /// lock; a unix socket has one listener for all loops.
    init(_ configuration: HTTPServerConfiguration, loops: Int) throws(HTTPServerError) {
        byLoop = Array(repeating: [], count: loops)
        guard !configuration.listeners.isEmpty else {
            throw HTTPServerError(.badAddress, operation: "listen", detail: "there is no listener")
        }
        for text in configuration.listeners {
            guard let address = SocketAddress(text) else {
                let shown = ForeignText.printable(text.utf8)
                throw HTTPServerError(.badAddress, operation: "listen", detail: "\(shown) is no address")
            }
            do throws(SystemError) {
                switch address {
                case .internet: try openShared(address, loops)
                case .unix(let path): try openUnix(address, path, configuration.unixMode, loops)
                }
            } catch {
                throw HTTPServerError(error, listener: "\(address)")
            }
        }
    }

    private mutating func openUnix(
        _ address: SocketAddress, _ path: String, _ mode: UInt32, _ loops: Int
    ) throws(SystemError) {
        let socket = SharedDescriptor(try Socket.listen(on: address, mode: mode))
        for index in 0..<loops {
            byLoop[index].append(ServerListener(socket: socket, name: "\(address)", isUnix: true))
        }
        addresses.append("\(address)")
        unixPaths.append(path)
    }

    private mutating func openShared(_ address: SocketAddress, _ loops: Int) throws(SystemError) {
        if loops > 1, case .internet(_, let port) = address, port != 0 {
            // A port that another server shares would be shared with it, without a word. Taking it alone
            // for a moment finds that out.
            _ = try Socket.listen(on: address)
        }
        let first = try Socket.listen(on: address, sharesPort: loops > 1)
        // Port 0 has become a real one.
        let real = try first.localAddress()
        addresses.append("\(real)")
        byLoop[0].append(ServerListener(socket: SharedDescriptor(first), name: "\(real)", isUnix: false))
        for index in 1..<max(1, loops) {
            let socket = SharedDescriptor(try Socket.listen(on: real, sharesPort: true))
            byLoop[index].append(ServerListener(socket: socket, name: "\(real)", isUnix: false))
        }
    }
}
