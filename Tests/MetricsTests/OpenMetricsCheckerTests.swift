import Glibc
import Testing

/// Reads files and finds folders that tests may do without.
enum ReferenceFiles {
    /// The folder of published cases; `SANDWARDEN_REFERENCE` names it, else it lies beside the package.
    static let folder: String = {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return environment("SANDWARDEN_REFERENCE") ?? "/\(root)/../shared/reference"
    }()

    /// The value of an environment variable.
    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        // SAFETY: getenv answers a NUL-terminated string, read before anything changes the environment.
        return unsafe String(cString: value)
    }

    /// The names in a folder, sorted; empty when it does not exist.
    static func names(in folder: String) -> [String] {
        // SAFETY: the handle is used here only and closed before return; an entry is read before the next.
        guard let handle = unsafe opendir(folder) else { return [] }
        defer { _ = unsafe closedir(handle) }
        var names: [String] = []
        while let entry = unsafe readdir(handle) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// The bytes of a file, or `nil` when it cannot be read.
    static func bytes(of path: String) -> [UInt8]? {
        // SAFETY: the stream is used here only and closed before return; fread stays within `piece`.
        guard let file = unsafe fopen(path, "re") else { return nil }
        defer { _ = unsafe fclose(file) }
        var content: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, file)
            if count == 0 { return content }
            content += piece[..<count]
        }
    }
}

@Suite struct OpenMetricsCheckerTests {
    static let folder = ReferenceFiles.folder + "/openmetrics_tests/parsers"
    static let cases = ReferenceFiles.names(in: folder)

    /// The checker that the other tests lean on tells the published good texts from the bad ones.
    @Test(.enabled(if: !cases.isEmpty, "the published OpenMetrics cases are not on this machine"))
    func agreesWithThePublishedCases() throws {
        var judged = 0
        for name in Self.cases {
            let text = try #require(ReferenceFiles.bytes(of: "\(Self.folder)/\(name)/metrics"))
            let verdict = try #require(ReferenceFiles.bytes(of: "\(Self.folder)/\(name)/test.json"))
            let isGood = !String(decoding: verdict, as: UTF8.self).contains("\"shouldParse\": false")
            let fault = Result { () throws(OpenMetricsFault) in try OpenMetricsChecker.check(text) }
            switch fault {
            case .success: #expect(isGood, "\(name) should be refused")
            case .failure(let fault): #expect(!isGood, "\(name): line \(fault.line): \(fault)")
            }
            judged += 1
        }
        #expect(judged > 200)
    }

    @Test func refusesAnEmptyText() {
        #expect(throws: OpenMetricsFault.self) { try OpenMetricsChecker.check([]) }
    }
}
