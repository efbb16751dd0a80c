/// Which content codings a client takes.
///
/// - SeeAlso: RFC 9110, section 12.5.3.
enum ContentCoding {
    /// Whether the Accept-Encoding fields allow gzip and do not prefer the identity to it.
    static func acceptsGzip(_ headers: HTTPHeaders) -> Bool {
        var gzip: Double?
        var any: Double?
        var identity: Double?
        for value in headers.values("accept-encoding") {
            for element in value.utf8.split(separator: 0x2C) {
                let parts = element.split(separator: 0x3B).map { trimmed($0) }
                guard let coding = parts.first?.lowercased() else { continue }
                let quality = quality(of: parts.dropFirst())
                switch coding {
                case "gzip", "x-gzip": gzip = max(gzip ?? 0, quality)
                case "identity": identity = quality
                case "*": any = quality
                default: break
                }
            }
        }
        guard let accepted = gzip ?? any, accepted > 0 else { return false }
        return accepted >= identity ?? 0
    }

    /// Whether a media type is text that is worth compressing.
    static func isCompressible(_ contentType: String) -> Bool {
        let type = trimmed(contentType.utf8.prefix { $0 != 0x3B }).lowercased()
        // A stream of events must not wait in a compressor.
        if type == "text/event-stream" { return false }
        return type.hasPrefix("text/") || type.hasSuffix("+json") || type.hasSuffix("+xml")
            || [
                "application/json", "application/yaml", "application/x-ndjson", "application/javascript",
                "application/xml", "application/openmetrics-text", "image/svg+xml",
            ].contains(type)
    }

    private static func trimmed(_ bytes: Substring.UTF8View) -> String {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let start = bytes.drop(while: isBlank)
        let count = start.reversed().drop(while: isBlank).count
        return String(Substring(start.prefix(count)))
    }

    private static func quality(of parameters: ArraySlice<String>) -> Double {
        for parameter in parameters where parameter.lowercased().hasPrefix("q=") {
            guard let quality = Double(parameter.dropFirst(2)), (0...1).contains(quality) else { return 0 }
            return quality
        }
        return 1
    }
}
