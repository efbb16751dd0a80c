/// The kinds of metric that the module can keep and expose.
package enum MetricKind: String, Sendable {
    case counter, gauge, histogram
}

/// Checks of metric and label names, so that what is exposed is always well formed.
///
/// - SeeAlso: Prometheus "Data model"; OpenMetrics 1.0, "ABNF" and "Suffixes".
enum MetricName {
    /// Suffixes that the exposition formats give a meaning to; a family's own name must not end in one.
    static let reservedSuffixes = ["_total", "_created", "_count", "_sum", "_bucket"]

    /// Whether `name` is right for a family of `kind`: lower-case ASCII words joined by single underscores,
    /// counters ending in `_total` and nothing else ending in a reserved suffix.
    static func isValid(_ name: String, for kind: MetricKind) -> Bool {
        guard isSnakeCase(name) else { return false }
        guard kind == .counter else { return !reservedSuffixes.contains { name.hasSuffix($0) } }
        guard name.hasSuffix("_total") else { return false }
        return !reservedSuffixes.contains { base(of: name).hasSuffix($0) }
    }

    /// Whether `name` may name a label: as for metric names; `le` belongs to histograms.
    static func isValidLabel(_ name: String, for kind: MetricKind) -> Bool {
        isSnakeCase(name) && !(kind == .histogram && name == "le")
    }

    /// A counter's name without `_total`, which is what OpenMetrics calls the family.
    static func base(of name: String) -> String {
        name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
    }

    /// The unit that a family's base name ends in, for OpenMetrics' `# UNIT` line.
    static func unit(of base: String) -> String? {
        ["seconds", "bytes", "ratio", "celsius"].first { base.hasSuffix("_" + $0) }
    }

    private static func isSnakeCase(_ name: String) -> Bool {
        guard let first = name.utf8.first, (0x61...0x7A).contains(first), name.utf8.last != 0x5F else {
            return false
        }
        var previous: UInt8 = 0
        for byte in name.utf8 {
            switch byte {
            case 0x61...0x7A, 0x30...0x39: break
            case 0x5F where previous != 0x5F: break
            default: return false
            }
            previous = byte
        }
        return true
    }
}
