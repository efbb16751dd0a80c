/// Whether and how replies are compressed.
enum ResponseCompression {
    /// Whether the body is text of a size worth compressing.
    ///
    /// A response with an entity tag is left alone: the tag names these very bytes.
    static func isCandidate(_ response: HTTPResponse, minimumBytes: Int) -> Bool {
        guard case .bytes(let bytes) = response.body, bytes.count >= minimumBytes,
            let type = response.headers["content-type"], ContentCoding.isCompressible(type)
        else { return false }
        return !response.headers.contains("content-encoding") && !response.headers.contains("etag")
            && !response.status.isBodiless
    }

    /// The response, compressed for a client that takes it; `Vary` says in both cases that it depends.
    /// - Parameter response: A candidate.
    static func apply(to response: HTTPResponse, acceptsGzip: Bool) -> HTTPResponse {
        var response = response
        let vary = response.headers.values("vary").joined(separator: ", ")
        response.headers["Vary"] = vary.isEmpty ? "Accept-Encoding" : vary + ", Accept-Encoding"
        guard acceptsGzip, case .bytes(let bytes) = response.body, let packed = Gzip.compress(bytes) else {
            return response
        }
        response.headers.add("Content-Encoding", "gzip")
        response.body = .bytes(packed)
        return response
    }
}
