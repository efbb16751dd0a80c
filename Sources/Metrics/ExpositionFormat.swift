/// The two text formats that scrapers ask for.
package enum ExpositionFormat: Sendable, CaseIterable {
    /// Prometheus text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.
    case openMetrics

    /// The media type to send with the text.
    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// The format that an `Accept` header prefers.
    ///
    /// - Parameter accept: The field's value, or `nil` when it was not sent.
    /// - Returns: OpenMetrics when it is named with a quality at least as high as that of `text/plain`,
    ///   otherwise the Prometheus format, also for a value that makes no sense.
    package init(accept: String?) {
        var openMetrics = 0.0
        var text = 0.0
        for entry in (accept ?? "").utf8.split(separator: UInt8(ascii: ",")) {
            let parts = entry.split(separator: UInt8(ascii: ";")).map { Self.trimmedLowercase($0) }
            guard let type = parts.first else { continue }
            let quality = Self.quality(of: parts.dropFirst())
            if type == "application/openmetrics-text" { openMetrics = max(openMetrics, quality) }
            if type == "text/plain" { text = max(text, quality) }
        }
        self = openMetrics > 0 && openMetrics >= text ? .openMetrics : .prometheus
    }

    private static func quality(of parameters: ArraySlice<String>) -> Double {
        for parameter in parameters where parameter.hasPrefix("q=") {
            guard let quality = Double(parameter.dropFirst(2)), (0...1).contains(quality) else { return 0 }
            return quality
        }
        return 1
    }

    private static func trimmedLowercase(_ bytes: Substring.UTF8View) -> String {
        String(Substring(bytes)).lowercased().trimmingSpaces
    }
}

extension String {
    /// The text without spaces and tabs at its ends.
    fileprivate var trimmingSpaces: String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        guard let start = firstIndex(where: { !isSpace($0) }), let end = lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(self[start...end])
    }
}
