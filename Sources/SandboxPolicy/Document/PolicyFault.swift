public import SandboxModel

/// One fault of a policy, with the file it stands in.
public struct PolicyFault: Sendable, Hashable, CustomStringConvertible {
    /// The file as it was named to us; `nil` for a text that came over the wire.
    public var file: String?
    /// What is wrong and where.
    public var fault: DocumentFault

    /// A fault in a file.
    public init(file: String?, fault: DocumentFault) {
        self.file = file
        self.fault = fault
    }

    /// `file:line:column: pointer: detail`, leaving out what there is none of.
    public var description: String {
        var parts: [String] = []
        var place = file.map { excerpt($0, limit: 4096) } ?? ""
        if fault.location != .none { place += place.isEmpty ? "\(fault.location)" : ":\(fault.location)" }
        if !place.isEmpty { parts.append(place) }
        if !fault.pointer.isEmpty { parts.append(excerpt(fault.pointer)) }
        parts.append(fault.detail)
        return parts.joined(separator: ": ")
    }
}

/// Everything that is wrong with one or more policies; never empty.
public struct PolicyFaults: Error, Sendable, Hashable, CustomStringConvertible {
    /// The faults in the order in which they were found.
    public var faults: [PolicyFault]

    /// The given faults.
    public init(_ faults: [PolicyFault]) { self.faults = faults }

    init(_ detail: String, file: String?, pointer: String = "", location: SourceLocation = .none) {
        let fault = DocumentFault(pointer: pointer, location: location, detail: detail)
        faults = [PolicyFault(file: file, fault: fault)]
    }

    /// One fault a line.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

/// The answer to the check of one policy.
public struct PolicyCheckResult: Sendable, Hashable {
    /// What keeps it from being stored; empty when it is valid.
    public var errors: [PolicyFault]
    /// What may be meant but is probably not wanted.
    public var warnings: [PolicyFault]

    /// A result of the given findings.
    public init(errors: [PolicyFault], warnings: [PolicyFault]) {
        self.errors = errors
        self.warnings = warnings
    }

    /// Whether the policy may be stored.
    public var isValid: Bool { errors.isEmpty }

    /// `{"valid", "errors": [{"pointer", "detail"}], "warnings": […]}`; line and column stand beside the
    /// pointer where they are known.
    public var json: JSONValue {
        func list(_ faults: [PolicyFault]) -> JSONValue {
            .array(
                faults.map { entry in
                    var members = [
                        JSONMember("pointer", .string(entry.fault.pointer)),
                        JSONMember("detail", .string(entry.fault.detail)),
                    ]
                    if entry.fault.location != .none {
                        members.append(JSONMember("line", .integer(Int64(entry.fault.location.line))))
                        members.append(JSONMember("column", .integer(Int64(entry.fault.location.column))))
                    }
                    return .object(members)
                })
        }
        return ["valid": .bool(isValid), "errors": list(errors), "warnings": list(warnings)]
    }
}
