package import SandboxModel

/// One map of a document, with the pointer that leads to it.
package struct DocumentMap: Sendable {
    /// The map itself.
    package let node: DocumentNode
    /// RFC 6901 pointer to it.
    package let pointer: String

    /// The value under a key; `nil` where the key is absent.
    package subscript(key: String) -> DocumentNode? { node[key] }
    /// Whether the key stands there, whatever its value.
    package func has(_ key: String) -> Bool { node[key] != nil }
    /// The pointer to the value under a key.
    package func pointer(to key: String) -> String { DocumentFault.pointer(pointer, key) }
}

/// One element of a list, with the pointer that leads to it.
package struct DocumentItem: Sendable {
    package let node: DocumentNode
    package let pointer: String
}

/// Reads typed values out of a document and collects every fault on the way, so that all are reported at
/// once.
///
/// Each getter answers `nil` where the key is absent and where its value is faulty; a fault is recorded only
/// for the latter. A null is a fault everywhere but in ``isNull(_:of:)``. At most ``maximumFaults`` are kept;
/// what comes after is counted and said in the last one.
package struct DocumentChecker: Sendable {
    /// Most faults, and most warnings, that are kept.
    package static let maximumFaults = 200

    /// What is wrong, in the order of the checks.
    package private(set) var faults: [DocumentFault] = []
    /// What may be meant but is probably not wanted.
    package private(set) var warnings: [DocumentFault] = []
    private var droppedFaults = 0

    /// A checker without findings.
    package init() {}

    /// Records a fault of a value.
    package mutating func fault(_ detail: String, at pointer: String, location: SourceLocation) {
        guard faults.count < DocumentChecker.maximumFaults else {
            droppedFaults += 1
            faults[faults.count - 1].detail = "and \(droppedFaults + 1) further faults"
            return
        }
        faults.append(DocumentFault(pointer: pointer, location: location, detail: detail))
    }

    /// Records a fault of the value under a key, or of the map where the key is absent.
    package mutating func fault(_ detail: String, key: String, of map: DocumentMap) {
        fault(detail, at: map.pointer(to: key), location: (map[key] ?? map.node).location)
    }

    /// Records a warning of a value.
    package mutating func warning(_ detail: String, at pointer: String, location: SourceLocation) {
        guard warnings.count < DocumentChecker.maximumFaults else { return }
        warnings.append(DocumentFault(pointer: pointer, location: location, detail: detail))
    }

    /// Records a warning of the value under a key, or of the map where the key is absent.
    package mutating func warning(_ detail: String, key: String, of map: DocumentMap) {
        warning(detail, at: map.pointer(to: key), location: (map[key] ?? map.node).location)
    }

    /// Takes a node as a map and checks its keys against the known ones.
    /// - Returns: `nil`, with a fault, when it is no map.
    package mutating func map(_ node: DocumentNode, at pointer: String = "", keys: [String]) -> DocumentMap? {
        guard let members = node.members else {
            fault(mismatch("a map", node), at: pointer, location: node.location)
            return nil
        }
        for member in members where !keys.contains(member.key) {
            var detail = "the key `\(excerpt(member.key, limit: 64))` is not known"
            if let near = nearestName(to: member.key, among: keys) {
                detail += "; did you mean `\(near)`?"
            } else {
                detail += "; known are " + keys.map { "`\($0)`" }.joined(separator: ", ")
            }
            fault(detail, at: DocumentFault.pointer(pointer, member.key), location: member.keyLocation)
        }
        return DocumentMap(node: node, pointer: pointer)
    }

    /// The map under a key, its keys checked.
    package mutating func map(_ key: String, of map: DocumentMap, keys: [String]) -> DocumentMap? {
        guard let node = map[key] else { return nil }
        return self.map(node, at: map.pointer(to: key), keys: keys)
    }

    /// Records a fault when the key is absent.
    package mutating func require(_ key: String, of map: DocumentMap) {
        guard !map.has(key) else { return }
        fault("the key `\(key)` is missing", key: key, of: map)
    }

    /// Whether an explicit null stands under the key, where the caller gives that a meaning.
    package func isNull(_ key: String, of map: DocumentMap) -> Bool { map[key]?.isNull ?? false }

    /// A string of at most `maximumBytes` bytes without control characters, but for line feed and tab where
    /// allowed.
    package mutating func string(
        _ key: String, of map: DocumentMap, maximumBytes: Int = 1024, allowsLines: Bool = false
    ) -> String? {
        guard let node = map[key] else { return nil }
        return string(
            DocumentItem(node: node, pointer: map.pointer(to: key)), maximumBytes: maximumBytes,
            allowsLines: allowsLines)
    }

    /// A string element of a list, checked like ``string(_:of:maximumBytes:allowsLines:)``.
    package mutating func string(
        _ item: DocumentItem, maximumBytes: Int = 1024, allowsLines: Bool = false
    ) -> String? {
        guard let text = item.node.string else {
            var detail = mismatch("a string", item.node)
            if item.node.bool != nil || item.node.double != nil { detail += "; put it in quotes" }
            fault(detail, at: item.pointer, location: item.node.location)
            return nil
        }
        guard text.utf8.count <= maximumBytes else {
            fault(
                "the text has \(text.utf8.count) bytes, more than the \(maximumBytes) allowed",
                at: item.pointer,
                location: item.node.location)
            return nil
        }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            if allowsLines, scalar == "\n" || scalar == "\t" { return true }
            return scalar.properties.generalCategory != .control
        }
        guard isPlain else {
            fault("a control character is not allowed here", at: item.pointer, location: item.node.location)
            return nil
        }
        return text
    }

    /// An integer of a range.
    package mutating func integer(_ key: String, of map: DocumentMap, in range: ClosedRange<Int>) -> Int? {
        guard let node = map[key] else { return nil }
        return integer(DocumentItem(node: node, pointer: map.pointer(to: key)), in: range)
    }

    /// An integer element of a list.
    package mutating func integer(_ item: DocumentItem, in range: ClosedRange<Int>) -> Int? {
        let node = item.node
        guard let wide = node.integer, let value = Int(exactly: wide) else {
            var detail = mismatch("an integer", node)
            if let text = node.string, Int(text) != nil { detail += "; write it without quotes" }
            fault(detail, at: item.pointer, location: node.location)
            return nil
        }
        guard range.contains(value) else {
            fault(
                "\(value) is out of range; allowed are \(range.lowerBound) to \(range.upperBound)",
                at: item.pointer, location: node.location)
            return nil
        }
        return value
    }

    /// A number of a range, written with or without a fraction.
    package mutating func number(_ key: String, of map: DocumentMap, in range: ClosedRange<Double>) -> Double? {
        guard let node = map[key] else { return nil }
        guard let value = node.double else {
            var detail = mismatch("a number", node)
            if let text = node.string, Double(text) != nil { detail += "; write it without quotes" }
            fault(detail, key: key, of: map)
            return nil
        }
        guard range.contains(value) else {
            fault(
                "\(value) is out of range; allowed are \(range.lowerBound) to \(range.upperBound)", key: key,
                of: map)
            return nil
        }
        return value
    }

    /// A truth value.
    package mutating func bool(_ key: String, of map: DocumentMap) -> Bool? {
        guard let node = map[key] else { return nil }
        if let value = node.bool { return value }
        fault(mismatch("true or false", node), key: key, of: map)
        return nil
    }

    /// One of the raw values of a type.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, of map: DocumentMap, _ type: Choice.Type
    ) -> Choice? {
        guard let node = map[key] else { return nil }
        return choice(DocumentItem(node: node, pointer: map.pointer(to: key)), type)
    }

    /// One of the raw values of a type, as an element of a list.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ item: DocumentItem, _ type: Choice.Type
    ) -> Choice? {
        let names = Choice.allCases.map(\.rawValue)
        if let text = item.node.string, let value = Choice(rawValue: text) { return value }
        var detail = mismatch("one of " + names.map { "`\($0)`" }.joined(separator: ", "), item.node)
        if let text = item.node.string, let near = nearestName(to: text, among: names) {
            detail += "; did you mean `\(near)`?"
        }
        fault(detail, at: item.pointer, location: item.node.location)
        return nil
    }

    /// The elements of a list of at most `limit`.
    package mutating func list(
        _ key: String, of map: DocumentMap, atMost limit: Int = 1024
    ) -> [DocumentItem]? {
        guard let node = map[key] else { return nil }
        guard let elements = node.array else {
            fault(mismatch("a list", node), key: key, of: map)
            return nil
        }
        guard elements.count <= limit else {
            fault("the list has \(elements.count) entries, more than the \(limit) allowed", key: key, of: map)
            return nil
        }
        let pointer = map.pointer(to: key)
        return elements.enumerated().map {
            DocumentItem(node: $0.element, pointer: "\(pointer)/\($0.offset)")
        }
    }

    /// A list of strings, each turned into its stored form by `read`; a faulty or repeated entry is left out.
    /// - Parameter read: Answers the stored form, or why the entry is refused.
    package mutating func strings(
        _ key: String, of map: DocumentMap, atMost limit: Int = 1024, maximumBytes: Int = 1024,
        read: (String) -> Result<String, EntryRefusal>
    ) -> [String]? {
        guard let items = list(key, of: map, atMost: limit) else { return nil }
        var values: [String] = []
        var seen: Set<[UInt8]> = []
        for item in items {
            guard let text = string(item, maximumBytes: maximumBytes) else { continue }
            switch read(text) {
            case .failure(let refusal): fault(refusal.detail, at: item.pointer, location: item.node.location)
            case .success(let value):
                if seen.insert(Array(value.utf8)).inserted {
                    values.append(value)
                } else {
                    fault(
                        "`\(excerpt(value, limit: 64))` stands twice in this list", at: item.pointer,
                        location: item.node.location)
                }
            }
        }
        return values
    }

    private func mismatch(_ wanted: String, _ node: DocumentNode) -> String {
        switch node.content {
        case .null: "\(wanted) was expected, found null; leave the key out where nothing is to be said"
        case .string(let text): "\(wanted) was expected, found the string \"\(excerpt(text, limit: 64))\""
        case .bool(let value): "\(wanted) was expected, found \(value)"
        case .integer(let value): "\(wanted) was expected, found \(value)"
        case .number(let value): "\(wanted) was expected, found \(value)"
        case .array, .object: "\(wanted) was expected, found a \(node.typeName)"
        }
    }
}

/// Why one entry of a list is refused.
package struct EntryRefusal: Error, Sendable, Hashable {
    /// One clause for people.
    package var detail: String

    package init(_ detail: String) { self.detail = detail }
}

extension Result {
    /// The value, where there is one; for callers to whom every failure means the same.
    var success: Success? {
        switch self {
        case .success(let value): value
        case .failure: nil
        }
    }
}

/// The name that a misspelt one was probably meant to be: at most two edits away and at most a third of its
/// length.
/// - Complexity: the product of both lengths for each name; texts beyond 64 bytes are not compared.
package func nearestName(to text: String, among names: [String]) -> String? {
    let wanted = Array(text.lowercased().utf8)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    var best: (name: String, distance: Int)?
    for name in names {
        let distance = editDistance(wanted, Array(name.utf8))
        guard distance <= max(1, min(2, name.utf8.count / 3)) else { continue }
        if let best, best.distance <= distance { continue }
        best = (name, distance)
    }
    return best?.name
}

private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    guard left.count <= 64, right.count <= 64 else { return Int.max }
    var beforePrevious = [Int](repeating: 0, count: right.count + 1)
    var previous = Array(0...right.count)
    for i in 0..<left.count {
        var row = [i + 1]
        row.reserveCapacity(right.count + 1)
        for j in 0..<right.count {
            let cost = left[i] == right[j] ? 0 : 1
            var best = min(previous[j + 1] + 1, row[j] + 1, previous[j] + cost)
            if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
                best = min(best, beforePrevious[j - 1] + 1)
            }
            row.append(best)
        }
        beforePrevious = previous
        previous = row
    }
    return previous[right.count]
}
