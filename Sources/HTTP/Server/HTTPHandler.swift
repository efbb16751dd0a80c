/// Answers requests.
///
/// All methods are called on the loop's own thread, where every connection of the loop waits for them: they
/// must not block and should be quick. Work that waits belongs into ``HTTPHandling/later(_:)``.
public protocol HTTPHandler: Sendable {
    /// The longest body to take for this request, in bytes, after decompression. Asked once, as soon as the
    /// head has been read, and only if a body follows. A longer one is answered with 413 without being read.
    func bodyLimit(for head: HTTPRequestHead) -> Int

    /// A refusal that does not need the body: asked before the body is read, and only if one follows. After
    /// it the connection is closed. `nil`, which is the default, lets the body be read.
    func refusal(of head: HTTPRequestHead, from peer: HTTPPeer) -> HTTPResponse?

    /// Answers a complete request, at once or later.
    func respond(to request: HTTPRequest) -> HTTPHandling
}

extension HTTPHandler {
    /// One mebibyte.
    public func bodyLimit(for head: HTTPRequestHead) -> Int { 1 << 20 }

    /// No refusal.
    public func refusal(of head: HTTPRequestHead, from peer: HTTPPeer) -> HTTPResponse? { nil }
}

/// When a request is answered.
public enum HTTPHandling: Sendable {
    /// Now.
    case now(HTTPResponse)
    /// When this has run, in a task of the server's. The task is cancelled when the connection breaks or the
    /// server stops; it must bound its own waits.
    case later(@Sendable () async -> HTTPResponse)
}
