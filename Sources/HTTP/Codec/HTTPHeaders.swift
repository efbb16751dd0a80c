/// Header fields in order, with names that compare without regard to case.
///
/// All names and values lie in one array of bytes, so that a parsed header section costs one copy and no
/// string until somebody asks for one. Values are bytes without CR, LF and NUL; as text they are read as
/// UTF-8, with replacement characters where they are not.
public struct HTTPHeaders: Sendable {
    /// Where one field lies in the array of bytes.
    struct Field: Sendable {
        var nameStart: Int32
        var nameCount: Int32
        var valueStart: Int32
        var valueCount: Int32

        var name: Range<Int> { Int(nameStart)..<Int(nameStart + nameCount) }
        var value: Range<Int> { Int(valueStart)..<Int(valueStart + valueCount) }
    }

    /// Names, values and, between them, whatever else the message had there.
    private(set) var bytes: [UInt8] = []
    private(set) var fields: [Field] = []

    /// No fields.
    public init() {}

    /// Number of field lines.
    public var count: Int { fields.count }

    /// Whether there is no field.
    public var isEmpty: Bool { fields.isEmpty }

    /// The first value of a field, or `nil` when it is absent. Setting replaces all values; `nil` removes
    /// them.
    public subscript(name: String) -> String? {
        get { firstField(name).map { text($0.value) } }
        set {
            remove(name)
            if let newValue { add(name, newValue) }
        }
    }

    /// All values of a field, in order.
    public func values(_ name: String) -> [String] {
        fields.lazy.filter { isNamed($0, name) }.map { text($0.value) }
    }

    /// Whether there is such a field.
    public func contains(_ name: String) -> Bool {
        firstField(name) != nil
    }

    /// Appends a field.
    /// - Parameters:
    ///   - name: A token; one that is none is a mistake in the program and traps.
    ///   - value: Any text. Control characters become spaces, so that no value can break out of its line.
    public mutating func add(_ name: String, _ value: String) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy { ByteSet.token.contains($0) }, "\(name) is no field name")
        let nameStart = bytes.count
        bytes.append(contentsOf: name.utf8)
        let valueStart = bytes.count
        bytes.append(contentsOf: value.utf8)
        for index in valueStart..<bytes.count where !bytes[index].isFieldContent { bytes[index] = 0x20 }
        fields.append(
            Field(
                nameStart: Int32(clamping: nameStart), nameCount: Int32(clamping: valueStart - nameStart),
                valueStart: Int32(clamping: valueStart),
                valueCount: Int32(clamping: bytes.count - valueStart)))
    }

    /// Removes all values of a field.
    public mutating func remove(_ name: String) {
        fields = fields.filter { !isNamed($0, name) }
    }

    /// The bytes of the first value of a field.
    package func bytes(of name: String) -> ArraySlice<UInt8>? {
        firstField(name).map { bytes[$0.value] }
    }

    private func firstField(_ name: String) -> Field? {
        for field in fields where isNamed(field, name) { return field }
        return nil
    }

    private func isNamed(_ field: Field, _ name: String) -> Bool {
        let name = name.utf8
        guard name.count == Int(field.nameCount) else { return false }
        var index = Int(field.nameStart)
        for byte in name {
            guard bytes[index].lowercased == byte.lowercased else { return false }
            index += 1
        }
        return true
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }
}

/// What the readers need: filling in place, so that buffers are used again.
extension HTTPHeaders {
    /// Forgets everything but the memory.
    mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    /// Notes a field that lies in bytes which will be set by ``adopt(_:)``.
    mutating func note(_ field: Field) {
        fields.append(field)
    }

    /// Copies the bytes that the noted fields refer to.
    mutating func adopt(_ head: Span<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(copying: head)
    }

    /// Copies a field out of a line.
    mutating func add(_ field: Field, of line: Span<UInt8>) {
        let start = Int32(clamping: bytes.count)
        bytes.append(copying: line.extracting(field.name))
        bytes.append(copying: line.extracting(field.value))
        fields.append(
            Field(
                nameStart: start, nameCount: field.nameCount, valueStart: start + field.nameCount,
                valueCount: field.valueCount))
    }
}

extension HTTPHeaders: Sequence {
    /// One field line.
    public typealias Element = (name: String, value: String)

    /// Goes through the fields in order.
    public func makeIterator() -> AnyIterator<Element> {
        var index = 0
        return AnyIterator {
            guard index < fields.count else { return nil }
            defer { index += 1 }
            return (text(fields[index].name), text(fields[index].value))
        }
    }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    /// The fields in the order written.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }
}

extension HTTPHeaders: Equatable {
    /// Whether both have the same fields in the same order, names without regard to case.
    public static func == (left: HTTPHeaders, right: HTTPHeaders) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy {
                $0.name.lowercased() == $1.name.lowercased() && $0.value == $1.value
            }
    }
}
