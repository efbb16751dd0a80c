import LinuxSystem

/// A path inside a sandbox as a client gave it, taken into components. Nothing is resolved here.
///
/// Bytes, not text: names in a sandbox need not be UTF-8. Absolute; at most 4095 bytes, 255 a component and 128
/// components. Empty and `.` components are dropped, `..` is kept: what it means depends on links.
struct SandboxFilePath: Sendable, Hashable {
    let components: [[UInt8]]
    /// Whether a slash stood at the end, so that only a folder can be meant.
    let endsInSlash: Bool

    static let lengthLimit = 4095
    static let componentLimit = 128

    /// Reads a path.
    /// - Throws: `invalid` for a path that is not absolute, holds a NUL byte or is too long.
    init(_ bytes: [UInt8]) throws(RuntimeError) {
        func refuse(_ detail: String) -> RuntimeError {
            RuntimeError(.invalid, operation: "path", detail: detail)
        }
        guard bytes.first == SandboxFilePath.slash else { throw refuse("the path is not absolute") }
        guard bytes.count <= SandboxFilePath.lengthLimit else {
            throw refuse("the path has more than \(SandboxFilePath.lengthLimit) bytes")
        }
        guard !bytes.contains(0) else { throw refuse("the path holds a NUL byte") }
        var components: [[UInt8]] = []
        for part in bytes.split(separator: SandboxFilePath.slash) where part != [SandboxFilePath.dot] {
            guard part.count <= 255 else { throw refuse("a name has more than 255 bytes") }
            components.append(Array(part))
        }
        guard components.count <= SandboxFilePath.componentLimit else {
            throw refuse("the path has more than \(SandboxFilePath.componentLimit) names")
        }
        self.components = components
        let last = bytes.split(separator: SandboxFilePath.slash, omittingEmptySubsequences: false).last
        endsInSlash = last.map { $0.isEmpty || $0 == [SandboxFilePath.dot] } ?? true
    }

    static let slash = UInt8(ascii: "/")
    static let dot = UInt8(ascii: ".")
    static let dotDot: [UInt8] = [dot, dot]

    /// The first `count` components as a path from the root.
    func prefix(_ count: Int) -> RawPath { SandboxFilePath.join(components.prefix(count)) }

    /// The whole path, with the slash at its end where there was one.
    var whole: RawPath {
        guard endsInSlash, !components.isEmpty else { return prefix(components.count) }
        return RawPath(bytes: prefix(components.count).bytes + [SandboxFilePath.slash])
    }

    /// Components as an absolute path; `/` for none.
    static func join(_ components: some Sequence<[UInt8]>) -> RawPath {
        var bytes: [UInt8] = []
        for component in components { bytes += [slash] + component }
        return RawPath(bytes: bytes.isEmpty ? [slash] : bytes)
    }
}
