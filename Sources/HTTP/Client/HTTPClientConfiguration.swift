/// What a client bears.
package struct HTTPClientConfiguration: Sendable {
    /// The value of the Host field.
    package var host = "localhost"
    /// Connections at the same time, streams and raw connections included; one more fails with `busy`.
    package var maxConnections = 512
    /// Connections that are kept for further requests.
    package var maxIdleConnections = 8
    /// How long an unused connection is kept.
    package var idleTimeout = Duration.seconds(30)
    /// How long making a connection may take.
    package var connectTimeout = Duration.seconds(5)
    /// Sizes of a response's head. Bodies are bounded request by request.
    package var limits = HTTPLimits()
    /// Bytes of a stream that may wait for its reader, or for the other side, in each direction.
    package var streamBufferBytes = 256 * 1024

    /// The usual settings.
    package init() {}
}
