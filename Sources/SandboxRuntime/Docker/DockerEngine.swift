import Glibc
import HTTP
import LinuxSystem
import SandboxModel
import Synchronization

/// One engine behind its unix socket: sends a request, checks the status, reads the reply. Knows no sandbox.
final class DockerEngine: Sendable {
    let socketPath: String
    private let client: HTTPClient
    private let answerTime: Duration
    private let agreed = Mutex(Agreement())

    /// What was agreed on with the engine, and until when that is taken as given.
    private struct Agreement {
        var facts: DockerEngineFacts?
        var until = MonotonicInstant(nanoseconds: .min)
    }

    /// How long what an engine says of itself is believed: it may be replaced by another version while we run.
    static let agreementTime = Duration.seconds(60)
    /// The most bytes of a reply; a list of thousands of containers is of this order.
    static let replyLimit = 32 << 20

    /// - Throws: `exhausted` when the system refuses a loop for the connections.
    init(socketPath: String, answerTime: Duration) throws(RuntimeError) {
        self.socketPath = socketPath
        self.answerTime = answerTime
        var configuration = HTTPClientConfiguration()
        configuration.host = "docker"
        configuration.connectTimeout = min(answerTime, .seconds(5))
        do throws(HTTPClientError) {
            client = try HTTPClient(address: .unix(path: socketPath), configuration: configuration)
        } catch {
            throw RuntimeError(.exhausted, operation: "docker", detail: error.description)
        }
    }

    /// A reply whose status was asked for.
    struct Reply: Sendable {
        var status: Int
        var body: [UInt8]

        /// The body as JSON.
        /// - Throws: `failed` for anything else.
        func json(_ operation: String) throws(RuntimeError) -> DocumentNode {
            do {
                return try JSONParser.parse(body)
            } catch {
                throw RuntimeError(
                    .failed, operation: operation, detail: "the engine's reply is no JSON: \(error)")
            }
        }
    }

    // MARK: Agreement

    /// What the engine is and can do; asked again now and then.
    /// - Throws: `unavailable` when it does not answer, `unsupported` when it is too old.
    func facts() async throws(RuntimeError) -> DockerEngineFacts {
        let now = MonotonicInstant.now()
        if let facts = agreed.withLock({ $0.until > now ? $0.facts : nil }) { return facts }
        let (version, isPodman) = try await negotiate()
        let info = try await send(.get, version.pathPrefix + "/info", accept: [200], operation: "engine info")
        let facts = DockerEngineFacts(version: version, isPodman: isPodman, info: try info.json("engine info"))
        agreed.withLock { $0 = Agreement(facts: facts, until: now.advanced(by: DockerEngine.agreementTime)) }
        return facts
    }

    private func negotiate() async throws(RuntimeError) -> (DockerAPIVersion, isPodman: Bool) {
        let reply: HTTPClientResponse
        do throws(HTTPClientError) {
            reply = try await client.request(.get, "/_ping", timeout: answerTime, limit: 4096)
        } catch {
            throw fault(error, "ping")
        }
        let isPodman = reply.headers.contains("Libpod-API-Version")
        guard reply.status.code == 200, let offered = reply.headers["Api-Version"].flatMap(DockerAPIVersion.init(text:))
        else {
            throw RuntimeError(
                .unavailable, operation: "ping",
                detail: "\(socketPath) answers with status \(reply.status.code), but not as an engine does")
        }
        guard let version = DockerAPIVersion.negotiate(offered: offered, isPodman: isPodman) else {
            let needed = isPodman ? DockerAPIVersion.lowestPodman : DockerAPIVersion.lowestDocker
            throw RuntimeError(
                .unsupported, operation: "ping",
                detail: "the engine at \(socketPath) speaks API \(offered); \(needed) is needed (Docker 20.10)")
        }
        return (version, isPodman)
    }

    private func forget() { agreed.withLock { $0 = Agreement() } }

    // MARK: Calls

    /// How long a call may take.
    enum Patience: Sendable { case question, work }

    /// Sends a request below the version's prefix and waits for the whole reply.
    /// - Parameter accept: The statuses that are no error.
    /// - Throws: what the status or the connection means; the engine's own words are quoted, bounded.
    func call(
        _ method: HTTPMethod, _ target: String, body: JSONValue? = nil, accept: Set<Int>, operation: String,
        patience: Patience = .question
    ) async throws(RuntimeError) -> Reply {
        let prefix = try await facts().version.pathPrefix
        return try await send(
            method, prefix + target, body: body, accept: accept, operation: operation, patience: patience)
    }

    private func send(
        _ method: HTTPMethod, _ target: String, body: JSONValue? = nil, accept: Set<Int>, operation: String,
        patience: Patience = .question
    ) async throws(RuntimeError) -> Reply {
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            response = try await client.request(
                method, target, headers: headers(body), body: body?.bytes ?? [],
                timeout: patience == .question ? answerTime : answerTime * 4, limit: DockerEngine.replyLimit)
        } catch {
            throw fault(error, operation)
        }
        let status = response.status.code
        guard accept.contains(status) else { throw refusal(status, response.body, operation) }
        return Reply(status: status, body: response.body)
    }

    /// Opens a reply that has no end.
    func stream(_ target: String, operation: String) async throws(RuntimeError) -> HTTPClientStream {
        let prefix = try await facts().version.pathPrefix
        let stream: HTTPClientStream
        do throws(HTTPClientError) {
            stream = try await client.stream(.get, prefix + target, timeout: answerTime)
        } catch {
            throw fault(error, operation)
        }
        guard stream.status.code == 200 else {
            stream.cancel()
            throw RuntimeError(
                .failed, operation: operation, detail: "the engine answers with status \(stream.status.code)")
        }
        return stream
    }

    /// Turns a request into a raw connection.
    func hijack(
        _ target: String, body: JSONValue, operation: String
    ) async throws(RuntimeError) -> HTTPRawConnection {
        let prefix = try await facts().version.pathPrefix
        var headers = headers(body)
        headers["Connection"] = "Upgrade"
        headers["Upgrade"] = "tcp"
        let upgrade: HTTPUpgrade
        do throws(HTTPClientError) {
            upgrade = try await client.upgrade(
                .post, prefix + target, headers: headers, body: body.bytes, timeout: answerTime * 4, limit: 64 * 1024)
        } catch {
            throw fault(error, operation)
        }
        switch upgrade {
        case .connection(let connection): return connection
        case .refused(let response): throw refusal(response.status.code, response.body, operation)
        }
    }

    private func headers(_ body: JSONValue?) -> HTTPHeaders {
        var headers = HTTPHeaders()
        if body != nil { headers["Content-Type"] = "application/json" }
        return headers
    }

    // MARK: Faults

    /// The engine's own words on a status that was not asked for.
    private func refusal(_ status: Int, _ body: [UInt8], _ operation: String) -> RuntimeError {
        let code: RuntimeError.Code =
            switch status {
            case 400, 406, 422: .invalid
            case 401, 403: .denied
            case 404: .notFound
            case 409: .conflict
            case 501: .unsupported
            case 503: .unavailable
            default: .failed
            }
        // A version that is refused was agreed on with another engine.
        if status == 400 { forget() }
        let said = DockerEngine.message(body)
        return RuntimeError(
            code, operation: operation, detail: "the engine answers \(status)\(said.isEmpty ? "" : ": \(said)")")
    }

    /// The `message` of an error reply, or its text; bounded, fit to be shown.
    static func message(_ body: [UInt8]) -> String {
        guard body.count <= 64 * 1024 else { return "a reply of \(body.count) bytes" }
        do {
            if let message = try JSONParser.parse(body)["message"]?.string { return excerpt(message) }
        } catch {
            // Not JSON: shown as it is.
        }
        return ForeignText.printable(KernelText.trimmed(body[...]))
    }

    private func fault(_ error: HTTPClientError, _ operation: String) -> RuntimeError {
        switch error.code {
        case .connect:
            forget()
            return RuntimeError(
                .unavailable, operation: operation, detail: unreachable(error),
                errno: error.errno == 0 ? nil : error.errno)
        case .closed, .stale:
            forget()
            return RuntimeError(
                .unavailable, operation: operation,
                detail: "the engine at \(socketPath) ended the connection: \(error.description)")
        case .timeout:
            return RuntimeError(
                .timedOut, operation: operation, detail: "the engine at \(socketPath) did not answer in time")
        case .busy:
            return RuntimeError(.exhausted, operation: operation, detail: error.description)
        case .cancelled:
            return RuntimeError(.failed, operation: operation, detail: "cancelled")
        case .tooLarge:
            return RuntimeError(.tooLarge, operation: operation, detail: "the engine's reply: \(error.description)")
        case .malformed, .badRequest:
            return RuntimeError(.failed, operation: operation, detail: "the engine's reply: \(error.description)")
        }
    }

    /// What an operator can do about a socket that cannot be connected to.
    private func unreachable(_ error: HTTPClientError) -> String {
        let remedy =
            switch error.errno {
            case ENOENT: "there is no such socket: start the engine, or set docker.socket"
            case ECONNREFUSED: "nobody listens there: start the engine"
            case EACCES, EPERM: "no permission: run as root, or as a member of the socket's group"
            case ETIMEDOUT: "it takes no connections: is it overloaded?"
            default: error.description
            }
        return "no engine at unix:\(socketPath): \(remedy)"
    }

    /// Percent-encodes a query's value.
    static func query(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: encoded.append(byte)
            default: encoded += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
