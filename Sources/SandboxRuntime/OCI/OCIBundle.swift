internal import Glibc
internal import LinuxSystem
internal import SandboxModel

/// The files of one sandbox that the runtime is given, below the sandbox's own folder.
///
/// `bundle/config.json` is the configuration, `bundle/process.json` its process alone, from which those of
/// later execs are made. The folder is root's alone.
struct OCIBundle: Sendable {
    let sandboxDirectory: String

    var path: String { "\(sandboxDirectory)/bundle" }
    var log: String { "\(path)/log" }
    var pidFile: String { "\(path)/pid" }
    private var processPath: String { "\(path)/process.json" }

    /// Writes the bundle anew. Blocks.
    func write(_ configuration: JSONValue) throws(RuntimeError) {
        try HostWork.calls("write bundle") { () throws(SystemError) in
            let folder = try HostFolder(making: path, mode: 0o700)
            try folder.write("config.json", configuration.bytes, mode: 0o600)
            try folder.write("process.json", (configuration["process"] ?? .null).bytes, mode: 0o600)
        }
    }

    /// Whether there is one.
    func exists() throws(RuntimeError) -> Bool {
        try HostWork.calls("bundle") { () throws(SystemError) in
            try HostPath.status("\(path)/config.json") != nil
        }
    }

    /// The holder's process object, as written.
    /// - Throws: `notFound` when there is no bundle.
    func process() throws(RuntimeError) -> JSONValue {
        let bytes = try HostWork.calls("read bundle") { () throws(SystemError) in
            try HostFiles.read(RawPath(processPath), limit: 1 << 20)
        }
        do throws(JSONSyntaxError) {
            return try JSONParser.parse(bytes).json
        } catch {
            throw RuntimeError(.failed, operation: "read bundle", detail: "process.json: \(error)")
        }
    }

    /// Replaces the process object, for execs to come.
    func replaceProcess(_ process: JSONValue) throws(RuntimeError) {
        try HostWork.calls("write bundle") { () throws(SystemError) in
            let bytes = process.bytes
            try HostFiles.replace(RawPath(processPath), with: bytes.span)
        }
    }

    /// Writes one of the small files of an exec.
    func write(_ name: String, _ content: [UInt8]) throws(RuntimeError) {
        try HostWork.calls("write bundle") { () throws(SystemError) in
            try HostFolder(making: path, mode: 0o700).write(name, content, mode: 0o600)
        }
    }

    /// Removes files of an exec; fine when they are gone.
    func remove(_ names: [String]) throws(RuntimeError) {
        for name in names {
            do throws(SystemError) {
                try HostFiles.remove(RawPath("\(path)/\(name)"))
            } catch {
                if error.errno != ENOENT { throw RuntimeError(error, operation: "clean bundle") }
            }
        }
    }

    /// Removes everything that ``HostView``, ``ImageRoot`` and this type made; fine when it is gone.
    func removeAll() throws(RuntimeError) {
        try HostWork.calls("remove bundle") { () throws(SystemError) in
            let root = ImageRoot.mountPath(sandboxDirectory)
            try HostMount.unmountAll(root)
            for folder in [root, "\(sandboxDirectory)/rootfs", path] { try HostTree.remove(folder) }
        }
    }
}
