public import SandboxModel

/// Which driver is wanted.
public enum RuntimeChoice: String, Sendable, Hashable, CaseIterable {
    /// Docker where an engine answers and has the image, else the embedded runtime.
    case auto
    case docker, oci
}

/// What a client asks for when it creates a sandbox.
public struct SandboxRequest: Sendable, Hashable {
    /// Its policy.
    public var policy: PolicyName
    /// A name known to the engine or under the images folder; `nil` for the default image or the host view.
    public var image: String?
    /// Which driver is wanted.
    public var runtime = RuntimeChoice.auto
    /// Started in the background once the sandbox is guarded.
    public var command: String?
    /// Added to every exec's environment; at most 128 entries.
    public var environment: [String: String] = [:]
    /// At most 32; names of `[A-Za-z0-9._/-]{1,63}`, values of at most 255 bytes.
    public var labels: [String: String] = [:]
    /// Seconds after which it is ended; `nil`: never.
    public var ttlSeconds: Int?
    /// Seconds without use after which it is ended; `nil`: never.
    public var idleTimeoutSeconds: Int?
    /// A running container of the engine to take under guard instead of making one.
    public var adopt: String?
    /// Accepts controls that are not enforced.
    public var allowsDegraded = false

    /// A request for a sandbox under a policy.
    public init(policy: PolicyName) { self.policy = policy }

    static let maximumLabels = 32
    static let maximumVariables = 128
    static let maximumSeconds = 31_536_000

    /// Checks everything that does not need the policy.
    /// - Throws: ``SecurityError`` `invalid` with every fault.
    func check() throws(SecurityError) {
        var faults = SandboxRequest.faults(labels: labels) + SandboxRequest.faults(environment: environment)
        func fault(_ pointer: String, _ detail: String) {
            faults.append(DocumentFault(pointer: pointer, location: .none, detail: detail))
        }
        for (pointer, seconds) in [
            ("/ttl_seconds", ttlSeconds), ("/idle_timeout_seconds", idleTimeoutSeconds),
        ] {
            if let seconds, !(1...SandboxRequest.maximumSeconds).contains(seconds) {
                fault(pointer, "1 to \(SandboxRequest.maximumSeconds) was expected")
            }
        }
        if let image, !SandboxRequest.isImageName(image) {
            fault(
                "/image", "an image name was expected, never a path: up to 255 of [A-Za-z0-9._:/@-], no `..`")
        }
        if adopt != nil {
            if image != nil { fault("/image", "an adopted container has its image already") }
            if command != nil { fault("/command", "an adopted container is not given a command; use exec") }
            if runtime == .oci { fault("/runtime", "only an engine's containers can be adopted") }
            if let adopt, EngineID(rawValue: adopt) == nil {
                fault("/adopt", "a container's name or id was expected")
            }
        }
        guard faults.isEmpty else {
            throw SecurityError(.invalid, "the request has \(faults.count) wrong field(s)", faults: faults)
        }
    }

    static func faults(labels: [String: String]) -> [DocumentFault] {
        var faults: [DocumentFault] = []
        if labels.count > maximumLabels {
            faults.append(
                DocumentFault(
                    pointer: "/labels", location: .none,
                    detail: "at most \(maximumLabels) labels were expected"))
        }
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-".utf8)
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            let isName = (1...63).contains(name.utf8.count) && name.utf8.allSatisfy(allowed.contains)
            if !isName || value.utf8.count > 255 || value.unicodeScalars.contains(where: { $0.value < 0x20 }) {
                faults.append(
                    DocumentFault(
                        pointer: DocumentFault.pointer("/labels", excerpt(name)), location: .none,
                        detail:
                            "a name of [A-Za-z0-9._/-]{1,63} and a value of at most 255 bytes were expected"))
            }
        }
        return faults
    }

    static func faults(environment: [String: String]) -> [DocumentFault] {
        var faults: [DocumentFault] = []
        if environment.count > maximumVariables {
            faults.append(
                DocumentFault(
                    pointer: "/env", location: .none,
                    detail: "at most \(maximumVariables) variables were expected"))
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            let isName = (1...255).contains(name.utf8.count) && !name.utf8.contains { $0 == 0x3D || $0 == 0 }
            if !isName || value.utf8.contains(0) || value.utf8.count > 32_768 {
                faults.append(
                    DocumentFault(
                        pointer: DocumentFault.pointer("/env", excerpt(name)), location: .none,
                        detail:
                            "a name without `=` and a value of at most 32768 bytes without NUL were expected")
                )
            }
        }
        return faults
    }

    private static func isImageName(_ name: String) -> Bool {
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/@-".utf8)
        guard (1...255).contains(name.utf8.count), name.utf8.allSatisfy(allowed.contains) else {
            return false
        }
        return !name.hasPrefix("/") && !name.hasPrefix(".") && !name.hasPrefix("-") && !name.contains("..")
    }
}

/// What a client wants to run.
public struct CommandRequest: Sendable, Hashable {
    /// The two ways to say it.
    public enum Program: Sendable, Hashable {
        /// For the policy's shell.
        case command(String)
        /// A program and its arguments.
        case arguments([String])
    }

    /// What is to be run.
    public var program: Program
    /// Absolute; the policy's workspace if `nil`.
    public var workingDirectory: String?
    /// Added to the sandbox's own variables; at most 128.
    public var environment: [String: String] = [:]
    /// What it reads from standard input; `nil`: nothing.
    public var stdin: [UInt8]?
    /// At most the policy's `execution_timeout`, which is the default.
    public var timeoutSeconds: Int?

    /// A request to run a program.
    public init(_ program: Program) { self.program = program }

    /// Checks everything that does not need the policy.
    func check() throws(SecurityError) {
        var faults = SandboxRequest.faults(environment: environment)
        func fault(_ pointer: String, _ detail: String) {
            faults.append(DocumentFault(pointer: pointer, location: .none, detail: detail))
        }
        switch program {
        case .command(let text):
            if text.isEmpty { fault("/command", "a command was expected, found an empty text") }
            if text.utf8.contains(0) { fault("/command", "a text without NUL was expected") }
        case .arguments(let arguments):
            if arguments.isEmpty || arguments[0].isEmpty {
                fault("/argv", "a program was expected as first element")
            }
            if arguments.contains(where: { $0.utf8.contains(0) }) {
                fault("/argv", "texts without NUL were expected")
            }
        }
        if let workingDirectory, !workingDirectory.hasPrefix("/") || workingDirectory.utf8.contains(0) {
            fault("/cwd", "an absolute path was expected")
        }
        if let timeoutSeconds, timeoutSeconds < 1 { fault("/timeout_seconds", "at least 1 was expected") }
        guard faults.isEmpty else {
            throw SecurityError(.invalid, "the request has \(faults.count) wrong field(s)", faults: faults)
        }
    }
}
