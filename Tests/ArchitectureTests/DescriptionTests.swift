import Foundation
import Testing

/// `openapi.yaml`, the routes and the documents tell the same.
@Suite struct DescriptionTests {
    /// Method and path of every operation in `openapi.yaml`, read by indentation.
    static func operations() throws -> Set<String> {
        var result: Set<String> = []
        var path = ""
        var isInPaths = false
        for line in try SourceTree.text("openapi.yaml").split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if !line.hasPrefix(" "), line.hasSuffix(":") { isInPaths = line == "paths:" }
            guard isInPaths else { continue }
            if line.hasPrefix("  /"), line.hasSuffix(":") { path = String(line.dropFirst(2).dropLast()) }
            let method = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("    "), !line.hasPrefix("     "),
                ["get:", "post:", "put:", "delete:", "patch:"].contains(method)
            {
                result.insert(method.dropLast().uppercased() + " " + path)
            }
        }
        return result
    }

    /// The rows of `Route.table`, read from the source.
    static func routes() throws -> Set<String> {
        let text = try SourceTree.text("Sources/SandwardenAPI/Route.swift")
        let pattern = try NSRegularExpression(pattern: #"\("([A-Z]+)", "(/[^"]*)"\)"#)
        let range = NSRange(text.startIndex..., in: text)
        return Set(
            pattern.matches(in: text, range: range).compactMap { match in
                guard let method = Range(match.range(at: 1), in: text),
                    let path = Range(match.range(at: 2), in: text)
                else { return nil }
                return "\(text[method]) \(text[path])"
            })
    }

    @Test func everyRouteIsDescribed() throws {
        let (operations, routes) = (try Self.operations(), try Self.routes())
        #expect(operations.count > 30)
        #expect(operations.subtracting(routes).isEmpty, "described, but no route")
        #expect(routes.subtracting(operations).isEmpty, "a route, but not described")
    }

    @Test func everyMetricIsDocumented() throws {
        let documented = try SourceTree.text("docs/metrics.md")
        let pattern = try NSRegularExpression(pattern: #""(sandwarden_[a-z0-9_]+)""#)
        var names: Set<String> = []
        for file in try SourceTree.files(in: "Sources") {
            let text = file.lines.joined(separator: "\n")
            for match in pattern.matches(in: text, range: NSRange(text.startIndex..., in: text)) {
                if let range = Range(match.range(at: 1), in: text) { names.insert(String(text[range])) }
            }
        }
        #expect(names.count > 10)
        for name in names.sorted() {
            #expect(documented.contains("`\(name)`"), "docs/metrics.md lacks \(name)")
        }
    }

    @Test func openAPIIsValid() throws {
        let script = """
            import sys, yaml
            from openapi_spec_validator import OpenAPIV31SpecValidator as V
            errors = list(V(yaml.safe_load(open(sys.argv[1]))).iter_errors())
            for error in errors: print(list(error.absolute_path), error.message)
            sys.exit(1 if errors else 0)
            """
        let python = ProcessInfo.processInfo.environment["SANDWARDEN_OPENAPI_PYTHON"] ?? "python3"
        let probe = try Self.run(python, ["-c", "import openapi_spec_validator"])
        guard probe.status == 0 else {
            print("SKIPPED openapi: the Python package openapi-spec-validator cannot be had here")
            return
        }
        let result = try Self.run(
            python, ["-c", script, SourceTree.root.appendingPathComponent("openapi.yaml").path])
        #expect(result.status == 0, "\(result.output)")
    }

    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
