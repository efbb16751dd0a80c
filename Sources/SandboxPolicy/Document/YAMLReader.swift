package import SandboxModel
import Yams

/// Why a YAML text was refused, and where.
package struct YAMLSyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place of the first byte that does not fit; columns count bytes.
    package var location: SourceLocation
    /// What was found and what to write instead.
    package var detail: String

    package init(location: SourceLocation, detail: String) {
        self.location = location
        self.detail = detail
    }

    package var description: String { "\(location): \(detail)" }
    /// The same as a fault of the whole document.
    package var fault: DocumentFault { DocumentFault(pointer: "", location: location, detail: detail) }
}

/// Reads a small, strict YAML into a tree with places: what a configuration needs and nothing that surprises.
///
/// One document of maps, lists and scalars in block or flow style. Plain scalars are resolved by the core
/// schema of YAML 1.2 (`yes` and `on` are strings); anything quoted or written as a block is a string.
/// Refused, each with its place: anchors, aliases, tags, merge keys, directives, complex keys, keys that are
/// not strings, duplicate keys, plain scalars that go on over lines, several documents, control characters,
/// text that is not UTF-8, nesting deeper than ``maximumDepth``, more than ``maximumBytes`` or
/// ``maximumNodes``. Numbers with a leading zero, infinities and integers beyond 64 bits are refused too.
/// - Complexity: linear in the text. Does not block.
/// - SeeAlso: YAML 1.2.2, section 10.3
package enum YAMLReader {
    /// Longest text in bytes.
    package static let maximumBytes = 1 << 20
    /// Deepest nesting of maps and lists.
    package static let maximumDepth = 64
    /// Most values in one document.
    package static let maximumNodes = 100_000

    /// Reads one document; an empty one is a null.
    /// - Throws: ``YAMLSyntaxError`` at the first fault.
    package static func read(_ text: [UInt8]) throws(YAMLSyntaxError) -> DocumentNode {
        guard text.count <= maximumBytes else {
            throw YAMLSyntaxError(
                location: SourceLocation(line: 1, column: 1),
                detail: "the text has \(text.count) bytes, more than the \(maximumBytes) allowed")
        }
        // The guard goes first: it bounds nesting and refuses aliases before a recursive composer sees the
        // text.
        try YAMLGuard.check(text)
        guard let string = String(validating: text, as: UTF8.self) else {
            throw YAMLSyntaxError(
                location: SourceLocation(line: 1, column: 1), detail: "the text is not valid UTF-8")
        }
        // The parser must outlive the tree: anchors are held by it alone, and a tree without it shows none.
        let parser: Parser
        let root: Node?
        do {
            parser = try Parser(yaml: string, resolver: .basic, constructor: .default, encoding: .utf8)
            root = try parser.singleRoot()
        } catch {
            throw syntaxError(from: error, in: text)
        }
        guard let root else { return DocumentNode(.null, at: SourceLocation(line: 1, column: 1)) }
        var builder = YAMLTreeBuilder(text: text)
        let tree = try withExtendedLifetime(parser) { () throws(YAMLSyntaxError) in
            try builder.node(root, depth: 0)
        }
        return tree
    }

    private static func syntaxError(from error: any Error, in text: [UInt8]) -> YAMLSyntaxError {
        guard let error = error as? YamlError else {
            return YAMLSyntaxError(
                location: SourceLocation(line: 1, column: 1), detail: "the text is not YAML")
        }
        func place(_ mark: Mark, _ detail: String) -> YAMLSyntaxError {
            var cursor = YAMLCursor(text: text)
            return YAMLSyntaxError(
                location: cursor.location(line: mark.line, column: mark.column), detail: detail)
        }
        switch error {
        case .scanner(_, let problem, let mark, _): return place(mark, excerpt(problem))
        case .parser(_, let problem, let mark, _): return place(mark, excerpt(problem))
        case .composer(_, let problem, let mark, _):
            return place(
                mark, problem.contains("another document") ? "a second document begins" : excerpt(problem))
        case .duplicatedKeysInMapping(let keys, let context):
            let names = keys.prefix(8).map { "`\(excerpt($0))`" }.joined(separator: ", ")
            return place(context.mark, "a key stands twice in one map: \(names)")
        case .reader(let problem, _, _, _):
            return YAMLSyntaxError(location: SourceLocation(line: 1, column: 1), detail: excerpt(problem))
        default:
            return YAMLSyntaxError(
                location: SourceLocation(line: 1, column: 1), detail: "the text is not YAML")
        }
    }
}

/// Turns places in Unicode scalars, as the composer counts, into places in bytes. Goes forward only where it
/// can, so that a whole document costs one pass.
struct YAMLCursor {
    private let text: [UInt8]
    private var line = 1
    private var lineStart = 0
    private var column = 1
    private var offset = 0

    init(text: [UInt8]) { self.text = text }

    /// The place in bytes of a place in scalars, both from 1.
    mutating func location(line wantedLine: Int, column wantedColumn: Int) -> SourceLocation {
        if wantedLine < line || (wantedLine == line && wantedColumn < column) {
            (line, lineStart, column, offset) = (1, 0, 1, 0)
        }
        while line < wantedLine, offset < text.count {
            if text[offset] == 0x0A {
                line += 1
                lineStart = offset + 1
                column = 1
            }
            offset += 1
        }
        while column < wantedColumn, offset < text.count, text[offset] != 0x0A {
            offset += 1
            while offset < text.count, text[offset] & 0xC0 == 0x80 { offset += 1 }
            column += 1
        }
        return SourceLocation(line: line, column: offset - lineStart + 1)
    }
}

/// Turns the composer's tree into ours and refuses what the guard cannot see.
private struct YAMLTreeBuilder {
    private var cursor: YAMLCursor
    private var count = 0

    init(text: [UInt8]) { cursor = YAMLCursor(text: text) }

    mutating func node(_ node: Node, depth: Int) throws(YAMLSyntaxError) -> DocumentNode {
        let location = place(node)
        count += 1
        guard count <= YAMLReader.maximumNodes else {
            throw YAMLSyntaxError(
                location: location, detail: "there are more than \(YAMLReader.maximumNodes) values")
        }
        guard depth <= YAMLReader.maximumDepth else {
            throw YAMLSyntaxError(
                location: location, detail: "nesting is deeper than \(YAMLReader.maximumDepth)")
        }
        guard node.anchor == nil else {
            throw YAMLSyntaxError(location: location, detail: "anchors and aliases are not allowed")
        }
        switch node {
        case .scalar(let scalar):
            guard scalar.style != .plain || scalar.tag.rawValue.isEmpty else {
                throw YAMLSyntaxError(location: location, detail: "tags are not allowed")
            }
            return DocumentNode(try content(of: scalar, at: location), at: location)
        case .sequence(let sequence):
            guard sequence.tag.rawValue.isEmpty else {
                throw YAMLSyntaxError(location: location, detail: "tags are not allowed")
            }
            var elements: [DocumentNode] = []
            elements.reserveCapacity(sequence.count)
            for element in sequence { elements.append(try self.node(element, depth: depth + 1)) }
            return DocumentNode(.array(elements), at: location)
        case .mapping(let mapping):
            guard mapping.tag.rawValue.isEmpty else {
                throw YAMLSyntaxError(location: location, detail: "tags are not allowed")
            }
            return DocumentNode(.object(try members(of: mapping, depth: depth)), at: location)
        case .alias:
            throw YAMLSyntaxError(location: location, detail: "anchors and aliases are not allowed")
        }
    }

    private mutating func place(_ node: Node) -> SourceLocation {
        guard let mark = node.mark else { return .none }
        return cursor.location(line: mark.line, column: mark.column)
    }

    private mutating func members(
        of mapping: Node.Mapping, depth: Int
    ) throws(YAMLSyntaxError) -> [DocumentMember] {
        var members: [DocumentMember] = []
        members.reserveCapacity(mapping.count)
        for (key, value) in mapping {
            let location = place(key)
            guard case .scalar(let scalar) = key, key.anchor == nil else {
                throw YAMLSyntaxError(location: location, detail: "a key must be a string")
            }
            if scalar.style == .plain, scalar.string == "<<" {
                throw YAMLSyntaxError(location: location, detail: "merge keys are not allowed")
            }
            guard case .string(let name) = try content(of: scalar, at: location) else {
                throw YAMLSyntaxError(
                    location: location,
                    detail:
                        "a key must be a string; put `\(excerpt(scalar.string))` in quotes if it is "
                        + "meant as one"
                )
            }
            let child = try node(value, depth: depth + 1)
            members.append(DocumentMember(key: name, keyLocation: location, value: child))
        }
        return members
    }

    private func content(
        of scalar: Node.Scalar, at location: SourceLocation
    ) throws(YAMLSyntaxError) -> DocumentNode.Content {
        guard scalar.style == .plain else { return .string(scalar.string) }
        switch YAMLScalar.resolve(scalar.string) {
        case .success(let content): return content
        case .failure(let refusal): throw YAMLSyntaxError(location: location, detail: refusal.detail)
        }
    }
}
