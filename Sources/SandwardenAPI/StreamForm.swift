internal import HTTP
internal import SandboxModel

/// How a stream of events is written.
enum StreamForm: Sendable, Hashable {
    /// One JSON object a line.
    case lines
    /// Server-sent events.
    case events

    /// The form that the client asks for; `nil` when it asks for neither.
    init?(accept: String?) {
        let accept = accept?.lowercased() ?? ""
        if accept.contains("application/x-ndjson") {
            self = .lines
        } else if accept.contains("text/event-stream") {
            self = .events
        } else {
            return nil
        }
    }

    var contentType: String {
        switch self {
        case .lines: "application/x-ndjson"
        case .events: "text/event-stream"
        }
    }

    /// One event. JSON text of ours has no line breaks, so that it is one line in both forms.
    func frame(event: String, id: String? = nil, _ json: JSONValue) -> [UInt8] {
        switch self {
        case .lines: return json.bytes + [0x0A]
        case .events:
            let head = (id.map { "id: \($0)\n" } ?? "") + "event: \(event)\ndata: "
            return Array(head.utf8) + json.bytes + Array("\n\n".utf8)
        }
    }
}
