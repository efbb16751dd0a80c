/// Sizes that a message may have, each with the status that names it.
public struct HTTPLimits: Sendable, Equatable {
    /// Longest request line in bytes, without its line break; longer is 414.
    public var requestLineBytes = 8192
    /// Longest header section, or trailer section, in bytes, with line breaks; longer is 431.
    public var headerBytes = 16_384
    /// Most header fields, or trailer fields; more is 431.
    public var headerCount = 100
    /// Longest body in bytes, after chunked framing has been removed; longer is 413.
    public var bodyBytes = 1 << 20
    /// Longest chunk-size line in bytes, with its extensions; longer is 400.
    public var chunkLineBytes = 1024
    /// Most bytes that all chunk-size lines of one message may have beyond the data; more is 400.
    public var chunkOverheadBytes = 1 << 20

    /// The usual limits.
    public init() {}
}
