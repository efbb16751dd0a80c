internal import Glibc
internal import LinuxSystem
package import SandboxModel

/// The small files under `--data` that are not streams: who this installation is, its sandboxes, its policies,
/// the idempotency ledger. Every file is replaced as a whole, so that a crash leaves the old or the new.
package final class StateFolder: Sendable {
    /// The data folder, absolute.
    package let path: String

    private let queue = BlockingQueue(label: "sandwarden.state", width: 4, waitingLimit: 4096)

    /// The largest state file that is read back, in bytes.
    private static let readLimit = 8 << 20

    /// What was found in the folder when it was opened.
    package struct Loaded<Value: Sendable>: Sendable {
        package var values: [Value] = []
        /// Files that could not be understood, with the reason; they are left where they are.
        package var unreadable: [(file: String, reason: String)] = []
    }

    /// Takes a data folder; ``open()`` makes it.
    package init(path: String) { self.path = path }

    /// Makes the folders, readable by the daemon alone, and reads or makes the installation's identifier.
    /// - Returns: The identifier: 12 of `[a-z0-9]`.
    /// - Throws: ``SecurityError`` `unavailable` naming the path and the system's reason.
    package func open() async throws(SecurityError) -> String {
        try await perform("open the data folder") { [path] () throws(SystemError) -> String in
            try HostFiles.makeDirectories(RawPath(path), mode: 0o700)
            for name in ["state", "state/sandboxes", "state/policies", "sandboxes", "images"] {
                try HostFiles.makeDirectories(
                    RawPath(path + "/" + name), mode: name == "sandboxes" ? 0o711 : 0o700)
            }
            let file = RawPath(path + "/state/instance")
            do throws(SystemError) {
                let bytes = try HostFiles.read(file, limit: 64)
                let text = String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
                if text.utf8.count == 12, EngineID(rawValue: text) != nil { return text }
            } catch {
                guard error.errno == ENOENT else { throw error }
            }
            var generator = SystemRandomNumberGenerator()
            let identifier = randomAlphanumerics(12, using: &generator)
            try HostFiles.replace(file, with: Array((identifier + "\n").utf8).span)
            return identifier
        }
    }

    /// Writes one value under `state/<kind>/<name>.json`, durably.
    package func save(_ json: JSONValue, kind: String, name: String) async throws(SecurityError) {
        let file = "\(path)/state/\(kind)/\(name).json"
        let bytes = json.bytes
        try await perform("write \(kind)/\(name)") { () throws(SystemError) in
            try HostFiles.replace(RawPath(file), with: bytes.span)
        }
    }

    /// Forgets one value; fine when it is not there.
    package func remove(kind: String, name: String) async throws(SecurityError) {
        let file = "\(path)/state/\(kind)/\(name).json"
        try await perform("remove \(kind)/\(name)") { () throws(SystemError) in
            do throws(SystemError) {
                try HostFiles.remove(RawPath(file))
            } catch {
                guard error.errno == ENOENT else { throw error }
            }
        }
    }

    /// Reads every value of a kind.
    /// - Parameter decode: Makes a value of the JSON, or `nil` when it does not hold one.
    package func load<Value: Sendable>(
        kind: String, decode: @escaping @Sendable (JSONValue) -> Value?
    ) async throws(SecurityError) -> Loaded<Value> {
        let folder = "\(path)/state/\(kind)"
        return try await perform("read \(kind)") { () throws(SystemError) -> Loaded<Value> in
            var loaded = Loaded<Value>()
            let listing = try Descriptor.openDirectory(RawPath(folder)).list(limit: 100_000)
            for entry in listing.entries {
                let name = String(decoding: entry.name, as: UTF8.self)
                guard name.hasSuffix(".json") else { continue }
                do {
                    let bytes = try HostFiles.read(RawPath("\(folder)/\(name)"), limit: StateFolder.readLimit)
                    let json = try JSONParser.parse(bytes).json
                    if let value = decode(json) {
                        loaded.values.append(value)
                    } else {
                        loaded.unreadable.append((name, "members are missing or of another type"))
                    }
                } catch {
                    loaded.unreadable.append((name, "\(error)"))
                }
            }
            return loaded
        }
    }

    /// Reads the lines of `state/<name>`; no file is no lines, and a torn last line is left out.
    package func lines(_ name: String) async throws(SecurityError) -> [JSONValue] {
        let file = "\(path)/state/\(name)"
        return try await perform("read \(name)") { () throws(SystemError) -> [JSONValue] in
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try HostFiles.read(RawPath(file), limit: StateFolder.readLimit)
            } catch {
                if error.errno == ENOENT { return [] }
                throw error
            }
            var values: [JSONValue] = []
            for line in bytes.split(separator: 0x0A) {
                do {
                    values.append(try JSONParser.parse(Array(line)).json)
                } catch {
                    continue
                }
            }
            return values
        }
    }

    /// Replaces the lines of `state/<name>`, durably.
    package func replaceLines(_ name: String, with values: [JSONValue]) async throws(SecurityError) {
        var bytes: [UInt8] = []
        for value in values {
            value.append(to: &bytes)
            bytes.append(0x0A)
        }
        let file = "\(path)/state/\(name)"
        let content = bytes
        try await perform("write \(name)") { () throws(SystemError) in
            try HostFiles.replace(RawPath(file), with: content.span)
        }
    }

    /// Adds a line to `state/<name>`, durably.
    package func appendLine(_ name: String, _ value: JSONValue) async throws(SecurityError) {
        let file = "\(path)/state/\(name)"
        let bytes = value.bytes + [0x0A]
        try await perform("append to \(name)") { () throws(SystemError) in
            let descriptor = try Descriptor.openAbsolute(
                RawPath(file), flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
            try descriptor.writeAll(bytes.span)
            try descriptor.fdatasync()
        }
    }

    private func perform<Value: Sendable>(
        _ what: String, _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(SecurityError) -> Value {
        do throws(SystemError) {
            return try await Blocking.run(on: queue, body)
        } catch {
            throw SecurityError(.unavailable, "could not \(what) under \(path): \(error)")
        }
    }
}
